//! The route and backend tables in force: what a request is looked up in.
//!
//! A [`Table`] never changes; a reload builds the next one, taking over what stayed the same, and swaps it in.

mod fixed;
mod location;
mod next;
mod params;
#[cfg(test)]
mod scaling_tests;
mod table;
mod traffic;

pub use fixed::{FixedRoute, RawParams};
pub use location::{location, rewritten};
pub use params::{PathParams, QueryPairs, query_pairs};
pub use table::{Found, Route, Table};
pub use traffic::{Arm, Fallback, FallbackTo, Place, Shadow, Traffic};
