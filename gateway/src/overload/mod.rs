//! How many calls a backend gets at once, and what becomes of those that are too many: a moment in a queue, or an answer
//! that costs next to nothing, given before anything is spent on them.
//!
//! ```text
//! admission  a backend's bounds and its limit
//! admitted   a call that was let in, counted
//! permit     what a call has, waits for, or is shed without
//! gauge      what is known of all workers together: exact counts, where a bound is declared, and the limit
//! limit      the adaptive limit
//! queue      where calls wait for a permit: the most important first, then the newest
//! ```

mod admission;
mod admitted;
mod gauge;
mod limit;
mod permit;
mod queue;

pub use admission::{Admission, Load, is_bounded};
pub use gauge::{Count, Gauge};
pub use limit::{Feedback, Limit, Observed};
pub use permit::Permit;
