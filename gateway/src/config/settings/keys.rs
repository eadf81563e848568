//! The keys of the gateway's own file: which there are, and what each may be.

use super::access_log;
use super::http2;
use super::listeners::{self, ListenAddress};
use super::replay;
use super::{AcceptExposure, LogFormat, ServerSettings, Settings, admin, ticket_keys, traces};
use crate::config::complaint::Complaint;
use crate::config::error_types::ErrorTypes;
use crate::config::places::{absolute, path, socket_name};
use crate::config::reader::{Item, Reader, Section, set};
use crate::config::shape::{Entry, Shape, words};
use crate::config::suggest::nearest;
use crate::config::units::show_duration;
use crate::config::{balance, dns};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use toml::de::DeTable;

const DAY: Duration = Duration::from_secs(24 * 3600);
const TIMES: RangeInclusive<Duration> = Duration::from_millis(1)..=DAY;
/// The same, or no time at all.
const OR_NONE: RangeInclusive<Duration> = Duration::ZERO..=DAY;
const EXPOSURES: [(&str, AcceptExposure); 2] =
    [("listed", AcceptExposure::Listed), ("any", AcceptExposure::Any)];
const FORMATS: [(&str, LogFormat); 3] =
    [("auto", LogFormat::Auto), ("text", LogFormat::Text), ("json", LogFormat::Json)];
/// The sections.
pub(in crate::config) const SECTIONS: &[Entry] = &[
    Entry::new("server", Shape::Table(SERVER_KEYS), "how HTTP is served"),
    Entry::new("listeners", listeners::SHAPE, "where clients connect"),
    Entry::new("http2", Shape::Table(http2::KEYS), "the bounds of HTTP/2"),
    Entry::new("admin", Shape::Table(admin::KEYS), "where the operator's pages are"),
    Entry::new("tables", Shape::Table(TABLES), "where the tables are"),
    Entry::new("log", Shape::Table(LOG), "what is logged, and how"),
    Entry::new("access_log", Shape::Table(access_log::KEYS), "which requests have a line of their own"),
    Entry::new("traces", Shape::Table(traces::KEYS), "which requests have spans"),
    Entry::new("replay", Shape::Table(replay::KEYS), "how many of the last requests are kept"),
    Entry::new("upgrade", Shape::Table(UPGRADE), "how a successor takes over"),
    Entry::new("dns", Shape::Table(dns::KEYS), "how names of endpoints are looked up"),
];
const TABLES: &[Entry] = &[
    Entry::new("watch", Shape::SOME_TEXTS, "files, or folders for their `*.toml`"),
    Entry::new(
        "accept_exposure",
        Shape::Words(&words(&EXPOSURES)),
        "which changes may let more callers come than before",
    ),
];
const LOG: &[Entry] = &[
    Entry::new("level", Shape::Text, "a level, or `\"info,callgate=debug\"` by target"),
    Entry::new("format", Shape::Words(&words(&FORMATS)), "how lines are written"),
];
const UPGRADE: &[Entry] = &[
    Entry::new("socket", Shape::Text, "where a successor asks for the listening sockets"),
    Entry::new(
        "drain_timeout",
        Shape::Duration(TIMES),
        "how long keep-alive connections may stay with the old process",
    ),
];
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Replaces the defaults by what the file says.
pub(super) fn read(reader: &mut Reader<'_>, document: &DeTable<'_>, settings: &mut Settings) {
    let root = reader.section("the gateway's file", document, SECTIONS);
    let sub = |reader: &mut Reader<'_>, name, known| {
        let item = root.get(name)?;
        let table = reader.table(&item, &format!("a table, written [{name}]"))?;
        Some(reader.section(&format!("[{name}]"), table, known))
    };
    let server = sub(reader, "server", SERVER_KEYS);
    let listen = server.as_ref().and_then(|section| section.get("listen"));
    set(&mut settings.listeners, listeners::read(reader, listen.as_ref(), root.get("listeners").as_ref()));
    if let Some(section) = &server {
        read_server(reader, section, &mut settings.server);
    }
    let admin = sub(reader, "admin", admin::KEYS).and_then(|section| {
        admin::read(reader, &section, &mut settings.admin);
        section.get("listen")
    });
    let watch = sub(reader, "tables", TABLES);
    if let Some(item) = watch.as_ref().and_then(|section| section.get("watch")) {
        set(&mut settings.tables.watch, read_watch(reader, &item));
    }
    if let Some(item) = watch.and_then(|section| section.get("accept_exposure")) {
        set(&mut settings.tables.accept_exposure, reader.choice(&item, &EXPOSURES));
    }
    if let Some(section) = sub(reader, "log", LOG) {
        let level = section.get("level");
        set(
            &mut settings.log.level,
            level.and_then(|item| reader.text(&item, "a level such as \"info\"", log_filter)),
        );
        let format = section.get("format");
        set(&mut settings.log.format, format.and_then(|item| reader.choice(&item, &FORMATS)));
    }
    if let Some(section) = sub(reader, "access_log", access_log::KEYS) {
        settings.access_log.read(reader, &section);
    }
    if let Some((section, item)) = sub(reader, "traces", traces::KEYS).zip(root.get("traces")) {
        settings.traces = traces::read(reader, &section, &item);
    }
    if let Some(section) = sub(reader, "replay", replay::KEYS) {
        settings.replay.read(reader, &section);
    }
    let mut socket = None;
    if let Some(section) = sub(reader, "upgrade", UPGRADE) {
        let file = Arc::clone(reader.source);
        socket = section.get("socket");
        let expected = "\"auto\", \"@NAME\" or a path";
        let parse = |text: &str| upgrade_socket(file.path(), text);
        set(
            &mut settings.upgrade.socket,
            socket.as_ref().and_then(|item| reader.text(item, expected, parse)),
        );
        let time = section.get("drain_timeout");
        set(&mut settings.upgrade.drain_timeout, time.and_then(|item| reader.duration(&item)));
    }
    if let Some(section) = sub(reader, "dns", dns::KEYS) {
        settings.dns.read(reader, &section);
    }
    if let Some(section) = sub(reader, "http2", http2::KEYS) {
        settings.http2.read(reader, &section);
    }
    taken_by_clients(reader, settings, admin, socket);
}

