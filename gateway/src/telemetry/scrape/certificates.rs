//! The families of certificates and of what is revoked: until when each is good, and how often files have brought another one.

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
    let mut of_backends = family(
        "callgate_backend_certificate_expiry_timestamp_seconds",
        "When the certificate in force expires that the instances of a backend are shown.",
        GAUGE,
    );
    for (backend, expires) in &scrape.backend_certificates {
        gauge(&mut of_backends, &[("backend", backend)], *expires as f64);
    }
    let mut revoked = family(
        "callgate_crl_next_update_timestamp_seconds",
        "When the first of a listener's lists of revoked certificates is out of date.",
        GAUGE,
    );
    for (listener, until) in &scrape.revoked {
        gauge(&mut revoked, &[("listener", listener)], *until as f64);
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
    families.extend([expiry, of_backends, revoked, reloads]);
}
