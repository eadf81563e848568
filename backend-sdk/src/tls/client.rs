//! The calling side: whom it trusts, by which name, and which certificate it shows.

use super::{Pair, check_protocol, problem};
use crate::connection::{Address, Stream};
use crate::fresh::Fresh;
use callgate_protocol::ALPN;
use callgate_tls::rustls::ClientConfig;
use callgate_tls::rustls::pki_types::ServerName;
use callgate_tls::{Certificate, Trust, UnixTime};
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_rustls::{TlsConnector, TlsStream};

/// How a client speaks TLS, see [the module](crate::tls).
#[derive(Clone, Debug)]
pub struct ClientTls {
    ca: PathBuf,
    own: Option<Pair>,
    server_name: Option<String>,
}

impl ClientTls {
    /// A client that trusts servers whose certificate one of these CAs has signed, and that is for the endpoint's name. The CAs of the
    /// system are not trusted: they sign certificates for everybody.
    pub fn new(ca: impl Into<PathBuf>) -> ClientTls {
        ClientTls { ca: ca.into(), own: None, server_name: None }
    }

    /// Shows that certificate, its chain behind it, to servers that ask for one (mutual TLS).
    #[must_use]
    pub fn identity(mut self, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> ClientTls {
        self.own = Some(Pair { cert: cert.into(), key: key.into() });
        self
    }

    /// The name that the servers' certificates are for, in the place of the endpoint's host. An endpoint that is an IP address needs one.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> ClientTls {
        self.server_name = Some(name.into());
        self
    }

    /// Reads the files, and checks that each endpoint has a name.
    pub(crate) fn open(self, endpoints: &[Address]) -> Result<Connecting, String> {
        let server_name = match &self.server_name {
            Some(name) => Some(named(name)?),
            None => None,
        };
        for endpoint in endpoints {
            let Address::Tcp(host_and_port) = endpoint else {
                return Err(format!(
                    "{endpoint} is a Unix socket, on which no TLS is spoken: give it a client of its own"
                ));
            };
            let host = host(host_and_port);
            if server_name.is_none() && host.parse::<IpAddr>().is_ok() {
                return Err(format!(
                    "{endpoint} is an address: say by `server_name` which name its certificate is for"
                ));
            }
            if server_name.is_none() {
                named(host)?;
            }
        }
        let mut files = vec![self.ca.clone()];
        files.extend(self.own.iter().flat_map(|own| [own.cert.clone(), own.key.clone()]));
        let config = Fresh::new("the CA or the certificate", files, move |files| self.config(files))?;
        Ok(Connecting { config, server_name })
    }

    fn config(&self, files: &[Vec<u8>]) -> Result<Arc<ClientConfig>, String> {
        let trust = Trust::read(&files[0], &[]).map_err(|error| problem(&self.ca, &error, error.advice()))?;
        let own = self.own.as_ref().map(|own| {
            Certificate::read_for_client(&files[1], &files[2], UnixTime::now())
                .map_err(|error| own.problem(&error))
        });
        Ok(callgate_tls::client(&trust, own.transpose()?.as_ref(), &[ALPN]))
    }
}

/// A client's TLS, for all of its connections.
#[derive(Debug)]
pub(crate) struct Connecting {
    config: Arc<Fresh<ClientConfig>>,
    /// Of all servers; that of the endpoint unless told.
    server_name: Option<ServerName<'static>>,
}

impl Connecting {
    /// Connects to an address that stands for an endpoint, and shakes hands, without a bound of its own.
    pub(crate) async fn connect(&self, address: &Address, endpoint: &str) -> io::Result<Stream> {
        let Stream::Tcp(stream) = Stream::connect(address).await? else {
            return Err(io::Error::other("no TLS is spoken here"));
        };
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => named(host(endpoint)).map_err(io::Error::other)?,
        };
        let connector = TlsConnector::from(self.config.get().await);
        let connected = Box::pin(connector.connect(name, stream)).await;
        let stream = connected.map_err(|error| io::Error::other(callgate_tls::explain(&error)))?;
        check_protocol(stream.get_ref().1.alpn_protocol())?;
        Ok(Stream::Tls(Box::new(TlsStream::Client(stream))))
    }
}

/// A host, as certificates name it.
fn named(name: &str) -> Result<ServerName<'static>, String> {
    let bare = name.strip_suffix('.').unwrap_or(name).to_owned();
    ServerName::try_from(bare).map_err(|_| format!("\"{name}\" is no name that a certificate can be for"))
}

/// The host of `host:port`, without an IPv6 address's brackets.
fn host(host_and_port: &str) -> &str {
    let host = host_and_port.rsplit_once(':').map_or(host_and_port, |(host, _)| host);
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_needs_a_name_that_a_certificate_can_be_for() {
        for (endpoint, server_name, complaint) in [
            ("10.0.0.5:7101", None, "10.0.0.5:7101 is an address: say by `server_name`"),
            ("[::1]:7101", None, "[::1]:7101 is an address"),
            ("unix:/run/x.sock", Some("shop"), "unix:/run/x.sock is a Unix socket"),
            ("shop.internal:7101", Some("a b"), "\"a b\" is no name"),
            ("sh op:7101", None, "\"sh op\" is no name"),
            // The file is looked for when all else is well.
            ("shop.internal.:7101", None, "/nowhere/ca.pem: "),
            ("10.0.0.5:7101", Some("10.0.0.5"), "/nowhere/ca.pem: "),
        ] {
            let mut tls = ClientTls::new("/nowhere/ca.pem");
            tls.server_name = server_name.map(str::to_owned);
            let endpoint = endpoint.parse().expect("an address");
            let why = tls.open(&[endpoint]).expect_err("it cannot be");
            assert!(why.starts_with(complaint), "{why}");
        }
    }
}
