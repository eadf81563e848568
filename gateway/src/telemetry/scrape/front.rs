//! The families of client connections.

use super::{ListenerScrape, Scrape};
use crate::telemetry::ConnectionRefusal;
use crate::telemetry::families::{COUNTER, GAUGE, counter, family, gauge};
use crate::telemetry::http2::PROTOCOLS;
use callgate_http1::Refusal;
use prometheus::proto::MetricFamily;

pub(super) fn front(scrape: &Scrape<'_>, families: &mut Vec<MetricFamily>) {
    let workers = &scrape.front.workers;
    let mut open = family("callgate_connections_open", "Open client connections.", GAUGE);
    gauge(&mut open, &[], workers.sum(|one| &one.connections) as f64);
    let mut accepted = family("callgate_connections_total", "Client connections accepted.", COUNTER);
    counter(&mut accepted, &[], workers.sum(|one| &one.accepted) as f64);
    let mut by_listener = family(
        "callgate_listener_connections_total",
        "Client connections that were let in and had room, by the listener that they came by.",
        COUNTER,
    );
    for ListenerScrape { id, accepted, .. } in &scrape.listeners {
        counter(&mut by_listener, &[("listener", id)], *accepted as f64);
    }
    let mut turned_away = family(
        "callgate_listener_refused_total",
        "Client connections that a listener has turned away without an answer, by why.",
        COUNTER,
    );
    for ListenerScrape { id, refused, .. } in &scrape.listeners {
        for why in ConnectionRefusal::ALL {
            let n = refused.of(*why);
            if n > 0 {
                counter(&mut turned_away, &[("listener", id), ("reason", why.name())], n as f64);
            }
        }
    }
    let mut most = family("callgate_max_connections", "Client connections that there may be.", GAUGE);
    gauge(&mut most, &[], scrape.max_connections as f64);
    let mut evicted = family(
        "callgate_connections_evicted_total",
        "Idle client connections closed because there was no room for a new one.",
        COUNTER,
    );
    counter(&mut evicted, &[], workers.sum(|one| &one.evicted) as f64);
    let mut refused = family(
        "callgate_connections_refused_total",
        "New client connections refused because there was no room and none was idle: answered 503 and closed, or just closed.",
        COUNTER,
    );
    counter(&mut refused, &[], scrape.refused_connections as f64);
    let mut closing = family(
        "callgate_closing_answers_total",
        "Answers with Connection: close because room for connections was short.",
        COUNTER,
    );
    counter(&mut closing, &[], workers.sum(|one| &one.told_to_close) as f64);
    let mut by_protocol = family(
        "callgate_http_requests_total",
        "Requests whose head was read, by the protocol that they came by.",
        COUNTER,
    );
    for (at, protocol) in PROTOCOLS.iter().enumerate() {
        let n = workers.sum(|one| &one.requests[at]);
        counter(&mut by_protocol, &[("protocol", protocol)], n as f64);
    }
    let mut in_flight = family("callgate_requests_in_flight", "Requests being answered.", GAUGE);
    gauge(&mut in_flight, &[], workers.sum(|one| &one.in_flight) as f64);
    let mut not_http = family(
        "callgate_http_refused_total",
        "Heads and bodies of requests that are not HTTP/1.1, by what is wrong with them.",
        COUNTER,
    );
    for refusal in Refusal::ALL {
        let n = workers.sum(|one| one.failures.of_refusal(*refusal));
        if n > 0 {
            counter(&mut not_http, &[("reason", refusal.name())], n as f64);
        }
    }
    let mut slow = family(
        "callgate_slow_clients_total",
        "Client connections ended because the client took its answer more slowly than min_send_rate.",
        COUNTER,
    );
    counter(&mut slow, &[], workers.sum(|one| &one.slow_clients) as f64);
    let mut late = family(
        "callgate_late_heads_total",
        "Client connections ended because the head of a request did not come within header_timeout.",
        COUNTER,
    );
    counter(&mut late, &[], workers.sum(|one| &one.late_heads) as f64);
    let mut answers = family(
        "callgate_answer_memory_bytes",
        "What long answers, and the replies that they are made from, take of max_answer_memory.",
        GAUGE,
    );
    gauge(&mut answers, &[], scrape.answer_memory as f64);
    families.extend([
        open,
        accepted,
        by_listener,
        turned_away,
        most,
        evicted,
        refused,
        closing,
        by_protocol,
        in_flight,
        not_http,
        slow,
        late,
        answers,
    ]);
}
