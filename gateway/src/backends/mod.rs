//! Who the instances are, and which of them a call takes: each worker's links to them, and how they are judged.
//!
//! ```text
//! backend              a backend as all workers share it; members, who its instances are; endpoint, one of them
//! pool                 a worker's backends, brought in line with the table
//! local_backend        a backend as one worker sees it: which instance a call goes to
//! instances            its instances, and which of them could take a call at all
//! tried                what a pick has to know of a call
//! seen                 what is to be said of each instance to whoever asks where a call would go
//! balance              in which order they are asked; ring, which instance is a key's
//! local_endpoint       one endpoint as one worker sees it
//! endpoint_supervisor  connects to it, reconnects with backoff, replaces what is old, retires; endpoint_connection, one connection;
//!                      connecting, what is said of all of them
//! attempt              an attempt of a call on an instance
//! monitor              where attempts report what became of them, for health (the crate `health`)
//! health_reviewer      ten times a second: who is silent, who is ejected or tried again
//! peak_ewma            how long an instance takes
//! call_state           what a worker keeps of the calls to a backend
//! retry_budget         how many may be sent again, so that retries do not make an outage worse
//! latency              how long the calls of a route take that hedges
//! signals              what one worker's connections tell the others; offer_changes, what they tell control
//! ```
//! Workers share nothing here but these two, which are told when an endpoint is reached or recovers, or offers something else.

mod attempt;
mod backend;
mod balance;
mod call_state;
mod connecting;
mod endpoint;
mod endpoint_connection;
mod endpoint_supervisor;
mod health_reviewer;
mod instances;
mod latency;
mod local_backend;
mod local_endpoint;
mod members;
mod monitor;
mod offer_changes;
mod peak_ewma;
mod pool;
mod retry_budget;
mod ring;
mod seen;
mod signals;
#[cfg(test)]
pub(crate) mod testing;
mod tried;

pub use attempt::Attempt;
pub use backend::Backend;
pub(crate) use backend::next_backends;
pub use call_state::CallState;
pub use endpoint::Endpoint;
pub use latency::Latency;
pub use local_backend::{Chosen, LocalBackend, Pick};
pub(crate) use local_endpoint::LocalEndpoint;
pub use members::{Member, Members};
pub use offer_changes::OfferChanges;
pub use pool::Pool;
pub use retry_budget::Cost;
pub use ring::{Ring, hash};
pub use seen::Seen;
pub use tried::{Tried, Wanted};
