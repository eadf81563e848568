//! How an attempt is made on one instance. A [`Link`] is a way to an instance; a call on it is a [`PendingReply`], which ends with
//! an [`Outcome`]. Who the instances are and which of them takes a call is not known here, nor what a route is: of that a link
//! knows its [`Binding`].
//!
//! ```text
//! link           the questions that a pick asks, and how a call is made
//! pending_reply  a call that was made, until it has ended
//! outcome        how it has ended, and all that follows from it
//! reply          what the instance replies
//! binding        what links know of a route
//! review         what is raised when something about a link has changed
//! callgate       our own protocol
//! memory         instances that a test plays
//! ```

mod binding;
pub mod callgate;
mod link;
#[cfg(test)]
pub mod memory;
mod outcome;
mod pending_reply;
mod reply;
mod review;

pub use binding::Binding;
pub use link::{Call, Link, Times, Unsent};
pub use outcome::{Evidence, Outcome};
pub use pending_reply::{Ended, Heard, PendingReply};
pub use reply::Json;
pub use review::ReviewRequest;
