//! `[server]` of the gateway's own file: which keys it has, and what each may be.

use super::{ServerSettings, ticket_keys};
use crate::config::balance;
use crate::config::complaint::Complaint;
use crate::config::error_types::ErrorTypes;
use crate::config::places::path;
use crate::config::reader::{Reader, Section, set};
use crate::config::shape::{Entry, Shape};
use crate::config::units::show_duration;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long what is bounded in time may take.
pub(super) const TIMES: RangeInclusive<Duration> = Duration::from_millis(1)..=DAY;
/// The same, or no time at all.
const OR_NONE: RangeInclusive<Duration> = Duration::ZERO..=DAY;
pub(super) const KEYS: &[Entry] = &[
    Entry::new("listen", Shape::TEXTS, "addresses on which HTTP is served"),
    Entry::new("workers", Shape::Integer(0..=1024), "worker threads; 0 is one per core"),
    Entry::new("zone", Shape::Text, "where the gateway is"),
    Entry::new("max_body", Shape::Size(1..=1 << 30), "the largest request body"),
    Entry::new("compressed_bodies", Shape::Boolean, "whether compressed bodies are read: gzip, br, zstd"),
    Entry::new(
        "max_body_memory",
        Shape::Size(1..=1 << 50),
        "what all request bodies longer than 64 KiB may take together",
    ),
    Entry::new("max_answer", Shape::Size(64 << 10..=1 << 40), "the longest answer"),
    Entry::new(
        "max_answer_memory",
        Shape::Size(64 << 10..=1 << 50),
        "what all answers longer than 64 KiB, and the replies that they are made from, may take together",
    ),
    Entry::new("min_send_rate", Shape::Rate, "a client that takes its reply more slowly is left"),
    Entry::new("min_send_rate_window", Shape::Duration(TIMES), "over how long that is measured"),
    Entry::new("min_body_rate", Shape::Rate, "a client that sends its request's body more slowly is refused"),
    Entry::new("min_body_rate_window", Shape::Duration(TIMES), "over how long that is measured"),
    Entry::new("max_head", Shape::Size(8 << 10..=1 << 20), "the largest request line and headers, together"),
    Entry::new("max_headers", Shape::Integer(1..=10_000), "the most header lines of a request"),
    Entry::new(
        "max_connections",
        Shape::Integer(1..=10_000_000),
        "connections open at once, all workers together",
    ),
    Entry::new(
        "max_handshakes",
        Shape::Integer(1..=10_000_000),
        "TLS handshakes in progress at once, all workers together",
    ),
    Entry::new(
        "max_requests_per_connection",
        Shape::Integer(0..=1_000_000_000),
        "requests of a connection, about",
    ),
    Entry::new(
        "handshake_timeout",
        Shape::Duration(TIMES),
        "how long what comes before requests may take to arrive",
    ),
    Entry::new(
        "header_timeout",
        Shape::Duration(TIMES),
        "how long a request's line and headers may take to arrive",
    ),
    Entry::new("body_timeout", Shape::Duration(TIMES), "how long a request's body may take to arrive"),
    Entry::new(
        "idle_timeout",
        Shape::Duration(TIMES),
        "how long a keep-alive connection may wait for its next request",
    ),
    Entry::new(
        "websocket_ping",
        Shape::Duration(TIMES),
        "how long the client of a WebSocket may say nothing until it is asked whether it is there, and then until it has said so",
    ),
    Entry::new(
        "drain_timeout",
        Shape::Duration(TIMES),
        "how long requests in flight may take to end when the gateway is told to stop",
    ),
    Entry::new(
        "stream_drain",
        Shape::Duration(OR_NONE),
        "how long streams go on then, and in an upgrade in place, before their clients are told to come again",
    ),
    Entry::new("lame_duck", Shape::Duration(OR_NONE), "how long the gateway goes on accepting after SIGTERM"),
    Entry::new("state", Shape::Text, "a folder that the gateway may write, for what its next start may need"),
    Entry::new("tls_ticket_keys", Shape::Text, "a file of keys for TLS tickets"),
    Entry::new("error_types", Shape::Text, "how the URIs of errors that methods declare begin"),
];

