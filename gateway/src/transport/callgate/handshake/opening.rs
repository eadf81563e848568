//! What both sides say before there are calls: HELLO, and the schemas that no other connection has brought yet.

use crate::stream::AsyncStream;
use crate::telemetry::ConnectFailure;
use crate::transport::callgate::catalog::{Catalog, Schemas};
use crate::transport::callgate::in_flight::Machine;
use crate::transport::callgate::stranger;
use crate::transport::callgate::unreached::NotConnected;
use callgate_protocol::connection::Said;
use callgate_protocol::schema::Fingerprint;
use callgate_protocol::{Budget, Hello, Inbound, Limits, PIECES, ProtocolError, Role, StreamCredit, Token};
use callgate_tls::explain;
use std::io::{ErrorKind, IoSlice};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The schemas that one connection may bring, in bytes together.
const MAX_SCHEMA_BYTES: usize = 64 * 1024 * 1024;

/// What the gateway says of itself.
fn hello(token: Option<Token>) -> Hello {
    let identity = format!("callgate/{} pid {}", env!("CARGO_PKG_VERSION"), std::process::id());
    let hello = Hello::new(identity, Limits::default(), Vec::new()).speaking_streams(StreamCredit::default());
    Hello { token, ..hello }
}

/// Why a handshake came to nothing.
pub(super) enum Failed {
    /// This is why.
    Told(String),
    /// There is no TLS connection, for this reason.
    NoTls(String),
    /// The instance does not let the gateway in, for this reason.
    NotLetIn(String),
    /// The peer broke the protocol, or a bound of this gateway: it is told so.
    Broken(String),
    /// The peer does not speak the protocol: what it says is unread.
    Stranger,
}

impl Failed {
    /// What people are told, where the connection was opened.
    pub(super) async fn at(self, opened: Opening) -> NotConnected {
        let Opening { mut stream, unread, .. } = opened;
        match self {
            Failed::Told(why) => why.into(),
            Failed::NoTls(why) => NotConnected::tls(why),
            Failed::NotLetIn(text) => NotConnected { why: ConnectFailure::Refused, text },
            Failed::Broken(why) => why.into(),
            Failed::Stranger => stranger::spoke(&mut stream, unread).await.into(),
        }
    }
}

impl From<String> for Failed {
    fn from(why: String) -> Failed {
        Failed::Told(why)
    }
}

impl From<ProtocolError> for Failed {
    fn from(error: ProtocolError) -> Failed {
        match error {
            ProtocolError::BadMagic(_) => Failed::Stranger,
            error => Failed::Broken(error.to_string()),
        }
    }
}

pub(super) struct Opening {
    pub(super) stream: AsyncStream,
    pub(super) inbound: Inbound,
    pub(super) machine: Machine,
    pub(super) unread: Vec<u8>,
    /// The peer has said something.
    heard: bool,
    pub(super) hello: Option<Hello>,
    pub(super) schemas: Schemas,
    /// Schemas as they came, to be read when all are there.
    encoded: Vec<(Fingerprint, Vec<u8>)>,
    wanted: usize,
    schema_bytes: usize,
    pub(super) ready: bool,
}

impl Opening {
    pub(super) fn new(stream: AsyncStream, token: Option<Token>, answers: Option<Arc<Budget>>) -> Opening {
        let hello = hello(token);
        Opening {
            stream,
            inbound: Inbound::of(Role::Connector, &hello, answers),
            machine: Machine::new(&hello),
            unread: Vec::new(),
            heard: false,
            hello: None,
            schemas: Schemas::new(),
            encoded: Vec::new(),
            wanted: 0,
            schema_bytes: 0,
            ready: true,
        }
    }

    /// What people are told when its time is over.
    pub(super) async fn late(mut self, within: Duration) -> NotConnected {
        if self.heard {
            return format!("connected, but the handshake did not end within {within:?}").into();
        }
        stranger::silent(&mut self.stream, within).await.into()
    }

    pub(super) async fn run(&mut self, catalog: &Arc<Catalog>) -> Result<(), Failed> {
        while self.hello.is_none() || self.wanted > 0 {
            self.write().await.map_err(|error| self.failed(&error))?;
            let read = match self.stream.read_buf(&mut self.unread).await {
                // An instance that is killed says no farewell inside TLS.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => 0,
                read => read.map_err(|error| self.failed(&error))?,
            };
            if read == 0 {
                let why = match self.heard {
                    true => "the peer closed the connection during the handshake",
                    false => {
                        "the peer closed the connection at once, without a word: is it a Callgate backend?"
                    }
                };
                return Err(Failed::Told(why.to_owned()));
            }
            self.heard = true;
            self.take(catalog)?;
        }
        if !self.encoded.is_empty() {
            let read = catalog.read(std::mem::take(&mut self.encoded)).await?;
            self.schemas.extend(read);
        }
        Ok(())
    }

    /// With TLS 1.3 an instance looks at the gateway's certificate when the handshake is over for the gateway.
    fn failed(&self, error: &std::io::Error) -> Failed {
        let why = format!("the handshake failed: {}", explain(error));
        match &self.stream {
            AsyncStream::Tls(_) if error.kind() == ErrorKind::InvalidData => Failed::NoTls(why),
            _ => Failed::Told(why),
        }
    }

    async fn write(&mut self) -> std::io::Result<()> {
        while !self.machine.is_empty() {
            let mut room = [IoSlice::new(&[]); PIECES];
            let n = self.stream.write_vectored(self.machine.chunk().io_slices(&mut room)).await?;
            self.machine.advance(n);
        }
        self.stream.flush().await
    }

    fn take(&mut self, catalog: &Arc<Catalog>) -> Result<(), Failed> {
        let mut at = 0;
        loop {
            let (taken, event) = self.inbound.next(&self.unread[at..])?;
            if taken == 0 {
                break;
            }
            at += taken;
            let Some(event) = event else { continue };
            match self.machine.on_event(event)? {
                Said::Hello(hello) => self.on_hello(hello, catalog),
                Said::Schema(fingerprint, encoded) => {
                    self.schema_bytes += encoded.len();
                    if self.schema_bytes > MAX_SCHEMA_BYTES {
                        let why = format!("the schemas are larger than {MAX_SCHEMA_BYTES} bytes together");
                        return Err(Failed::Broken(why));
                    }
                    self.encoded.push((fingerprint, encoded.to_vec()));
                    self.wanted = self.wanted.saturating_sub(1);
                }
                Said::Ready(ready) => self.ready = ready,
                Said::GoAway { reason, .. } if self.hello.is_none() => {
                    let why = format!("the instance does not let the gateway in: {reason}");
                    return Err(Failed::NotLetIn(why));
                }
                Said::GoAway { reason, .. } => return Err(format!("the peer went away: {reason}").into()),
                Said::Nothing | Said::Answered(..) | Said::Item { .. } => {}
            }
        }
        self.unread.drain(..at);
        Ok(())
    }

    /// Asks for the schemas of which nothing is known yet.
    fn on_hello(&mut self, hello: Hello, catalog: &Catalog) {
        for offered in hello.services.iter().flat_map(|service| &service.methods) {
            match catalog.known(offered.schema) {
                Some(known) => drop(self.schemas.insert(offered.schema, known)),
                None => {
                    self.machine.request_schema(offered.schema);
                    self.wanted += 1;
                }
            }
        }
        self.hello = Some(hello);
    }
}
