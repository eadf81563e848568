//! What rate limits count, and how a scrape shows it.

use super::counter::{Counter, PerWorker};

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
