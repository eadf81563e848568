//! A backend's declaration: which endpoints there are, and how their connections are kept.

use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::reader::{Item, Reader};
use super::retry;
use callgate_protocol::limits::MAX_CALLS;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;
use toml::de::DeTable;

const KEYS: &[&str] =
    &["endpoints", "connect_timeout", "ping_interval", "ping_timeout", "max_calls", "retry_budget", "hold"];
/// The longest path that fits a Unix socket's address, in bytes.
const MAX_UNIX_PATH: usize = 107;
const WAIT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60);
const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(3600);

/// A named group of endpoints that offer the same methods.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackendSpec {
    /// The name by which routes and metrics know it.
    pub name: String,
    /// Where its instances listen, at least one, each once, in the order of the file.
    pub endpoints: Vec<EndpointAddr>,
    /// How long connecting and the handshake may take together; 1 ms to 60 s, by default 1 s.
    pub connect_timeout: Duration,
    /// How long a connection may be silent before it is pinged; 10 ms to 1 h, by default 10 s.
    pub ping_interval: Duration,
    /// How long a ping may go unanswered before the connection is given up; 1 ms to 60 s, by default 5 s.
    pub ping_timeout: Duration,
    /// Calls in flight on one connection; 1 to 65536, by default 1024. The instance may ask for fewer.
    pub max_calls: u32,
    /// How many calls may be sent again in vain, in percent of the recent ones; 0 to 100, by default 20.
    pub retry_budget: u32,
    /// How long a call may wait when no instance is there; 0 to 1 min, by default 1 s.
    pub hold: Duration,
}

impl BackendSpec {
    /// A backend with the defaults of everything but its endpoints.
    pub fn new(name: impl Into<String>, endpoints: Vec<EndpointAddr>) -> BackendSpec {
        BackendSpec {
            name: name.into(),
            endpoints,
            connect_timeout: Duration::from_secs(1),
            ping_interval: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(5),
            max_calls: MAX_CALLS,
            retry_budget: retry::BUDGET,
            hold: retry::HOLD,
        }
    }

    /// Whether connections to both are made and kept alike, whatever the endpoints are and calls do on them.
    pub fn connects_as(&self, other: &BackendSpec) -> bool {
        let connecting = |spec: &BackendSpec| {
            let calls = BackendSpec::new("", Vec::new());
            BackendSpec {
                endpoints: Vec::new(),
                retry_budget: calls.retry_budget,
                hold: calls.hold,
                ..spec.clone()
            }
        };
        connecting(self) == connecting(other)
    }

    pub(super) fn read(
        reader: &mut Reader<'_>,
        name: &str,
        table: &DeTable<'_>,
        key: &Item<'_>,
    ) -> Option<BackendSpec> {
        let section = reader.section("a backend", table, KEYS);
        let mut spec = BackendSpec::new(name, Vec::new());
        match section.get("endpoints") {
            Some(item) => spec.endpoints = endpoints(reader, name, &item)?,
            None => {
                reader.report(
                    Diagnostic::new(format!("backend `{name}` has no `endpoints`"))
                        .at(reader.source, key.key_span.clone(), "declared here")
                        .help("write where its instances listen: endpoints = [\"127.0.0.1:7101\"]"),
                );
            }
        }
        let times = [
            ("connect_timeout", WAIT, &mut spec.connect_timeout),
            ("ping_interval", INTERVAL, &mut spec.ping_interval),
            ("ping_timeout", WAIT, &mut spec.ping_timeout),
            ("hold", retry::HOLDS, &mut spec.hold),
        ];
        for (key, bounds, time) in times {
            if let Some(value) = section.get(key).and_then(|item| reader.duration(&item, bounds)) {
                *time = value;
            }
        }
        if let Some(calls) = section.get("max_calls").and_then(|item| reader.integer(&item, 1..=65_536)) {
            spec.max_calls = u32::try_from(calls).unwrap_or(MAX_CALLS);
        }
        if let Some(item) = section.get("retry_budget") {
            spec.retry_budget = retry::read_budget(reader, &item).unwrap_or(spec.retry_budget);
        }
        Some(spec)
    }
}

/// Where one instance listens. Its text reads back as itself.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum EndpointAddr {
    /// `host:port`, `1.2.3.4:port`, `[::1]:port`.
    Tcp {
        /// A name in lower case, or an address without brackets.
        host: String,
        /// The port; never 0.
        port: u16,
    },
    /// `unix:/path`.
    Unix(PathBuf),
}

