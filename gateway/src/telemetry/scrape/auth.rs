//! The family of authenticators.

use super::Scrape;
use crate::telemetry::AuthScrape;
use crate::telemetry::families::{COUNTER, counter, family};
use prometheus::proto::MetricFamily;

pub(super) fn auth(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let help = "What an authenticator said of requests that have shown it something: ok, or what is wrong.";
    let mut asked = family("callgate_auth_total", help, COUNTER);
    for AuthScrape { name, stats } in &scrape.authenticators {
        for (result, n) in stats.results() {
            counter(&mut asked, &[("authenticator", name), ("result", result)], n as f64);
        }
    }
    families.push(asked);
}
