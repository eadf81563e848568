//! The counters. Each worker writes its own copy, so that no cache line is shared on the hot path; a scrape adds them
//! up. Label values come from the tables: a route's counters live and die with the route.

use super::failures::FailureCounters;
use super::health::HealthCounters;
use super::overload::ShedCounters;
use callgate_protocol::Code;
use std::collections::BTreeMap;
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
pub(super) const BUCKETS: [f64; 14] =
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

macro_rules! statuses {
    ($($code:literal)*) => {
        /// The status codes that the gateway answers with, as an index of counters.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct StatusClass(usize);

        impl StatusClass {
            pub(super) const CODES: &'static [u16] = &[$($code,)*];

            /// The counter of a status code. The last one is for all others, of which a route has one at most.
            #[inline]
            pub fn of(status: u16) -> StatusClass {
                let at = Self::CODES.iter().position(|code| *code == status);
                StatusClass(at.unwrap_or(Self::CODES.len()))
            }
        }

        const STATUS_CODES: usize = [$($code,)*].len() + 1;
    };
}

statuses! { 200 204 400 401 403 404 405 408 409 413 414 415 429 431 499 501 503 504 500 }

/// What a route counts; and the status that it may answer with beside the gateway's own.
#[derive(Debug)]
pub struct RouteStats(pub PerWorker<RouteCounters>, u16);

/// One worker's share of a route's counters.
#[derive(Debug, Default)]
pub struct RouteCounters {
    pub(super) by_status: [Counter; STATUS_CODES],
    /// From the request's head to the answer's.
    pub duration: Histogram,
    /// Requests whose JSON did not fit the method's schema.
    pub bad_requests: Counter,
    /// Replies that were no values of the method's schema.
    pub bad_replies: Counter,
    /// Requests that were turned away because there were too many.
    pub shed: ShedCounters,
}

impl RouteCounters {
    /// Counts an answered request.
    #[inline]
    pub fn answered(&self, status: u16, duration: Duration) {
        self.by_status[StatusClass::of(status).0].increment();
        self.duration.observe(duration);
    }
}

impl RouteCounters {
    /// Counts without a time what has none: a head that was no request, or a request that nobody looked at.
    pub fn bare(&self, status: u16) {
        self.by_status[StatusClass::of(status).0].increment();
    }
}

impl RouteStats {
    /// All zero.
    pub fn new(workers: usize) -> RouteStats {
        RouteStats::answering(workers, 500)
    }

    /// All zero, of a route that may answer with that status, whichever it is.
    pub fn answering(workers: usize, status: u16) -> RouteStats {
        RouteStats(PerWorker::new(workers), status)
    }

    /// Answers by status, those that occurred; sorted.
    pub(crate) fn by_status(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        let mut all = BTreeMap::new();
        for (at, code) in StatusClass::CODES.iter().chain([&self.1]).enumerate() {
            *all.entry(*code).or_default() += self.0.sum(|one| &one.by_status[at]);
        }
        all.into_iter().filter(|(_, n)| *n > 0)
    }
}

/// How a call to an endpoint ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeLabel {
    /// With a result.
    Ok,
    /// With a failure.
    Failed(Code),
    /// The endpoint had not accepted it; it went elsewhere.
    Refused,
    /// The connection was lost while it ran.
    Lost,
}

const OUTCOMES: usize = Code::ALL.len() + 3;

impl OutcomeLabel {
    fn index(self) -> usize {
        match self {
            OutcomeLabel::Ok => 0,
            OutcomeLabel::Refused => 1,
            OutcomeLabel::Lost => 2,
            OutcomeLabel::Failed(code) => 2 + code as usize,
        }
    }

    /// Its label in the metrics.
    pub fn name(self) -> &'static str {
        OutcomeLabel::name_of(self.index())
    }

    fn name_of(index: usize) -> &'static str {
        match index {
            0 => "ok",
            1 => "refused",
            2 => "lost",
            code => Code::from_number((code - 2) as u8).name(),
        }
    }
}

/// What an endpoint counts.
#[derive(Debug)]
pub struct EndpointStats(pub PerWorker<EndpointCounters>);

