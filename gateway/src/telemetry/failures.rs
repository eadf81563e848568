//! How many requests failed, by reason.

use super::families::{COUNTER, counter, family};
use super::scrape::Scrape;
use super::stats::Counter;
use crate::failure::Reason;
use prometheus::proto::MetricFamily;

/// One worker's share of the failures, by reason.
#[derive(Debug)]
pub struct FailureCounters([Counter; Reason::ALL.len()]);

impl Default for FailureCounters {
    fn default() -> FailureCounters {
        FailureCounters(std::array::from_fn(|_| Counter::default()))
    }
}

impl FailureCounters {
    /// Those for that reason.
    pub fn of(&self, reason: Reason) -> &Counter {
        &self.0[reason as usize]
    }
}

/// Adds the family of these.
pub(super) fn failures(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let mut failures = family(
        "callgate_failures_total",
        "Requests that failed, by reason; docs/errors.md explains each.",
        COUNTER,
    );
    for reason in Reason::ALL {
        let mut n = scrape.front.workers.sum(|one| one.failures.of(*reason));
        if *reason == Reason::TooManyConnections {
            // No worker sees these.
            n += scrape.refused_connections;
        }
        counter(&mut failures, &[("reason", reason.name())], n as f64);
    }
    families.push(failures);
}