/// The gateway's own sockets cannot be where clients connect.
fn taken_by_clients(
    reader: &mut Reader<'_>,
    settings: &Settings,
    admin: Option<Item<'_>>,
    upgrade: Option<Item<'_>>,
) {
    let mut check = |item: Option<Item<'_>>, address: ListenAddress| {
        let is_fixed = !matches!(&address, ListenAddress::Tcp(addr) if addr.port() == 0);
        if let Some(item) = item
            && is_fixed
            && settings.listeners.iter().any(|listener| listener.address == address)
        {
            let title = format!("`{address}` is the server's own address");
            let _: Option<()> = reader.complain(&item, Complaint::new(title, "also a listener's"));
        }
    };
    check(admin, ListenAddress::Tcp(settings.admin.listen));
    if let Some(name) = &settings.upgrade.socket {
        let in_abstract = name.strip_prefix('@').map(|name| ListenAddress::Abstract(name.to_owned()));
        check(upgrade, in_abstract.unwrap_or_else(|| ListenAddress::Unix(name.into())));
    }
}

const SERVER_KEYS: &[Entry] = &[
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

fn read_server(reader: &mut Reader<'_>, section: &Section<'_>, server: &mut ServerSettings) {
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

fn upgrade_socket(file: &Path, text: &str) -> Result<Option<String>, Complaint> {
    match text {
        "auto" => Ok(None),
        "" | "@" => Err(Complaint::new("a socket without a name", "expected \"auto\", \"@NAME\" or a path")),
        _ if text.starts_with('@') => socket_name(text.to_owned()).map(Some),
        _ => socket_name(absolute(file, text).display().to_string()).map(Some),
    }
}

fn read_watch(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Vec<PathBuf>> {
    let file = Arc::clone(reader.source);
    let before = reader.found.len();
    let all = reader.texts(item, "[\"../routes\"]", |text| path(file.path(), text, "a file or a folder"))?;
    if all.is_empty() && reader.found.len() == before {
        return reader.complain(item, Complaint::new("no tables are watched", "expected at least one path"));
    }
    Some(all.into_iter().map(|(path, _)| path).collect())
}

/// A level, or `target=level` with commas between. Stricter than the filter itself, which takes a mistyped level for
/// the name of a target and then logs nothing.
pub(super) fn log_filter(text: &str) -> Result<String, Complaint> {
    if !text.is_ascii() {
        // tracing-subscriber 0.3.23 cuts such a text within a character, and panics.
        return Err(Complaint::new("not a log filter", "expected ASCII characters only"));
    }
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    for part in parts.filter(|part| !part.contains(['=', '['])) {
        if LEVELS.iter().any(|level| level.eq_ignore_ascii_case(part)) {
            continue;
        }
        let complaint = Complaint::new(
            format!("`{part}` is not a level"),
            "expected off, error, warn, info, debug or trace",
        );
        return Err(match nearest(part, LEVELS) {
            Some(level) => complaint.help(format!("did you mean `{level}`?")),
            None => complaint.help(format!("for one target alone write `{part}=debug`")),
        });
    }
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) if !text.trim().is_empty() => Ok(text.to_owned()),
        Ok(_) => Err(Complaint::new("an empty filter", "expected a level such as `info`")),
        Err(error) => Err(Complaint::new("not a log filter", error.to_string())),
    }
}
