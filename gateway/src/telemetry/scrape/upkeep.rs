//! What a healthy gateway shows as zeros: what the log has lost, and the program's own mistakes.

use super::Scrape;
use crate::telemetry::families::{COUNTER, counter, family};
use prometheus::proto::MetricFamily;
use std::sync::atomic::Ordering::Relaxed;

pub(super) fn upkeep(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let stats = scrape.log;
    let mut dropped = family(
        "callgate_log_dropped_total",
        "Log lines that were not written: the buffer was full, or too many of the kind were repeated.",
        COUNTER,
    );
    for (reason, n) in [("full", &stats.full), ("repeated", &stats.repeated)] {
        counter(&mut dropped, &[("reason", reason)], n.load(Relaxed) as f64);
    }
    let mut failed = family(
        "callgate_log_write_failures_total",
        "Writes of the log that failed; each is tried again later.",
        COUNTER,
    );
    counter(&mut failed, &[], stats.failed_writes.load(Relaxed) as f64);
    let lost = scrape.access_log;
    let mut access = family(
        "callgate_access_log_dropped_total",
        "Lines of the access log that were not written, because the buffer was full.",
        COUNTER,
    );
    counter(&mut access, &[], lost.map_or(0, |stats| stats.full.load(Relaxed)) as f64);
    let mut access_failed = family(
        "callgate_access_log_write_failures_total",
        "Writes of the access log that failed; each is tried again later.",
        COUNTER,
    );
    counter(&mut access_failed, &[], lost.map_or(0, |stats| stats.failed_writes.load(Relaxed)) as f64);
    let mut panics =
        family("callgate_task_panics_total", "Panics of tasks, which are mistakes in the program.", COUNTER);
    scrape.panics.iter().for_each(|(task, n)| counter(&mut panics, &[("task", *task)], *n as f64));
    families.extend([dropped, failed, access, access_failed, panics]);
}
