//! The frame: a fixed header of ten bytes, then a body.
//!
//! ```text
//! 0..4   length of the body, u32 little endian
//! 4      kind
//! 5      flags
//! 6..10  call number, u32 little endian; 0 for frames that concern the connection
//! ```

use crate::schema::SchemaError;
use crate::wire::WireError;
use std::fmt;

/// What each side sends first, before its HELLO.
pub const MAGIC: [u8; 8] = *b"CALLGATE";

/// The version of the protocol that this crate speaks.
pub const VERSION: u16 = 1;

/// The header's size in bytes.
pub const HEADER: usize = 10;

/// The kinds of frames. Those from 0x80 on are skipped when they are not known; others end the connection.
pub mod kind {
    /// Who I am and what I offer; each side's first frame, behind the magic.
    pub const HELLO: u8 = 0x01;
    /// Asks for the schema of a fingerprint.
    pub const SCHEMA_REQUEST: u8 = 0x02;
    /// The schema that was asked for.
    pub const SCHEMA: u8 = 0x03;
    /// Are you there?
    pub const PING: u8 = 0x04;
    /// I am here.
    pub const PONG: u8 = 0x05;
    /// No more calls, please; says which was the last accepted.
    pub const GO_AWAY: u8 = 0x06;
    /// Calls a method.
    pub const CALL: u8 = 0x10;
    /// A call's result.
    pub const REPLY: u8 = 0x11;
    /// A call's failure.
    pub const FAILURE: u8 = 0x12;
    /// The caller no longer wants the answer.
    pub const CANCEL: u8 = 0x13;
    /// A further fragment of a message.
    pub const DATA: u8 = 0x14;
    /// One item of a stream.
    pub const ITEM: u8 = 0x20;
    /// The end of a stream.
    pub const END: u8 = 0x21;
    /// Allows the peer to send more items.
    pub const CREDIT: u8 = 0x22;
    /// From here on, kinds that are not known are skipped.
    pub const SKIPPABLE: u8 = 0x80;
    /// Whether the sender wants calls at the moment; until it says so it does.
    pub const READY: u8 = 0x80;
}

/// The flags of a frame. The lower four bits must be understood, the upper four may be ignored.
pub mod flag {
    /// CALL, REPLY, FAILURE, ITEM, END, DATA: the body goes on in a DATA frame of the same call number.
    pub const MORE: u8 = 0x01;
    /// CALL: a metadata block follows the deadline. REPLY, END: the body begins with one.
    pub const METADATA: u8 = 0x02;
    /// FAILURE: the call has certainly not run and may be sent elsewhere.
    pub const NOT_EXECUTED: u8 = 0x02;
    /// CALL, REPLY, FAILURE, ITEM: the body is compressed. Kept for later: nobody sends it who was not told of a codec.
    pub const COMPRESSED: u8 = 0x04;
    /// The bits that must be understood.
    pub const CRITICAL: u8 = 0x0f;
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The length of the body in bytes.
    pub length: u32,
    /// One of [`kind`].
    pub kind: u8,
    /// Bits of [`flag`].
    pub flags: u8,
    /// The call that the frame belongs to; 0 for the connection.
    pub call: u32,
}

impl Header {
    /// The header's bytes.
    #[inline]
    pub fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&self.length.to_le_bytes());
        bytes[4] = self.kind;
        bytes[5] = self.flags;
        bytes[6..].copy_from_slice(&self.call.to_le_bytes());
        bytes
    }

    /// The header at the start of `bytes`, or `None` while there are fewer than [`HEADER`].
    #[inline]
    pub fn decode(bytes: &[u8]) -> Option<Header> {
        let bytes: &[u8; HEADER] = bytes.get(..HEADER)?.try_into().ok()?;
        Some(Header {
            length: u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
            kind: bytes[4],
            flags: bytes[5],
            call: u32::from_le_bytes([bytes[6], bytes[7], bytes[8], bytes[9]]),
        })
    }
}

