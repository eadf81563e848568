//! Waiting while no instance is there: in the gap of a roll-out, or while the only instance restarts, a call that waits
//! for a moment is answered instead of refused.
//!
//! It waits for as long as the backend's `hold` says and its own deadline allows, and only so many calls wait at once:
//! in a long outage they are refused soon, and nothing piles up.

use super::{Call, Failure};
use crate::telemetry::{BackendCounters, HoldOutcome};
use tokio::time::{Instant, timeout_at};

/// Calls of one worker that wait for one backend.
const MAX_HELD: u64 = 1024;

/// A call that waits, counted while it does.
pub(super) struct Held<'a> {
    counters: &'a BackendCounters,
    until: Instant,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.counters.held.decrement();
    }
}

impl Call<'_> {
    /// Waits until an instance may be there. An error when none came in time.
    pub(super) async fn hold(&mut self) -> Result<(), Failure> {
        // Nothing can have changed since an instance was looked for: this thread alone changes it.
        let changed = self.worker.pool.changed().notified();
        let Some(until) = self.begin_hold() else {
            return Err(self.give_up(Failure::NoInstance));
        };
        if timeout_at(until.min(self.times.deadline), changed).await.is_ok() {
            return Ok(());
        }
        self.end_hold(HoldOutcome::GivenUp);
        Err(if self.times.deadline <= until { Failure::Deadline } else { self.give_up(Failure::NoInstance) })
    }

    /// Until when it may wait; `None` when it may not.
    fn begin_hold(&mut self) -> Option<Instant> {
        if let Some(held) = &self.held {
            return Some(held.until);
        }
        let hold = self.request.backend.spec.hold;
        if hold.is_zero() || self.request.has_fallback {
            return None;
        }
        let counters = self.counters();
        if counters.held.get() >= MAX_HELD {
            counters.waited(HoldOutcome::Refused);
            return None;
        }
        counters.held.increment();
        // The request may have come a while ago: the wait begins now.
        let until = Instant::now() + hold;
        self.held = Some(Held { counters, until });
        Some(until)
    }

    /// The wait is over, if there was one.
    #[inline]
    pub(super) fn end_hold(&mut self, outcome: HoldOutcome) {
        if let Some(held) = self.held.take() {
            held.counters.waited(outcome);
        }
    }
}
