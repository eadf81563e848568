//! Listeners: where clients connect. `[[listeners]]` declares them; `listen` of `[server]` is the short form, which names no more than
//! addresses.

mod clients;
mod https;
mod tls;

pub use clients::{Forwarded, ListenerClients, ProxyProtocol};
pub use https::Hsts;
pub use tls::{ClientSettings, TlsSettings};

use super::http2::{self, Http2};
use crate::config::complaint::Complaint;
use crate::config::places::{absolute, address, socket_name};
use crate::config::reader::{Item, Reader, Section};
use crate::config::shape::{Entry, Shape, words};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::de::DeValue;

const KEYS: &[Entry] = &[
    Entry::new("id", Shape::Text, "the listener's name in the log and the metrics"),
    Entry::needed("address", Shape::Text, "an IP address and a port"),
    Entry::new("mode", Shape::Like("^[0-7]{3,4}$"), "the permissions of a Unix socket's file"),
    Entry::new("group", Shape::Text, "the group of that file"),
    Entry::new("protocol", Shape::Words(&words(&Protocol::ALL)), "what is spoken there"),
    Entry::new(
        "http2",
        http2::OF_LISTENER,
        "whether HTTP/2 is spoken: within TLS by clients that choose it (ALPN)",
    ),
    Entry::new(
        "half_close",
        Shape::Words(&words(&HalfClose::ALL)),
        "what becomes of a call whose client ends its side of the connection meanwhile",
    ),
    Entry::new("tls", tls::SHAPE, "TLS is spoken there"),
    Entry::new(
        "https_redirect",
        https::REDIRECT,
        "every request is answered 308, to the same host and target by HTTPS",
    ),
    Entry::new("hsts", https::HSTS, "what `Strict-Transport-Security` says in every reply"),
    clients::PROXY_PROTOCOL,
    clients::FORWARDED_ENTRY,
    clients::CLIENTS,
    clients::MAX_CONNECTIONS,
    clients::NEW_CONNECTIONS,
];
/// What `listeners` may be.
pub(super) const SHAPE: Shape = Shape::List(&Shape::Table(KEYS), 0..=usize::MAX);
/// What one address looks like, for whoever wrote something else.
const ADDRESS: &str = "an address such as \"127.0.0.1:8080\" or \"unix:/run/callgate/http.sock\"";
/// The longest name of a listener or a group, in bytes.
const MAX_NAME: usize = 64;
/// The mode of a socket's file: its user and its group may connect.
const MODE: u32 = 0o660;

/// One listener.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListenerSettings {
    /// Its name in the log and the metrics, each once. By default its address.
    pub id: String,
    /// Where it listens, each once but for port 0.
    pub address: ListenAddress,
    /// The permissions of a Unix socket's file.
    pub mode: u32,
    /// The group of a Unix socket's file, by name or number; the process's own without.
    pub group: Option<String>,
    /// What is spoken there.
    pub protocol: Protocol,
    /// Whether HTTP/2 is spoken beside it.
    pub http2: Http2,
    /// What is done with a request whose client sends nothing more.
    pub half_close: HalfClose,
    /// Who its clients are, and what they may.
    pub clients: ListenerClients,
    /// How it speaks TLS, if it does.
    pub tls: Option<TlsSettings>,
    /// The port of HTTPS to which all its requests are sent; none with TLS.
    pub https_redirect: Option<u16>,
    /// What its replies say of HTTPS; only with TLS.
    pub hsts: Option<Hsts>,
}

/// Where a listener listens.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ListenAddress {
    /// An IP address and a port; 0 asks the system for a free one.
    Tcp(SocketAddr),
    /// A Unix socket with a file: its absolute path.
    Unix(PathBuf),
    /// A Unix socket in the abstract namespace.
    Abstract(String),
}

/// What is spoken over a listener's connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// HTTP/1.0 and HTTP/1.1.
    Http1,
}

/// What is done with a request that has no reply yet when its client says that it sends nothing more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HalfClose {
    /// The client is taken to have gone, as most have that say so: the call is cancelled.
    Cancel,
    /// The client waits for its reply.
    Answer,
}

