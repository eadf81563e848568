//! Field lines, of heads and of trailers (RFC 9112, 5): where a line's name and value lie, however the bytes are cut.
//!
//! It looks at each byte once, and keeps positions instead of bytes. It does not know what a field means.

use crate::bytes::{blank_run, is_blank, is_token, misplaced, text_run, token_run};
use crate::refusal::Refusal;

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Begin,
    Name,
    Blanks,
    Value,
    LineFeed,
    LastLineFeed,
}

/// A line that is whole, as positions in the bytes that were shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line {
    pub(crate) name: usize,
    pub(crate) colon: usize,
    /// The first byte of the value, behind the blanks before it.
    pub(crate) value: usize,
    /// Where the value ends, with the blanks behind it.
    pub(crate) end: usize,
}

/// What was found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    /// All bytes are looked at, and more are needed.
    Nothing,
    /// A line begins: its first byte is the next.
    Begins,
    Line(Line),
    /// The empty line behind the last one.
    End,
}

/// Finds lines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FieldLines {
    place: Place,
    line: Line,
}

impl FieldLines {
    /// What comes next from `at` on, which moves behind it. Positions of a line are right if the same bytes are shown until it is whole.
    pub(crate) fn next(&mut self, bytes: &[u8], at: &mut usize) -> Result<Found, Refusal> {
        while let Some(&byte) = bytes.get(*at) {
            match self.place {
                Place::Begin => match byte {
                    _ if is_token(byte) => {
                        self.line.name = *at;
                        self.place = Place::Name;
                        return Ok(Found::Begins);
                    }
                    b'\r' => (self.place, *at) = (Place::LastLineFeed, *at + 1),
                    _ if is_blank(byte) => return Err(Refusal::ObsFold),
                    _ => return Err(misplaced(byte, Refusal::FieldName)),
                },
                Place::Name => {
                    *at += token_run(&bytes[*at..]);
                    match bytes.get(*at) {
                        None => break,
                        Some(b':') => (self.line.colon, self.place, *at) = (*at, Place::Blanks, *at + 1),
                        Some(byte) if is_blank(*byte) => return Err(Refusal::SpaceBeforeColon),
                        Some(byte) => return Err(misplaced(*byte, Refusal::FieldName)),
                    }
                }
                Place::Blanks => {
                    *at += blank_run(&bytes[*at..]);
                    if *at == bytes.len() {
                        break;
                    }
                    (self.line.value, self.place) = (*at, Place::Value);
                }
                Place::Value => {
                    *at += text_run(&bytes[*at..]);
                    match bytes.get(*at) {
                        None => break,
                        Some(b'\r') => (self.line.end, self.place, *at) = (*at, Place::LineFeed, *at + 1),
                        Some(byte) => return Err(misplaced(*byte, Refusal::ControlByte)),
                    }
                }
                Place::LineFeed | Place::LastLineFeed if byte != b'\n' => return Err(Refusal::BareCr),
                Place::LineFeed => {
                    (self.place, *at) = (Place::Begin, *at + 1);
                    return Ok(Found::Line(self.line));
                }
                Place::LastLineFeed => {
                    (self.place, *at) = (Place::Begin, *at + 1);
                    return Ok(Found::End);
                }
            }
        }
        Ok(Found::Nothing)
    }
}
