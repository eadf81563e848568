//! How many requests failed, by reason, and how many were no HTTP/1.1.

use super::counter::Counter;
use crate::failure::Reason;
use callgate_http1::Refusal;
use std::array::from_fn;

/// One worker's share of the failures.
#[derive(Debug)]
pub struct FailureCounters {
    by_reason: [Counter; Reason::ALL.len()],
    by_refusal: [Counter; Refusal::ALL.len()],
}

impl Default for FailureCounters {
    fn default() -> FailureCounters {
        let counter = |_| Counter::default();
        FailureCounters { by_reason: from_fn(counter), by_refusal: from_fn(counter) }
    }
}

impl FailureCounters {
    /// Those for that reason.
    pub fn of(&self, reason: Reason) -> &Counter {
        &self.by_reason[reason as usize]
    }

    /// What was refused because it is not HTTP/1.1, with that mistake.
    pub fn of_refusal(&self, refusal: Refusal) -> &Counter {
        &self.by_refusal[refusal as usize]
    }
}
