//! The families of HTTP/2.

use crate::telemetry::families::{COUNTER, GAUGE, counter, family, gauge};
use crate::telemetry::http2::{ByCode, CODES, Endings, FLOODS, Http2Counters};
use crate::telemetry::stats::FrontCounters;
use crate::telemetry::{Counter, FrontStats, PerWorker};
use prometheus::proto::MetricFamily;

/// A counter of a worker.
type Of = fn(&FrontCounters) -> &Counter;
/// Counters by code, of those that a side has.
type Ending = fn(&Endings) -> &ByCode;
/// What a side has sent.
type Side = fn(&Http2Counters) -> &Endings;

pub(super) fn http2(front: &FrontStats, families: &mut Vec<MetricFamily>) {
    let workers = &front.workers;
    let mut open = family("callgate_http2_connections_open", "Open HTTP/2 connections.", GAUGE);
    gauge(&mut open, &[], workers.sum(|one| &one.http2.connections) as f64);
    let mut streams = family("callgate_http2_streams_open", "Open HTTP/2 streams.", GAUGE);
    gauge(&mut streams, &[], workers.sum(|one| &one.http2.streams) as f64);
    families.extend([open, streams]);
    let totals: [(&str, &str, Of); 3] = [
        ("callgate_http2_connections_total", "HTTP/2 connections whose client has begun to speak.", |one| {
            &one.http2.accepted
        }),
        (
            "callgate_http2_streams_total",
            "HTTP/2 streams that were taken, with those whose head was refused.",
            |one| &one.http2.begun,
        ),
        (
            "callgate_http2_stalled_streams_total",
            "HTTP/2 streams ended because their client took too little of its answer.",
            |one| &one.http2.stalled,
        ),
    ];
    for (name, help, of) in totals {
        let mut total = family(name, help, COUNTER);
        counter(&mut total, &[], workers.sum(of) as f64);
        families.push(total);
    }
    let what: [(&str, &str, Ending); 2] = [
        (
            "callgate_http2_resets_total",
            "RST_STREAM frames of HTTP/2, by who has sent them and their error code.",
            |it| &it.resets,
        ),
        (
            "callgate_http2_goaways_total",
            "GOAWAY frames of HTTP/2, by who has sent them and their error code.",
            |it| &it.goaways,
        ),
    ];
    for (name, help, of) in what {
        families.push(endings(name, help, workers, of));
    }
    let mut floods = family(
        "callgate_http2_floods_total",
        "HTTP/2 connections ended with ENHANCE_YOUR_CALM, by the frames of which too many came.",
        COUNTER,
    );
    for (at, name) in FLOODS.iter().enumerate() {
        let n = workers.sum(|one| &one.http2.floods[at]);
        if n > 0 {
            counter(&mut floods, &[("frames", name)], n as f64);
        }
    }
    families.push(floods);
}

/// What ended streams or connections, by whom and by code: those that occurred.
fn endings(name: &str, help: &str, workers: &PerWorker<FrontCounters>, of: Ending) -> MetricFamily {
    let mut all = family(name, help, COUNTER);
    let sides: [(&str, Side); 2] = [("client", |it| &it.by_client), ("gateway", |it| &it.by_gateway)];
    for (by, side) in sides {
        for (at, code) in CODES.iter().enumerate() {
            let n = workers.sum(|one| &of(side(&one.http2)).0[at]);
            if n > 0 {
                counter(&mut all, &[("by", by), ("code", code)], n as f64);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Flood;

    #[test]
    fn codes_and_floods_have_labels_of_their_own() {
        let front = FrontStats::new(2);
        let http2 = &front.workers.of(1).http2;
        http2.by_client.resets.of(8).increment();
        http2.by_client.resets.of(14).increment();
        http2.by_client.resets.of(u32::MAX).increment();
        http2.by_gateway.goaways.of(11).increment();
        http2.of_flood(Flood::Others).increment();
        let mut families = Vec::new();
        super::http2(&front, &mut families);
        let labels = |name: &str| {
            let family = families.iter().find(|family| family.name() == name).expect("it is there");
            let of = |metric: &prometheus::proto::Metric| {
                let labels = metric.get_label().iter().map(|label| label.value().to_owned());
                (labels.collect::<Vec<_>>().join(" "), metric.get_counter().get_value())
            };
            family.get_metric().iter().map(of).collect::<Vec<_>>()
        };
        let cancelled = [("client cancel".to_owned(), 1.0), ("client other".to_owned(), 2.0)];
        assert_eq!(labels("callgate_http2_resets_total"), cancelled);
        assert_eq!(labels("callgate_http2_goaways_total"), [("gateway enhance_your_calm".to_owned(), 1.0)]);
        assert_eq!(labels("callgate_http2_floods_total"), [("other".to_owned(), 1.0)]);
        assert_eq!(Flood::Resets.name(), "rst_stream");
    }
}
