//! The gateway's own file: what needs a restart. Every key is optional; a key that is not known is an error.

mod access_log;
mod admin;
mod admin_tokens;
mod http2;
mod keys;
mod listeners;
mod replay;
mod server;
mod ticket_keys;
mod traces;

pub use access_log::{AccessField, AccessFields, AccessLogFormat, AccessLogSettings};
pub use admin_tokens::AdminTokens;
pub use http2::{Http2, Http2Settings};
pub use listeners::{
    ClientSettings, Forwarded, HalfClose, Hsts, ListenAddress, ListenerClients, ListenerSettings, Protocol,
    ProxyProtocol, TlsSettings,
};

use super::balance;
use super::diagnostics::Diagnostics;
use super::dns::DnsSettings;
use super::error_types::ErrorTypes;
use super::files;
use super::places::absolute;
use super::reader::Reader;
use super::source::Source;
use callgate_protocol::Token;
pub(super) use keys::SECTIONS;
use keys::{log_filter, read};
pub use replay::ReplaySettings;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{env, thread};
pub use ticket_keys::TicketKeysFile;
pub use traces::{TraceParents, TracesSettings};

/// The variable that overrides `log.level`.
const LOG_VARIABLE: &str = "CALLGATE_LOG";

/// The variable that overrides `server.zone`: it differs from machine to machine, and the file need not.
const ZONE_VARIABLE: &str = "CALLGATE_ZONE";

/// What needs a restart to change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// How HTTP is served.
    pub server: ServerSettings,
    /// Where clients connect: at least one.
    pub listeners: Vec<ListenerSettings>,
    /// The bounds of HTTP/2.
    pub http2: Http2Settings,
    /// Where the operator's pages are.
    pub admin: AdminSettings,
    /// Where the tables are.
    pub tables: TableSettings,
    /// What is logged, and how.
    pub log: LogSettings,
    /// Which requests have a line of their own.
    pub access_log: AccessLogSettings,
    /// Which requests have spans; none without.
    pub traces: Option<TracesSettings>,
    /// How many of the last requests are kept.
    pub replay: ReplaySettings,
    /// How a successor takes over.
    pub upgrade: UpgradeSettings,
    /// How names are looked up that endpoints write as `dns:host:port`.
    pub dns: DnsSettings,
}

/// `[server]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerSettings {
    /// Worker threads, never 0: `workers = 0` in the file is one per core, counted at load.
    pub workers: usize,
    /// Where the gateway is; instances of the same zone are preferred.
    pub zone: Option<String>,
    /// The largest request body in bytes.
    pub max_body: u64,
    /// Whether bodies in gzip, br and zstd are read.
    pub compressed_bodies: bool,
    /// Bytes that all request bodies longer than 64 KiB may have together; never less than `max_body`.
    pub max_body_memory: u64,
    /// The largest answer in bytes, which is what a reply becomes as JSON; at least 64 KiB.
    pub max_answer: u64,
    /// Bytes that all answers longer than 64 KiB may have together, with the replies that they are made from; never less than
    /// `max_answer`.
    pub max_answer_memory: u64,
    /// Bytes a second: a client that takes its answer more slowly is left. 0 for none.
    pub min_send_rate: u64,
    /// Over how long that is measured.
    pub min_send_rate_window: Duration,
    /// Bytes a second: a client that sends its request's body more slowly is refused. 0 for none.
    pub min_body_rate: u64,
    /// Over how long that is measured.
    pub min_body_rate_window: Duration,
    /// The largest request line and headers in bytes, together; at least 8 KiB.
    pub max_head: u64,
    /// The most header lines of a request.
    pub max_headers: u64,
    /// Connections open at once, all workers together.
    pub max_connections: u64,
    /// TLS handshakes in progress at once, all workers together.
    pub max_handshakes: u64,
    /// Requests of a connection, about; 0 for any number.
    pub max_requests_per_connection: u64,
    /// How long what comes before requests may take: a PROXY header, a TLS handshake.
    pub handshake_timeout: Duration,
    /// How long a request's line and headers may take to arrive.
    pub header_timeout: Duration,
    /// How long a request's body may take to arrive.
    pub body_timeout: Duration,
    /// How long a keep-alive connection may be idle between requests.
    pub idle_timeout: Duration,
    /// How long the client of a WebSocket may be silent until it is asked whether it is there, and then until it has said so.
    pub websocket_ping: Duration,
    /// How long requests in flight may take to end after the gateway was told to stop.
    pub drain_timeout: Duration,
    /// How long replies in items may go on after that, never longer; then their clients are told to come again. By default two thirds
    /// of it.
    pub stream_drain: Duration,
    /// A folder that the gateway may write, for what the next start may need. Absolute. Without, nothing is kept.
    pub state: Option<PathBuf>,
    /// The keys of TLS tickets that gateways share. Without, each gateway has its own.
    pub tls_ticket_keys: Option<TicketKeysFile>,
    /// How the URIs of errors begin that methods declare.
    pub error_types: ErrorTypes,
    /// How long the gateway goes on accepting before, so that load balancers notice that it is about to stop. May be 0.
    pub lame_duck: Duration,
}

