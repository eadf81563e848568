//! What has become of spans, where traces are on.

use super::Scrape;
use crate::telemetry::families::{COUNTER, counter, family};
use prometheus::proto::MetricFamily;

pub(super) fn traces(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let mut spans = family(
        "callgate_trace_spans_total",
        "Spans, by what has become of them: sent to the collector, or lost for that reason.",
        COUNTER,
    );
    scrape.spans.iter().for_each(|(fate, n)| counter(&mut spans, &[("fate", *fate)], *n as f64));
    families.push(spans);
}
