//! What rate limits count, and how a scrape shows it.

use super::families::{COUNTER, GAUGE, counter, family, gauge};
use super::scrape::Scrape;
use super::stats::{Counter, PerWorker};
use prometheus::proto::MetricFamily;

/// What a limit counts for one route.
#[derive(Debug)]
pub struct LimitStats(pub PerWorker<LimitCounters>);

/// One worker's share of a limit's counters.
#[derive(Debug, Default)]
pub struct LimitCounters {
    /// Requests for which there was a token.
    pub allowed: Counter,
    /// Requests that were refused.
    pub limited: Counter,
    /// Requests that would have been refused if the limit did more than count.
    pub would_limit: Counter,
    /// Buckets of other keys that were forgotten before they were full.
    pub evicted: Counter,
}

impl LimitStats {
    /// All zero.
    pub fn new(workers: usize) -> LimitStats {
        LimitStats(PerWorker::new(workers))
    }

    /// What became of the requests, by name.
    pub fn outcomes(&self) -> [(&'static str, u64); 3] {
        [
            ("allowed", self.0.sum(|one| &one.allowed)),
            ("limited", self.0.sum(|one| &one.limited)),
            ("would_limit", self.0.sum(|one| &one.would_limit)),
        ]
    }

    /// Buckets that were forgotten before they were full.
    pub fn evicted(&self) -> u64 {
        self.0.sum(|one| &one.evicted)
    }
}

/// What a scrape shows of one limit of one route.
pub struct LimitScrape<'a> {
    /// The route's template.
    pub route: &'a str,
    /// The route's method.
    pub method: &'static str,
    /// What the limit is called.
    pub policy: &'a str,
    /// Its counters for this route.
    pub stats: &'a LimitStats,
    /// Keys whose bucket is not full; those of a shared limit are shown with each of its routes.
    pub keys: u64,
}

pub(super) fn limits(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let mut limited = family(
        "callgate_rate_limited_total",
        "What a route's limits said of its requests: allowed, limited or would_limit.",
        COUNTER,
    );
    let mut keys = family(
        "callgate_rate_limit_keys",
        "Keys that a limit keeps a bucket for, because it is not full.",
        GAUGE,
    );
    let mut evictions = family(
        "callgate_rate_limit_evictions_total",
        "Buckets that were forgotten before they were full, to make room for other keys.",
        COUNTER,
    );
    for LimitScrape { route, method, policy, stats, keys: n } in &scrape.limits {
        let labels = [("route", *route), ("method", *method), ("policy", *policy)];
        for (outcome, n) in stats.outcomes() {
            counter(&mut limited, &[labels[0], labels[1], labels[2], ("outcome", outcome)], n as f64);
        }
        gauge(&mut keys, &labels, *n as f64);
        counter(&mut evictions, &labels, stats.evicted() as f64);
    }
    families.extend([limited, keys, evictions]);
}
