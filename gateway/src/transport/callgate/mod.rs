//! Our own protocol: long-lived connections over TCP or a Unix socket, many calls at a time on each.
//!
//! ```text
//! handshake    HELLO and the schemas that are not known yet
//! connection   one connection: calls in flight; connection::driver, the task that reads and writes
//! fit          whether a route's calls can be made at an instance
//! offer        what an instance said it offers
//! catalog      schemas, read and compiled once for all workers, in a thread beside them
//! transcoders  a worker's programs, made of compiled schemas
//! stranger     who answers at an endpoint that is no backend
//! stream       TCP or Unix socket
//! ```
//! Nothing here is shared between workers but the catalog, which is asked only when a connection is made.

mod catalog;
mod connection;
mod fit;
mod handshake;
mod offer;
mod stranger;
mod stream;
mod transcoders;

pub use catalog::{Catalog, Schema};
#[cfg(test)]
pub(crate) use connection::testing;
pub use connection::{Answer, Conn, Heard, InFlight, Json, LongReply, Times, Unsent};
pub(crate) use connection::{End, drive};
pub use fit::{Part, fits, meant};
pub use handshake::ask;
pub(crate) use handshake::{Patience, establish};
pub use offer::{MethodEntry, Offer};
pub(crate) use stream::Stream;
pub use transcoders::{Transcoder, Transcoders};
