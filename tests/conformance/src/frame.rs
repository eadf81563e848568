//! Frames, written from the page. The SDK's and the gateway's codec is another one on purpose: one fault in both would
//! be seen by nobody.

use std::fmt;

/// What each direction begins with.
pub const MAGIC: &[u8; 8] = b"CALLGATE";

/// A frame's header: length, kind, flags, call number.
pub const HEADER: usize = 10;

/// The kinds of frames.
pub mod kind {
    pub const HELLO: u8 = 0x01;
    pub const SCHEMA_REQUEST: u8 = 0x02;
    pub const SCHEMA: u8 = 0x03;
    pub const PING: u8 = 0x04;
    pub const PONG: u8 = 0x05;
    pub const GO_AWAY: u8 = 0x06;
    pub const CALL: u8 = 0x10;
    pub const REPLY: u8 = 0x11;
    pub const FAILURE: u8 = 0x12;
    pub const CANCEL: u8 = 0x13;
    pub const DATA: u8 = 0x14;
    pub const ITEM: u8 = 0x20;
    pub const END: u8 = 0x21;
    pub const CREDIT: u8 = 0x22;
    pub const READY: u8 = 0x80;
}

/// The flags; which of them a kind has the page says.
pub mod flag {
    pub const MORE: u8 = 0x01;
    pub const METADATA: u8 = 0x02;
    pub const NOT_EXECUTED: u8 = 0x02;
    pub const COMPRESSED: u8 = 0x04;
}

/// A frame.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    /// The call's number; 0 in frames that concern the connection.
    pub number: u32,
    pub body: Vec<u8>,
}

impl Frame {
    /// A frame without flags.
    pub fn new(kind: u8, number: u32, body: impl Into<Vec<u8>>) -> Frame {
        Frame { kind, flags: 0, number, body: body.into() }
    }

    /// The same with these flags besides those that it has.
    #[must_use]
    pub fn with(mut self, flags: u8) -> Frame {
        self.flags |= flags;
        self
    }

    /// The same with these bytes after its body.
    #[must_use]
    pub fn and(mut self, bytes: &[u8]) -> Frame {
        self.body.extend_from_slice(bytes);
        self
    }

    /// The bytes that travel.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = header(self.body.len() as u32, self.kind, self.flags, self.number);
        out.extend_from_slice(&self.body);
        out
    }

    /// Cuts it: the first frame has the first size, the next ones in turn, the last one what is left.
    pub fn cut(self, sizes: impl IntoIterator<Item = usize>) -> Vec<Frame> {
        let mut rest = &self.body[..];
        let mut bodies = Vec::new();
        for size in sizes {
            let (body, after) = rest.split_at(size.min(rest.len()));
            bodies.push(body);
            rest = after;
        }
        bodies.push(rest);
        let last = bodies.len() - 1;
        let mut frames = Vec::with_capacity(bodies.len());
        for (at, body) in bodies.into_iter().enumerate() {
            let more = if at == last { 0 } else { flag::MORE };
            let (kind, flags) = if at == 0 { (self.kind, self.flags) } else { (kind::DATA, 0) };
            frames.push(Frame::new(kind, self.number, body).with(flags | more));
        }
        frames
    }

    /// Cuts it into frames of that size.
    pub fn cut_evenly(self, size: usize) -> Vec<Frame> {
        let count = self.body.len().div_ceil(size).max(1) - 1;
        self.cut(std::iter::repeat_n(size, count))
    }
}

/// The bytes of a header.
pub fn header(length: u32, kind: u8, flags: u8, number: u32) -> Vec<u8> {
    let mut out = length.to_le_bytes().to_vec();
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&number.to_le_bytes());
    out
}

/// PING.
pub fn ping(token: &[u8; 8]) -> Frame {
    Frame::new(kind::PING, 0, token)
}

/// PONG.
pub fn pong(token: &[u8]) -> Frame {
    Frame::new(kind::PONG, 0, token)
}

