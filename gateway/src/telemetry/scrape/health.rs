//! The families of the endpoints' health.

use super::{EndpointScrape, Scrape};
use crate::telemetry::families::{COUNTER, GAUGE, counter, family, gauge};
use crate::telemetry::{Disconnect, EjectionReason, Standing};
use prometheus::proto::MetricFamily;

pub(super) fn health(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let mut states = family("callgate_endpoint_state", "In how many workers the endpoint stands so.", GAUGE);
    let mut latencies = family(
        "callgate_endpoint_latency_seconds",
        "The moving average of the endpoint's answers, mean of the workers.",
        GAUGE,
    );
    let mut ejections = family(
        "callgate_ejections_total",
        "Times that the endpoint was left for failing or being slow.",
        COUNTER,
    );
    let mut recoveries =
        family("callgate_recoveries_total", "Times that the endpoint was found well again.", COUNTER);
    let mut last_resorts = family(
        "callgate_last_resort_calls_total",
        "Calls given to the endpoint though it was ejected or silent, because there was no other.",
        COUNTER,
    );
    let mut disconnects =
        family("callgate_backend_disconnects_total", "Connections that ended, by reason.", COUNTER);
    for EndpointScrape { backend, address, stats, .. } in &scrape.endpoints {
        let labels = [("backend", *backend), ("endpoint", address.as_str())];
        for state in Standing::ALL {
            let value = stats.standing_with(*state) as f64;
            gauge(&mut states, &[labels[0], labels[1], ("state", state.name())], value);
        }
        if let Some(latency) = stats.latency() {
            gauge(&mut latencies, &labels, latency);
        }
        for reason in EjectionReason::ALL {
            let n = stats.ejections(*reason) as f64;
            counter(&mut ejections, &[labels[0], labels[1], ("reason", reason.name())], n);
        }
        counter(&mut recoveries, &labels, stats.0.sum(|one| &one.health.recoveries) as f64);
        counter(&mut last_resorts, &labels, stats.0.sum(|one| &one.health.last_resorts) as f64);
        for why in Disconnect::ALL {
            let n = stats.disconnects(*why) as f64;
            counter(&mut disconnects, &[labels[0], labels[1], ("reason", why.name())], n);
        }
    }
    families.extend([states, latencies, ejections, recoveries, last_resorts, disconnects]);
}
