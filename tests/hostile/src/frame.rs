//! Frames of HTTP/2 as bytes (RFC 9113, 4), and the names of their kinds, flags, errors and settings. Nothing is checked: a frame may be
//! whatever a case wants it to be.

use std::fmt;

/// What a client says first (RFC 9113, 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The bytes of a frame's header.
pub const HEADER: usize = 9;

/// The largest payload that a peer may send unless it was told another one (RFC 9113, 6.5.2).
pub const MAX_PAYLOAD: usize = 16_384;

/// What a window is unless it was told otherwise (RFC 9113, 6.9.2).
pub const WINDOW: i64 = 65_535;

/// Kinds of frames.
pub mod kind {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PUSH_PROMISE: u8 = 5;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;

    /// Their words in case files, in the order of their numbers.
    pub const NAMES: &[&str] = &[
        "data",
        "headers",
        "priority",
        "rst_stream",
        "settings",
        "push_promise",
        "ping",
        "goaway",
        "window_update",
        "continuation",
    ];
}

/// Flags of frames.
pub mod flag {
    pub const ACK: u8 = 0x01;
    pub const END_STREAM: u8 = 0x01;
    pub const END_HEADERS: u8 = 0x04;
    pub const PADDED: u8 = 0x08;
    pub const PRIORITY: u8 = 0x20;
}

/// Error codes (RFC 9113, 7), in the order of their numbers.
pub const CODES: &[&str] = &[
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

/// Settings (RFC 9113, 6.5.2), in the order of their numbers, from 1.
pub const SETTINGS: &[&str] = &[
    "HEADER_TABLE_SIZE",
    "ENABLE_PUSH",
    "MAX_CONCURRENT_STREAMS",
    "INITIAL_WINDOW_SIZE",
    "MAX_FRAME_SIZE",
    "MAX_HEADER_LIST_SIZE",
];

/// The setting that says how large a stream's window is at first.
pub const INITIAL_WINDOW_SIZE: u16 = 4;

/// An error code, shown by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u32);

impl Code {
    /// The one of that name.
    pub fn named(name: &str) -> Option<Code> {
        CODES.iter().position(|known| *known == name).map(|number| Code(number as u32))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match CODES.get(self.0 as usize) {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#x}", self.0),
        }
    }
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    /// One without flags.
    pub fn new(kind: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Frame {
        Frame { kind, flags: 0, stream, payload: payload.into() }
    }

    /// The same with these flags as well.
    pub fn with(mut self, flags: u8) -> Frame {
        self.flags |= flags;
        self
    }

    /// SETTINGS with these values.
    pub fn settings(values: &[(u16, u32)]) -> Frame {
        let pairs = values.iter().map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat());
        Frame::new(kind::SETTINGS, 0, pairs.collect::<Vec<_>>().concat())
    }

    /// The answer to SETTINGS.
    pub fn settings_ack() -> Frame {
        Frame::settings(&[]).with(flag::ACK)
    }

    /// HEADERS with a whole field block.
    pub fn headers(stream: u32, block: impl Into<Vec<u8>>) -> Frame {
        Frame::new(kind::HEADERS, stream, block).with(flag::END_HEADERS)
    }

    /// RST_STREAM.
    pub fn reset(stream: u32, code: Code) -> Frame {
        Frame::new(kind::RST_STREAM, stream, code.0.to_be_bytes())
    }

    /// PING.
    pub fn ping(opaque: [u8; 8]) -> Frame {
        Frame::new(kind::PING, 0, opaque)
    }

    /// WINDOW_UPDATE.
    pub fn window(stream: u32, increment: u32) -> Frame {
        Frame::new(kind::WINDOW_UPDATE, stream, increment.to_be_bytes())
    }

    /// As it is sent.
    pub fn bytes(&self) -> Vec<u8> {
        self.claiming(self.payload.len())
    }

    /// The same with another length in its header.
    pub fn claiming(&self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.payload.len());
        bytes.extend_from_slice(&(length as u32).to_be_bytes()[1..]);
        bytes.extend_from_slice(&[self.kind, self.flags]);
        bytes.extend_from_slice(&self.stream.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// The first frame of what has come, if it is whole; and its bytes.
    pub fn parse(come: &[u8]) -> Option<(Frame, usize)> {
        let (header, rest) = come.split_first_chunk::<HEADER>()?;
        let [a, b, c, kind, flags, stream @ ..] = *header;
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        let payload = rest.get(..length)?.to_vec();
        let stream = u32::from_be_bytes(stream) & 0x7fff_ffff;
        Some((Frame { kind, flags, stream, payload }, HEADER + length))
    }

    /// Whether it has that flag.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The payload without padding and without what PRIORITY adds to HEADERS; nothing where these are longer than it.
    pub fn content(&self) -> Option<&[u8]> {
        let mut content = &self.payload[..];
        if self.has(flag::PADDED) {
            let (padding, rest) = content.split_first()?;
            content = rest.get(..rest.len().checked_sub((*padding).into())?)?;
        }
        if self.kind == kind::HEADERS && self.has(flag::PRIORITY) {
            content = content.get(5..)?;
        }
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written_once_it_is_whole() {
        let frame = Frame::headers(7, *b"abc").with(flag::END_STREAM);
        let bytes = frame.bytes();
        assert_eq!(bytes, b"\0\0\x03\x01\x05\0\0\0\x07abc");
        assert_eq!(Frame::parse(&bytes), Some((frame, 12)));
        assert!((0..bytes.len()).all(|end| Frame::parse(&bytes[..end]).is_none()));
    }

    #[test]
    fn content_has_neither_padding_nor_priority() {
        let padded = Frame::new(kind::DATA, 1, *b"\x02abc\0\0").with(flag::PADDED);
        assert_eq!(padded.content(), Some(&b"abc"[..]));
        let headers = Frame::headers(1, *b"\x01\0\0\0\0\x10abc\0").with(flag::PADDED | flag::PRIORITY);
        assert_eq!(headers.content(), Some(&b"abc"[..]));
        assert_eq!(Frame::new(kind::DATA, 1, *b"\x02a").with(flag::PADDED).content(), None);
    }
}
