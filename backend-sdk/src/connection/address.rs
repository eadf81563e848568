//! Where a server listens and a client connects: `host:port` or `unix:/path`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// An address as users write it: `127.0.0.1:7101`, `orders.internal:7101`, `[::1]:7101` or `unix:/run/orders.sock`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A host name or IP address, and a port.
    Tcp(String),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// Why a text is not an [`Address`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    given: String,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(given: &str) -> Result<Address, AddressError> {
        let error = || AddressError { given: given.into() };
        if let Some(path) = given.strip_prefix("unix:") {
            if path.is_empty() || path.contains('\0') {
                return Err(error());
            }
            return Ok(Address::Unix(path.into()));
        }
        let (host, port) = given.rsplit_once(':').ok_or_else(error)?;
        let bare_ipv6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        if host.is_empty() || bare_ipv6 || port.parse::<u16>().is_err() {
            return Err(error());
        }
        Ok(Address::Tcp(given.into()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(host_and_port) => f.write_str(host_and_port),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\"{}\" is neither host:port nor unix:/path (an IPv6 address stands in brackets)",
            self.given
        )
    }
}

impl std::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_as_it_was_given() {
        for given in ["127.0.0.1:0", "orders.internal:7101", "[::1]:7101", "unix:/run/x.sock"] {
            assert_eq!(given.parse::<Address>().map(|a| a.to_string()), Ok(given.into()));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for given in ["", "7101", ":7101", "host", "host:", "host:70000", "::1:80", "unix:", "host:http"] {
            assert!(given.parse::<Address>().is_err(), "{given}");
        }
    }
}
