//! What is gathered from one decision about the limit to the next, and what is too slow.

use std::time::Duration;
use tokio::time::Instant;

/// Tries are too slow that take so many times as long as is typical,
const SLOWER: f32 = 1.5;

/// and so many seconds longer.
const MARGIN: f32 = 0.005;

/// The time since the last decision.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) began: Instant,
    pub(super) length: Duration,
    pub(super) sums: Sums,
    /// The most calls that were in flight.
    pub(super) peak: f32,
}

/// What happened in it. Times are in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    /// Calls that ended; and those of them that did so by being late, and by being refused.
    pub(super) done: u32,
    pub(super) late: u32,
    pub(super) refused: u32,
    pub(super) tries: Tries,
}

/// Tries that were sent in it, how many of them were too slow, what they took, and what they typically take.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tries {
    pub(super) n: u32,
    pub(super) slow: u32,
    pub(super) took: f32,
    pub(super) typical: f32,
}

impl Window {
    pub(super) fn new(began: Instant, length: Duration) -> Window {
        Window { began, length, sums: Sums::default(), peak: 0.0 }
    }
}

impl Sums {
    pub(super) fn add(&mut self, more: &Sums) {
        self.done += more.done;
        self.late += more.late;
        self.refused += more.refused;
        self.tries.n += more.tries.n;
        self.tries.slow += more.tries.slow;
        self.tries.took += more.tries.took;
        self.tries.typical += more.tries.typical;
    }

    /// A tenth of the calls or more came to nothing.
    pub(super) fn is_failing(&self) -> bool {
        (self.late + self.refused) * 10 >= self.done
    }

    /// A tenth of the calls or more was refused, by every instance that was asked.
    pub(super) fn is_refusing(&self) -> bool {
        self.refused * 10 >= self.done
    }
}

impl Tries {
    /// Most were too slow. One instance of several that is slow makes the mean large, but not most tries slow.
    pub(super) fn are_slow(&self) -> bool {
        self.slow * 2 > self.n
    }

    pub(super) fn mean(&self) -> f32 {
        self.took / self.n.max(1) as f32
    }

    /// How many times as long as is typical they took.
    pub(super) fn slower(&self) -> f32 {
        if self.typical > 0.0 { self.took / self.typical } else { 1.0 }
    }

    pub(super) fn typical_mean(&self) -> f32 {
        self.typical / self.n.max(1) as f32
    }
}

/// How long tries may take that typically take that long, in seconds.
pub(super) fn bearable(typical: f32) -> f32 {
    (typical * SLOWER).max(typical + MARGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_as_long_again_and_5_ms_more_can_be_borne() {
        for (typical, expected) in [(0.0, 5.0), (1.0, 6.0), (10.0, 15.0), (100.0, 150.0)] {
            assert_eq!((bearable(typical / 1000.0) * 10_000.0).round() / 10.0, expected, "{typical} ms");
        }
    }

    #[test]
    fn tries_are_slow_when_more_than_half_of_them_are() {
        for (slow, n, expected) in [(0, 0, false), (1, 1, true), (5, 10, false), (6, 10, true)] {
            assert_eq!(Tries { n, slow, ..Tries::default() }.are_slow(), expected, "{slow} of {n}");
        }
    }

    #[test]
    fn where_nothing_is_typical_yet_nothing_is_slower_than_that() {
        assert_eq!(Tries::default().slower(), 1.0);
        assert_eq!(Tries { n: 2, took: 3.0, typical: 2.0, ..Tries::default() }.slower(), 1.5);
    }
}
