//! The SDK: what a Callgate backend, or an internal caller of one, links.
//!
//! A [`Server`] offers services; a [`Client`] calls them, as the gateway does. What is between is the wire protocol of
//! `callgate-protocol`, driven by one connection loop that both share.

mod client;
mod connection;
mod context;
mod server;
pub mod service;

pub use callgate_protocol::{Code, Status};
pub use client::{Client, ClientBuilder, ClientError};
pub use connection::{Address, AddressError};
pub use context::Context;
pub use server::{Bound, Handle, Server, ServerError};
