//! The keys of the gateway's own file: which there are, and what each may be.

use super::access_log;
use super::http2;
use super::listeners::{self, ListenAddress};
use super::replay;
use super::server::{self, TIMES};
use super::{AcceptExposure, LogFormat, Settings, admin, traces};
use crate::config::complaint::Complaint;
use crate::config::dns;
use crate::config::places::{absolute, path, socket_name};
use crate::config::reader::{Item, Reader, set};
use crate::config::shape::{Entry, Shape, words};
use crate::config::suggest::nearest;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::de::DeTable;

const EXPOSURES: [(&str, AcceptExposure); 2] =
    [("listed", AcceptExposure::Listed), ("any", AcceptExposure::Any)];
const FORMATS: [(&str, LogFormat); 3] =
    [("auto", LogFormat::Auto), ("text", LogFormat::Text), ("json", LogFormat::Json)];
/// The sections.
pub(in crate::config) const SECTIONS: &[Entry] = &[
    Entry::new("server", Shape::Table(server::KEYS), "how HTTP is served"),
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
    let server = sub(reader, "server", server::KEYS);
    let listen = server.as_ref().and_then(|section| section.get("listen"));
    set(&mut settings.listeners, listeners::read(reader, listen.as_ref(), root.get("listeners").as_ref()));
    if let Some(section) = &server {
        server::read(reader, section, &mut settings.server);
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
