//! The families of WebSockets.

use super::Scrape;
use crate::telemetry::WebSocketEnd;
use crate::telemetry::families::{COUNTER, GAUGE, counter, family, gauge};
use prometheus::proto::MetricFamily;

pub(super) fn websockets(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let workers = &scrape.front.workers;
    let mut open = family("callgate_websockets_open", "Open WebSockets.", GAUGE);
    gauge(&mut open, &[], workers.sum(|one| &one.websockets.open) as f64);
    let mut ends = family(
        "callgate_websocket_ends_total",
        "WebSockets that have ended: with the code that the gateway has said first, or else by their client.",
        COUNTER,
    );
    for end in WebSocketEnd::ALL {
        let n: u64 = workers.iter().map(|one| one.websockets.count(*end)).fold(0, u64::wrapping_add);
        counter(&mut ends, &[("end", end.name())], n as f64);
    }
    families.extend([open, ends]);
}
