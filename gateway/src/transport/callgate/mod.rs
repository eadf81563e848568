//! Our own protocol: long-lived connections over TCP or a Unix socket, many calls at a time on each.
//!
//! ```text
//! connections  all connections of a worker, and what they share
//! connection   one connection: the calls in flight on it, and the task that reads and writes
//! handshake    HELLO and the schemas that are not known yet
//! in_flight    what a connection keeps for a call, by the protocol's rules
//! farewell     why a connection ends, told to a peer that broke the protocol
//! offer        what an instance said it offers
//! programs     how a route's requests are encoded for an instance
//! errors       how a call has failed, by the errors that its method declares
//! transcoders  a worker's programs, made of compiled schemas
//! catalog      schemas, read and compiled once for all workers, in a thread beside them
//! fit          whether a route's calls can be made at an instance
//! rules        the rules of a route for the schema of a method
//! unreached    why there is no connection
//! stranger     who answers at an endpoint that is no backend
//! connect      over TCP, or at a Unix socket
//! security     TLS over that, and the token that is brought along
//! ```
//! Nothing here is shared between workers but the catalog, which is asked only when a connection is made.

mod catalog;
mod connect;
mod connection;
mod connections;
mod errors;
mod farewell;
mod fit;
mod handshake;
mod in_flight;
mod offer;
mod programs;
mod rules;
mod security;
mod stranger;
mod transcoders;
mod unreached;

pub use catalog::{Catalog, Schema};
#[cfg(test)]
pub(crate) use connection::testing;
pub use connection::{Connection, ConnectionSpec, End, drive};
pub use connections::{Connected, Connections};
pub use fit::{Part, fits, meant};
pub(crate) use handshake::Instance;
pub use handshake::{Channel, ask};
pub use offer::{MethodEntry, Offer};
pub use security::{Security, TlsInstance};
pub use unreached::NotConnected;
