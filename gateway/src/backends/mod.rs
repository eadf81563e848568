//! The way to the backends: each worker's connections, and which of them a call takes.
//!
//! ```text
//! pool        a worker's backends, brought in line with the table
//! peer        one endpoint's supervisor: connects, reconnects with backoff, retires
//! handshake   HELLO and the schemas that are not known yet
//! conn        one connection: calls in flight; conn::driver, the task that reads and writes
//! offer       what an instance said it offers
//! catalog     schemas and compiled programs, shared by all workers
//! stream      TCP or Unix socket
//! ```
//! Nothing here is shared between workers but the catalog, which is asked only when a connection is made or a route
//! meets a schema for the first time.

mod catalog;
mod conn;
mod handshake;
mod numbers;
mod offer;
mod peer;
mod pool;
mod stream;

pub use catalog::{Catalog, Transcoder};
pub use conn::{Answer, Conn, InFlight, Times, Unsent};
pub use offer::{MethodEntry, Offer};
pub use pool::{LocalBackend, Pick, Pool, Tried};
