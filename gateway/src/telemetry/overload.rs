//! What is counted of calls that were too many: why they were turned away, how many wait, and the limits.

use super::counter::Counter;
use crate::failure::ShedReason;

/// Requests that were turned away, by reason.
#[derive(Debug, Default)]
pub struct ShedCounters([Counter; ShedReason::ALL.len()]);

impl ShedCounters {
    /// Those for that reason.
    pub fn of(&self, reason: ShedReason) -> &Counter {
        &self.0[reason as usize]
    }
}

/// One worker's share of what is known of a backend's load.
#[derive(Debug, Default)]
pub struct OverloadCounters {
    /// Calls that wait for a permit.
    pub queued: Counter,
    /// Calls that have waited and then went on.
    pub served: Counter,
}
