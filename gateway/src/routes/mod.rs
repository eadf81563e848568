//! The route and backend tables in force: what a request is looked up in.
//!
//! A [`Table`] never changes; a reload builds the next one, taking over what stayed the same, and swaps it in.

mod action;
mod arguments;
mod careless;
mod changes;
pub mod diff;
mod every_reply;
mod location;
mod next;
mod own_calls;
mod params;
mod route;
#[cfg(test)]
mod scaling_tests;
mod table;
mod tools;
mod traffic;
mod trees;

pub use action::{Action, CallAction, Document, Published, Rewrite};
pub use arguments::{Argument, Arguments};
pub use changes::changes;
pub use diff::Difference;
pub use every_reply::{Cors, EveryReply};
pub use location::{location, rewritten};
pub use own_calls::OwnCall;
pub(crate) use params::decode_segment;
pub use params::{BoundTexts, Captured, PathParams, QueryPairs, RawParams, query_pairs};
pub use route::Route;
pub use table::Table;
pub use tools::{ToolList, Tools};
pub use traffic::{Destination, Fallback, FallbackTo, Shadow, Target, Traffic};
