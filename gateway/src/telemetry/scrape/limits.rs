//! The families of rate limits.

use super::Scrape;
use crate::telemetry::LimitScrape;
use crate::telemetry::families::{COUNTER, GAUGE, counter, family, gauge};
use prometheus::proto::MetricFamily;

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
