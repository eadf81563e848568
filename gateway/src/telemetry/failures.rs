//! How many requests failed, by reason, and how many were no HTTP/1.1.

use super::counter::Counter;
use crate::failure::Reason;
use callgate_http1::Refusal;

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

/// One worker's share of what was refused because it is not HTTP/1.1, by what is wrong with it.
#[derive(Debug)]
pub struct RefusalCounters([Counter; Refusal::ALL.len()]);

impl Default for RefusalCounters {
    fn default() -> RefusalCounters {
        RefusalCounters(std::array::from_fn(|_| Counter::default()))
    }
}

impl RefusalCounters {
    /// Those with that mistake.
    pub fn of(&self, refusal: Refusal) -> &Counter {
        &self.0[refusal as usize]
    }
}
