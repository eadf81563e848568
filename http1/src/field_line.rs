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
    Line(Line),
    /// The empty line behind the last one.
    End,
}

/// Finds lines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FieldLines {
    place: Place,
    line: Line,
    /// How many have begun.
    count: usize,
}

impl FieldLines {
    /// What comes next from `at` on, which moves behind it. No more than `most` lines may come. Positions of a line are right if the
    /// same bytes are shown until it is whole.
    pub(crate) fn next(&mut self, bytes: &[u8], at: &mut usize, most: usize) -> Result<Found, Refusal> {
        // Each place leads to the one below it.
        if self.place == Place::Begin {
            match bytes.get(*at) {
                None => return Ok(Found::Nothing),
                Some(b'\r') => (self.place, *at) = (Place::LastLineFeed, *at + 1),
                Some(byte) => self.begin(*byte, *at, most)?,
            }
        }
        if self.place == Place::Name {
            *at += token_run(&bytes[*at..]);
            match bytes.get(*at) {
                None => return Ok(Found::Nothing),
                Some(b':') => (self.line.colon, self.place, *at) = (*at, Place::Blanks, *at + 1),
                Some(byte) if is_blank(*byte) => return Err(Refusal::SpaceBeforeColon),
                Some(byte) => return Err(misplaced(*byte, Refusal::FieldName)),
            }
        }
        if self.place == Place::Blanks {
            *at += blank_run(&bytes[*at..]);
            if *at == bytes.len() {
                return Ok(Found::Nothing);
            }
            (self.line.value, self.place) = (*at, Place::Value);
        }
        if self.place == Place::Value {
            *at += text_run(&bytes[*at..]);
            match bytes.get(*at) {
                None => return Ok(Found::Nothing),
                Some(b'\r') => (self.line.end, self.place, *at) = (*at, Place::LineFeed, *at + 1),
                Some(byte) => return Err(misplaced(*byte, Refusal::ControlByte)),
            }
        }
        match bytes.get(*at) {
            None => return Ok(Found::Nothing),
            Some(b'\n') => *at += 1,
            Some(_) => return Err(Refusal::BareCr),
        }
        let last = self.place == Place::LastLineFeed;
        self.place = Place::Begin;
        Ok(if last { Found::End } else { Found::Line(self.line) })
    }

    /// A line begins with a byte.
    fn begin(&mut self, byte: u8, at: usize, most: usize) -> Result<(), Refusal> {
        if is_blank(byte) {
            return Err(Refusal::ObsFold);
        }
        if !is_token(byte) {
            return Err(misplaced(byte, Refusal::FieldName));
        }
        if self.count >= most {
            return Err(Refusal::TooManyFields);
        }
        self.count += 1;
        (self.line.name, self.place) = (at, Place::Name);
        Ok(())
    }
}
