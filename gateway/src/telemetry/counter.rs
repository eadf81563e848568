//! Counters, each written by one worker: every worker has its own copies, so that no cache line is shared on the hot path. A
//! scrape adds them up.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A number that one worker raises and scrapes read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    #[inline]
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `n`. There is one writer, so a plain load and store do, which cost a fraction of an atomic addition.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(n), Relaxed);
    }

    /// Takes one off: for counters that are gauges.
    #[inline]
    pub fn decrement(&self) {
        self.0.store(self.0.load(Relaxed).wrapping_sub(1), Relaxed);
    }

    /// Sets the number: for counters that are states.
    pub fn set(&self, n: u64) {
        self.0.store(n, Relaxed);
    }

    /// The number.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// One `T` for each worker, on cache lines of its own.
#[derive(Debug)]
pub struct PerWorker<T>(Box<[Padded<T>]>);

#[derive(Debug, Default)]
#[repr(align(128))]
struct Padded<T>(T);

impl<T: Default> PerWorker<T> {
    /// One for each of `workers`.
    pub fn new(workers: usize) -> PerWorker<T> {
        PerWorker((0..workers).map(|_| Padded::default()).collect())
    }

    /// That of worker number `worker`, which is below the number given to [`new`](Self::new).
    #[inline]
    pub fn of(&self, worker: usize) -> &T {
        &self.0[worker].0
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|padded| &padded.0)
    }

    /// The sum over all workers.
    pub fn sum(&self, of: impl Fn(&T) -> &Counter) -> u64 {
        self.iter().map(|one| of(one).get()).fold(0, u64::wrapping_add)
    }
}

/// Upper bounds of the buckets of request durations, in seconds.
pub const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// A distribution of durations.
#[derive(Debug, Default)]
pub struct Histogram {
    pub(super) buckets: [Counter; BUCKETS.len()],
    pub(super) count: Counter,
    pub(super) nanoseconds: Counter,
}

impl Histogram {
    /// Counts one duration.
    #[inline]
    pub fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        if let Some(at) = BUCKETS.iter().position(|bound| seconds <= *bound) {
            self.buckets[at].increment();
        }
        self.count.increment();
        self.nanoseconds.add(duration.as_nanos() as u64);
    }
}

/// Distributions added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    /// How many durations are in each bucket, and in none below.
    pub buckets: [u64; BUCKETS.len()],
    /// How many there are.
    pub count: u64,
    /// Their sum.
    pub nanoseconds: u64,
}

impl Distribution {
    /// Adds one of a worker's.
    pub fn add(&mut self, part: &Histogram) {
        for (sum, bucket) in self.buckets.iter_mut().zip(&part.buckets) {
            *sum += bucket.get();
        }
        self.count += part.count.get();
        self.nanoseconds = self.nanoseconds.wrapping_add(part.nanoseconds.get());
    }
}
