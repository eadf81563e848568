//! The families of authenticators.

use super::Scrape;
use crate::telemetry::AuthScrape;
use crate::telemetry::families::{COUNTER, GAUGE, counter, family, gauge};
use prometheus::proto::MetricFamily;

pub(super) fn auth(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let help = "What an authenticator said of requests that have shown it something: ok, or what is wrong.";
    let mut asked = family("callgate_auth_total", help, COUNTER);
    let help = "Requests that wait until somebody beside their worker has said who calls.";
    let mut waiting = family("callgate_auth_waiting", help, GAUGE);
    for AuthScrape { name, stats } in &scrape.authenticators {
        gauge(&mut waiting, &[("authenticator", name)], stats.waiting() as f64);
        for (result, n) in stats.results() {
            counter(&mut asked, &[("authenticator", name), ("result", result)], n as f64);
        }
    }
    families.extend([asked, waiting]);
}
