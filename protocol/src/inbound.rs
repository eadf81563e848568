//! The receiving half of a connection: bytes in, events out, everything checked.
//!
//! The owner reads from its socket into a buffer of its own and hands it to [`Inbound::next`] until no whole frame is
//! left. Payloads are borrowed from that buffer; only a message in fragments is put together here, within bounds.

mod assembly;
mod event;
mod rules;

use crate::budget::{Budget, Room};
use crate::frame::{HEADER, Header, MAGIC, ProtocolError, flag, kind};
use crate::hello::Hello;
use crate::limits::{Limits, MAX_CONTROL};
use crate::schema::{Fingerprint, SchemaError};
use crate::wire::Reader;
use assembly::{Assembly, Message, Progress, Why};
use event::{dropped, message, ready};
use rules::{known_flags, receives};
use std::sync::Arc;

pub use event::Event;

/// Which side of the connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Opened the connection, and calls.
    Connector,
    /// Accepted the connection, and is called.
    Acceptor,
}

/// Takes apart the bytes that a peer sends.
#[derive(Debug)]
pub struct Inbound {
    role: Role,
    limits: Limits,
    stage: Stage,
    /// Whether this side speaks streams; from the peer's HELLO on, whether both do.
    streams: bool,
    last_call: u32,
    assembly: Assembly,
    /// The last message that was put together; the event that was made of it borrows from here.
    assembled: Option<Message>,
    /// Bytes in it before the payload.
    head: usize,
}

#[derive(Debug, PartialEq)]
enum Stage {
    Magic,
    Hello,
    Open,
}

type Result<T> = std::result::Result<T, ProtocolError>;

impl Inbound {
    /// Starts at the peer's magic. `limits` are those that this side told in its HELLO; what lies outside the
    /// protocol's bounds is moved to the nearest, as the peer does it.
    pub fn new(role: Role, limits: Limits) -> Inbound {
        Inbound::sharing(role, limits, None)
    }

    /// The same with a bound on the bytes of messages in parts which other connections share: it refuses a message as the
    /// connection's own bounds do.
    pub fn sharing(role: Role, limits: Limits, budget: Option<Arc<Budget>>) -> Inbound {
        let limits = limits.clamped();
        Inbound {
            role,
            limits,
            stage: Stage::Magic,
            streams: false,
            last_call: 0,
            assembly: Assembly::new(limits, budget),
            assembled: None,
            head: 0,
        }
    }

    /// The same for a side that has said this HELLO: it takes the frames of streams if it speaks them and the peer does so too.
    pub fn of(role: Role, hello: &Hello, budget: Option<Arc<Budget>>) -> Inbound {
        let streams = hello.streams.is_some();
        Inbound { streams, ..Inbound::sharing(role, hello.limits, budget) }
    }

    /// The number of the last call that began to arrive: what GO_AWAY says.
    pub fn last_call(&self) -> u32 {
        self.last_call
    }