impl HalfClose {
    /// All of them, with their words.
    const ALL: [(&'static str, HalfClose); 2] =
        [("cancel", HalfClose::Cancel), ("answer", HalfClose::Answer)];

    /// The word for it in the settings.
    pub fn name(self) -> &'static str {
        match self {
            HalfClose::Cancel => "cancel",
            HalfClose::Answer => "answer",
        }
    }
}

impl Protocol {
    /// All of them, with their words.
    const ALL: [(&'static str, Protocol); 1] = [("http1", Protocol::Http1)];

    /// The word for it in the settings.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Http1 => "http1",
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenAddress::Tcp(addr) => write!(f, "{addr}"),
            ListenAddress::Unix(path) => write!(f, "unix:{}", path.display()),
            ListenAddress::Abstract(name) => write!(f, "@{name}"),
        }
    }
}

impl ListenAddress {
    /// Reads an address of a file; a path is relative to that.
    fn parse(file: &Path, text: &str) -> Result<ListenAddress, Complaint> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = (!path.is_empty()).then(|| absolute(file, path).display().to_string());
            return socket_name(path.unwrap_or_default()).map(|path| ListenAddress::Unix(path.into()));
        }
        if let Some(name) = text.strip_prefix('@') {
            return socket_name(name.to_owned()).map(ListenAddress::Abstract);
        }
        address(text).map(ListenAddress::Tcp).map_err(|complaint| {
            if text.starts_with('/') { complaint.help(format!("write \"unix:{text}\"")) } else { complaint }
        })
    }

    /// Whether the system chooses the port, another one each time.
    fn is_any_port(&self) -> bool {
        matches!(self, ListenAddress::Tcp(addr) if addr.port() == 0)
    }
}

impl ListenerSettings {
    fn at(address: ListenAddress) -> ListenerSettings {
        let id = address.to_string();
        let (protocol, http2, half_close) = (Protocol::Http1, Http2::Off, HalfClose::Cancel);
        let (mode, group, clients) = (MODE, None, ListenerClients::default());
        let (tls, https_redirect, hsts) = (None, None, None);
        ListenerSettings {
            id,
            address,
            mode,
            group,
            protocol,
            http2,
            half_close,
            clients,
            tls,
            https_redirect,
            hsts,
        }
    }
}

/// The listener of a file that names none.
pub(super) fn default() -> Vec<ListenerSettings> {
    vec![ListenerSettings::at(ListenAddress::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))))]
}

/// What is read of the two keys, with the places of ids and addresses.
#[derive(Default)]
struct Found {
    all: Vec<ListenerSettings>,
    ids: Vec<(String, Range<usize>)>,
    addresses: Vec<(ListenAddress, Range<usize>)>,
}

/// Reads what `listen` and `[[listeners]]` name together, if either is there.
pub(super) fn read(
    reader: &mut Reader<'_>,
    short: Option<&Item<'_>>,
    long: Option<&Item<'_>>,
) -> Option<Vec<ListenerSettings>> {
    let before = reader.found.len();
    let mut found = Found::default();
    if let Some(item) = short {
        read_short(reader, item, &mut found);
    }
    if let Some(item) = long {
        read_long(reader, item, &mut found);
    }
    let item = short.or(long)?;
    if found.all.is_empty() && reader.found.len() == before {
        return reader
            .complain(item, Complaint::new("the server listens nowhere", "expected at least one address"));
    }
    let fixed = found.addresses.iter().filter(|(address, _)| !address.is_any_port());
    reader.twice("address", fixed.map(|(address, span)| (address, span)));
    reader.twice("id", found.ids.iter().map(|(id, span)| (id, span)));
    distinguish(&mut found.all);
    Some(found.all)
}

fn read_short(reader: &mut Reader<'_>, item: &Item<'_>, found: &mut Found) {
    let file = Arc::clone(reader.source);
    let parse = |text: &str| ListenAddress::parse(file.path(), text);
    for (address, span) in reader.texts(item, "[\"127.0.0.1:8080\"]", parse).unwrap_or_default() {
        found.all.push(ListenerSettings::at(address.clone()));
        found.addresses.push((address, span));
    }
}

