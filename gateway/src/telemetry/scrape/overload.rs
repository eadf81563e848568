//! The families of calls that were too many.

use super::Scrape;
use crate::failure::ShedReason;
use crate::telemetry::families::{COUNTER, GAUGE, counter, family, gauge};
use prometheus::proto::MetricFamily;

pub(super) fn overload(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let mut shed = family(
        "callgate_shed_total",
        "Requests turned away because there were too many, by reason and by the route's priority.",
        COUNTER,
    );
    for ((route, method, stats), priority) in scrape.routes.iter().zip(&scrape.priorities) {
        for reason in ShedReason::ALL {
            let n = stats.0.sum(|one| one.shed.of(reason));
            let labels =
                [("route", *route), ("method", *method), ("priority", *priority), ("reason", reason.name())];
            if n > 0 {
                counter(&mut shed, &labels, n as f64);
            }
        }
    }
    let mut limit = family(
        "callgate_concurrency_limit",
        "Calls that the backend is given at once by the adaptive limit, while that is in force.",
        GAUGE,
    );
    let mut queued = family("callgate_calls_queued", "Calls that wait for room at their backend.", GAUGE);
    let mut served =
        family("callgate_queued_calls_total", "Calls that have waited for room and found it.", COUNTER);
    for ((name, stats), most) in scrape.backends.iter().zip(&scrape.concurrency_limits) {
        let labels = [("backend", *name)];
        if let Some(most) = *most {
            gauge(&mut limit, &labels, most as f64);
        }
        gauge(&mut queued, &labels, stats.0.sum(|one| &one.overload.queued) as f64);
        counter(&mut served, &labels, stats.0.sum(|one| &one.overload.served) as f64);
    }
    families.extend([shed, limit, queued, served]);
}