    /// Takes the next frame from the start of `bytes`. Returns how many bytes it took and what they say: `(0, None)`
    /// when more bytes are needed, `(n, None)` when they need no reaction. An error ends the connection.
    ///
    /// A message that came in fragments is kept until the next call, so that asking until `(0, None)`, be it with no
    /// bytes at all, also gives its memory back.
    #[inline]
    pub fn next<'a>(&'a mut self, bytes: &'a [u8]) -> Result<(usize, Option<Event<'a>>)> {
        self.assembled = None;
        if self.stage == Stage::Magic {
            return self.magic(bytes);
        }
        let Some(header) = Header::decode(bytes) else {
            return Ok((0, None));
        };
        self.admit(&header)?;
        let end = HEADER + header.length as usize;
        let Some(body) = bytes.get(HEADER..end) else {
            return Ok((0, None));
        };
        Ok((end, self.frame(header, body)?))
    }

    /// How many bytes the frame at the start of `bytes` has in all, as soon as its header is there. It is within the
    /// limits, or [`next`](Self::next) has refused it: a reader may size its buffer by it.
    pub fn frame_size(bytes: &[u8]) -> Option<usize> {
        Header::decode(bytes).map(|header| HEADER + header.length as usize)
    }

    /// Whether a message of a call up to that number has begun to arrive and is not complete.
    pub fn is_assembling(&self, up_to: u32) -> bool {
        self.assembly.holds_up_to(up_to)
    }

    /// Drops what has arrived of a message that nobody waits for.
    pub fn forget(&mut self, number: u32) {
        self.assembly.forget(number);
    }

    /// The payload of the last event, if its message was put together, and its room where there is a budget. So whoever keeps
    /// it needs no copy.
    pub fn take_payload(&mut self) -> Option<(Vec<u8>, Option<Room>)> {
        let Message { mut body, room, .. } = self.assembled.take()?;
        if self.head > 0 {
            body.drain(..self.head);
        }
        Some((body, room))
    }

    fn magic<'a>(&'a mut self, bytes: &'a [u8]) -> Result<(usize, Option<Event<'a>>)> {
        let seen = bytes.len().min(MAGIC.len());
        // No more than the first wrong byte is told: how many come with it is the network's doing.
        if let Some(wrong) = (0..seen).find(|&at| bytes[at] != MAGIC[at]) {
            let mut first = [0; 8];
            first[..=wrong].copy_from_slice(&bytes[..=wrong]);
            return Err(ProtocolError::BadMagic(first));
        }
        if seen < MAGIC.len() {
            return Ok((0, None));
        }
        self.stage = Stage::Hello;
        Ok((MAGIC.len(), None))
    }

    /// Refuses by the header alone, before a byte of the body is waited for.
    #[inline]
    fn admit(&self, header: &Header) -> Result<()> {
        let Header { length, kind, flags, call } = *header;
        match (&self.stage, kind) {
            (Stage::Open, kind::HELLO) => return Err(ProtocolError::HelloRepeated),
            (Stage::Open, _) | (_, kind::HELLO) => {}
            // It does not let this side in.
            (Stage::Hello, kind::GO_AWAY) if self.role == Role::Connector => {}
            _ => return Err(ProtocolError::HelloMissing),
        }
        let most = match kind {
            kind::HELLO | kind::SCHEMA => MAX_CONTROL,
            _ => self.limits.max_frame,
        };
        if kind < kind::SKIPPABLE {
            if !receives(self.role, self.streams, kind) {
                return Err(ProtocolError::UnexpectedFrame(kind));
            }
            if flags & flag::CRITICAL & !known_flags(kind) != 0 {
                return Err(ProtocolError::UnknownFlag { kind, flags });
            }
            let bad_number = match kind {
                kind::CALL => call <= self.last_call,
                kind::REPLY | kind::FAILURE | kind::CANCEL | kind::DATA => call == 0,
                // What was called at all only the connector knows.
                kind::ITEM | kind::END | kind::CREDIT => {
                    call == 0 || (self.role == Role::Acceptor && call > self.last_call)
                }
                _ => false,
            };
            if bad_number {
                return Err(ProtocolError::BadCallNumber(call));
            }
        }
        if length > most {
            return Err(ProtocolError::FrameTooLarge { kind, length });
        }
        Ok(())
    }

    fn frame<'a>(&'a mut self, header: Header, body: &'a [u8]) -> Result<Option<Event<'a>>> {
        let Header { kind, flags, call, .. } = header;
        match kind {
            kind::READY if self.role == Role::Connector => Ok(ready(body)),
            kind::SKIPPABLE.. => Ok(None),
            kind::CANCEL => {
                self.assembly.forget(call);
                Ok(Some(Event::Cancel { number: call }))
            }
            kind::DATA => self.fragment(call, flags, body),
            kind::CALL => {
                self.last_call = call;
                self.begin(header, body)
            }
            // Of one call one message is under way.
            kind::REPLY | kind::ITEM | kind::END if self.assembly.holds(call) => {
                Err(ProtocolError::BadCallNumber(call))
            }
            kind::REPLY | kind::ITEM | kind::END => self.begin(header, body),
            kind::CREDIT => {
                let mut reader = Reader::new(body);
                let mut number = || Ok::<u32, ProtocolError>(u32::from_le_bytes(reader.array()?));
                Ok(Some(Event::Credit { number: call, items: number()?, bytes: number()? }))
            }
            kind::FAILURE => {
                // It also ends an answer or an item of which only the beginning was sent.
                self.assembly.forget(call);
                self.begin(header, body)
            }
            _ => self.control(kind, body).map(Some),
        }
    }

    fn control<'a>(&mut self, kind: u8, body: &'a [u8]) -> Result<Event<'a>> {
        let mut reader = Reader::new(body);
        Ok(match kind {
            kind::HELLO => {
                let hello = Hello::decode(body, self.streams)?;
                self.streams = hello.streams.is_some();
                self.stage = Stage::Open;
                Event::Hello(hello)
            }
            kind::SCHEMA_REQUEST => Event::SchemaRequest(Fingerprint(reader.array()?)),
            kind::SCHEMA => {
                let fingerprint = Fingerprint(reader.array()?);
                let encoded = reader.take(reader.remaining())?;
                // Programs are cached by fingerprint for all instances: one must not speak for another's.
                if !encoded.is_empty() && Fingerprint::of(encoded) != fingerprint {
                    return Err(ProtocolError::BadSchema(SchemaError::WrongFingerprint));
                }
                Event::Schema(fingerprint, encoded)
            }
            kind::PING => Event::Ping(reader.array()?),
            kind::PONG => Event::Pong(reader.array()?),
            kind::GO_AWAY => {
                let last_call = u32::from_le_bytes(reader.array()?);
                let reason = std::str::from_utf8(reader.take(reader.remaining())?).unwrap_or("(not UTF-8)");
                Event::GoAway { last_call, reason }
            }
            other => return Err(ProtocolError::UnexpectedFrame(other)),
        })
    }

    /// Takes the first or only frame of a message.
    fn begin<'a>(&'a mut self, header: Header, body: &'a [u8]) -> Result<Option<Event<'a>>> {
        let Header { kind, flags, call, .. } = header;
        if body.len() > self.limits.max_message as usize {
            return Ok(Some(dropped(kind, call, Why::TooLarge)));
        }
        if flags & flag::MORE == 0 {
            return message(kind, flags, call, body).map(Some);
        }
        let first = Message::new(kind, flags, body.to_vec());
        match self.assembly.begin(call, first) {
            // Its sender must have had credit for it when it began, and not only when all of it is here.
            Progress::Nothing if kind == kind::ITEM => Ok(Some(Event::ItemBegins { number: call })),
            progress => self.progress(call, progress),
        }
    }

    fn fragment<'a>(&'a mut self, call: u32, flags: u8, body: &[u8]) -> Result<Option<Event<'a>>> {
        let progress = self.assembly.append(call, body, flags & flag::MORE != 0);
        self.progress(call, progress)
    }

    fn progress(&mut self, call: u32, progress: Progress) -> Result<Option<Event<'_>>> {
        match progress {
            Progress::Nothing => Ok(None),
            Progress::Dropped(kind, why) => Ok(Some(dropped(kind, call, why))),
            Progress::Whole(whole) => {
                let Message { kind, flags, ref body, .. } = *self.assembled.insert(whole);
                let event = message(kind, flags, call, body)?;
                self.head = match event {
                    Event::Call { payload, .. } | Event::Reply { payload, .. } => body.len() - payload.len(),
                    _ => 0,
                };
                Ok(Some(event))
            }
        }
    }
}

#[cfg(test)]
mod fragment_tests;
#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod tests;
