//! The primitives of "bincode-2 standard, profile 1": what bincode 2's `standard()` configuration writes.
//!
//! Little endian; integers of 16 bits and more as a varint (one byte up to 250; then a marker byte 251, 252, 253 or
//! 254 before 2, 4, 8 or 16 bytes); signed ones zigzagged first; 8-bit integers and floats as they are; a `char` is
//! its UTF-8; a length is a varint of 64 bits. The shortest form is written; readers take any, as bincode does.
//! Frames, the handshake and the schema use the same primitives, so that an SDK needs only one set.

use std::fmt;

const MARK_U16: u8 = 251;
const MARK_U32: u8 = 252;
const MARK_U64: u8 = 253;
const MARK_U128: u8 = 254;

/// Writes an unsigned integer of up to 64 bits (u16, u32, u64, lengths, variant numbers).
#[inline]
pub fn put_varint(out: &mut Vec<u8>, value: u64) {
    // Small enough to be inlined; most values are lengths and numbers of one byte.
    match value < MARK_U16 as u64 {
        true => out.push(value as u8),
        false => put_long_varint(out, value),
    }
}

#[inline(never)]
fn put_long_varint(out: &mut Vec<u8>, value: u64) {
    if value <= u16::MAX as u64 {
        out.push(MARK_U16);
        out.extend_from_slice(&(value as u16).to_le_bytes());
    } else if value <= u32::MAX as u64 {
        out.push(MARK_U32);
        out.extend_from_slice(&(value as u32).to_le_bytes());
    } else {
        out.push(MARK_U64);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// Writes a u128.
#[inline]
pub fn put_varint128(out: &mut Vec<u8>, value: u128) {
    if let Ok(small) = u64::try_from(value) {
        put_varint(out, small);
    } else {
        out.push(MARK_U128);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// Writes a signed integer of up to 64 bits (i16, i32, i64).
#[inline]
pub fn put_zigzag(out: &mut Vec<u8>, value: i64) {
    put_varint(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Writes an i128.
#[inline]
pub fn put_zigzag128(out: &mut Vec<u8>, value: i128) {
    put_varint128(out, ((value << 1) ^ (value >> 127)) as u128);
}

/// Writes a length and the bytes: strings and byte strings.
#[inline]
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Writes a `char`: its UTF-8, without a length.
#[inline]
pub fn put_char(out: &mut Vec<u8>, value: char) {
    out.extend_from_slice(value.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Writes one skippable field of a control frame: a tag, a length, a value.
pub fn put_field(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    put_bytes(out, value);
}

/// Why bytes could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// The bytes end inside a value, or a length claims more than there are.
    Truncated,
    /// A varint's marker is not of its type, or its value does not fit.
    IntegerOutOfRange,
    /// A string or a char is not UTF-8.
    InvalidUtf8,
    /// A bool or an option byte that is neither 0 nor 1.
    InvalidBool,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WireError::Truncated => "the bytes end inside a value",
            WireError::IntegerOutOfRange => "an integer does not fit its type",
            WireError::InvalidUtf8 => "a string is not UTF-8",
            WireError::InvalidBool => "a bool or option byte is neither 0 nor 1",
        })
    }
}

impl std::error::Error for WireError {}

/// A cursor over bytes. Nothing is allocated, and no length is believed before it was compared with what is there.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from their start.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0 }
    }

    /// How many bytes were read.
    #[inline]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The bytes between an earlier offset and this one.
    pub fn since(&self, offset: usize) -> &'a [u8] {
        self.bytes.get(offset..self.at).unwrap_or_default()
    }

    /// What is left. It is not taken.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next `n` bytes.
    #[inline]
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], WireError> {
        let end = self.at.checked_add(n).ok_or(WireError::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(WireError::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    /// The next `N` bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        self.take(N)?.try_into().map_err(|_| WireError::Truncated)
    }

    /// One byte.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, WireError> {
        let byte = *self.bytes.get(self.at).ok_or(WireError::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    /// A bool, or the byte before an option's content.
    #[inline]
    pub fn bool(&mut self) -> Result<bool, WireError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::InvalidBool),
        }
    }

    /// An unsigned varint whose type has `bits` bits: 16, 32 or 64.
    #[inline]
    pub fn varint(&mut self, bits: u32) -> Result<u64, WireError> {
        let first = self.u8()?;
        if first < MARK_U16 { Ok(first as u64) } else { self.long_varint(first, bits) }
    }

    #[inline]
    fn long_varint(&mut self, mark: u8, bits: u32) -> Result<u64, WireError> {
        // By its value, so that a reader of which most values are short need not be in memory.
        let (value, rest) = self.clone().long(mark, bits)?;
        *self = rest;
        Ok(value)
    }

    #[inline(never)]
    fn long(mut self, mark: u8, bits: u32) -> Result<(u64, Reader<'a>), WireError> {
        let value = match mark {
            MARK_U16 => u16::from_le_bytes(self.array()?) as u64,
            MARK_U32 if bits >= 32 => u32::from_le_bytes(self.array()?) as u64,
            MARK_U64 if bits >= 64 => u64::from_le_bytes(self.array()?),
            _ => return Err(WireError::IntegerOutOfRange),
        };
        Ok((value, self))
    }

    /// A u128.
    #[inline]
    pub fn varint128(&mut self) -> Result<u128, WireError> {
        match self.u8()? {
            MARK_U128 => Ok(u128::from_le_bytes(self.array()?)),
            small if small < MARK_U16 => Ok(small as u128),
            mark => self.long_varint(mark, 64).map(u128::from),
        }
    }

    /// A signed varint whose type has `bits` bits: 16, 32 or 64.
    #[inline]
    pub fn zigzag(&mut self, bits: u32) -> Result<i64, WireError> {
        let raw = self.varint(bits)?;
        Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
    }

    /// An i128.
    #[inline]
    pub fn zigzag128(&mut self) -> Result<i128, WireError> {
        let raw = self.varint128()?;
        Ok((raw >> 1) as i128 ^ -((raw & 1) as i128))
    }

    /// A length. It is not compared with what is left: lists of zero-sized items may be longer.
    #[inline]
    pub fn length(&mut self) -> Result<u64, WireError> {
        self.varint(64)
    }

    /// A length and that many bytes.
    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let length = usize::try_from(self.length()?).map_err(|_| WireError::Truncated)?;
        self.take(length)
    }

    /// A string.
    #[inline]
    pub fn str(&mut self) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| WireError::InvalidUtf8)
    }

    /// Passes a string.
    #[inline]
    pub fn skip_str(&mut self) -> Result<(), WireError> {
        let bytes = self.bytes()?;
        // Most strings are short and ASCII, which is seen before the validation would have begun.
        match is_ascii(bytes) || std::str::from_utf8(bytes).is_ok() {
            true => Ok(()),
            false => Err(WireError::InvalidUtf8),
        }
    }

    /// A char.
    pub fn char(&mut self) -> Result<char, WireError> {
        let first = *self.bytes.get(self.at).ok_or(WireError::Truncated)?;
        let width = match first {
            0x00..=0x7f => 1,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return Err(WireError::InvalidUtf8),
        };
        let text = std::str::from_utf8(self.take(width)?).map_err(|_| WireError::InvalidUtf8)?;
        text.chars().next().ok_or(WireError::InvalidUtf8)
    }

    /// One field of a control frame as [`put_field`] wrote it; `None` at the end.
    pub fn field(&mut self) -> Result<Option<(u8, &'a [u8])>, WireError> {
        if self.remaining() == 0 {
            return Ok(None);
        }
        let tag = self.u8()?;
        Ok(Some((tag, self.bytes()?)))
    }
}

/// Whether all bytes are ASCII: eight a step, the last eight of them perhaps once more.
#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    match bytes.last_chunk() {
        Some(last) => {
            let (words, _) = bytes.as_chunks();
            let all =
                words.iter().fold(u64::from_le_bytes(*last), |all, word| all | u64::from_le_bytes(*word));
            all & 0x8080_8080_8080_8080 == 0
        }
        None => bytes.iter().fold(0, |all, byte| all | byte) < 0x80,
    }
}

#[cfg(test)]
mod tests;