/// Replaces the defaults by what the section says.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, server: &mut ServerSettings) {
    let workers = section.get("workers").and_then(|item| reader.integer(&item));
    match workers.and_then(|workers| usize::try_from(workers).ok()) {
        None | Some(0) => {}
        Some(workers) => server.workers = workers,
    }
    if let Some(item) = section.get("zone") {
        server.zone = reader.text(&item, "a string such as \"eu-1a\"", balance::zone);
    }
    set(
        &mut server.compressed_bodies,
        section.get("compressed_bodies").and_then(|item| reader.boolean(&item)),
    );
    let sizes = [
        ("max_body", &mut server.max_body),
        ("max_body_memory", &mut server.max_body_memory),
        ("max_answer", &mut server.max_answer),
        ("max_answer_memory", &mut server.max_answer_memory),
        ("max_head", &mut server.max_head),
    ];
    for (key, size) in sizes {
        set(size, section.get(key).and_then(|item| reader.size(&item)));
    }
    server.max_body_memory = server.max_body_memory.max(server.max_body);
    server.max_answer_memory = server.max_answer_memory.max(server.max_answer);
    let rates = [("min_send_rate", &mut server.min_send_rate), ("min_body_rate", &mut server.min_body_rate)];
    for (key, rate) in rates {
        set(rate, section.get(key).and_then(|item| reader.rate(&item)));
    }
    let counts = [
        ("max_connections", &mut server.max_connections),
        ("max_handshakes", &mut server.max_handshakes),
        ("max_headers", &mut server.max_headers),
        ("max_requests_per_connection", &mut server.max_requests_per_connection),
    ];
    for (key, count) in counts {
        set(count, section.get(key).and_then(|item| reader.integer(&item)));
    }
    let times = [
        ("handshake_timeout", &mut server.handshake_timeout),
        ("header_timeout", &mut server.header_timeout),
        ("body_timeout", &mut server.body_timeout),
        ("idle_timeout", &mut server.idle_timeout),
        ("websocket_ping", &mut server.websocket_ping),
        ("min_send_rate_window", &mut server.min_send_rate_window),
        ("min_body_rate_window", &mut server.min_body_rate_window),
        ("drain_timeout", &mut server.drain_timeout),
    ];
    for (key, time) in times {
        set(time, section.get(key).and_then(|item| reader.duration(&item)));
    }
    read_stream_drain(reader, section, server);
    let lame_duck = section.get("lame_duck");
    set(&mut server.lame_duck, lame_duck.and_then(|item| reader.duration(&item)));
    let file = Arc::clone(reader.source);
    let state = section.get("state");
    let parse = |text: &str| path(file.path(), text, "a folder");
    server.state = state.and_then(|item| reader.text(&item, "a path such as \"/var/lib/callgate\"", parse));
    let ticket_keys = section.get("tls_ticket_keys");
    server.tls_ticket_keys = ticket_keys.and_then(|item| ticket_keys::read(reader, &item));
    let (types, expected) = (section.get("error_types"), "a URI such as \"https://errors.example.com/\"");
    set(&mut server.error_types, types.and_then(|item| reader.text(&item, expected, ErrorTypes::parse)));
}

/// Streams that end in order do so before the connections are closed.
fn read_stream_drain(reader: &mut Reader<'_>, section: &Section<'_>, server: &mut ServerSettings) {
    server.stream_drain = server.drain_timeout * 2 / 3;
    let Some(item) = section.get("stream_drain") else { return };
    let time = reader.duration(&item);
    if time.is_some_and(|time| time > server.drain_timeout) {
        let drain_timeout = show_duration(server.drain_timeout);
        let title = "`stream_drain` is longer than `drain_timeout`";
        let complaint = Complaint::new(title, format!("all connections are closed after {drain_timeout}"));
        reader.complain::<()>(&item, complaint.help("write a longer `drain_timeout`"));
    }
    set(&mut server.stream_drain, time);
}
