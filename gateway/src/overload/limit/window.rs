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
    pub(super) done: u32,
    pub(super) failed: u32,
    /// Calls that were sent in it, what they took, and what they usually take.
    pub(super) calls: u32,
    pub(super) took: f32,
    pub(super) usual: f32,
}

impl Window {
    pub(super) fn new(began: Instant, length: Duration) -> Window {
        Window { began, length, done: 0, failed: 0, calls: 0, took: 0.0, usual: 0.0 }
    }

    pub(super) fn mean(&self) -> f32 {
        self.took / self.calls.max(1) as f32
    }

    /// How many times as long as usual its calls took.
    pub(super) fn slower(&self) -> f32 {
        if self.usual > 0.0 { self.took / self.usual } else { 1.0 }
    }

    pub(super) fn usual_mean(&self) -> f32 {
        self.usual / self.calls.max(1) as f32
    }
}

/// How long calls may take that usually take that long, in seconds.
pub(super) fn bearable(usual: f32) -> f32 {
    (usual * SLOWER).max(usual + MARGIN)
}
