//! Who can call which method: what is in force, what a change would open, and the line of a table that accepts exactly that.
//!
//! ```text
//! needs   what a way in asks of whoever comes by it
//! ways    the ways in of tables and settings
//! record  what was in force, kept for the next start
//! ```
//! A route is a way to each method that it calls, by whatever path: who cannot come by one can come by another. A listener is a way to all of
//! them. A change exposes a method when some way to it does not ask at least what one way asked before. To find the like by reading is hard, for
//! what a route asks stands in several files; so a change that does it is refused until somebody says that it is meant.

mod needs;
mod record;
#[cfg(test)]
mod tests;
mod ways;

pub use needs::{Need, Needs};
pub use record::Record;
pub use ways::{Ways, asked, methods};

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A way that lets somebody in who could not come before.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Opened {
    /// To what: `backend service.method`, or a listener.
    pub to: String,
    /// What it asks.
    pub asks: Needs,
    /// What the ways asked that were there before.
    pub before: Vec<Needs>,
}

/// A way whose callers find none any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closed {
    /// To what: `backend service.method`.
    pub to: String,
    /// What it asked.
    pub asked: Needs,
    /// Nothing leads there any more.
    pub is_gone: bool,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: who came by a way that asks {} can come no more", self.to, self.asked)?;
        if self.is_gone { f.write_str("; nothing leads there") } else { Ok(()) }
    }
}

/// All that a change opens; something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exposure(Vec<Opened>);

impl Exposure {
    /// What is opened, in order; `None` if nothing is.
    pub(crate) fn of(mut opened: Vec<Opened>) -> Option<Exposure> {
        opened.sort();
        opened.dedup();
        (!opened.is_empty()).then_some(Exposure(opened))
    }

    /// Each way.
    pub fn opened(&self) -> &[Opened] {
        &self.0
    }

    /// What tells this difference from any other: sixteen hex digits of a SHA-256.
    pub fn hash(&self) -> String {
        let text = serde_json::to_vec(&self.0).unwrap_or_default();
        digest(&SHA256, &text).as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: a way asks {}", self.to, self.asks)?;
        match &self.before[..] {
            [] => f.write_str("; there was none before"),
            [one] => write!(f, "; before, it was {one}"),
            [one, rest @ ..] => write!(f, "; before, it was {one}, or one of {} others", rest.len()),
        }
    }
}
