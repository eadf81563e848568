//! The families of calls that stream, by route. A route that has none shows none.

use super::Scrape;
use crate::telemetry::families::{COUNTER, GAUGE, HISTOGRAM, counter, family, gauge, histogram};
use crate::telemetry::streams::{StreamCounters, StreamOutcome};
use prometheus::proto::MetricFamily;

pub(super) fn streams(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let mut items = family(
        "callgate_stream_items_total",
        "Items of streams, by route: sent to instances (direction=request), given to clients (direction=reply).",
        COUNTER,
    );
    let mut open = family("callgate_streams_open", "Calls that stream and are under way, by route.", GAUGE);
    let mut ends = family(
        "callgate_stream_ends_total",
        "Calls that streamed, by route and how they ended: ok, failed, lost, late, idle, too_long, leaving, left, bad_request or bad_reply.",
        COUNTER,
    );
    let mut durations = family(
        "callgate_stream_duration_seconds",
        "Time from sending a call that streams to its end.",
        HISTOGRAM,
    );
    let mut firsts = family(
        "callgate_stream_first_item_seconds",
        "Time from sending a call that streams to the first item of its reply.",
        HISTOGRAM,
    );
    for (route, method, stats) in scrape.routes.iter().copied() {
        let all: Vec<&StreamCounters> =
            stats.0.iter().filter_map(|one| one.streams.get()).map(|one| &**one).collect();
        if all.is_empty() {
            continue;
        }
        let labels = [("route", route), ("method", method)];
        let sum =
            |of: &dyn Fn(&StreamCounters) -> u64| all.iter().map(|one| of(one)).fold(0, u64::wrapping_add);
        let n = [sum(&|one| one.request_items.get()), sum(&|one| one.reply_items.get())];
        for (direction, n) in ["request", "reply"].into_iter().zip(n) {
            counter(&mut items, &[labels[0], labels[1], ("direction", direction)], n as f64);
        }
        gauge(&mut open, &labels, sum(&|one| one.open.get()) as f64);
        for outcome in StreamOutcome::ALL {
            let n = sum(&|one| one.count(*outcome));
            if n > 0 {
                counter(&mut ends, &[labels[0], labels[1], ("outcome", outcome.name())], n as f64);
            }
        }
        let took = histogram(&labels, all.iter().map(|one| &one.duration));
        let first = histogram(&labels, all.iter().map(|one| &one.first_item));
        durations.mut_metric().extend(took);
        firsts.mut_metric().extend(first);
    }
    families.extend([items, open, ends, durations, firsts]);
}
