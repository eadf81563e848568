//! The receiving half of a connection: bytes in, events out, everything checked.
//!
//! The owner reads from its socket into a buffer of its own and hands it to [`Inbound::next`] until no whole frame is
//! left. Payloads are borrowed from that buffer; only a message in fragments is put together here, within bounds.

use crate::call::CallHead;
use crate::frame::{HEADER, Header, MAGIC, ProtocolError, flag, kind};
use crate::hello::Hello;
use crate::limits::{Limits, MAX_ASSEMBLY, MAX_CONTROL};
use crate::schema::Fingerprint;
use crate::status::Status;
use crate::wire::Reader;
use std::collections::HashMap;

/// Which side of the connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Opened the connection, and calls.
    Connector,
    /// Accepted the connection, and is called.
    Acceptor,
}

/// What a peer said.
#[derive(Debug, PartialEq)]
pub enum Event<'a> {
    /// Its HELLO, always the first.
    Hello(Hello),
    /// It asks for a schema.
    SchemaRequest(Fingerprint),
    /// A schema that was asked for; empty when it has none of that fingerprint.
    Schema(Fingerprint, &'a [u8]),
    /// It wants a PONG with these bytes.
    Ping([u8; 8]),
    /// It answers a PING.
    Pong([u8; 8]),
    /// It accepts no more calls; those with a number above `last_call` have not run.
    GoAway {
        /// The last call that it accepted; 0 for none.
        last_call: u32,
        /// Why, for people.
        reason: &'a str,
    },
    /// It calls a method.
    Call {
        /// The call's number, higher than all before.
        number: u32,
        /// Method, deadline and metadata.
        head: CallHead<'a>,
        /// The arguments.
        payload: &'a [u8],
    },
    /// A call succeeded.
    Reply {
        /// The call's number.
        number: u32,
        /// The result.
        payload: &'a [u8],
    },
    /// A call failed.
    Failure {
        /// The call's number.
        number: u32,
        /// Why.
        status: Status,
    },
    /// It no longer wants the answer.
    Cancel {
        /// The call's number.
        number: u32,
    },
    /// A message came that is longer than this side accepts; its rest will be skipped.
    TooLarge {
        /// The number of the call to which it belonged.
        number: u32,
    },
}

/// Takes apart the bytes that a peer sends.
#[derive(Debug)]
pub struct Inbound {
    role: Role,
    limits: Limits,
    stage: Stage,
    last_call: u32,
    partial: HashMap<u32, Partial>,
    partial_bytes: usize,
    /// The last message that was put together; the event that was made of it borrows from here.
    assembled: Vec<u8>,
}

#[derive(Debug, PartialEq)]
enum Stage {
    Magic,
    Hello,
    Open,
}

#[derive(Debug)]
struct Partial {
    kind: u8,
    flags: u8,
    body: Vec<u8>,
}

type Result<T> = std::result::Result<T, ProtocolError>;

impl Inbound {
    /// Starts at the peer's magic. `limits` are those that this side told in its HELLO.
    pub fn new(role: Role, limits: Limits) -> Inbound {
        Inbound {
            role,
            limits,
            stage: Stage::Magic,
            last_call: 0,
            partial: HashMap::new(),
            partial_bytes: 0,
            assembled: Vec::new(),
        }
    }

    /// The number of the last call that began to arrive: what GO_AWAY says.
    pub fn last_call(&self) -> u32 {
        self.last_call
    }

