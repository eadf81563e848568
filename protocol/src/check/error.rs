//! What is wrong with a message, in words for whoever wrote the peer.

use crate::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};
use crate::wire::WireError;
use std::fmt;

/// Where and why a message is not a value of its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckError {
    /// The offset in bytes behind what was read when it was noticed.
    pub offset: usize,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A primitive cannot be read.
    Wire(WireError),
    /// More nested containers than [`MAX_DEPTH`].
    TooDeep,
    /// More zero-sized values than [`MAX_ZERO_SIZED_ITEMS`].
    TooManyZeroSizedItems,
    /// An enum has no variant of that number.
    UnknownVariant,
    /// A part below a second is 10⁹ nanoseconds or more.
    NanosOutOfRange,
    /// A UUID is not 16 bytes long.
    BadUuid,
    /// A map has a key twice.
    DuplicateKey,
    /// Bytes are left over.
    TrailingBytes,
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Reason::Wire(error) => write!(f, "{error}")?,
            Reason::TooDeep => write!(f, "nested deeper than {MAX_DEPTH}")?,
            Reason::TooManyZeroSizedItems => write!(f, "more than {MAX_ZERO_SIZED_ITEMS} zero-sized values")?,
            Reason::UnknownVariant => write!(f, "unknown enum variant")?,
            Reason::NanosOutOfRange => write!(f, "nanoseconds out of range")?,
            Reason::BadUuid => write!(f, "a UUID that is not 16 bytes long")?,
            Reason::DuplicateKey => write!(f, "a map has the same key twice")?,
            Reason::TrailingBytes => write!(f, "bytes after the end of the value")?,
        }
        write!(f, " at byte {}", self.offset)
    }
}

impl std::error::Error for CheckError {}

impl From<WireError> for Reason {
    fn from(error: WireError) -> Self {
        Reason::Wire(error)
    }
}