/// `[admin]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdminSettings {
    /// The address of health, metrics and the rest; none of the server's.
    pub listen: SocketAddr,
    /// Names, in small letters and without a port, by which it is asked beside its addresses and localhost.
    pub hosts: Vec<String>,
    /// What requests have to bring along, but for those that ask for health and metrics.
    pub token: Option<Token>,
    /// What those may bring along instead that change nothing. Where it is, `token` is.
    pub read_token: Option<Token>,
    /// The files that both were read from, where they are kept in some.
    pub token_files: [Option<PathBuf>; 2],
}

/// `[tables]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableSettings {
    /// Files, or folders for their `*.toml`. Absolute.
    pub watch: Vec<PathBuf>,
    /// Which changes may let more callers come than before.
    pub accept_exposure: AcceptExposure,
}

/// `accept_exposure` of `[tables]`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AcceptExposure {
    /// Those that the tables list.
    #[default]
    Listed,
    /// All.
    Any,
}

/// `[log]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogSettings {
    /// A filter as `tracing-subscriber`'s `EnvFilter` takes it: a level, or `target=level` with commas between.
    /// `CALLGATE_LOG` is already in it.
    pub level: String,
    /// How lines are written.
    pub format: LogFormat,
}

/// `[upgrade]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UpgradeSettings {
    /// Where a successor asks for the listening sockets: `@` and a name in the abstract namespace, or an absolute path.
    /// Without, a name made of the user and the admin address.
    pub socket: Option<String>,
    /// How long connections may stay with the old process before it closes those that are idle and gives requests in
    /// flight the server's drain timeout.
    pub drain_timeout: Duration,
}

/// How log lines are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogFormat {
    /// Text where standard error is a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// Reads and checks the gateway's file. `CALLGATE_LOG` overrides `log.level`, and `CALLGATE_ZONE` overrides `server.zone`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn load(path: &Path) -> Result<Settings, Diagnostics> {
        let source = files::source(path).map_err(|diagnostic| {
            diagnostic.help("name another with `--config FILE` or the environment's CALLGATE_CONFIG")
        })?;
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let (filter, zone) = (variable(LOG_VARIABLE), variable(ZONE_VARIABLE));
        Settings::parse_beside(source, filter.as_deref(), zone.as_deref())
    }

    /// Checks a file that is already read, with what `CALLGATE_LOG` says.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn parse(source: Source, filter: Option<&str>) -> Result<Settings, Diagnostics> {
        Settings::parse_beside(source, filter, None)
    }

    /// The same with what `CALLGATE_ZONE` says.
    pub(super) fn parse_beside(
        source: Source,
        filter: Option<&str>,
        zone: Option<&str>,
    ) -> Result<Settings, Diagnostics> {
        let source = Arc::new(source);
        let mut settings = Settings::defaults(source.path());
        let mut reader = Reader::new(&source);
        if let Some(document) = reader.document() {
            read(&mut reader, document.get_ref(), &mut settings);
        }
        if let Some(filter) = filter {
            match log_filter(filter) {
                Ok(filter) => settings.log.level = filter,
                Err(complaint) => reader.report(complaint.without_place(LOG_VARIABLE)),
            }
        }
        if let Some(zone) = zone {
            match balance::zone(zone) {
                Ok(zone) => settings.server.zone = Some(zone),
                Err(complaint) => reader.report(complaint.without_place(ZONE_VARIABLE)),
            }
        }
        Diagnostics::none_or(reader.found).map(|()| settings)
    }

    /// What an empty file of that path means.
    fn defaults(file: &Path) -> Settings {
        Settings {
            server: ServerSettings {
                workers: cores(),
                zone: None,
                max_body: 4 << 20,
                compressed_bodies: true,
                max_body_memory: 256 << 20,
                max_answer: 64 << 20,
                max_answer_memory: 256 << 20,
                min_send_rate: 1 << 10,
                min_send_rate_window: Duration::from_secs(30),
                min_body_rate: 1 << 10,
                min_body_rate_window: Duration::from_secs(10),
                max_head: 16 << 10,
                max_headers: 100,
                max_connections: 20_000,
                max_handshakes: 1000,
                max_requests_per_connection: 0,
                handshake_timeout: Duration::from_secs(10),
                header_timeout: Duration::from_secs(10),
                body_timeout: Duration::from_secs(30),
                idle_timeout: Duration::from_secs(75),
                websocket_ping: Duration::from_secs(20),
                drain_timeout: Duration::from_secs(30),
                stream_drain: Duration::from_secs(20),
                lame_duck: Duration::ZERO,
                state: None,
                tls_ticket_keys: None,
                error_types: ErrorTypes::default(),
            },
            listeners: listeners::default(),
            http2: Http2Settings::default(),
            admin: AdminSettings {
                listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)),
                hosts: Vec::new(),
                token: None,
                read_token: None,
                token_files: [None, None],
            },
            tables: TableSettings {
                watch: vec![absolute(file, "../routes")],
                accept_exposure: AcceptExposure::Listed,
            },
            log: LogSettings { level: "info".to_owned(), format: LogFormat::Auto },
            access_log: AccessLogSettings::default(),
            traces: None,
            replay: ReplaySettings::default(),
            upgrade: UpgradeSettings { socket: None, drain_timeout: Duration::from_secs(5 * 60) },
            dns: DnsSettings::default(),
        }
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