fn read_long(reader: &mut Reader<'_>, item: &Item<'_>, found: &mut Found) {
    let expected = "an array of tables, each written [[listeners]]";
    for value in reader.array(item, expected).unwrap_or_default() {
        let DeValue::Table(table) = value.get_ref() else {
            let _: Option<()> = reader.wrong_type(item.key, value, expected);
            continue;
        };
        let section = reader.section("[[listeners]]", table, KEYS);
        let Some(item) = section.get("address") else {
            let one = Item { value, ..item.clone() };
            let _: Option<()> = reader
                .complain(&one, Complaint::new("a listener without an address", "`address` is missing"));
            continue;
        };
        let file = Arc::clone(reader.source);
        let parse = |text: &str| ListenAddress::parse(file.path(), text);
        let Some(address) = reader.text(&item, ADDRESS, parse) else { continue };
        found.addresses.push((address.clone(), item.span()));
        let mut listener = ListenerSettings::at(address);
        if let Some(item) = section.get("id")
            && let Some(id) = reader.text(&item, "a name such as \"internal\"", id)
        {
            found.ids.push((id.clone(), item.span()));
            listener.id = id;
        }
        read_access(reader, &section, &mut listener);
        let protocol = section.get("protocol").and_then(|item| reader.choice(&item, &Protocol::ALL));
        listener.protocol = protocol.unwrap_or(listener.protocol);
        let half_close = section.get("half_close").and_then(|item| reader.choice(&item, &HalfClose::ALL));
        listener.half_close = half_close.unwrap_or(listener.half_close);
        read_https(reader, &section, &mut listener);
        // One whose TLS was complained of has it all the same.
        let is_off = |item: Item<'_>| matches!(item.value.get_ref(), DeValue::Boolean(false));
        let has_tls = section.get("tls").is_some_and(|item| !is_off(item));
        listener.http2 = http2::read(reader, section.get("http2").as_ref(), has_tls);
        clients::read(reader, &section, &mut listener);
        found.all.push(listener);
    }
}

/// Reads whether TLS is spoken there, and what is said of HTTPS.
fn read_https(reader: &mut Reader<'_>, section: &Section<'_>, listener: &mut ListenerSettings) {
    let (tls, redirect, hsts) = (section.get("tls"), section.get("https_redirect"), section.get("hsts"));
    let before = reader.found.len();
    listener.tls = tls.as_ref().and_then(|item| tls::read(reader, item));
    let is_known = reader.found.len() == before;
    listener.https_redirect = redirect.as_ref().and_then(|item| https::read_redirect(reader, item));
    listener.hsts = hsts.as_ref().and_then(|item| https::read_hsts(reader, item));
    if let Some(item) = redirect.filter(|_| listener.tls.is_some() && listener.https_redirect.is_some()) {
        let complaint = Complaint::new("`https_redirect` is for listeners without TLS", "this one has `tls`");
        reader.complain::<()>(&item, complaint.help("write it at the listener of plain HTTP"));
    }
    if let Some(item) = hsts.filter(|_| listener.tls.is_none() && is_known) {
        let complaint = Complaint::new("`hsts` is for listeners with TLS", "without, browsers ignore it");
        reader.complain::<()>(&item, complaint.help("write it at the listener that has `tls`"));
    }
}

/// Reads who may connect to a Unix socket: what has no file has no permissions either.
fn read_access(reader: &mut Reader<'_>, section: &Section<'_>, listener: &mut ListenerSettings) {
    let has_file = matches!(listener.address, ListenAddress::Unix(_));
    let mut get = |key| {
        let item = section.get(key)?;
        if has_file {
            return Some(item);
        }
        let title = format!("`{key}` is for Unix sockets that have a file");
        reader.complain(&item, Complaint::new(title, format!("`{}` has none", listener.address)))
    };
    let (mode, group) = (get("mode"), get("group"));
    let mode =
        mode.and_then(|item| reader.text(&item, "a string of octal digits such as \"0660\"", mode_bits));
    listener.mode = mode.unwrap_or(MODE);
    listener.group = group.and_then(|item| reader.text(&item, "a group's name or number", self::group));
}

fn mode_bits(text: &str) -> Result<u32, Complaint> {
    let is_octal = (3..=4).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| is_octal && *mode <= 0o777);
    mode.ok_or_else(|| {
        Complaint::new(format!("`{text}` is not a file's mode"), "expected \"0000\" to \"0777\"")
    })
}

fn group(text: &str) -> Result<String, Complaint> {
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b':' | b',');
    if text.is_empty() || text.len() > MAX_NAME || !text.bytes().all(fits) {
        return Err(Complaint::new(format!("`{text}` is not a group"), "expected a group's name or number"));
    }
    Ok(text.to_owned())
}

fn id(text: &str) -> Result<String, Complaint> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if text.is_empty() || text.len() > MAX_NAME || !text.bytes().all(fits) {
        let label = "expected 1 to 64 ASCII letters, digits, `_`, `-` and `.`";
        return Err(Complaint::new(format!("`{text}` cannot name a listener"), label));
    }
    Ok(text.to_owned())
}

/// Gives listeners at any port, which have the same address, ids that differ.
fn distinguish(all: &mut [ListenerSettings]) {
    for at in 1..all.len() {
        let (before, rest) = all.split_at_mut(at);
        let same = before.iter().filter(|other| other.address == rest[0].address).count();
        if same > 0 && rest[0].id == rest[0].address.to_string() {
            rest[0].id = format!("{}#{}", rest[0].id, same + 1);
        }
    }
}
