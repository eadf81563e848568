//! What is gathered from one decision about the limit to the next, and what is too slow.

use std::time::Duration;
use tokio::time::Instant;

/// Calls are too slow that take so many times as long as usual,
const SLOWER: f32 = 2.0;

/// and so many seconds longer.
const MARGIN: f32 = 0.005;

/// What happened since the last decision. Sums are in seconds.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) began: Instant,
    pub(super) length: Duration,
    /// Calls that ended; and those of them that did so by being late, and by being refused.
    pub(super) done: u32,
    pub(super) late: u32,
    pub(super) refused: u32,
    /// Tries that were sent in it, how many of them were too slow, what they took, and what they usually take.
    pub(super) tries: u32,
    pub(super) slow: u32,
    pub(super) took: f32,
    pub(super) usual: f32,
}

impl Window {
    pub(super) fn new(began: Instant, length: Duration) -> Window {
        Window { began, length, done: 0, late: 0, refused: 0, tries: 0, slow: 0, took: 0.0, usual: 0.0 }
    }

    /// Most tries were too slow. One instance of several that is slow makes the mean large, but does not make most tries slow.
    pub(super) fn is_slow(&self) -> bool {
        self.slow * 2 > self.tries
    }

    /// A tenth of the calls or more came to nothing.
    pub(super) fn is_failing(&self) -> bool {
        (self.late + self.refused) * 10 >= self.done
    }

    /// A tenth of the calls or more was refused, by every instance that was asked.
    pub(super) fn is_refusing(&self) -> bool {
        self.refused * 10 >= self.done
    }

    pub(super) fn mean(&self) -> f32 {
        self.took / self.tries.max(1) as f32
    }

    /// How many times as long as usual its calls took.
    pub(super) fn slower(&self) -> f32 {
        if self.usual > 0.0 { self.took / self.usual } else { 1.0 }
    }

    pub(super) fn usual_mean(&self) -> f32 {
        self.usual / self.tries.max(1) as f32
    }
}

/// How long calls may take that usually take that long, in seconds.
pub(super) fn bearable(usual: f32) -> f32 {
    (usual * SLOWER).max(usual + MARGIN)
}
