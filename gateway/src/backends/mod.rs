//! The way to the backends: each worker's connections, and which of them a call takes.
//!
//! ```text
//! backend     a backend as all workers share it; endpoint, one address of it; addresses, where its names lead
//! pool        a worker's backends, brought in line with the table
//! pick        which instance a call goes to, by the backend's balance; wanted, which of them can run it
//! ring        which instance is a key's
//! keeper      ten times a second: who is silent, who is ejected or tried again
//! health      how an instance is judged by what becomes of its calls; monitor, where its connections report that
//! peak_ewma   how long an instance takes
//! peer        one endpoint's supervisor: connects, reconnects with backoff, replaces what is old, retires
//! handshake   HELLO and the schemas that are not known yet
//! conn        one connection: calls in flight; conn::driver, the task that reads and writes
//! fit         whether a route's calls can be made at an instance
//! offer       what an instance said it offers
//! catalog     schemas, read and compiled once for all workers, in a thread beside them
//! transcoders a worker's programs, made of compiled schemas
//! stranger    who answers at an endpoint that is no backend
//! stream      TCP or Unix socket
//! presence    whether the worker itself was away
//! signals     what one worker's connections tell the others
//! ```
//! Nothing here is shared between workers but the catalog, which is asked only when a connection is made, and the signals,
//! which are raised when an endpoint is reached or recovers.

mod addresses;
mod backend;
mod catalog;
mod conn;
mod endpoint;
mod fit;
mod handshake;
mod health;
mod keeper;
mod monitor;
mod numbers;
mod offer;
mod peak_ewma;
mod peer;
mod pick;
mod pool;
mod presence;
mod ring;
mod signals;
mod stranger;
mod stream;
mod transcoders;
mod wanted;

pub use addresses::Addresses;
pub use backend::Backend;
pub(crate) use backend::next_backends;
pub use catalog::{Catalog, Schema};
#[cfg(test)]
pub(crate) use conn::testing::long_reply;
pub use conn::{Answer, Conn, Heard, InFlight, Json, LongReply, Times, Unsent};
pub use endpoint::Endpoint;
pub use fit::{Part, fits, meant};
pub use handshake::ask;
pub(crate) use numbers::NumberMap;
pub use offer::{MethodEntry, Offer};
pub use pick::{LocalBackend, Pick, Tried};
pub use pool::Pool;
pub use ring::{Ring, hash};
pub use signals::Signals;
pub use transcoders::{Transcoder, Transcoders};
pub use wanted::Wanted;
