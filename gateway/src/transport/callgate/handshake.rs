//! Opening a connection: connect, exchange HELLO, ask for the schemas that no other connection has brought yet.

use super::catalog::{Catalog, Schemas};
use super::connect::connect;
use super::farewell::say_why;
use super::in_flight::Machine;
use super::offer::{Offer, UnusableMethod};
use super::stranger;
use crate::config::EndpointAddr;
use crate::presence::Presence;
use crate::stream::AsyncStream;
use callgate_protocol::connection::Said;
use callgate_protocol::schema::Fingerprint;
use callgate_protocol::{Budget, Hello, Inbound, Limits, ProtocolError, Role};
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
}

/// What the gateway says of itself.
fn hello() -> Hello {
    let identity = format!("callgate/{} pid {}", env!("CARGO_PKG_VERSION"), std::process::id());
    Hello::new(identity, Limits::default(), Vec::new())
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
    addr: &EndpointAddr,
    limits: TimeLimits,
    presence: Option<&Presence>,
    catalog: &Arc<Catalog>,
    answers: Option<&Arc<Budget>>,
) -> Result<Established, String> {
    let mut opened = None;
    let opening = async {
        let stream = connect(addr, limits.unacknowledged).await;
        let stream = stream.map_err(|error| format!("cannot connect: {error}"))?;
        let opening = opened.insert(Opening::new(stream, answers.cloned()));
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
    let Opening { mut stream, inbound, machine, unread, heard, hello, schemas, ready, .. } =
        match (&done, opened) {
            (_, Some(opened)) => opened,
            (Some(Err(Failed::Told(why))), None) => return Err(why.clone()),
            (_, None) => return Err(format!("no connection within {:?}", limits.connect)),
        };
    match done {
        Some(Ok(())) => {}
        Some(Err(Failed::Told(why) | Failed::Broken(why))) => return Err(why),
        Some(Err(Failed::Stranger)) => return Err(stranger::spoke(&mut stream, unread).await),
        None if heard => {
            return Err(format!("connected, but the handshake did not end within {:?}", limits.connect));
        }
        None => return Err(stranger::silent(&mut stream, limits.connect).await),
    }
    let hello = hello.ok_or("the handshake ended without HELLO")?;
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
    Ok(Established { channel: Channel { stream, inbound, unread }, machine, offer, ready })
}

/// Asks what an instance offers, within that time, on the calling thread. Errors are for people.
pub fn ask(addr: &EndpointAddr, within: Duration) -> Result<Offer, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot connect: {error}"))?;
    let limits = TimeLimits { connect: within, unacknowledged: within };
    let established = runtime.block_on(establish(addr, limits, None, &Arc::default(), None));
    // Without waiting: a name that is being looked up in a thread of its own cannot be told to stop.
    runtime.shutdown_background();
    established.map(|established| established.offer)
}

/// Why a handshake came to nothing.
enum Failed {
    /// This is why.
    Told(String),
    /// The peer broke the protocol, or a bound of this gateway: it is told so.
    Broken(String),
    /// The peer does not speak the protocol: what it says is unread.
    Stranger,
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
    fn new(stream: AsyncStream, answers: Option<Arc<Budget>>) -> Opening {
        let hello = hello();
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

    async fn run(&mut self, catalog: &Arc<Catalog>) -> Result<(), Failed> {
        while self.hello.is_none() || self.wanted > 0 {
            self.write().await.map_err(|error| format!("the handshake failed: {error}"))?;
            let read = self.stream.read_buf(&mut self.unread).await;
            if read.map_err(|error| format!("the handshake failed: {error}"))? == 0 {
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

    async fn write(&mut self) -> std::io::Result<()> {
        while !self.machine.is_empty() {
            let n = self.stream.write(self.machine.chunk()).await?;
            self.machine.advance(n);
        }
        Ok(())
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
                Said::GoAway { reason, .. } => return Err(format!("the peer went away: {reason}").into()),
                Said::Nothing | Said::Answered(..) => {}
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
