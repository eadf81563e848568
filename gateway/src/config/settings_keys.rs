//! The keys of the gateway's own file: which there are, and what each may be.

use super::admin;
use super::balance;
use super::complaint::Complaint;
use super::dns;
use super::reader::{Item, Reader, Section};
use super::settings::{LogFormat, ServerSettings, Settings};
use super::suggest::nearest;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use toml::de::DeTable;

const TIMES: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(24 * 3600);
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Replaces the defaults by what the file says.
pub(super) fn read(reader: &mut Reader<'_>, document: &DeTable<'_>, settings: &mut Settings) {
    let sections = &["server", "admin", "tables", "log", "upgrade", "dns"];
    let root = reader.section("the gateway's file", document, sections);
    let sub = |reader: &mut Reader<'_>, name, known| {
        let item = root.get(name)?;
        let table = reader.table(&item, &format!("a table, written [{name}]"))?;
        Some(reader.section(&format!("[{name}]"), table, known))
    };
    if let Some(section) = sub(reader, "server", SERVER_KEYS) {
        read_server(reader, &section, &mut settings.server);
    }
    let admin = sub(reader, "admin", admin::KEYS).and_then(|section| {
        admin::read(reader, &section, &mut settings.admin);
        section.get("listen")
    });
    let watch = sub(reader, "tables", &["watch"]).and_then(|section| section.get("watch"));
    if let Some(item) = watch {
        set(&mut settings.tables.watch, read_watch(reader, &item));
    }
    if let Some(section) = sub(reader, "log", &["level", "format"]) {
        let level = section.get("level");
        set(
            &mut settings.log.level,
            level.and_then(|item| reader.text(&item, "a level such as \"info\"", log_filter)),
        );
        let formats = [("auto", LogFormat::Auto), ("text", LogFormat::Text), ("json", LogFormat::Json)];
        let format = section.get("format");
        set(&mut settings.log.format, format.and_then(|item| reader.choice(&item, &formats)));
    }
    if let Some(section) = sub(reader, "upgrade", &["socket", "drain_timeout"]) {
        let file = Arc::clone(reader.source);
        let socket = section.get("socket");
        let expected = "\"auto\", \"@NAME\" or a path";
        let parse = |text: &str| socket_name(file.path(), text);
        set(&mut settings.upgrade.socket, socket.and_then(|item| reader.text(&item, expected, parse)));
        let time = section.get("drain_timeout");
        set(&mut settings.upgrade.drain_timeout, time.and_then(|item| reader.duration(&item, TIMES)));
    }
    if let Some(section) = sub(reader, "dns", dns::KEYS) {
        settings.dns.read(reader, &section);
    }
    let shared = settings.server.listen.iter().any(|own| *own == settings.admin.listen && own.port() != 0);
    if let (Some(item), true) = (admin, shared) {
        let title = format!("`{}` is the server's own address", settings.admin.listen);
        reader.complain::<()>(&item, Complaint::new(title, "also in [server] listen"));
    }
}

const SERVER_KEYS: &[&str] = &[
    "listen",
    "workers",
    "zone",
    "max_body",
    "max_body_memory",
    "max_answer",
    "max_answer_memory",
    "min_send_rate",
    "min_send_rate_window",
    "max_head",
    "max_connections",
    "header_timeout",
    "body_timeout",
    "idle_timeout",
    "drain_timeout",
    "lame_duck",
    "state",
];
pub(super) const ADDRESS: &str = "an address such as \"127.0.0.1:8080\"";

