//! The families of certificates: when each expires, and how often files have brought another one.

use super::Scrape;
use crate::telemetry::families::{COUNTER, GAUGE, counter, family, gauge};
use prometheus::proto::MetricFamily;

pub(super) fn certificates(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let mut expiry = family(
        "callgate_certificate_expiry_timestamp_seconds",
        "When the certificate in force expires, by its first name.",
        GAUGE,
    );
    for (certificate, expires) in &scrape.certificates {
        gauge(&mut expiry, &[("certificate", certificate)], *expires as f64);
    }
    let mut reloads = family(
        "callgate_certificate_reloads_total",
        "Certificates that came into force (ok), and files of certificates in force that were refused (failed).",
        COUNTER,
    );
    let stats = scrape.certificate_stats;
    for (result, n) in [("ok", &stats.succeeded), ("failed", &stats.failed)] {
        counter(&mut reloads, &[("result", result)], n.get() as f64);
    }
    families.extend([expiry, reloads]);
}