/// One worker's share of an endpoint's counters.
#[derive(Debug, Default)]
pub struct EndpointCounters {
    outcomes: [Counter; OUTCOMES],
    /// Calls that were sent and not yet answered.
    pub in_flight: Counter,
    /// Connections that serve calls: 0 or 1, and those that drain.
    pub connections: Counter,
    /// Attempts to connect that failed.
    pub connect_failures: Counter,
    /// Connections that were established.
    pub connects: Counter,
    /// How it stands.
    pub health: HealthCounters,
}

impl EndpointCounters {
    /// Counts a call that ended.
    #[inline]
    pub fn ended(&self, outcome: OutcomeLabel) {
        self.outcomes[outcome.index()].increment();
    }
}

impl EndpointStats {
    /// All zero.
    pub fn new(workers: usize) -> EndpointStats {
        EndpointStats(PerWorker::new(workers))
    }

    /// Ended calls by outcome, those that occurred.
    pub fn outcomes(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        (0..OUTCOMES)
            .map(|at| (OutcomeLabel::name_of(at), self.0.sum(|one| &one.outcomes[at])))
            .filter(|(_, n)| *n > 0)
    }
}

/// What the front counts.
#[derive(Debug)]
pub struct FrontStats {
    /// Each worker's share.
    pub workers: PerWorker<FrontCounters>,
    /// Requests that no route matched.
    pub unmatched: RouteStats,
}

/// One worker's share of the front's counters.
#[derive(Debug, Default)]
pub struct FrontCounters {
    /// Open client connections.
    pub connections: Counter,
    /// Client connections accepted.
    pub accepted: Counter,
    /// Idle client connections closed for a newcomer.
    pub evicted: Counter,
    /// Answers that were their connection's last because room was short.
    pub told_to_close: Counter,
    /// Requests being answered.
    pub in_flight: Counter,
    /// Connections whose client took its answer too slowly.
    pub slow_clients: Counter,
    /// Requests that failed.
    pub failures: FailureCounters,
}

impl FrontStats {
    /// All zero.
    pub fn new(workers: usize) -> FrontStats {
        FrontStats { workers: PerWorker::new(workers), unmatched: RouteStats::new(workers) }
    }
}

/// What the control counts.
#[derive(Debug, Default)]
pub struct ReloadStats {
    /// Tables that were taken.
    pub succeeded: Counter,
    /// Tables that were refused.
    pub failed: Counter,
    /// Reloads that found nothing changed.
    pub unchanged: Counter,
    /// Tables that lose most of the routes, and had to wait.
    pub waited: Counter,
    /// When the tables in force were taken, in seconds since 1970.
    pub taken_at: Counter,
}

/// Upgrades in place since the first process was started: each process takes the numbers over from the one before.
#[derive(Debug, Default)]
pub struct UpgradeStats {
    /// Successors that took over.
    pub succeeded: Counter,
    /// Successors that did not.
    pub failed: Counter,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_counter_and_a_name_of_its_own() {
        let all = [OutcomeLabel::Ok, OutcomeLabel::Refused, OutcomeLabel::Lost];
        let all = all.into_iter().chain(Code::ALL.iter().map(|code| OutcomeLabel::Failed(*code)));
        let names: std::collections::BTreeSet<_> = all.map(|outcome| outcome.name()).collect();
        assert_eq!(names.len(), OUTCOMES);
    }

    #[test]
    fn a_scrape_sums_over_workers() {
        let stats = RouteStats::new(2);
        stats.0.of(0).answered(200, Duration::from_millis(1));
        stats.0.of(1).answered(200, Duration::from_millis(1));
        stats.0.of(1).answered(404, Duration::from_millis(1));
        assert_eq!(stats.by_status().collect::<Vec<_>>(), [(200, 2), (404, 1)]);
        stats.0.of(0).answered(500, Duration::ZERO);
        stats.0.of(0).answered(418, Duration::ZERO);
        assert_eq!(stats.by_status().last(), Some((500, 2)), "one that no route answers with");
    }
}