/// Why a connection cannot go on: the peer broke the protocol. Said to it in GO_AWAY, then the connection is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The peer does not speak this protocol: its first bytes up to the first that is wrong, and zeros behind it.
    BadMagic([u8; 8]),
    /// The peer offers something under a name that is none: the name.
    BadName(String),
    /// The peer offers a service, a method or a Call ID twice: which.
    OfferedTwice(String),
    /// The peer asks on and on and does not read the answers.
    Unread,
    /// No common version: the peer's range.
    NoCommonVersion {
        /// The peer's oldest.
        min: u16,
        /// The peer's newest.
        max: u16,
    },
    /// Another frame came before HELLO.
    HelloMissing,
    /// HELLO came twice.
    HelloRepeated,
    /// This side lets in only who brings a token along, and the peer has brought none.
    NoToken,
    /// The token that the peer has brought along is not valid, or not any more.
    WrongToken,
    /// A frame's body is longer than was agreed.
    FrameTooLarge {
        /// The frame's kind.
        kind: u8,
        /// The length that it claims.
        length: u32,
    },
    /// A frame of a kind that is not known and may not be skipped, or that this side never receives.
    UnexpectedFrame(u8),
    /// A flag that must be understood and is not.
    UnknownFlag {
        /// The frame's kind.
        kind: u8,
        /// Its flags.
        flags: u8,
    },
    /// A call number that is zero, or of a call not above those before it, or of a REPLY while another answer is under way.
    BadCallNumber(u32),
    /// A frame of a stream, or a REPLY, of a call that does not go that way, or not any more.
    NotStreamed {
        /// The frame's kind.
        kind: u8,
        /// The call's number.
        number: u32,
    },
    /// An item of that call for which the peer had no credit.
    BeyondCredit(u32),
    /// More credit for that call than there may be.
    TooMuchCredit(u32),
    /// A body ends early or holds what it must not.
    Malformed(WireError),
    /// A schema that cannot be relied upon.
    BadSchema(SchemaError),
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProtocolError::BadMagic(bytes) => {
                let right = bytes.iter().zip(&MAGIC).take_while(|(byte, right)| byte == right).count();
                let told = bytes.get(..=right).unwrap_or(bytes);
                write!(
                    f,
                    "the peer does not speak Callgate's protocol: it began with \"{}\"",
                    told.escape_ascii()
                )
            }
            ProtocolError::NoCommonVersion { min, max } => {
                write!(f, "no common version: the peer speaks {min} to {max}, this side {VERSION}")
            }
            ProtocolError::BadName(name) => {
                write!(f, "\"{}\" is no name of a service or method", name.escape_debug())
            }
            ProtocolError::OfferedTwice(what) => write!(f, "{what} is offered twice"),
            ProtocolError::Unread => write!(f, "the peer asks on and on and does not read the answers"),
            ProtocolError::HelloMissing => write!(f, "a frame before HELLO"),
            ProtocolError::NoToken => {
                write!(f, "a token is required here, and the caller has brought none along")
            }
            ProtocolError::WrongToken => {
                write!(f, "the token that the caller has brought along is not valid here")
            }
            ProtocolError::HelloRepeated => write!(f, "a second HELLO"),
            ProtocolError::FrameTooLarge { kind, length } => {
                write!(f, "a frame of kind 0x{kind:02x} claims {length} bytes")
            }
            ProtocolError::UnexpectedFrame(kind) => write!(f, "unexpected frame of kind 0x{kind:02x}"),
            ProtocolError::UnknownFlag { kind, flags } => {
                write!(f, "unknown flags 0x{flags:02x} on a frame of kind 0x{kind:02x}")
            }
            ProtocolError::BadCallNumber(number) => {
                write!(f, "call number {number} is zero, repeated or too low")
            }
            ProtocolError::NotStreamed { kind, number } => {
                write!(f, "a frame of kind 0x{kind:02x} of call {number}, which does not stream that way")
            }
            ProtocolError::BeyondCredit(number) => {
                write!(f, "an item of call {number}, for which the peer had no credit")
            }
            ProtocolError::TooMuchCredit(number) => {
                write!(f, "credit for call {number} above 2147483647")
            }
            ProtocolError::Malformed(error) => write!(f, "malformed frame: {error}"),
            ProtocolError::BadSchema(error) => write!(f, "bad schema: {error}"),
        }
    }
}

impl std::error::Error for ProtocolError {}

impl From<WireError> for ProtocolError {
    fn from(error: WireError) -> Self {
        ProtocolError::Malformed(error)
    }
}