fn read_server(reader: &mut Reader<'_>, section: &Section<'_>, server: &mut ServerSettings) {
    if let Some(item) = section.get("listen") {
        set(&mut server.listen, read_listen(reader, &item));
    }
    let workers = section.get("workers").and_then(|item| reader.integer(&item, 0..=1024));
    match workers.and_then(|workers| usize::try_from(workers).ok()) {
        None | Some(0) => {}
        Some(workers) => server.workers = workers,
    }
    if let Some(item) = section.get("zone") {
        server.zone = reader.text(&item, "a string such as \"eu-1a\"", balance::zone);
    }
    // HTTP/1 needs room for the head as a whole: the HTTP library takes no buffer below 8 KiB.
    let sizes = [
        ("max_body", 1..=1 << 30, &mut server.max_body),
        ("max_body_memory", 1..=1 << 50, &mut server.max_body_memory),
        ("max_answer", 64 << 10..=1 << 40, &mut server.max_answer),
        ("max_answer_memory", 64 << 10..=1 << 50, &mut server.max_answer_memory),
        ("max_head", 8 << 10..=1 << 20, &mut server.max_head),
    ];
    for (key, bounds, size) in sizes {
        set(size, section.get(key).and_then(|item| reader.size(&item, bounds)));
    }
    server.max_body_memory = server.max_body_memory.max(server.max_body);
    server.max_answer_memory = server.max_answer_memory.max(server.max_answer);
    let rate = section.get("min_send_rate");
    set(&mut server.min_send_rate, rate.and_then(|item| reader.rate(&item)));
    let connections = section.get("max_connections");
    set(&mut server.max_connections, connections.and_then(|item| reader.integer(&item, 1..=10_000_000)));
    let times = [
        ("header_timeout", &mut server.header_timeout),
        ("body_timeout", &mut server.body_timeout),
        ("idle_timeout", &mut server.idle_timeout),
        ("min_send_rate_window", &mut server.min_send_rate_window),
        ("drain_timeout", &mut server.drain_timeout),
    ];
    for (key, time) in times {
        set(time, section.get(key).and_then(|item| reader.duration(&item, TIMES)));
    }
    let lame_duck = section.get("lame_duck");
    let times = Duration::ZERO..=*TIMES.end();
    set(&mut server.lame_duck, lame_duck.and_then(|item| reader.duration(&item, times)));
    let file = Arc::clone(reader.source);
    let state = section.get("state");
    let parse = |text: &str| path(file.path(), text, "a folder");
    server.state = state.and_then(|item| reader.text(&item, "a path such as \"/var/lib/callgate\"", parse));
}

/// A path, made absolute. The error says what it is expected to lead to.
fn path(file: &Path, text: &str, expected: &str) -> Result<PathBuf, Complaint> {
    match text {
        "" => Err(Complaint::new("an empty path", format!("expected {expected}"))),
        _ if text.contains('\0') => Err(Complaint::new("not a path", "it holds a NUL")),
        _ => Ok(absolute(file, text)),
    }
}

/// The system's bound of a Unix socket's address, with room for what ends a path or begins a name.
const MAX_SOCKET_NAME: usize = 106;

fn socket_name(file: &Path, text: &str) -> Result<Option<String>, Complaint> {
    let name = match text {
        "auto" => return Ok(None),
        "" | "@" => {
            return Err(Complaint::new("a socket without a name", "expected \"auto\", \"@NAME\" or a path"));
        }
        _ if text.starts_with('@') => text.to_owned(),
        _ => absolute(file, text).display().to_string(),
    };
    if name.contains(char::is_control) {
        return Err(Complaint::new("not a socket's name", "it holds a control character"));
    }
    if name.len() > MAX_SOCKET_NAME {
        let label = format!("{} bytes, and the system takes {MAX_SOCKET_NAME}", name.len());
        return Err(Complaint::new("the socket's name is too long", label));
    }
    Ok(Some(name))
}

/// Replaces a default by what could be read.
pub(super) fn set<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

fn read_listen(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Vec<SocketAddr>> {
    let before = reader.found.len();
    let all = reader.texts(item, "[\"127.0.0.1:8080\"]", address)?;
    if all.is_empty() && reader.found.len() == before {
        return reader
            .complain(item, Complaint::new("the server listens nowhere", "expected at least one address"));
    }
    // Port 0 is another one each time.
    let fixed = all.iter().filter(|(address, _)| address.port() != 0);
    reader.twice("address", fixed.map(|(address, span)| (address, span)));
    Some(all.into_iter().map(|(address, _)| address).collect())
}

pub(super) fn address(text: &str) -> Result<SocketAddr, Complaint> {
    text.parse().map_err(|_| {
        let complaint =
            Complaint::new(format!("`{text}` is not an address"), "expected an IP address and a port");
        match text.rsplit_once(':') {
            Some(("" | "*", port)) => complaint.help(format!("write \"0.0.0.0:{port}\" or \"[::]:{port}\"")),
            Some(("localhost", port)) => {
                complaint.help(format!("write \"127.0.0.1:{port}\" or \"[::1]:{port}\""))
            }
            _ => complaint,
        }
    })
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

/// A path relative to the file that names it, without the `..` that can be resolved by looking at the text alone.
pub(super) fn absolute(file: &Path, path: &str) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    let joined = folder.join(path);
    let joined = std::path::absolute(&joined).unwrap_or(joined);
    let mut tidy = PathBuf::new();
    for part in joined.components() {
        // Behind a symlink `..` is not where it seems to be.
        let plain = part == Component::ParentDir && tidy.file_name().is_some() && !tidy.is_symlink();
        if plain {
            tidy.pop();
        } else {
            tidy.push(part);
        }
    }
    tidy
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
