//! Opening a connection: connect, exchange HELLO, ask for the schemas that no other connection has brought yet.

use super::catalog::{Catalog, Schemas};
use super::connect::connect;
use super::farewell::say_why;
use super::in_flight::Machine;
use super::offer::{Offer, UnusableMethod};
use super::security::{Security, TlsInstance};
use super::stranger;
use super::unreached::NotConnected;
use crate::config::EndpointAddr;
use crate::presence::Presence;
use crate::stream::AsyncStream;
use crate::telemetry::ConnectFailure;
use callgate_protocol::connection::Said;
use callgate_protocol::schema::Fingerprint;
use callgate_protocol::{Budget, Hello, Inbound, Limits, ProtocolError, Role, Token};
use callgate_tls::explain;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// The schemas that one connection may bring, in bytes together.
const MAX_SCHEMA_BYTES: usize = 64 * 1024 * 1024;

/// What a connection's task reads and writes.
pub struct Channel {
    pub(super) stream: AsyncStream,
    pub(super) inbound: Inbound,
    /// Bytes that were read and not yet taken.
    pub(super) unread: Vec<u8>,
}

/// A connection that is ready for calls.
pub(crate) struct Established {
    pub(crate) channel: Channel,
    pub(super) machine: Machine,
    pub(crate) offer: Offer,
    /// Whether the peer wants calls.
    pub(crate) ready: bool,
    /// Who it is, if TLS is spoken with it.
    pub(crate) tls: Option<TlsInstance>,
}

/// Where an instance is, and how it is connected to.
#[derive(Clone, Copy)]
pub(crate) struct Instance<'a> {
    pub(crate) addr: &'a EndpointAddr,
    /// The name that it was found by, if a source lists it.
    pub(crate) name: Option<&'a str>,
    pub(crate) security: &'a Security,
}

/// What the gateway says of itself.
fn hello(token: Option<Token>) -> Hello {
    let identity = format!("callgate/{} pid {}", env!("CARGO_PKG_VERSION"), std::process::id());
    Hello { token, ..Hello::new(identity, Limits::default(), Vec::new()) }
}

/// How long things may take when a connection is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeLimits {
    /// Connecting and the handshake together. Where that fails, finding out who is there takes up to 0.2 s more.
    pub(crate) connect: Duration,
    /// Bytes that the peer's system does not acknowledge for so long end the connection.
    pub(crate) unacknowledged: Duration,
}

/// Opens a connection, within its time, in which a worker's own absence does not count. Long replies take room of `answers` while
/// they arrive. Errors are for people.
pub(crate) async fn establish(
    instance: Instance<'_>,
    limits: TimeLimits,
    presence: Option<&Presence>,
    catalog: &Arc<Catalog>,
    answers: Option<&Arc<Budget>>,
) -> Result<Established, NotConnected> {
    let Instance { addr, name, security } = instance;
    let (mut opened, mut connected, mut tls) = (None, false, None);
    let opening = async {
        let stream = connect(addr, limits.unacknowledged).await;
        let stream = stream.map_err(|error| format!("cannot connect: {error}"))?;
        connected = true;
        let (stream, instance) = security.secure(stream, addr, name).await.map_err(Failed::NoTls)?;
        tls = instance;
        let opening = opened.insert(Opening::new(stream, security.token()?, answers.cloned()));
        let done = opening.run(catalog).await;
        if let Err(Failed::Broken(why)) = &done {
            say_why(&mut opening.stream, &mut opening.machine, why).await;
        }
        done
    };
    let done = match presence {
        Some(presence) => presence.timeout(limits.connect, opening).await,
        None => timeout(limits.connect, opening).await.ok(),
    };
    let within = limits.connect;
    let Opening { stream, inbound, machine, unread, hello, schemas, ready, .. } = match (done, opened) {
        (Some(Ok(())), Some(opened)) => opened,
        (Some(Err(failed)), Some(opened)) => return Err(failed.at(opened).await),
        (None, Some(opened)) => return Err(opened.late(within).await),
        (Some(Err(Failed::NoTls(why))), None) => return Err(NotConnected::tls(why)),
        (Some(Err(Failed::Told(why))), None) => return Err(why.into()),
        (_, None) if connected => {
            let why = format!("connected, but the TLS handshake did not end within {within:?}");
            return Err(NotConnected::tls(why));
        }
        (_, None) => return Err(format!("no connection within {within:?}").into()),
    };
    let hello = hello.ok_or_else(|| "the handshake ended without HELLO".to_owned())?;
    let offer = Offer::new(hello, |fingerprint| {
        schemas
            .get(&fingerprint)
            .cloned()
            .unwrap_or_else(|| Err("the instance has sent no schema of it".into()))
    })?;
    // The others can be called.
    for UnusableMethod { name, why } in
        offer.unusable().iter().filter(|one| catalog.is_news(&one.name, &one.why))
    {
        tracing::warn!(endpoint = %addr, method = name, error = &**why, "the instance offers a method that cannot be called");
    }
    Ok(Established { channel: Channel { stream, inbound, unread }, machine, offer, ready, tls })
}

/// Asks what an instance offers, within that time, on the calling thread. Errors are for people.
pub fn ask(
    addr: &EndpointAddr,
    name: Option<&str>,
    security: &Security,
    within: Duration,
) -> Result<Offer, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot connect: {error}"))?;
    let limits = TimeLimits { connect: within, unacknowledged: within };
    let established =
        runtime.block_on(establish(Instance { addr, name, security }, limits, None, &Arc::default(), None));
    // Without waiting: a name that is being looked up in a thread of its own cannot be told to stop.
    runtime.shutdown_background();
    established.map(|established| established.offer).map_err(|not| not.text)
}

/// Why a handshake came to nothing.
enum Failed {
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
    async fn at(self, opened: Opening) -> NotConnected {
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

struct Opening {
    stream: AsyncStream,
    inbound: Inbound,
    machine: Machine,
    unread: Vec<u8>,
    /// The peer has said something.
    heard: bool,
    hello: Option<Hello>,
    schemas: Schemas,
    /// Schemas as they came, to be read when all are there.
    encoded: Vec<(Fingerprint, Vec<u8>)>,
    wanted: usize,
    schema_bytes: usize,
    ready: bool,
}

impl Opening {
    fn new(stream: AsyncStream, token: Option<Token>, answers: Option<Arc<Budget>>) -> Opening {
        let hello = hello(token);
        Opening {
            stream,
            inbound: Inbound::sharing(Role::Connector, hello.limits, answers),
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
    async fn late(mut self, within: Duration) -> NotConnected {
        if self.heard {
            return format!("connected, but the handshake did not end within {within:?}").into();
        }
        stranger::silent(&mut self.stream, within).await.into()
    }

    async fn run(&mut self, catalog: &Arc<Catalog>) -> Result<(), Failed> {
        while self.hello.is_none() || self.wanted > 0 {
            self.write().await.map_err(|error| self.failed(&error))?;
            let read = self.stream.read_buf(&mut self.unread).await;
            if read.map_err(|error| self.failed(&error))? == 0 {
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
            let n = self.stream.write(self.machine.chunk()).await?;
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
