//! Texts of any length, written piece by piece: names, strings, base64, and the documents of `Json` values.

use super::DecodeReason;
use crate::json::{Check, OneLine, has_line_breaks, put_escaped};
use crate::scalar::put_base64;
use callgate_protocol::wire::WireError;

/// What is left of a text.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// To be copied.
    Plain(&'a [u8]),
    /// To be escaped as a string, of which the opening quote is written.
    Text(&'a [u8]),
    /// To be encoded as base64, of which the opening quote is written.
    Base64(&'a [u8]),
    /// A document to be checked before any of it is written.
    Document(Box<Document<'a>>),
    /// A document that has line breaks.
    OneLine(&'a [u8], OneLine),
}

/// A document that is being checked.
#[derive(Debug)]
pub(super) struct Document<'a> {
    text: &'a str,
    check: Check<'a>,
    /// How much of it was looked at for line breaks, in bytes.
    seen: usize,
    line_breaks: bool,
}

/// How much of a document is checked in a step, in bytes.
const CHECKED: usize = 4096;

impl<'a> Piece<'a> {
    /// A document inside of `depth` containers.
    pub(super) fn document(text: &'a str, depth: usize) -> Piece<'a> {
        Piece::Document(Box::new(Document {
            text,
            check: Check::new(text, depth),
            seen: 0,
            line_breaks: false,
        }))
    }

    /// How many keys it keeps.
    pub(super) fn keys(&self) -> usize {
        match self {
            Piece::Document(document) => document.check.keys(),
            _ => 0,
        }
    }

    /// Appends at most `room` bytes, which are enough for four characters that are escaped and a quote: 25 at least. Gives what is left, and how many bytes it has looked at.
    pub(super) fn put(
        self,
        out: &mut Vec<u8>,
        room: usize,
    ) -> Result<(Option<Piece<'a>>, usize), DecodeReason> {
        match self {
            Piece::Plain(bytes) => {
                let (now, rest) = cut(bytes, room);
                out.extend_from_slice(now);
                Ok(((!rest.is_empty()).then_some(Piece::Plain(rest)), now.len()))
            }
            Piece::Text(bytes) => {
                // A character takes six bytes at most, the quote one.
                let text = whole_characters(bytes, (room - 1) / 6)?;
                put_escaped(out, text);
                let rest = bytes.get(text.len()..).unwrap_or_default();
                Ok((closed(out, rest, Piece::Text), text.len()))
            }
            Piece::Base64(bytes) => {
                // Three bytes are four characters, and parts of them have no padding.
                let (now, rest) = cut(bytes, (room - 1) / 4 * 3);
                put_base64(out, now);
                Ok((closed(out, rest, Piece::Base64), now.len()))
            }
            Piece::Document(mut document) => {
                let (done, passed) = document.advance()?;
                let text = document.text.as_bytes();
                let next = match (done, document.line_breaks) {
                    (false, _) => Piece::Document(document),
                    (true, true) => Piece::OneLine(text, OneLine::default()),
                    (true, false) => Piece::Plain(text),
                };
                Ok((Some(next), passed))
            }
            Piece::OneLine(text, mut line) => {
                let (now, rest) = cut(text, room);
                line.put(out, now);
                Ok(((!rest.is_empty()).then_some(Piece::OneLine(rest, line)), now.len()))
            }
        }
    }
}

/// Writes the closing quote when nothing is left.
fn closed<'a>(out: &mut Vec<u8>, rest: &'a [u8], piece: fn(&'a [u8]) -> Piece<'a>) -> Option<Piece<'a>> {
    if rest.is_empty() {
        out.push(b'"');
        return None;
    }
    Some(piece(rest))
}

fn cut(bytes: &[u8], most: usize) -> (&[u8], &[u8]) {
    bytes.split_at(most.min(bytes.len()))
}

/// As many characters from the start as `most` bytes hold.
fn whole_characters(bytes: &[u8], most: usize) -> Result<&str, WireError> {
    // A character has four bytes at most.
    let (part, rest) = cut(bytes, most.max(4));
    match std::str::from_utf8(part) {
        Ok(text) => Ok(text),
        // It is cut within a character.
        Err(error) if error.error_len().is_none() && !rest.is_empty() => {
            let part = part.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(part).map_err(|_| WireError::InvalidUtf8)
        }
        Err(_) => Err(WireError::InvalidUtf8),
    }
}

impl Document<'_> {
    /// Checks some more. Whether it was all, and how many bytes it was.
    fn advance(&mut self) -> Result<(bool, usize), DecodeReason> {
        let done = self.check.advance(CHECKED).map_err(|_| DecodeReason::InvalidJson)?;
        let before =
            std::mem::replace(&mut self.seen, if done { self.text.len() } else { self.check.passed() });
        let passed = self.text.as_bytes().get(before..self.seen).unwrap_or_default();
        self.line_breaks |= has_line_breaks(passed);
        Ok((done, passed.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a text to its end in steps of so much room each.
    fn written(mut piece: Piece<'_>, room: usize) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let before = all.len();
            let (rest, _) = piece.put(&mut all, room).expect("it is UTF-8");
            assert!(all.len() - before <= room, "{} of {room} bytes", all.len() - before);
            assert!(all.len() > before || rest.is_none(), "each step goes on");
            match rest {
                Some(rest) => piece = rest,
                None => return all,
            }
        }
    }

    #[test]
    fn a_step_takes_no_more_room_than_it_is_given() {
        for room in 25..60 {
            assert_eq!(written(Piece::Plain(&[b'a'; 200]), room), [b'a'; 200]);
            assert_eq!(written(Piece::Text(&[1; 40]), room), ("\\u0001".repeat(40) + "\"").into_bytes());
            assert_eq!(written(Piece::Base64(&[0; 60]), room), ("A".repeat(80) + "\"").into_bytes());
        }
    }
}
