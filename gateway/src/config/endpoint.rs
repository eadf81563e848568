//! The endpoints of a backend: where its instances listen, and whether calls may go there.

use super::balance::{ENDPOINT_KEYS, Placing};
use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::dns::{self, DnsName, ServiceName};
use super::foreign_paths;
use super::host;
use super::reader::{Item, Reader};
use std::fmt;
use std::net::Ipv6Addr;
use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;
use toml::de::{DeTable, DeValue};

const KEYS: &[&str] = &["address", "drain", ENDPOINT_KEYS[0], ENDPOINT_KEYS[1]];
/// How an address begins that names the protocol which is spoken there. It is the only one so far, and may be left out.
const SCHEME: &str = "callgate://";
/// What a list of endpoints looks like, for whoever wrote something else.
const LIST: &str = "an array such as [\"127.0.0.1:7101\"]";
/// What one of them looks like.
const ONE: &str =
    "strings such as \"127.0.0.1:7101\", or tables such as { address = \"127.0.0.1:7101\", drain = true }";
/// The longest path that fits a Unix socket's address, in bytes.
const MAX_UNIX_PATH: usize = 107;

/// One endpoint of a backend, as the tables have it: its address alone, or a table with more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndpointSpec {
    /// Where the instance listens, or the name whose addresses are the instances.
    pub addr: Address,
    /// No new calls go there, and the connections to it close when the last answer is there; by default `false`.
    pub drain: bool,
    /// Its part among the backend's endpoints.
    pub placing: Placing,
}

impl From<EndpointAddr> for EndpointSpec {
    /// An endpoint of which nothing but its address is said.
    fn from(addr: EndpointAddr) -> EndpointSpec {
        Address::At(addr).into()
    }
}

impl From<Address> for EndpointSpec {
    /// The same where the address may be a name.
    fn from(addr: Address) -> EndpointSpec {
        EndpointSpec { addr, drain: false, placing: Placing::default() }
    }
}

impl EndpointSpec {
    fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<(EndpointSpec, Range<usize>)> {
        match item.value.get_ref() {
            DeValue::String(_) => {
                let addr = reader.text(item, ONE, Address::parse)?;
                Some((addr.into(), item.span()))
            }
            DeValue::Table(table) => EndpointSpec::read_table(reader, table, item),
            _ => reader.wrong_type(item.key, item.value, ONE),
        }
    }

    fn read_table(
        reader: &mut Reader<'_>,
        table: &DeTable<'_>,
        item: &Item<'_>,
    ) -> Option<(EndpointSpec, Range<usize>)> {
        let section = reader.section("an endpoint", table, KEYS);
        let drain = section.get("drain").and_then(|item| reader.boolean(&item));
        let placing = Placing::read(reader, &section);
        let Some(address) = section.get("address") else {
            reader.report(
                Diagnostic::new("an endpoint has no `address`")
                    .at(reader.source, item.span(), "where does it listen?")
                    .help("write { address = \"127.0.0.1:7101\" }, or just \"127.0.0.1:7101\""),
            );
            return None;
        };
        let addr = reader.text(&address, "a string such as \"127.0.0.1:7101\"", Address::parse)?;
        if let (Address::Service(_), Some(weight)) = (&addr, section.get("weight")) {
            let complaint = Complaint::new("the instances of a service have no `weight` here", "not allowed");
            return reader
                .complain(&weight, complaint.note("their weights are those of the service's records"));
        }
        Some((EndpointSpec { addr, drain: drain.unwrap_or(false), placing }, address.span()))
    }
}

/// Reads the endpoints of the backend `name`: at least one, each once.
pub(super) fn endpoints(reader: &mut Reader<'_>, name: &str, item: &Item<'_>) -> Option<Vec<EndpointSpec>> {
    let before = reader.found.len();
    let mut all: Vec<(EndpointSpec, Range<usize>)> = Vec::new();
    for value in reader.array(item, LIST)? {
        all.extend(EndpointSpec::read(reader, &Item { value, ..item.clone() }));
    }
    if all.is_empty() && reader.found.len() == before {
        let complaint = Complaint::new(format!("backend `{name}` has no endpoints"), "expected at least one");
        reader.complain::<()>(
            item,
            complaint.help("remove the backend and its routes to take it out of service"),
        );
    }
    reader.twice("endpoint", all.iter().map(|(endpoint, span)| (&endpoint.addr, span)));
    Some(all.into_iter().map(|(endpoint, _)| endpoint).collect())
}

