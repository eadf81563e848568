//! Names that are looked up again and again: how an endpoint writes one, of a host or of a service, and what `[dns]` says of
//! looking them up.

use super::complaint::Complaint;
use super::host;
use super::reader::{Item, Reader, Section};
use super::shape::{Entry, Shape};
use super::units;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::de::DeValue;

/// What the name of a host begins with where an endpoint could be an address.
pub(super) const HOST: &str = "dns:";
/// The same of a service.
pub(super) const SERVICE: &str = "srv:";
/// The keys of `[dns]`.
pub(super) const KEYS: &[Entry] = &[
    Entry::new(
        "servers",
        Shape::OneOf(&[Shape::Words(&[SYSTEM]), Shape::SOME_TEXTS]),
        "whom to ask for the names of endpoints",
    ),
    Entry::new(
        "timeout",
        Shape::Duration(TIMEOUTS),
        "how long a look-up may take, over all servers and tries",
    ),
    Entry::new(
        "min_ttl",
        Shape::Duration(TTLS),
        "a name is looked up again after its TTL, but not before this",
    ),
    Entry::new("max_ttl", Shape::Duration(TTLS), "and not later than this"),
];
/// What `servers` is when nobody says anything.
const SYSTEM: &str = "system";
const SERVERS: &str = "\"system\", or an array such as [\"10.0.0.2\", \"10.0.0.3:5353\"]";
const PORT: u16 = 53;
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(30);
const TTLS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(24 * 3600);

/// Reads what follows `dns:`: a host, in its one spelling, and the port of all its instances.
pub(super) fn host(text: &str) -> Result<(String, u16), Complaint> {
    let title = || format!("`{HOST}{text}` is not a name to look up");
    let bare = text.trim_matches('/');
    if bare.len() != text.len() {
        return Err(Complaint::new(title(), "expected `dns:host:port`, without slashes")
            .help(format!("write \"{HOST}{bare}\"")));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(Complaint::new(title(), "expected `dns:host:port`")
            .help(format!("the port is missing: \"{HOST}{text}:7101\"")));
    };
    let host_at = HOST.len()..HOST.len() + host.len();
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        let written = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
        return Err(Complaint::new(format!("`{host}` is an address"), "there is nothing to look up")
            .within(host_at)
            .help(format!("write \"{written}:{port}\"")));
    }
    let port = host::port(port).map_err(|complaint| complaint.shifted(HOST.len() + host.len() + 1))?;
    let Some(host) = host::name(host) else {
        return Err(Complaint::new(format!("`{host}` is not a host"), "expected a name").within(host_at));
    };
    Ok((host, port))
}

/// Reads what follows `srv:`: the name of a service.
pub(super) fn service(text: &str) -> Result<String, Complaint> {
    let title = || format!("`{SERVICE}{text}` is not a service to look up");
    let bare = text.trim_matches('/');
    if bare.len() != text.len() {
        return Err(Complaint::new(title(), "expected `srv:name`, without slashes")
            .help(format!("write \"{SERVICE}{bare}\"")));
    }
    if let Some((name, port)) = text.rsplit_once(':') {
        let complaint = Complaint::new(title(), "expected `srv:name`")
            .note("the records of a service say at which ports its instances are");
        return Err(match host::port(port) {
            Ok(_) => complaint.help(format!("write \"{SERVICE}{name}\"")),
            Err(_) => complaint,
        });
    }
    match host::name(text) {
        Some(name) if text.parse::<IpAddr>().is_err() => Ok(name),
        _ => Err(Complaint::new(title(), "expected a name such as `_shop._tcp.internal`")
            .within(SERVICE.len()..SERVICE.len() + text.len())),
    }
}

/// `[dns]`: how names are looked up that endpoints write as `dns:host:port` or `srv:name`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DnsSettings {
    /// Whom to ask; empty for those of the system, with its search list.
    pub servers: Vec<SocketAddr>,
    /// How long one look-up may take, over all servers and attempts; 10 ms to 30 s, by default 2 s.
    pub timeout: Duration,
    /// A name is looked up again after its TTL, but not before this; 100 ms to 24 h, by default 1 s.
    pub min_ttl: Duration,
    /// And not later than this; 100 ms to 24 h, by default 30 s. For as long, too, a name keeps its addresses that is said
    /// to have none.
    pub max_ttl: Duration,
}

impl Default for DnsSettings {
    fn default() -> DnsSettings {
        DnsSettings {
            servers: Vec::new(),
            timeout: Duration::from_secs(2),
            min_ttl: Duration::from_secs(1),
            max_ttl: Duration::from_secs(30),
        }
    }
}

impl DnsSettings {
    /// Replaces the defaults by what the section says.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>, section: &Section<'_>) {
        if let Some(servers) = section.get("servers").and_then(|item| servers(reader, &item)) {
            self.servers = servers;
        }
        let times =
            [("timeout", &mut self.timeout), ("min_ttl", &mut self.min_ttl), ("max_ttl", &mut self.max_ttl)];
        for (key, time) in times {
            if let Some(value) = section.get(key).and_then(|item| reader.duration(&item)) {
                *time = value;
            }
        }
        // Whichever of the two is there; the defaults are in order.
        let written = section.get("max_ttl").or_else(|| section.get("min_ttl"));
        if let Some(item) = written.filter(|_| self.min_ttl > self.max_ttl) {
            let [min, max] = [self.min_ttl, self.max_ttl].map(units::show_duration);
            let complaint =
                Complaint::new("`min_ttl` is longer than `max_ttl`", format!("from {min} to {max}"));
            reader.complain::<()>(&item, complaint);
        }
    }
}

fn servers(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Vec<SocketAddr>> {
    match item.value.get_ref() {
        DeValue::String(text) if text == SYSTEM => return Some(Vec::new()),
        DeValue::Array(_) => {}
        _ => return reader.wrong_type(item.key, item.value, SERVERS),
    }
    let before = reader.found.len();
    let all = reader.texts(item, "[\"10.0.0.2\"]", server)?;
    if all.is_empty() && reader.found.len() == before {
        let complaint = Complaint::new("there is nobody to ask", "expected at least one server");
        return reader.complain(item, complaint.help("write servers = \"system\" for those of the system"));
    }
    reader.twice("server", all.iter().map(|(address, span)| (address, span)));
    Some(all.into_iter().map(|(address, _)| address).collect())
}

fn server(text: &str) -> Result<SocketAddr, Complaint> {
    let address = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT)).or_else(|_| text.parse());
    match address {
        Ok(address) if address.port() != 0 => Ok(address),
        _ => Err(Complaint::new(
            format!("`{text}` is not a server's address"),
            "expected an IP address, with or without a port",
        )),
    }
}
