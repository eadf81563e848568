//! The family of failures.

use super::Scrape;
use crate::failure::Reason;
use crate::telemetry::families::{COUNTER, counter, family};
use prometheus::proto::MetricFamily;

pub(super) fn failures(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let mut failures = family(
        "callgate_failures_total",
        "Requests that failed, by reason; docs/errors.md explains each.",
        COUNTER,
    );
    for reason in Reason::ALL {
        let n = scrape.front.failed(*reason, scrape.refused_connections);
        counter(&mut failures, &[("reason", reason.name())], n as f64);
    }
    families.push(failures);
}
