//! What is counted of routes, endpoints, the front, reloads and upgrades. Label values come from the tables: a route's counters live
//! and die with the route.

use super::counter::{Counter, Distribution, Histogram, PerWorker};
use super::failures::FailureCounters;
use super::health::{ConnectFailure, Disconnect, HealthCounters, Standing};
use super::http2::{ByProtocol, Http2Counters, PROTOCOLS};
use super::notified::NotifiedCounters;
use super::overload::ShedCounters;
use super::streams::StreamCounters;
use super::websockets::WebSocketCounters;
use crate::failure::Reason;
use callgate_health::EjectionReason;
use callgate_protocol::Code;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

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

statuses! {
    200 204 201 304 202 303 203 205 206 301 302 307 308
    400 401 402 403 404 405 406 408 409 410 412 413 414 415 416 417 421 422 423 424 428 429 431 451 499
    501 502 503 504 505 507 511 500
}

/// What a route counts; and the status that it may answer with beside the gateway's own.
#[derive(Debug)]
pub struct RouteStats(pub PerWorker<RouteCounters>, u16);

/// One worker's share of a route's counters.
#[derive(Debug, Default)]
pub struct RouteCounters {
    pub(super) by_status: ByStatus,
    /// From the request's head to the answer's.
    pub duration: Histogram,
    /// Requests whose JSON did not fit the method's schema.
    pub bad_requests: Counter,
    /// Replies that were no values of the method's schema.
    pub bad_replies: Counter,
    /// Requests that were turned away because there were too many.
    pub shed: ShedCounters,
    pub(super) streams: OnceLock<Box<StreamCounters>>,
    pub(super) notified: OnceLock<Box<NotifiedCounters>>,
}

/// A counter for each status, and one for all others.
#[derive(Debug)]
pub(super) struct ByStatus([Counter; STATUS_CODES]);

impl Default for ByStatus {
    fn default() -> ByStatus {
        ByStatus(std::array::from_fn(|_| Counter::default()))
    }
}

impl RouteCounters {
    /// Counts an answered request.
    #[inline]
    pub fn answered(&self, status: u16, duration: Duration) {
        self.by_status.0[StatusClass::of(status).0].increment();
        self.duration.observe(duration);
    }
}

impl RouteCounters {
    /// What is counted of its calls that stream. Most routes have none, and no room for that.
    pub fn streams(&self) -> &StreamCounters {
        self.streams.get_or_init(Box::default)
    }

    /// What is counted of its calls that nobody waits for. Most routes have none, and no room for that.
    pub fn notified(&self) -> &NotifiedCounters {
        self.notified.get_or_init(Box::default)
    }

    /// Counts without a time what has none: a head that was no request, or a request that nobody looked at.
    pub fn bare(&self, status: u16) {
        self.by_status.0[StatusClass::of(status).0].increment();
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
            *all.entry(*code).or_default() += self.0.sum(|one| &one.by_status.0[at]);
        }
        all.into_iter().filter(|(_, n)| *n > 0)
    }

    /// Answers by the first digit of their status: 2xx, 3xx, 4xx, 5xx.
    pub fn by_class(&self) -> [u64; 4] {
        let mut all = [0; 4];
        for one in self.0.iter() {
            for (code, counter) in StatusClass::CODES.iter().chain([&self.1]).zip(&one.by_status.0) {
                all[usize::from(code / 100).saturating_sub(2).min(3)] += counter.get();
            }
        }
        all
    }

    /// How long answers have taken.
    pub fn durations(&self, sum: &mut Distribution) {
        self.0.iter().for_each(|one| sum.add(&one.duration));
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
    connect_failures: [Counter; ConnectFailure::ALL.len()],
    /// Connections that were established.
    pub connects: Counter,
    /// How it stands.
    pub health: HealthCounters,
}

impl EndpointCounters {
    /// Counts an attempt to connect that failed.
    pub fn not_connected(&self, why: ConnectFailure) {
        self.connect_failures[why as usize].increment();
    }

    /// Attempts to connect that failed so.
    pub fn connect_failures(&self, why: ConnectFailure) -> &Counter {
        &self.connect_failures[why as usize]
    }

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

    /// Attempts to connect that failed so.
    pub fn connect_failures(&self, why: ConnectFailure) -> u64 {
        self.0.sum(|one| one.connect_failures(why))
    }

    /// Ended calls by outcome, those that occurred.
    pub fn outcomes(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        (0..OUTCOMES)
            .map(|at| (OutcomeLabel::name_of(at), self.0.sum(|one| &one.outcomes[at])))
            .filter(|(_, n)| *n > 0)
    }

    /// The worst standing that any worker sees.
    pub fn standing(&self) -> Standing {
        self.0.iter().map(|one| one.health.standing()).max().unwrap_or(Standing::Connecting)
    }

    /// How many workers see it so.
    pub fn standing_with(&self, standing: Standing) -> usize {
        self.0.iter().filter(|one| one.health.standing() == standing).count()
    }

    /// The mean of the workers' moving averages, in seconds; none before the first answer.
    pub fn latency(&self) -> Option<f64> {
        let all: Vec<u64> =
            self.0.iter().map(|one| one.health.latency_us.get()).filter(|us| *us > 0).collect();
        (!all.is_empty()).then(|| all.iter().sum::<u64>() as f64 / all.len() as f64 / 1e6)
    }

    /// Ejections so far.
    pub fn ejections(&self, reason: EjectionReason) -> u64 {
        self.0.sum(|one| one.health.ejections(reason))
    }

    /// Connections that ended so.
    pub fn disconnects(&self, why: Disconnect) -> u64 {
        self.0.sum(|one| one.health.disconnects(why))
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
    pub(super) requests: [Counter; PROTOCOLS.len()],
    /// Requests being answered.
    pub in_flight: Counter,
    /// Connections whose client took its answer too slowly.
    pub slow_clients: Counter,
    /// Connections whose client did not send the head of a request in time.
    pub late_heads: Counter,
    /// Requests that failed, and what was no HTTP/1.1.
    pub failures: FailureCounters,
    /// What is counted of HTTP/2.
    pub http2: Http2Counters,
    /// What is counted of WebSockets.
    pub websockets: WebSocketCounters,
}

impl FrontCounters {
    /// Requests whose head was there.
    pub fn requests(&self, by: ByProtocol) -> &Counter {
        &self.requests[by as usize]
    }
}

impl FrontStats {
    /// All zero.
    pub fn new(workers: usize) -> FrontStats {
        FrontStats { workers: PerWorker::new(workers), unmatched: RouteStats::new(workers) }
    }

    /// Requests that failed for that reason. So many connections were refused, which no worker sees.
    pub fn failed(&self, reason: Reason, refused: u64) -> u64 {
        let seen = self.workers.sum(|one| one.failures.of(reason));
        if reason == Reason::TooManyConnections { seen + refused } else { seen }
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

/// What the control counts of certificates.
#[derive(Debug, Default)]
pub struct CertificateStats {
    /// Certificates that came into force.
    pub succeeded: Counter,
    /// Files of certificates in force that were refused.
    pub failed: Counter,
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
        assert_eq!(stats.by_class(), [2, 0, 1, 2]);
        let mut durations = Distribution::default();
        stats.durations(&mut durations);
        assert_eq!((durations.count, durations.nanoseconds, durations.buckets[1]), (5, 3_000_000, 3));
    }
}
