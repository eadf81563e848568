//! The families of calls whose clients are only told that they are on their way, by route. A route that has none shows none.

use super::Scrape;
use crate::failure::Reason;
use crate::telemetry::families::{COUNTER, GAUGE, counter, family, gauge};
use crate::telemetry::notified::NotifiedCounters;
use prometheus::proto::MetricFamily;

pub(super) fn notified(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let mut open = family(
        "callgate_notified_calls_open",
        "Calls of routes with mode = \"notify\" that are under way, by route.",
        GAUGE,
    );
    let mut ends = family(
        "callgate_notified_calls_total",
        "Calls of routes with mode = \"notify\" that have ended when nobody waited for them, by route and outcome: ok, or the \
         reason for which they failed; docs/errors.md explains each.",
        COUNTER,
    );
    for (route, method, stats) in scrape.routes.iter().copied() {
        let all: Vec<&NotifiedCounters> =
            stats.0.iter().filter_map(|one| one.notified.get()).map(|one| &**one).collect();
        if all.is_empty() {
            continue;
        }
        let labels = [("route", route), ("method", method)];
        let sum =
            |of: &dyn Fn(&NotifiedCounters) -> u64| all.iter().map(|one| of(one)).fold(0, u64::wrapping_add);
        gauge(&mut open, &labels, sum(&|one| one.open.get()) as f64);
        let failed = Reason::ALL.iter().map(|reason| (reason.name(), sum(&|one| one.failed(*reason).get())));
        for (outcome, n) in std::iter::once(("ok", sum(&|one| one.ok.get()))).chain(failed) {
            if n > 0 {
                counter(&mut ends, &[labels[0], labels[1], ("outcome", outcome)], n as f64);
            }
        }
    }
    families.extend([open, ends]);
}
