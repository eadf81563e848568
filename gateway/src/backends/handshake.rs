//! Opening a connection: connect, exchange HELLO, ask for the schemas that no other connection has brought yet.

use super::catalog::Catalog;
use super::offer::Offer;
use super::peer::Surroundings;
use super::stream::Stream;
use crate::config::EndpointAddr;
use callgate_protocol::schema::{Fingerprint, MethodSchema};
use callgate_protocol::{Event, Hello, Inbound, Limits, Outbound, Role};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The schemas that one connection may bring, in bytes together.
const MAX_SCHEMA_BYTES: usize = 64 * 1024 * 1024;

/// A connection that is ready for calls.
pub(super) struct Established {
    pub(super) stream: Stream,
    pub(super) inbound: Inbound,
    pub(super) outbound: Outbound,
    pub(super) offer: Offer,
    /// Bytes that were read and not yet taken.
    pub(super) unread: Vec<u8>,
    /// Whether the peer wants calls.
    pub(super) ready: bool,
}

/// What the gateway says of itself.
fn hello() -> Hello {
    let identity = format!("callgate/{} pid {}", env!("CARGO_PKG_VERSION"), std::process::id());
    Hello::new(identity, Limits::default(), Vec::new())
}

/// Opens a connection. The caller bounds the time; errors are for people.
pub(super) async fn establish(
    addr: &EndpointAddr,
    user_timeout: Duration,
    surroundings: &Surroundings,
) -> Result<Established, String> {
    let Surroundings { catalog, answers, .. } = surroundings;
    let stream =
        Stream::connect(addr, user_timeout).await.map_err(|error| format!("cannot connect: {error}"))?;
    let hello = hello();
    let mut opening = Opening {
        stream,
        inbound: Inbound::sharing(Role::Connector, hello.limits, Some(answers.clone())),
        outbound: Outbound::new(&hello),
        unread: Vec::new(),
        hello: None,
        schemas: HashMap::new(),
        wanted: 0,
        schema_bytes: 0,
        ready: true,
    };
    opening.run(catalog).await?;
    let Opening { stream, inbound, outbound, unread, hello, schemas, ready, .. } = opening;
    let hello = hello.ok_or("the handshake ended without HELLO")?;
    let offer = Offer::new(hello, |fingerprint| schemas.get(&fingerprint).cloned())?;
    Ok(Established { stream, inbound, outbound, offer, unread, ready })
}

struct Opening {
    stream: Stream,
    inbound: Inbound,
    outbound: Outbound,
    unread: Vec<u8>,
    hello: Option<Hello>,
    schemas: HashMap<Fingerprint, Arc<MethodSchema>>,
    wanted: usize,
    schema_bytes: usize,
    ready: bool,
}

impl Opening {
    async fn run(&mut self, catalog: &Catalog) -> Result<(), String> {
        while self.hello.is_none() || self.wanted > 0 {
            self.write().await.map_err(|error| format!("the handshake failed: {error}"))?;
            let read = self.stream.read_buf(&mut self.unread).await;
            if read.map_err(|error| format!("the handshake failed: {error}"))? == 0 {
                return Err("the peer closed the connection during the handshake".to_owned());
            }
            self.take(catalog)?;
        }
        Ok(())
    }

    async fn write(&mut self) -> std::io::Result<()> {
        while !self.outbound.is_empty() {
            let n = self.stream.write(self.outbound.chunk()).await?;
            self.outbound.advance(n);
        }
        Ok(())
    }

    fn take(&mut self, catalog: &Catalog) -> Result<(), String> {
        let mut at = 0;
        loop {
            let (taken, event) = self.inbound.next(&self.unread[at..]).map_err(|error| error.to_string())?;
            if taken == 0 {
                break;
            }
            at += taken;
            match event {
                Some(Event::Hello(hello)) => {
                    self.outbound.set_max_frame(hello.limits.max_frame);
                    for offered in hello.services.iter().flat_map(|service| &service.methods) {
                        match catalog.schema(offered.schema) {
                            Some(known) => drop(self.schemas.insert(offered.schema, known)),
                            None => {
                                self.outbound.schema_request(offered.schema);
                                self.wanted += 1;
                            }
                        }
                    }
                    self.hello = Some(hello);
                }
                Some(Event::Schema(fingerprint, encoded)) => {
                    self.schema_bytes += encoded.len();
                    if self.schema_bytes > MAX_SCHEMA_BYTES {
                        return Err(format!("the schemas are larger than {MAX_SCHEMA_BYTES} bytes together"));
                    }
                    if Fingerprint::of(encoded) != fingerprint {
                        return Err(format!("the schema sent for {fingerprint} is another"));
                    }
                    let schema = MethodSchema::decode(encoded)
                        .map_err(|error| format!("schema {fingerprint}: {error}"))?;
                    self.schemas.insert(fingerprint, catalog.add_schema(fingerprint, schema));
                    self.wanted = self.wanted.saturating_sub(1);
                }
                Some(Event::Ping(token)) => self.outbound.pong(token),
                Some(Event::Ready(ready)) => self.ready = ready,
                Some(Event::GoAway { reason, .. }) => return Err(format!("the peer went away: {reason}")),
                _ => {}
            }
        }
        self.unread.drain(..at);
        Ok(())
    }
}