/// What a list of endpoints names: one instance, or all that a name stands for. Its text reads back as itself.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Address {
    /// One instance.
    At(EndpointAddr),
    /// An instance at each address of a host, looked up again and again.
    Host(DnsName),
    /// The instances of a service, looked up again and again, with the ports and weights that its records say.
    Service(ServiceName),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::At(addr) => addr.fmt(f),
            Address::Host(name) => name.fmt(f),
            Address::Service(name) => name.fmt(f),
        }
    }
}

impl Address {
    fn parse(text: &str) -> Result<Address, Complaint> {
        // A host may be called so: `dns:7101`.
        let is_name = |rest: &&str| !rest.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(host) = text.strip_prefix(dns::SCHEME).filter(is_name) {
            return DnsName::parse(host).map(Address::Host);
        }
        if let Some(service) = text.strip_prefix(dns::SERVICE).filter(is_name) {
            return ServiceName::parse(service).map(Address::Service);
        }
        EndpointAddr::parse(text).map(Address::At)
    }
}

/// Where one instance listens. Its text reads back as itself.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum EndpointAddr {
    /// `host:port`, `1.2.3.4:port`, `[::1]:port`, or the same with `callgate://` before it. The system looks a name up whenever a
    /// connection is made.
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

impl FromStr for EndpointAddr {
    type Err = String;

    /// Reads an address that stands in no file; the error is for people.
    fn from_str(text: &str) -> Result<EndpointAddr, String> {
        EndpointAddr::parse(text).map_err(|complaint| complaint.on_one_line())
    }
}

impl EndpointAddr {
    fn parse(text: &str) -> Result<EndpointAddr, Complaint> {
        if let Some(path) = text.strip_prefix("unix:") {
            return unix(path);
        }
        match text.strip_prefix(SCHEME) {
            Some(authority) => {
                EndpointAddr::tcp(authority).map_err(|complaint| complaint.shifted(SCHEME.len()))
            }
            None => EndpointAddr::tcp(text),
        }
    }

    fn tcp(text: &str) -> Result<EndpointAddr, Complaint> {
        let complaint =
            Complaint::new(format!("`{text}` is not an endpoint"), "expected `host:port` or `unix:/path`");
        if let Some(help) = foreign_paths::endpoint(text) {
            return Err(complaint.help(help));
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let authority = rest.split('/').next().unwrap_or(rest);
            let port = if authority.rsplit_once(':').is_some() { "" } else { ":7101" };
            return Err(complaint
                .note(format!(
                    "Callgate speaks its own protocol to backends, `{SCHEME}`, which need not be written; there is no \
                     `{scheme}://`"
                ))
                .help(format!("write \"{authority}{port}\"")));
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err(complaint.help(format!("an IPv6 address stands in brackets: \"[{text}]:7101\"")));
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(complaint.help(format!("the port is missing: \"{text}:7101\"")));
        };
        if host.is_empty() {
            return Err(complaint.help(format!("the host is missing: \"127.0.0.1:{port}\"")));
        }
        let number = host::port(port).map_err(|complaint| complaint.shifted(text.len() - port.len()))?;
        match host::name(host) {
            Some(host) => Ok(EndpointAddr::Tcp { host, port: number }),
            None => {
                Err(Complaint::new(format!("`{host}` is not a host"), "expected a name or an IP address")
                    .within(0..host.len()))
            }
        }
    }
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
            ("callgate://shop:7101", "shop:7101"),
            ("callgate://[::1]:7101", "[::1]:7101"),
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
            "grpc://shop:1",
            "callgate://",
            "callgate://shop",
            "callgate://shop:0",
            "callgate://callgate://shop:1",
            "callgate:shop:1",
            "callgate://unix:/x",
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
