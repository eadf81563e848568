//! The names whose instances discovery sources list: one kind of name for each kind of source, and how an endpoint writes it.

use super::complaint::Complaint;
use super::dns;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// What a source is asked for. The text of a name is its label in metrics and in the log; upgrades and the state folder read it back.
/// So no two names have the same text, and no text has a space.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum DiscoveryName {
    /// The addresses of a host, in lower case. With a full stop at its end the host is whole; without, the system's search list may
    /// add to it.
    Host(String),
    /// The instances of a service, of which every SRV record names some (RFC 2782): `_shop._tcp.internal`, as hosts are.
    Service(String),
}

/// How an endpoint writes a kind of name.
pub(super) struct Scheme {
    /// What the endpoint begins with.
    prefix: &'static str,
    /// The whole, for people.
    pub(super) form: &'static str,
    /// Reads what is behind the prefix: the name, and the port of those instances of which the source says none.
    parse: fn(&str) -> Result<Discovered, Complaint>,
}

/// Each kind of name.
pub(super) const SCHEMES: [Scheme; 2] = [
    Scheme {
        prefix: dns::HOST,
        form: "dns:host:port",
        parse: |text| {
            dns::host(text)
                .map(|(host, port)| Discovered { name: DiscoveryName::Host(host), port: Some(port) })
        },
    },
    Scheme {
        prefix: dns::SERVICE,
        form: "srv:name",
        parse: |text| {
            dns::service(text).map(|name| Discovered { name: DiscoveryName::Service(name), port: None })
        },
    },
];

impl fmt::Display for DiscoveryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // No host has a colon, as the others have.
            DiscoveryName::Host(host) => f.write_str(host),
            DiscoveryName::Service(name) => write!(f, "{}{name}", dns::SERVICE),
        }
    }
}

impl DiscoveryName {
    /// The host whose addresses are asked for, if that is what is asked.
    pub fn host(&self) -> Option<&str> {
        match self {
            DiscoveryName::Host(host) => Some(host),
            DiscoveryName::Service(_) => None,
        }
    }
}

impl FromStr for DiscoveryName {
    type Err = Infallible;

    /// Reads what was displayed.
    fn from_str(text: &str) -> Result<DiscoveryName, Infallible> {
        Ok(match text.strip_prefix(dns::SERVICE) {
            Some(name) => DiscoveryName::Service(name.to_owned()),
            None => DiscoveryName::Host(text.to_owned()),
        })
    }
}

/// An endpoint that stands for all instances which a source lists. Its text is what tables write.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Discovered {
    /// What the source is asked for.
    pub name: DiscoveryName,
    /// The port of those instances of which the source says none; never 0.
    pub port: Option<u16>,
}

impl fmt::Display for Discovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let DiscoveryName::Host(_) = self.name {
            f.write_str(dns::HOST)?;
        }
        self.name.fmt(f)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Discovered {
    /// Reads an endpoint; `None` where no source is asked for what it names.
    pub(super) fn parse(text: &str) -> Option<Result<Discovered, Complaint>> {
        // A host may be called so: `dns:7101`.
        let is_name = |rest: &&str| !rest.bytes().all(|byte| byte.is_ascii_digit());
        let behind = |scheme: &'static Scheme| {
            text.strip_prefix(scheme.prefix).filter(is_name).map(|rest| (scheme, rest))
        };
        let (scheme, rest) = SCHEMES.iter().find_map(behind)?;
        Some((scheme.parse)(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_names_text_reads_back_as_itself() {
        for name in
            [DiscoveryName::Host("srv".to_owned()), DiscoveryName::Service("_shop._tcp.internal".to_owned())]
        {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
    }

    #[test]
    fn an_endpoints_text_reads_back_as_itself() {
        for text in ["dns:shop.internal:7101", "srv:_shop._tcp.internal."] {
            let read = Discovered::parse(text).unwrap().ok().unwrap();
            assert_eq!(read.to_string(), text);
        }
        for text in ["dns:7101", "srv:1", "shop:1", "unix:/dns:x:1"] {
            assert!(Discovered::parse(text).is_none(), "{text}");
        }
    }
}
