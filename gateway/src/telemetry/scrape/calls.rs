//! The families of calls and connections, by endpoint.

use super::{EndpointScrape, Scrape};
use crate::telemetry::ConnectFailure;
use crate::telemetry::families::{COUNTER, GAUGE, counter, family, gauge};
use prometheus::proto::MetricFamily;

pub(super) fn calls(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let mut outcomes = family(
        "callgate_calls_total",
        "Calls to backends that ended, by outcome: ok, a canonical code, refused or lost.",
        COUNTER,
    );
    let mut in_flight =
        family("callgate_calls_in_flight", "Calls that were sent and not yet answered.", GAUGE);
    let mut connections =
        family("callgate_backend_connections", "Connections to the endpoint, of all workers.", GAUGE);
    let mut connects = family("callgate_backend_connects_total", "Attempts to connect, by outcome.", COUNTER);
    let mut draining = family(
        "callgate_endpoint_draining",
        "1 while no new calls go to the endpoint, by the table's or an operator's word.",
        GAUGE,
    );
    for EndpointScrape { backend, address, draining: drains, stats } in &scrape.endpoints {
        let labels = [("backend", *backend), ("endpoint", address.as_str())];
        gauge(&mut draining, &labels, f64::from(u8::from(*drains)));
        for (outcome, n) in stats.outcomes() {
            counter(&mut outcomes, &[labels[0], labels[1], ("outcome", outcome)], n as f64);
        }
        gauge(&mut in_flight, &labels, stats.0.sum(|one| &one.in_flight) as f64);
        gauge(&mut connections, &labels, stats.0.sum(|one| &one.connections) as f64);
        let failures = ConnectFailure::ALL.iter().map(|why| (why.name(), stats.connect_failures(*why)));
        for (outcome, n) in [("ok", stats.0.sum(|one| &one.connects))].into_iter().chain(failures) {
            counter(&mut connects, &[labels[0], labels[1], ("outcome", outcome)], n as f64);
        }
    }
    families.extend([outcomes, in_flight, connections, connects, draining]);
}
