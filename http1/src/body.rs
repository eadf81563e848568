//! A request's body in the bytes that follow its head.

use crate::bytes::misplaced;
use crate::chunk_line::ChunkLine;
use crate::field_line::{FieldLines, Found};
use crate::framing::BodyLength;
use crate::refusal::Refusal;
use crate::request::Limits;
use std::ops::Range;

/// The most bytes of extensions in all chunks of a body together.
const EXTENSIONS: u32 = 8 * 1024;

/// Finds a body's pieces. It keeps no bytes: a piece is a range of those that it is shown.
#[derive(Debug)]
pub struct BodyDecoder {
    state: State,
    extensions: u32,
    max_trailers: usize,
    max_fields: usize,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug)]
enum State {
    /// A body of known length: so many bytes are to come.
    Known(u64),
    /// The line before a chunk.
    ChunkLine(ChunkLine),
    /// So many bytes of a chunk are to come.
    Chunk(u64),
    /// The CRLF behind a chunk.
    ChunkCr,
    ChunkLf,
    Trailers {
        lines: FieldLines,
        bytes: usize,
    },
    Ended,
    Refused(Refusal),
}

/// What it has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// So many of the bytes are done with; a piece lies within them.
    pub used: usize,
    /// What they are. Without, more bytes are needed: all that were shown are done with then.
    pub event: Option<BodyEvent>,
}

/// What has come of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyEvent {
    /// Bytes of the body, at least one, at this range of what was shown.
    Piece(Range<usize>),
    /// The body has ended. What follows is no part of this request.
    End,
}

impl BodyDecoder {
    /// At the beginning of a body.
    pub fn new(length: BodyLength, limits: &Limits) -> BodyDecoder {
        let state = match length {
            BodyLength::Empty | BodyLength::Known(0) => State::Ended,
            BodyLength::Known(length) => State::Known(length),
            BodyLength::Chunked => State::ChunkLine(ChunkLine::default()),
        };
        BodyDecoder { state, extensions: 0, max_trailers: limits.max_trailers, max_fields: limits.max_fields }
    }

    /// Takes the next event from the start of `bytes`. After the end it is the end again, and nothing is used.
    ///
    /// # Errors
    /// Chunks and trailers that are not HTTP to the byte are refused, and again whenever it is asked after that.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Decoded, Refusal> {
        let mut at = 0;
        match self.read_on(bytes, &mut at) {
            Ok(event) => Ok(Decoded { used: at, event }),
            Err(refusal) => {
                self.state = State::Refused(refusal);
                Err(refusal)
            }
        }
    }

    fn read_on(&mut self, bytes: &[u8], at: &mut usize) -> Result<Option<BodyEvent>, Refusal> {
        loop {
            match &mut self.state {
                State::Ended => return Ok(Some(BodyEvent::End)),
                State::Refused(refusal) => return Err(*refusal),
                State::Known(left) => {
                    let piece = piece(left, bytes, at);
                    if *left == 0 {
                        self.state = State::Ended;
                    }
                    return Ok(piece);
                }
                State::Chunk(left) => {
                    let piece = piece(left, bytes, at);
                    if *left == 0 {
                        self.state = State::ChunkCr;
                    }
                    return Ok(piece);
                }
                State::Trailers { .. } => return self.read_trailers(bytes, at),
                State::ChunkLine(_) | State::ChunkCr | State::ChunkLf => {}
            }
            let Some(&byte) = bytes.get(*at) else {
                return Ok(None);
            };
            *at += 1;
            self.take(byte)?;
        }
    }

    /// Takes a byte that is between chunks.
    fn take(&mut self, byte: u8) -> Result<(), Refusal> {
        match &mut self.state {
            State::ChunkLine(line) => {
                let size = line.take(byte)?;
                let Some(size) = size else {
                    return Ok(());
                };
                self.extensions += u32::from(line.extensions);
                if self.extensions > EXTENSIONS {
                    return Err(Refusal::ChunkExtension);
                }
                self.state = match size {
                    0 => State::Trailers { lines: FieldLines::default(), bytes: 0 },
                    size => State::Chunk(size),
                };
            }
            State::ChunkCr if byte == b'\r' => self.state = State::ChunkLf,
            State::ChunkCr => return Err(misplaced(byte, Refusal::ChunkEnd)),
            State::ChunkLf if byte == b'\n' => self.state = State::ChunkLine(ChunkLine::default()),
            State::ChunkLf => return Err(Refusal::BareCr),
            _ => {}
        }
        Ok(())
    }

    /// Trailers are checked like a head's lines, and dropped.
    fn read_trailers(&mut self, shown: &[u8], at: &mut usize) -> Result<Option<BodyEvent>, Refusal> {
        let State::Trailers { lines, bytes } = &mut self.state else {
            return Ok(None);
        };
        // Not a byte is looked at beyond the bound, so that the same is refused however the bytes are cut.
        let most = self.max_trailers - *bytes;
        let begin = *at;
        let shown = &shown[..shown.len().min(begin.saturating_add(most))];
        loop {
            match lines.next(shown, at, self.max_fields)? {
                Found::Line(_) => {}
                Found::End => {
                    self.state = State::Ended;
                    return Ok(Some(BodyEvent::End));
                }
                Found::Nothing => break,
            }
        }
        *bytes += *at - begin;
        if *bytes == self.max_trailers { Err(Refusal::TrailersTooLarge) } else { Ok(None) }
    }

    /// Whether the end was reached. With a length it is there with the last byte.
    pub fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// The least bytes of body that are still to come: all of them where the length is known.
    pub fn at_least(&self) -> u64 {
        match self.state {
            State::Known(left) | State::Chunk(left) => left,
            _ => 0,
        }
    }
}

/// The next bytes of so many.
fn piece(left: &mut u64, bytes: &[u8], at: &mut usize) -> Option<BodyEvent> {
    let start = *at;
    let size = (bytes.len() - start).min(usize::try_from(*left).unwrap_or(usize::MAX));
    *at += size;
    *left -= size as u64;
    (size > 0).then_some(BodyEvent::Piece(start..start + size))
}

#[cfg(test)]
mod tests;
