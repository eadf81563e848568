//! The families of reloads and upgrades.

use super::Scrape;
use crate::telemetry::families::{COUNTER, GAUGE, counter, family, gauge};
use prometheus::proto::MetricFamily;

pub(super) fn reloads(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let stats = scrape.reloads;
    let mut total = family(
        "callgate_reloads_total",
        "Reloads of the tables, by outcome: ok, failed, unchanged, or waited.",
        COUNTER,
    );
    let outcomes = [
        ("ok", &stats.succeeded),
        ("failed", &stats.failed),
        ("unchanged", &stats.unchanged),
        ("waited", &stats.waited),
    ];
    for (outcome, n) in outcomes {
        counter(&mut total, &[("outcome", outcome)], n.get() as f64);
    }
    let mut taken =
        family("callgate_tables_taken_timestamp_seconds", "When the tables in force were taken.", GAUGE);
    gauge(&mut taken, &[], stats.taken_at.get() as f64);
    let mut hash = family("callgate_tables_info", "The hash of the tables in force.", GAUGE);
    gauge(&mut hash, &[("hash", scrape.table_hash)], 1.0);
    let mut build = family("callgate_build_info", "The version that runs.", GAUGE);
    gauge(&mut build, &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    let mut unfit = family(
        "callgate_routes_unfit",
        "Routes that no call can be made of: whose method no instance offers, or whose fields do not fit an instance.",
        GAUGE,
    );
    for (reason, n) in scrape.unfit {
        gauge(&mut unfit, &[("reason", reason)], n as f64);
    }
    families.extend([total, taken, hash, build, unfit]);
}

pub(super) fn upgrades(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let stats = scrape.upgrades;
    let mut total = family(
        "callgate_upgrades_total",
        "Upgrades in place since the first process was started, by outcome: ok or failed.",
        COUNTER,
    );
    for (outcome, n) in [("ok", &stats.succeeded), ("failed", &stats.failed)] {
        counter(&mut total, &[("outcome", outcome)], n.get() as f64);
    }
    families.push(total);
}