impl fmt::Display for EndpointAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EndpointAddr::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            EndpointAddr::Tcp { host, port } => write!(f, "{host}:{port}"),
            EndpointAddr::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl EndpointAddr {
    pub(super) fn parse(text: &str) -> Result<EndpointAddr, Complaint> {
        if let Some(path) = text.strip_prefix("unix:") {
            return unix(path);
        }
        let complaint =
            Complaint::new(format!("`{text}` is not an endpoint"), "expected `host:port` or `unix:/path`");
        if let Some((scheme, rest)) = text.split_once("://") {
            return Err(complaint
                .note(format!("Callgate speaks its own protocol to backends; there is no `{scheme}://`"))
                .help(format!("write \"{}\"", rest.trim_end_matches('/'))));
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err(complaint.help(format!("an IPv6 address stands in brackets: \"[{text}]:7101\"")));
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(complaint.help(format!("the port is missing: \"{text}:7101\"")));
        };
        let port_at = text.len() - port.len()..text.len();
        let number =
            if port.bytes().all(|byte| byte.is_ascii_digit()) { port.parse().unwrap_or(0) } else { 0 };
        if number == 0 {
            return Err(
                Complaint::new(format!("`{port}` is not a port"), "expected 1 to 65535").within(port_at)
            );
        }
        match host_name(host) {
            Some(host) => Ok(EndpointAddr::Tcp { host, port: number }),
            None => {
                Err(Complaint::new(format!("`{host}` is not a host"), "expected a name or an IP address")
                    .within(0..host.len()))
            }
        }
    }
}

fn endpoints(reader: &mut Reader<'_>, name: &str, item: &Item<'_>) -> Option<Vec<EndpointAddr>> {
    let before = reader.found.len();
    let all = reader.texts(item, "[\"127.0.0.1:7101\"]", EndpointAddr::parse)?;
    if all.is_empty() && reader.found.len() == before {
        let complaint = Complaint::new(format!("backend `{name}` has no endpoints"), "expected at least one");
        reader.complain::<()>(
            item,
            complaint.help("remove the backend and its routes to take it out of service"),
        );
    }
    for (index, (endpoint, span)) in all.iter().enumerate() {
        if let Some((_, first)) = all[..index].iter().find(|(other, _)| other == endpoint) {
            reader.report(
                Diagnostic::new(format!("endpoint `{endpoint}` is listed twice"))
                    .at(reader.source, span.clone(), "again")
                    .at(reader.source, first.clone(), "first here"),
            );
        }
    }
    Some(all.into_iter().map(|(endpoint, _)| endpoint).collect())
}

fn unix(path: &str) -> Result<EndpointAddr, Complaint> {
    let label = if !path.starts_with('/') {
        "the path begins with `/`"
    } else if path.len() > MAX_UNIX_PATH {
        "a Unix socket's path has at most 107 bytes"
    } else if path.contains('\0') {
        "the path holds a NUL"
    } else {
        return Ok(EndpointAddr::Unix(PathBuf::from(path)));
    };
    Err(Complaint::new("not a Unix socket's path", label).within("unix:".len().."unix:".len() + path.len()))
}

/// A host in its one spelling: names in lower case, IPv6 addresses shortened and without brackets.
fn host_name(host: &str) -> Option<String> {
    if let Some(inner) = host.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(address.to_string());
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Some(address.to_string());
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    // A last label of digits only is an address that went wrong, as in `10.0.0.256`.
    let last_is_number =
        name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    let good = name.len() <= 253 && name.split('.').all(label) && !last_is_number;
    good.then(|| host.to_ascii_lowercase())
}

/// Why a text cannot name a backend: names are labels of metrics.
pub(super) fn name_error(name: &str) -> Option<&'static str> {
    let good = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let well = (1..=64).contains(&name.len()) && name.chars().all(good);
    (!well).then_some("expected 1 to 64 ASCII letters, digits, `_`, `-`, `.`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoints_text_reads_back_as_itself() {
        for (text, shown) in [
            ("127.0.0.1:7101", "127.0.0.1:7101"),
            ("Shop.Internal:1", "shop.internal:1"),
            ("shop_1.svc.cluster.local.:65535", "shop_1.svc.cluster.local.:65535"),
            ("[0:0::1]:7101", "[::1]:7101"),
            ("unix:/run/shop.sock", "unix:/run/shop.sock"),
        ] {
            let endpoint = EndpointAddr::parse(text).ok().unwrap();
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(EndpointAddr::parse(shown).ok().unwrap(), endpoint);
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for text in [
            "",
            ":",
            ":1",
            "shop",
            "shop:",
            "shop:0",
            "shop:65536",
            "shop:+1",
            "shop: 1",
            "::1",
            "::1:7101",
            "[::1]",
            "[::1:1",
            "[shop]:1",
            "http://shop:1",
            "10.0.0.256:1",
            "1:1",
            "-a:1",
            "a..b:1",
            "a b:1",
            "unix:",
            "unix:x",
            "unix:/\0",
        ] {
            assert!(EndpointAddr::parse(text).is_err(), "{text:?}");
        }
        assert!(EndpointAddr::parse(&format!("unix:/{}", "x".repeat(107))).is_err());
    }
}
