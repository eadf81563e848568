//! How many requests failed, by reason.

use super::counter::Counter;
use crate::failure::Reason;

/// One worker's share of the failures, by reason.
#[derive(Debug)]
pub struct FailureCounters([Counter; Reason::ALL.len()]);

impl Default for FailureCounters {
    fn default() -> FailureCounters {
        FailureCounters(std::array::from_fn(|_| Counter::default()))
    }
}

impl FailureCounters {
    /// Those for that reason.
    pub fn of(&self, reason: Reason) -> &Counter {
        &self.0[reason as usize]
    }
}
