//! What a route counts of calls whose clients are only told that they are on their way.

use super::counter::Counter;
use crate::failure::Reason;
use std::array::from_fn;

/// One worker's share.
#[derive(Debug)]
pub struct NotifiedCounters {
    /// Those that are under way, whether their client has its answer or not.
    pub open: Counter,
    /// Those whose method has replied.
    pub ok: Counter,
    failures: [Counter; Reason::ALL.len()],
}

impl Default for NotifiedCounters {
    fn default() -> NotifiedCounters {
        let (open, ok) = Default::default();
        NotifiedCounters { open, ok, failures: from_fn(|_| Counter::default()) }
    }
}

impl NotifiedCounters {
    /// Those that have failed for that reason when no client could be told.
    pub fn failed(&self, reason: Reason) -> &Counter {
        &self.failures[reason as usize]
    }
}