/// GO_AWAY.
pub fn go_away(last_call: u32, reason: &str) -> Frame {
    Frame::new(kind::GO_AWAY, 0, last_call.to_le_bytes()).and(reason.as_bytes())
}

/// SCHEMA_REQUEST.
pub fn schema_request(fingerprint: &[u8; 16]) -> Frame {
    Frame::new(kind::SCHEMA_REQUEST, 0, fingerprint)
}

/// SCHEMA.
pub fn schema(fingerprint: &[u8; 16], bytes: &[u8]) -> Frame {
    Frame::new(kind::SCHEMA, 0, fingerprint).and(bytes)
}

/// READY.
pub fn ready(body: &[u8]) -> Frame {
    Frame::new(kind::READY, 0, body)
}

/// CALL without metadata; a deadline of 0 milliseconds is none.
pub fn call(number: u32, call_id: u32, deadline_ms: u32, arguments: &[u8]) -> Frame {
    let head = [call_id.to_le_bytes(), deadline_ms.to_le_bytes()].concat();
    Frame::new(kind::CALL, number, head).and(arguments)
}

/// CALL with a metadata block of which the length says `length`.
pub fn call_with(number: u32, call_id: u32, length: u16, block: &[u8], arguments: &[u8]) -> Frame {
    let frame = call(number, call_id, 0, &length.to_le_bytes()).with(flag::METADATA);
    frame.and(block).and(arguments)
}

/// REPLY without metadata.
pub fn reply(number: u32, result: &[u8]) -> Frame {
    Frame::new(kind::REPLY, number, result)
}

/// FAILURE without fields.
pub fn failure(number: u32, code: u8) -> Frame {
    Frame::new(kind::FAILURE, number, [code])
}

/// FAILURE that promises that the call has not run.
pub fn refusal(number: u32, code: u8) -> Frame {
    failure(number, code).with(flag::NOT_EXECUTED)
}

/// CANCEL.
pub fn cancel(number: u32) -> Frame {
    Frame::new(kind::CANCEL, number, [])
}

/// DATA, the last fragment.
pub fn data(number: u32, bytes: &[u8]) -> Frame {
    Frame::new(kind::DATA, number, bytes)
}

/// ITEM, whole.
pub fn item(number: u32, value: &[u8]) -> Frame {
    Frame::new(kind::ITEM, number, value)
}

/// END without metadata.
pub fn end(number: u32) -> Frame {
    Frame::new(kind::END, number, [])
}

/// CREDIT.
pub fn credit(number: u32, items: u32, bytes: u32) -> Frame {
    Frame::new(kind::CREDIT, number, items.to_le_bytes()).and(&bytes.to_le_bytes())
}

/// A kind's name, as the page has it.
pub fn name(kind: u8) -> String {
    match kind {
        kind::HELLO => "HELLO",
        kind::SCHEMA_REQUEST => "SCHEMA_REQUEST",
        kind::SCHEMA => "SCHEMA",
        kind::PING => "PING",
        kind::PONG => "PONG",
        kind::GO_AWAY => "GO_AWAY",
        kind::CALL => "CALL",
        kind::REPLY => "REPLY",
        kind::FAILURE => "FAILURE",
        kind::CANCEL => "CANCEL",
        kind::DATA => "DATA",
        kind::ITEM => "ITEM",
        kind::END => "END",
        kind::CREDIT => "CREDIT",
        kind::READY => "READY",
        other => return format!("kind {other:#04x}"),
    }
    .to_owned()
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", name(self.kind))?;
        if self.number != 0 {
            write!(f, " {}", self.number)?;
        }
        if self.flags != 0 {
            write!(f, " with flags {:#04x}", self.flags)?;
        }
        write!(f, " of {} bytes", self.body.len())
    }
}

/// Bodies of megabytes help nobody who reads a message.
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
