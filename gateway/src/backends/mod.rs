//! Who the instances are, and which of them a call takes: each worker's links to them, and how they are judged.
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
//! signals     what one worker's connections tell the others
//! ```
//! Nothing here is shared between workers but the signals, which are raised when an endpoint is reached or recovers.

mod addresses;
mod backend;
mod endpoint;
mod health;
mod keeper;
mod monitor;
mod peak_ewma;
mod peer;
mod pick;
mod pool;
mod ring;
mod signals;
mod wanted;

pub use addresses::Addresses;
pub use backend::Backend;
pub(crate) use backend::next_backends;
pub use endpoint::Endpoint;
pub(crate) use health::Verdict;
pub(crate) use monitor::Monitor;
#[cfg(test)]
pub(crate) use peer::Peer;
pub(crate) use peer::Surroundings;
pub use pick::{LocalBackend, Pick, Tried};
pub use pool::Pool;
pub use ring::{Ring, hash};
pub use signals::Signals;
pub use wanted::Wanted;
