//! How an attempt is made on one instance. A [`Link`] is a way to an instance; a call on it is a [`PendingReply`], which ends with
//! an [`Outcome`]. Who the instances are and which of them takes a call is not known here, nor what a route is: of that a link
//! knows its [`Binding`].
//!
//! ```text
//! link      the questions that a pick asks, how a call is made, and a call that was made, until it has ended
//! call      what a link is given for that; body, a request's body
//! slot      where a link puts what comes of a call; its child is the queue of a reply that has begun (items)
//! outcome   how an attempt has ended, and all that follows from it
//! reply     what the instance replies
//! review    what is raised when something about a link has changed
//! callgate  our own protocol
//! memory    instances that a test plays
//! ```

mod body;
mod call;
pub mod callgate;
mod link;
#[cfg(test)]
pub mod memory;
mod outcome;
mod reply;
mod review;
mod slot;

pub use body::{Body, BodyStream, Piece, SharedBody};
#[cfg(test)]
pub use call::MAX_STREAM;
pub use call::{Binding, Call, OnWritten, Times, Unsent};
pub use callgate_health::Evidence;
pub use link::{Link, PendingReply};
pub use outcome::{Outcome, Stop};
pub use reply::{Json, LongReply, Noted, Replied};
pub use review::ReviewRequest;
pub use slot::{Begun, Ended, Heard, Item, Progress};
