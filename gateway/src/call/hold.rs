//! Waiting while no instance is there: in the gap of a roll-out, or while the only instance restarts, a call that waits
//! for a moment is answered instead of refused.
//!
//! It waits for as long as the backend's `hold` says and its own deadline allows, and only so many calls wait at once:
//! in a long outage they are refused soon, and nothing piles up.

use crate::backends::LocalBackend;
use crate::telemetry::HoldOutcome;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// Calls of one worker that wait for one backend.
const MAX_HELD: u64 = 1024;

/// Whether a call waits, and until when.
#[derive(Default)]
pub(super) struct Hold(Option<Held>);

/// A call that waits, counted while it does.
struct Held {
    backend: Rc<LocalBackend>,
    until: Instant,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.backend.counters().held.decrement();
    }
}

impl Hold {
    /// Until when a call may wait for that backend, which holds calls for so long; `None` when it may not.
    pub(super) fn begin(&mut self, backend: &Rc<LocalBackend>, hold: Duration) -> Option<Instant> {
        if let Some(held) = &self.0 {
            return Some(held.until);
        }
        if hold.is_zero() {
            return None;
        }
        let counters = backend.counters();
        if counters.held.get() >= MAX_HELD {
            counters.waited(HoldOutcome::Refused);
            return None;
        }
        counters.held.increment();
        // The request may have come a while ago: the wait begins now.
        let until = Instant::now() + hold;
        self.0 = Some(Held { backend: backend.clone(), until });
        Some(until)
    }

    /// The wait is over, if there was one.
    #[inline]
    pub(super) fn end(&mut self, outcome: HoldOutcome) {
        if let Some(held) = self.0.take() {
            held.backend.counters().waited(outcome);
        }
    }
}
