//! Values as serde gives and takes them, in the bytes of the protocol: what bincode 2's `standard()` configuration writes and reads.
//!
//! bincode does the same, and is what the tests compare this with. It makes each string by a zeroed allocation and writes each integer
//! through `std::io::Write`, which was a fifth of what an instance spent on a message of 1,290 lines. The primitives are those of
//! [`callgate_protocol::wire`], which everything else uses as well.
//!
//! What comes from the network is bounded in its depth and its lengths: it is read within the bounds of a message, or was walked
//! against its schema before.

mod bounds;
mod read;
pub(crate) mod spare;
mod write;

use bounds::Bounds;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// Why a value cannot be written or read.
#[derive(Debug)]
pub(crate) enum CodecError {
    /// The type's own `Serialize` or `Deserialize` says so, in its words.
    Said(String),
    /// The bytes are no value of the type.
    Bytes(callgate_protocol::wire::WireError),
    /// Bytes are left over.
    TrailingBytes,
    /// It is beyond the bounds within which it is read.
    OutOfBounds,
    /// The type asks for something that the protocol does not have: a list whose length is not known, a value that says its own type.
    Unsupported(&'static str),
}

/// Appends a value.
pub(crate) fn write(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) -> Result<(), CodecError> {
    value.serialize(&mut write::Writer { out })
}

/// Reads exactly one value, of bytes that the guard has accepted.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    read_bounded(bytes, Bounds::none())
}

/// Reads exactly one value, of bytes that nobody has looked at. If it can be read, the guard accepts it as well, unless its schema
/// says more than its type does ([`Schema`](crate::service::Schema) knows). If not, the guard has to be asked.
pub(crate) fn read_unchecked<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    read_bounded(bytes, Bounds::of_message(bytes.len()))
}

fn read_bounded<T: DeserializeOwned>(bytes: &[u8], bounds: Bounds) -> Result<T, CodecError> {
    let mut reader = read::ValueReader::new(bytes, bounds);
    let value = T::deserialize(&mut reader)?;
    if reader.is_at_end() { Ok(value) } else { Err(CodecError::TrailingBytes) }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CodecError::Said(said) => f.write_str(said),
            CodecError::Bytes(error) => write!(f, "{error}"),
            CodecError::TrailingBytes => f.write_str("bytes after the end of the value"),
            CodecError::OutOfBounds => f.write_str("the value is beyond the bounds of a message"),
            CodecError::Unsupported(what) => write!(f, "the protocol has no {what}"),
        }
    }
}

impl std::error::Error for CodecError {}

impl From<callgate_protocol::wire::WireError> for CodecError {
    fn from(error: callgate_protocol::wire::WireError) -> CodecError {
        CodecError::Bytes(error)
    }
}

impl serde::ser::Error for CodecError {
    fn custom<T: fmt::Display>(said: T) -> CodecError {
        CodecError::Said(said.to_string())
    }
}

impl serde::de::Error for CodecError {
    fn custom<T: fmt::Display>(said: T) -> CodecError {
        CodecError::Said(said.to_string())
    }
}

#[cfg(test)]
mod guard_tests;
#[cfg(test)]
mod tests;
