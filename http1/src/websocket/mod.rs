//! Frames of WebSocket as a server reads and writes them (RFC 6455, 5 to 7): bytes in, messages out. No I/O, no clock.
//!
//! ```text
//! head     a frame's head, and what may stand there
//! message  the fragments of a message, which are UTF-8 where it is text
//! close    codes and reasons of the end
//! reader   bytes → messages and control frames
//! writer   messages and control frames → bytes
//! ```
//!
//! A [`Reader`] keeps what has come of the message that is not whole, and a frame's head; never room for a length that was only claimed.
//! What breaks a rule is a [`Fault`], which says the code of the close frame that answers it, and after which nothing is read. There are no
//! extensions.

mod close;
mod head;
mod message;
mod reader;
mod writer;

pub use close::{Close, MAX_REASON, code};
pub use head::MAX_CONTROL;
pub use reader::{Control, Event, Reader};
pub use writer::{binary, close, ping, pong, text, text_head};

use std::fmt;

/// Which rule a client has broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A reserved bit is set, without an extension that says what it means.
    Reserved,
    /// There is no such kind of frame.
    Opcode,
    /// A frame is not masked.
    Unmasked,
    /// A length is written longer than it needs to be, or has its highest bit set.
    Length,
    /// A control frame is longer than [`MAX_CONTROL`].
    ControlTooLong,
    /// A control frame is a fragment.
    ControlFragment,
    /// A fragment continues no message.
    NothingToContinue,
    /// A message begins before the one before has ended.
    Unfinished,
    /// A close frame has one byte, or a code that nobody may send.
    CloseCode,
    /// A text, or the reason of a close frame, is not UTF-8.
    NotUtf8,
    /// A message is longer than it may be.
    TooLong,
}

impl Fault {
    /// The code of the close frame that says so.
    pub fn code(self) -> u16 {
        match self {
            Fault::NotUtf8 => code::NOT_UTF8,
            Fault::TooLong => code::TOO_LONG,
            _ => code::PROTOCOL,
        }
    }

    /// What is wrong, for people; short enough for a close frame.
    pub fn detail(self) -> &'static str {
        match self {
            Fault::Reserved => "a reserved bit of a frame is set, and no extension was agreed on",
            Fault::Opcode => "a frame has an opcode that does not exist",
            Fault::Unmasked => "a frame of a client must be masked",
            Fault::Length => "the length of a frame must be written in as few bytes as it needs",
            Fault::ControlTooLong => "a control frame has more than 125 bytes",
            Fault::ControlFragment => "a control frame must be whole",
            Fault::NothingToContinue => "a fragment continues no message",
            Fault::Unfinished => "a message begins before the one before has ended",
            Fault::CloseCode => "a close frame has a code that must not be sent",
            Fault::NotUtf8 => "a text is not UTF-8",
            Fault::TooLong => "a message is too long",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl std::error::Error for Fault {}
