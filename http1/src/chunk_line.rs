//! The line before a chunk (RFC 9112, 7.1): its size, and extensions, which are checked and ignored. Byte by byte: it usually has three.

use crate::bytes::{is_blank, is_text, is_token, misplaced};
use crate::refusal::Refusal;

/// The most digits of a size.
const DIGITS: u8 = 16;
/// The most bytes of one line's extensions.
const EXTENSIONS: u16 = 256;

/// What the next byte belongs to. The grammar is
/// `1*HEXDIG *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] ) CRLF`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Size,
    BehindSize,
    BeforeName,
    Name,
    BehindName,
    BeforeValue,
    Value,
    Quoted,
    Escaped,
    BehindQuotes,
    BehindValue,
    LineFeed,
}

/// A line that is being read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChunkLine {
    place: Place,
    digits: u8,
    size: u64,
    /// So many bytes were of extensions.
    pub(crate) extensions: u16,
}

impl ChunkLine {
    /// Takes the next byte. The chunk's size if the line ends with it.
    pub(crate) fn take(&mut self, byte: u8) -> Result<Option<u64>, Refusal> {
        self.place = match self.place {
            Place::LineFeed if byte == b'\n' => return Ok(Some(self.size)),
            Place::LineFeed => return Err(Refusal::BareCr),
            Place::Size => self.size(byte)?,
            place => extension(place, byte)?,
        };
        if !matches!(self.place, Place::Size | Place::LineFeed) {
            self.extensions += 1;
            if self.extensions > EXTENSIONS {
                return Err(Refusal::ChunkExtension);
            }
        }
        Ok(None)
    }

    fn size(&mut self, byte: u8) -> Result<Place, Refusal> {
        if let Some(digit) = (byte as char).to_digit(16) {
            self.digits += 1;
            // The top bit is out of bounds, and the digit before it would be.
            if self.digits > DIGITS || self.size >> 59 != 0 {
                return Err(Refusal::ChunkSize);
            }
            self.size = self.size << 4 | u64::from(digit);
            return Ok(Place::Size);
        }
        match byte {
            b'\r' if self.digits > 0 => Ok(Place::LineFeed),
            b';' if self.digits > 0 => Ok(Place::BeforeName),
            _ if is_blank(byte) && self.digits > 0 => Ok(Place::BehindSize),
            _ => Err(misplaced(byte, Refusal::ChunkSize)),
        }
    }
}

/// The place behind a byte of an extension.
fn extension(place: Place, byte: u8) -> Result<Place, Refusal> {
    let blank = is_blank(byte);
    Ok(match (place, byte) {
        (Place::BehindSize | Place::BeforeName | Place::BehindName, _) if blank => place,
        (Place::BeforeValue | Place::BehindValue, _) if blank => place,
        (Place::BehindSize | Place::Name | Place::BehindName, b';') => Place::BeforeName,
        (Place::Value | Place::BehindQuotes | Place::BehindValue, b';') => Place::BeforeName,
        (Place::Name | Place::Value | Place::BehindQuotes, b'\r') => Place::LineFeed,
        (Place::BeforeName | Place::Name, _) if is_token(byte) => Place::Name,
        (Place::Name, _) if blank => Place::BehindName,
        (Place::Name | Place::BehindName, b'=') => Place::BeforeValue,
        (Place::BeforeValue, b'"') => Place::Quoted,
        (Place::BeforeValue | Place::Value, _) if is_token(byte) => Place::Value,
        (Place::Value | Place::BehindQuotes, _) if blank => Place::BehindValue,
        (Place::Quoted, b'"') => Place::BehindQuotes,
        (Place::Quoted, b'\\') => Place::Escaped,
        (Place::Quoted | Place::Escaped, _) if is_text(byte) => Place::Quoted,
        (Place::BehindSize, _) => return Err(misplaced(byte, Refusal::ChunkSize)),
        _ => return Err(misplaced(byte, Refusal::ChunkExtension)),
    })
}
