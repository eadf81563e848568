//! What authenticators count.

use super::counter::{Counter, PerWorker};
use crate::failure::Flaw;
use std::array::from_fn;

/// What an authenticator counts.
#[derive(Debug)]
pub struct AuthStats(pub PerWorker<AuthCounters>);

/// One worker's share of that.
#[derive(Debug)]
pub struct AuthCounters {
    /// Requests whose callers are known.
    pub known: Counter,
    /// Requests that wait until it is verified who calls.
    pub waiting: Counter,
    bad: [Counter; Flaw::ALL.len()],
}

impl Default for AuthCounters {
    fn default() -> AuthCounters {
        AuthCounters {
            known: Counter::default(),
            waiting: Counter::default(),
            bad: from_fn(|_| Counter::default()),
        }
    }
}

impl AuthCounters {
    /// Requests that have shown something bad.
    pub fn of(&self, flaw: Flaw) -> &Counter {
        &self.bad[flaw as usize]
    }
}

impl AuthStats {
    /// All zero.
    pub fn new(workers: usize) -> AuthStats {
        AuthStats(PerWorker::new(workers))
    }

    /// What it has said of requests, by name.
    pub fn results(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let bad = Flaw::ALL.iter().map(|flaw| (flaw.name(), self.0.sum(|one| one.of(*flaw))));
        std::iter::once(("ok", self.0.sum(|one| &one.known))).chain(bad)
    }
}

impl AuthStats {
    /// Requests that wait until it is verified who calls.
    pub fn waiting(&self) -> u64 {
        self.0.sum(|one| &one.waiting)
    }
}

/// What a scrape shows of an authenticator.
pub struct AuthScrape<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its counters.
    pub stats: &'a AuthStats,
}
