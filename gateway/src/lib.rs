//! The gateway: HTTP and JSON in front, calls over long-lived connections behind.
//!
//! The folders stand in the order in which a request meets them: [`front`], [`routes`], [`limit`], [`overload`], [`call`],
//! [`backends`]. Beside them [`config`] makes checked settings of files, [`control`] puts new tables into force, [`certificates`] are what TLS
//! shows to clients, [`admin`] shows what is going on, [`telemetry`] counts it, and [`cli`] is the command line. A [`worker`] is what a thread owns of all of it, and [`workers`] are
//! the threads; [`process`] puts them together, on the sockets that [`listeners`] opens or takes over by an [`upgrade`], within the
//! [`descriptors`] that the system gives it, [`supervise`] begins anew what has panicked, and [`state`] keeps what the next start may
//! need.

#![deny(clippy::print_stderr, clippy::print_stdout)]

pub mod access_log;
pub mod admin;
pub mod auth;
pub mod backends;
pub mod buffers;
pub mod call;
pub mod certificates;
pub mod cli;
pub mod clients;
pub mod coding;
pub mod config;
mod content_type;
pub mod control;
pub mod descriptors;
pub mod discovery;
pub mod dry_run;
mod explorer;
pub mod exposure;
pub mod failure;
mod fields;
mod followed;
pub mod front;
mod host;
pub mod http_client;
mod ids;
pub mod lame_duck;
pub mod limit;
pub mod listeners;
pub mod method;
pub mod openapi;
pub mod overload;
mod paths;
pub(crate) mod presence;
mod priority;
pub mod privilege;
pub mod process;
pub mod routes;
pub mod signals;
pub mod state;
pub mod steps;
pub mod stream;
pub mod supervise;
pub mod telemetry;
pub mod traces;
pub mod transport;
pub mod unix_socket;
pub mod upgrade;
pub mod worker;
pub mod workers;
