//! The runtime on real sockets: servers and clients of this crate, and peers made by hand from the protocol's halves.

mod around;
mod calls;
mod client;
mod drain;
mod limits;
mod log;
mod peer;
mod place;
mod pressure;
mod support;
