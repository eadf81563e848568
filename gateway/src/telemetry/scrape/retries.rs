//! The families of calls that one instance did not settle, by backend.

use super::Scrape;
use crate::telemetry::families::{COUNTER, GAUGE, counter, family, gauge};
use prometheus::proto::MetricFamily;

pub(super) fn retries(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let mut again =
        family("callgate_retries_total", "Calls that were sent again, by what had failed.", COUNTER);
    let mut exhausted = family(
        "callgate_retry_budget_exhausted_total",
        "Failures that were not retried because the backend's retry budget was used up.",
        COUNTER,
    );
    let mut hedges = family(
        "callgate_hedges_total",
        "Calls whose first try was slow: which try answered, or that no second one was sent.",
        COUNTER,
    );
    let mut held = family("callgate_calls_held", "Calls that wait for an instance.", GAUGE);
    let mut holds =
        family("callgate_held_calls_total", "Calls that waited for an instance, by how that ended.", COUNTER);
    let mut diverted = family(
        "callgate_calls_diverted_total",
        "Calls that went elsewhere than if all were well: out of the zone, or not to their key's instance.",
        COUNTER,
    );
    for (name, stats) in &scrape.backends {
        let backend = ("backend", *name);
        stats.diverted().for_each(|(why, n)| counter(&mut diverted, &[backend, ("reason", why)], n as f64));
        stats.retries().for_each(|(reason, n)| counter(&mut again, &[backend, ("reason", reason)], n as f64));
        stats
            .hedges()
            .for_each(|(outcome, n)| counter(&mut hedges, &[backend, ("outcome", outcome)], n as f64));
        stats
            .holds()
            .for_each(|(outcome, n)| counter(&mut holds, &[backend, ("outcome", outcome)], n as f64));
        counter(&mut exhausted, &[backend], stats.0.sum(|one| &one.budget_exhausted) as f64);
        gauge(&mut held, &[backend], stats.0.sum(|one| &one.held) as f64);
    }
    families.extend([again, exhausted, hedges, held, holds, diverted]);
}