    /// Takes the next frame from the start of `bytes`. Returns how many bytes it took and what they say: `(0, None)`
    /// when more bytes are needed, `(n, None)` when they need no reaction. An error ends the connection.
    #[inline]
    pub fn next<'a>(&'a mut self, bytes: &'a [u8]) -> Result<(usize, Option<Event<'a>>)> {
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
        self.partial.keys().any(|&number| number <= up_to)
    }

    /// Drops what has arrived of a message that nobody waits for.
    pub fn forget(&mut self, number: u32) {
        if let Some(partial) = self.partial.remove(&number) {
            self.partial_bytes -= partial.body.len();
        }
    }

    fn magic<'a>(&'a mut self, bytes: &'a [u8]) -> Result<(usize, Option<Event<'a>>)> {
        let seen = bytes.len().min(MAGIC.len());
        if bytes[..seen] != MAGIC[..seen] {
            let mut first = [0; 8];
            first[..seen].copy_from_slice(&bytes[..seen]);
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
        let Header { length, kind, .. } = *header;
        let most = match kind {
            kind::HELLO | kind::SCHEMA => MAX_CONTROL,
            _ => self.limits.max_frame,
        };
        if length > most {
            return Err(ProtocolError::FrameTooLarge { kind, length });
        }
        match (&self.stage, kind) {
            (Stage::Open, kind::HELLO) => Err(ProtocolError::HelloRepeated),
            (Stage::Open, _) | (_, kind::HELLO) => Ok(()),
            _ => Err(ProtocolError::HelloMissing),
        }
    }

    fn frame<'a>(&'a mut self, header: Header, body: &'a [u8]) -> Result<Option<Event<'a>>> {
        let Header {
            kind, flags, call, ..
        } = header;
        if kind >= kind::SKIPPABLE {
            return Ok(None);
        }
        let known = match kind {
            kind::CALL => flag::MORE | flag::METADATA,
            kind::FAILURE => flag::MORE | flag::NOT_EXECUTED,
            kind::REPLY | kind::DATA => flag::MORE,
            _ => 0,
        };
        if flags & flag::CRITICAL & !known != 0 {
            return Err(ProtocolError::UnknownFlag { kind, flags });
        }
        let received = match self.role {
            Role::Acceptor => matches!(
                kind,
                kind::CALL | kind::CANCEL | kind::DATA | kind::SCHEMA_REQUEST
            ),
            Role::Connector => matches!(kind, kind::REPLY | kind::FAILURE | kind::DATA | kind::SCHEMA),
        };
        let of_both = matches!(kind, kind::HELLO | kind::PING | kind::PONG | kind::GO_AWAY);
        if !received && !of_both {
            return Err(ProtocolError::UnexpectedFrame(kind));
        }
        if of_both || matches!(kind, kind::SCHEMA | kind::SCHEMA_REQUEST) {
            return self.control(kind, body).map(Some);
        }
        if call == 0 {
            return Err(ProtocolError::BadCallNumber(call));
        }
        match kind {
            kind::CANCEL => {
                self.forget(call);
                return Ok(Some(Event::Cancel { number: call }));
            }
            kind::DATA => return self.fragment(call, flags, body),
            kind::CALL => {
                if call <= self.last_call {
                    return Err(ProtocolError::BadCallNumber(call));
                }
                self.last_call = call;
            }
            _ => {}
        }
        if kind == kind::FAILURE {
            // It also ends a REPLY of which only the beginning was sent.
            self.forget(call);
        }
        if flags & flag::MORE != 0 {
            return self.first_fragment(kind, flags, call, body);
        }
        message(kind, flags, call, body).map(Some)
    }

    fn control<'a>(&mut self, kind: u8, body: &'a [u8]) -> Result<Event<'a>> {
        let mut reader = Reader::new(body);
        Ok(match kind {
            kind::HELLO => {
                let hello = Hello::decode(body)?;
                self.stage = Stage::Open;
                Event::Hello(hello)
            }
            kind::SCHEMA_REQUEST => Event::SchemaRequest(Fingerprint(reader.array()?)),
            kind::SCHEMA => {
                let fingerprint = Fingerprint(reader.array()?);
                Event::Schema(fingerprint, reader.take(reader.remaining())?)
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

    fn first_fragment<'a>(
        &mut self,
        kind: u8,
        flags: u8,
        call: u32,
        body: &[u8],
    ) -> Result<Option<Event<'a>>> {
        if self.partial.contains_key(&call) {
            return Err(ProtocolError::BadCallNumber(call));
        }
        // The calls in flight are bounded, so more messages than that cannot be under way.
        if self.partial.len() >= self.limits.max_calls as usize {
            return Ok(Some(Event::TooLarge { number: call }));
        }
        self.partial.insert(
            call,
            Partial {
                kind,
                flags,
                body: body.to_vec(),
            },
        );
        self.partial_bytes += body.len();
        Ok(None)
    }

    fn fragment<'a>(&'a mut self, call: u32, flags: u8, body: &[u8]) -> Result<Option<Event<'a>>> {
        // A fragment of a message that was forgotten or refused may still be under way: it is skipped.
        let Some(partial) = self.partial.get_mut(&call) else {
            return Ok(None);
        };
        let length = partial.body.len() + body.len();
        if length > self.limits.max_message as usize || self.partial_bytes + body.len() > MAX_ASSEMBLY {
            self.forget(call);
            return Ok(Some(Event::TooLarge { number: call }));
        }
        partial.body.extend_from_slice(body);
        self.partial_bytes += body.len();
        if flags & flag::MORE != 0 {
            return Ok(None);
        }
        let Some(partial) = self.partial.remove(&call) else {
            return Ok(None);
        };
        self.partial_bytes -= partial.body.len();
        self.assembled = partial.body;
        message(partial.kind, partial.flags, call, &self.assembled).map(Some)
    }
}

fn message(kind: u8, flags: u8, number: u32, body: &[u8]) -> Result<Event<'_>> {
    Ok(match kind {
        kind::CALL => {
            let (head, payload) = CallHead::decode(body, flags & flag::METADATA != 0)?;
            Event::Call {
                number,
                head,
                payload,
            }
        }
        kind::REPLY => Event::Reply {
            number,
            payload: body,
        },
        kind::FAILURE => Event::Failure {
            number,
            status: Status::decode(body, flags & flag::NOT_EXECUTED != 0)?,
        },
        other => return Err(ProtocolError::UnexpectedFrame(other)),
    })
}
