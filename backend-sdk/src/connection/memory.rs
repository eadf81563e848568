//! How a client connects: to a socket, or, for tests of services, to a server of its own process without one.

use super::{Address, Stream};
use std::io;
use std::net::SocketAddr;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;

/// Bytes that one side can be ahead of the other, as with a socket.
const BUFFER: usize = 64 * 1024;

/// Connections that are made and not yet accepted.
const BACKLOG: usize = 16;

/// How a client connects to its endpoints.
#[derive(Clone, Debug)]
pub(crate) enum Dial {
    Sockets,
    /// To sockets, inside TLS.
    #[cfg(feature = "tls")]
    Tls(std::sync::Arc<crate::tls::Connecting>),
    /// To the one server there, whatever the endpoint's address.
    Memory(Port),
}

/// Where a client connects to a server of its own process.
#[derive(Clone, Debug)]
pub(crate) struct Port(mpsc::Sender<DuplexStream>);

/// The server's side of it.
pub(super) type Accepting = mpsc::Receiver<DuplexStream>;

/// Both sides of a new one.
pub(super) fn port() -> (Port, Accepting) {
    let (sender, receiver) = mpsc::channel(BACKLOG);
    (Port(sender), receiver)
}

impl Dial {
    /// Connects to an address of that endpoint.
    pub(crate) async fn connect(&self, address: &Address, _endpoint: &str) -> io::Result<Stream> {
        match self {
            Dial::Sockets => Stream::connect(address).await,
            #[cfg(feature = "tls")]
            Dial::Tls(tls) => tls.connect(address, _endpoint).await,
            Dial::Memory(port) => port.connect().await,
        }
    }

    /// Whether a host and port is a name that stands for others.
    pub(crate) fn looks_up(&self, host_and_port: &str) -> bool {
        !matches!(self, Dial::Memory(_)) && host_and_port.parse::<SocketAddr>().is_err()
    }
}

impl Port {
    async fn connect(&self) -> io::Result<Stream> {
        let (ours, theirs) = duplex(BUFFER);
        match self.0.send(theirs).await {
            Ok(()) => Ok(Stream::Memory(ours)),
            Err(_) => Err(io::Error::new(io::ErrorKind::ConnectionRefused, "the server has ended")),
        }
    }
}
