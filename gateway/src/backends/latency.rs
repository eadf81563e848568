//! How long a route's calls take: what a hedge's delay is read from. Kept by each worker for itself, and only for
//! routes that hedge.
//!
//! Durations are counted in buckets, eight to each doubling, so a percentile is right within an eighth. When there are
//! many the counts are halved, so that what was long ago weighs little.

use std::cell::{Cell, RefCell};
use std::time::Duration;

/// Buckets to a doubling, as a power of two.
const PRECISION: u32 = 3;

/// Longer ones, above some nineteen hours, count as that long.
const LONGEST: u64 = (1 << 36) - 1;

const BUCKETS: usize = (36 - PRECISION as usize) << PRECISION;

/// Before there are that many, nothing is said.
const ENOUGH: u32 = 32;

/// When there are that many, the counts are halved.
const MANY: u32 = 2048;

/// How often a percentile is looked for anew, in observations.
const STALE: u32 = 32;

/// A distribution of durations.
pub struct Latency {
    counts: RefCell<[u32; BUCKETS]>,
    total: Cell<u32>,
    found: Cell<Option<Found>>,
    /// Observations since it was found.
    since: Cell<u32>,
}

/// A percentile as it was last found.
#[derive(Clone, Copy)]
struct Found {
    percent: u8,
    duration: Duration,
}

impl Default for Latency {
    /// Nothing observed yet.
    fn default() -> Latency {
        Latency {
            counts: RefCell::new([0; BUCKETS]),
            total: Cell::new(0),
            found: Cell::new(None),
            since: Cell::new(0),
        }
    }
}

impl Latency {
    /// Counts one.
    pub fn observe(&self, duration: Duration) {
        let mut counts = self.counts.borrow_mut();
        counts[bucket(duration)] += 1;
        self.total.set(self.total.get() + 1);
        self.since.set(self.since.get() + 1);
        if self.total.get() >= MANY {
            counts.iter_mut().for_each(|count| *count /= 2);
            self.total.set(counts.iter().sum());
        }
    }

    /// What that many percent take at most; `None` while too few were observed.
    pub fn percentile(&self, percent: u8) -> Option<Duration> {
        if let Some(found) = self.found.get()
            && found.percent == percent
            && self.since.get() < STALE
        {
            return Some(found.duration);
        }
        if self.total.get() < ENOUGH {
            return None;
        }
        let below = (u64::from(self.total.get()) * u64::from(percent)).div_ceil(100);
        let mut sum = 0;
        let at = self.counts.borrow().iter().position(|count| {
            sum += u64::from(*count);
            sum >= below
        })?;
        let duration = end(at);
        self.found.set(Some(Found { percent, duration }));
        self.since.set(0);
        Some(duration)
    }
}

/// The bucket of a duration: its microseconds' highest four bits.
fn bucket(duration: Duration) -> usize {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(LONGEST).clamp(1 << PRECISION, LONGEST);
    let doublings = micros.ilog2() - PRECISION;
    let eighth = (micros >> doublings) as usize & ((1 << PRECISION) - 1);
    ((doublings as usize) << PRECISION) + eighth
}

/// The end of a bucket.
fn end(bucket: usize) -> Duration {
    let (doublings, eighth) = (bucket >> PRECISION, bucket & ((1 << PRECISION) - 1));
    Duration::from_micros((((1 << PRECISION) + eighth as u64 + 1) << doublings) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_is_at_most_an_eighth_shorter_than_its_end() {
        for micros in (8..5000).chain([LONGEST / 3, LONGEST - 1, LONGEST]) {
            let duration = Duration::from_micros(micros);
            let end = end(bucket(duration));
            assert!(duration <= end && end <= duration * 9 / 8, "{duration:?} in a bucket to {end:?}");
        }
        assert_eq!(bucket(Duration::ZERO), 0);
        assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
    }

    #[test]
    fn a_percentile_is_what_that_share_takes_at_most() {
        let latency = Latency::default();
        for ms in 1..=1000 {
            latency.observe(Duration::from_millis(ms));
        }
        for (percent, ms) in [(50, 500), (95, 950), (99, 990)] {
            let found = latency.percentile(percent).unwrap().as_millis();
            assert!((ms..=ms * 9 / 8).contains(&found), "p{percent}: {found} ms");
        }
    }

    #[test]
    fn nothing_is_said_of_a_few_and_what_was_long_ago_is_forgotten() {
        let latency = Latency::default();
        for _ in 0..ENOUGH - 1 {
            latency.observe(Duration::from_millis(1));
        }
        assert_eq!(latency.percentile(95), None);
        latency.observe(Duration::from_millis(1));
        assert!(latency.percentile(95).unwrap() < Duration::from_millis(2));
        for _ in 0..20 * MANY {
            latency.observe(Duration::from_millis(100));
        }
        assert!(latency.percentile(50).unwrap() >= Duration::from_millis(100));
    }

    #[test]
    fn a_percentile_is_looked_for_anew_after_some_observations_or_when_another_one_is_asked_for() {
        let latency = Latency::default();
        let observe = |n, ms| (0..n).for_each(|_| latency.observe(Duration::from_millis(ms)));
        let found = |percent| latency.percentile(percent).unwrap().as_millis();
        observe(ENOUGH, 1);
        assert_eq!(found(90), 1);
        observe(STALE - 1, 100);
        assert_eq!(found(90), 1, "that is not long ago");
        assert!(found(95) >= 100);
        observe(STALE, 1000);
        assert!(found(95) >= 1000);
    }

    #[test]
    fn when_there_are_many_each_is_worth_half() {
        let latency = Latency::default();
        let observe = |n, ms| (0..n).for_each(|_| latency.observe(Duration::from_millis(ms)));
        observe(MANY, 1);
        assert_eq!((latency.total.get(), latency.counts.borrow().iter().sum::<u32>()), (MANY / 2, MANY / 2));
        observe(MANY / 4, 100);
        for (percent, slow) in [(60, false), (70, true)] {
            assert_eq!(latency.percentile(percent).unwrap() > Duration::from_millis(2), slow, "p{percent}");
        }
    }
}
