//! How long an instance takes, with an eye on the worst: the peak-EWMA of Finagle and Linkerd.
//!
//! It rises to a longer time at once and comes down by an exponential average over [`DECAY`], also while no reply comes. So
//! one slow reply is enough to turn calls away, and whoever gets none is tried again in the end. What is ours is that each
//! reply brings it down a little as well: where a machine holds calls up now and then, an instance that has answered many
//! since is no longer taken for one that is slow.

use std::time::Duration;
use tokio::time::Instant;

/// In which time all but a third of a peak is forgotten.
const DECAY: Duration = Duration::from_secs(5);

/// How much of a peak is left after one reply that is none.
const KEPT: f32 = 1.0 - 1.0 / 32.0;

/// Shorter times are as good as this, in seconds: among instances that quick, what differs is chance.
pub(super) const FLOOR: f32 = 0.001;

/// No instance costs more than so many times what is typical. One call of a method that takes long by nature must not send
/// all others to the instances that have happened to get none of these.
const CAP: f32 = 16.0;

/// The moving peak of one instance's times.
#[derive(Clone, Copy, Debug)]
pub(super) struct PeakEwma {
    /// In seconds; 0 before the first reply.
    seconds: f32,
    at: Instant,
}

impl PeakEwma {
    /// Nothing is known yet.
    pub(super) fn new(now: Instant) -> PeakEwma {
        PeakEwma { seconds: 0.0, at: now }
    }

    /// A reply took so many seconds, where `typical` is what the backend's instances take (0: not known). The first one pays
    /// for what is done only once, and is no peak.
    #[inline]
    pub(super) fn observe(&mut self, took: f32, typical: f32, now: Instant) {
        let weight = self.weight_since(now) * KEPT;
        if self.seconds == 0.0 {
            self.seconds = took.min(typical.max(FLOOR));
            return;
        }
        self.seconds = if took > self.seconds { took } else { took + (self.seconds - took) * weight };
    }

    /// Whether another reply that took so long changes nothing: it costs the least as it is, and would.
    #[inline]
    pub(super) fn is_least(&self, took: f32) -> bool {
        took <= FLOOR && self.seconds > 0.0 && self.seconds <= FLOOR
    }

    /// So many seconds have brought no good reply: it takes at least as long.
    #[inline]
    pub(super) fn at_least(&mut self, took: f32) {
        self.seconds = self.seconds.max(took);
    }

    /// Time passes.
    pub(super) fn fade(&mut self, now: Instant) {
        if self.seconds > FLOOR {
            self.seconds = (self.seconds * self.weight_since(now)).max(FLOOR);
        } else {
            // What was measured once stays measured.
            self.at = self.at.max(now);
        }
    }

    /// What a call is taken to cost, in seconds, where `typical` is what the backend's instances take (0: not known).
    pub(super) fn cost(&self, typical: f32) -> f32 {
        let typical = typical.max(FLOOR);
        let own = if self.seconds == 0.0 { typical } else { self.seconds };
        own.clamp(FLOOR, typical * CAP)
    }

    /// Forgets what is beyond the most that counts.
    pub(super) fn cap(&mut self, typical: f32) {
        if typical > 0.0 {
            self.seconds = self.seconds.min(typical.max(FLOOR) * CAP);
        }
    }

    /// How much of what was known still counts by time.
    #[inline]
    fn weight_since(&mut self, now: Instant) -> f32 {
        if now <= self.at {
            return 1.0;
        }
        let since = now.duration_since(self.at);
        self.at = now;
        (-since.as_secs_f32() / DECAY.as_secs_f32()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f32, b: f32) -> bool {
        (a - b).abs() < b.abs() / 100.0
    }

    #[test]
    fn it_rises_at_once_and_falls_with_time_whether_answers_come_or_not() {
        let began = Instant::now();
        let mut peak = PeakEwma::new(began);
        peak.observe(0.05, 0.01, began);
        assert_eq!(peak.cost(0.01), 0.01, "the first is none");
        peak.observe(0.1, 0.01, began);
        assert_eq!(peak.cost(0.01), 0.1);
        let mut asked = peak;
        for tenth in 1..=100 {
            let now = began + DECAY / 100 * tenth;
            peak.fade(now);
            asked.observe(0.01, 0.01, now);
        }
        assert!(near(peak.cost(0.01), 0.1 / std::f32::consts::E), "{peak:?}");
        assert!((0.01..0.012).contains(&asked.cost(0.01)), "{asked:?}");
        // Replies that are read together are one moment, and count each.
        for _ in 0..64 {
            peak.observe(0.01, 0.01, began + DECAY);
        }
        assert!((0.01..0.016).contains(&peak.cost(0.01)), "{peak:?}");
    }

    #[test]
    fn what_is_not_known_is_typical_and_nothing_costs_more_than_so_much_more() {
        let began = Instant::now();
        let mut peak = PeakEwma::new(began);
        assert_eq!((peak.cost(0.0), peak.cost(0.02)), (FLOOR, 0.02));
        peak.at_least(60.0);
        assert_eq!(peak.cost(0.02), 0.02 * CAP);
        peak.cap(0.02);
        assert!(near(peak.cost(1.0), 0.02 * CAP), "the rest is forgotten");
        peak.fade(began + 1000 * DECAY);
        assert_eq!(peak.cost(5.0), FLOOR);
        peak.observe(0.000_01, 5.0, began + 1001 * DECAY);
        assert_eq!(peak.cost(5.0), FLOOR);
    }

    #[test]
    fn a_quick_reply_of_one_that_is_known_to_be_quick_changes_nothing() {
        for (known, took, least) in [
            (FLOOR, FLOOR, true),
            (FLOOR / 2.0, FLOOR / 4.0, true),
            (FLOOR, FLOOR * 1.5, false),
            (FLOOR * 1.5, FLOOR, false),
            // Not known at all.
            (0.0, FLOOR, false),
        ] {
            let mut peak = PeakEwma::new(Instant::now());
            peak.at_least(known);
            assert_eq!(peak.is_least(took), least, "{took} s after {known} s");
        }
    }
}
