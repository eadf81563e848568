//! The families of authenticators.

use super::Scrape;
use crate::telemetry::families::{COUNTER, GAUGE, counter, family, gauge};
use crate::telemetry::{AuthScrape, FetchOutcome, FetchScrape};
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
    let help = "Attempts to fetch the keys of an authenticator, by result: ok, or what went wrong.";
    let mut fetches = family("callgate_auth_key_fetches_total", help, COUNTER);
    let help = "How long ago the keys of an authenticator were last told, in seconds.";
    let mut ages = family("callgate_auth_keys_age_seconds", help, GAUGE);
    for FetchScrape { authenticator, age, stats } in &scrape.fetches {
        let name = ("authenticator", *authenticator);
        for outcome in FetchOutcome::ALL {
            let n = stats.count(outcome) as f64;
            counter(&mut fetches, &[name, ("result", outcome.name())], n);
        }
        if let Some(age) = age {
            gauge(&mut ages, &[name], *age as f64);
        }
    }
    families.extend([fetches, ages]);
}
