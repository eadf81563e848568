//! Where one instance listens: a TCP or a Unix socket.

use super::complaint::Complaint;
use super::foreign_paths;
use super::host;
use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::str::FromStr;

/// How an address begins that names the protocol which is spoken there. It is the only one so far, and may be left out.
const SCHEME: &str = "callgate://";
/// What an endpoint can be that is one instance.
pub(super) const FORMS: [&str; 3] = ["host:port", "unix:/path", "callgate://host:port"];
/// The longest path that fits a Unix socket's address, in bytes.
const MAX_UNIX_PATH: usize = 107;

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
    /// Reads an endpoint that is one instance.
    pub(super) fn parse(text: &str) -> Result<EndpointAddr, Complaint> {
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
                    "there is no `{scheme}://`: Callgate speaks its own protocol to backends, `{SCHEME}`, which need not be \
                     written"
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
