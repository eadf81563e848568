//! How long the events of one turn may be handled.

use std::time::{Duration, Instant};

/// So long events are handled before it is written and read again. On a runtime of one thread methods run meanwhile, and answers
/// and PONGs must not wait for all of them.
const TURN: Duration = Duration::from_millis(1);

/// A turn's clock. It is read only when an event may have taken long.
#[derive(Debug)]
pub(crate) struct Pace {
    began: Instant,
    now: Instant,
    over: bool,
}

impl Pace {
    pub(super) fn begin() -> Pace {
        let now = Instant::now();
        Pace { began: now, now, over: false }
    }

    /// When the clock was read last.
    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// Reads the clock. Gives the time since it was read before.
    pub(crate) fn lap(&mut self) -> Duration {
        let before = std::mem::replace(&mut self.now, Instant::now());
        self.over |= self.now.saturating_duration_since(self.began) >= TURN;
        self.now.saturating_duration_since(before)
    }

    /// However short it was, no other event is handled in this turn.
    pub(crate) fn stop(&mut self) {
        self.over = true;
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }
}
