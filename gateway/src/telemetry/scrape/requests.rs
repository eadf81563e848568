//! The families of requests, by route.

use super::Scrape;
use crate::telemetry::families::{COUNTER, HISTOGRAM, counter, family, histogram};
use prometheus::proto::MetricFamily;

pub(super) fn requests(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    // Requests that no route matched have no method of the tables to name.
    let unmatched = ("none", "none", &scrape.front.unmatched);
    let all: Vec<_> = scrape.routes.iter().copied().chain([unmatched]).collect();
    let mut by_status =
        family("callgate_requests_total", "Requests answered, by route, method and status.", COUNTER);
    let mut durations =
        family("callgate_request_duration_seconds", "Time from the request's head to the answer.", HISTOGRAM);
    let mut transcoding = family(
        "callgate_transcoding_errors_total",
        "Requests (direction=request) and replies (direction=reply) that did not fit the method's schema.",
        COUNTER,
    );
    for (route, method, stats) in all {
        let labels = [("route", route), ("method", method)];
        for (status, n) in stats.by_status() {
            let status = status.to_string();
            counter(&mut by_status, &[labels[0], labels[1], ("status", &status)], n as f64);
        }
        if let Some(metric) = histogram(&labels, stats.0.iter().map(|one| &one.duration)) {
            durations.mut_metric().push(metric);
        }
        let errors = [
            ("request", stats.0.sum(|one| &one.bad_requests)),
            ("reply", stats.0.sum(|one| &one.bad_replies)),
        ];
        for (direction, n) in errors.into_iter().filter(|(_, n)| *n > 0) {
            counter(&mut transcoding, &[labels[0], labels[1], ("direction", direction)], n as f64);
        }
    }
    let mut rewrites = family(
        "callgate_rewrites_total",
        "Requests that a route has sent to another one, which counts their answers.",
        COUNTER,
    );
    for (route, method, n) in &scrape.rewrites {
        counter(&mut rewrites, &[("route", *route), ("method", *method)], *n as f64);
    }
    families.extend([by_status, durations, transcoding, rewrites]);
}
