//! The walk over a message in steps: what [`decode`](super::decode) does with the stack of the thread this does with one of its
//! own, so that it can stop after any value and within any text. It is for messages whose JSON is long or may be: what a step
//! writes is bounded, and so is the work of one that writes nothing.

mod chosen;
mod keys;
mod open;

use super::pieces::Piece;
use super::{DecodeError, DecodeReason, ResponseProgram};
use crate::json::{KEY_SIZE, put_json_utf8};
use crate::layout::{Node, NodeId};
use crate::scalar::{Scalar, Style, TextForm};
use callgate_protocol::check::Reason;
use callgate_protocol::wire::{Reader, WireError};
use open::{Items, Open};
use std::hash::RandomState;
use std::ops::Range;

/// The least that [`Decoding::advance`] is to be given, in bytes.
pub const MIN_STEP: usize = 4096;

/// Room that is always left for a value of one token and the signs around it, in bytes.
const TOKEN: usize = 256;

/// What looking at a value counts, beside the bytes that it writes.
const STEP: usize = 4;

type Step<T = ()> = Result<T, DecodeReason>;

/// A message that is being written as JSON.
#[derive(Debug)]
pub struct Decoding<'a> {
    program: &'a ResponseProgram,
    /// Leads to what is written: a field, or all of it.
    path: &'a [u32],
    after: &'static [u8],
    message: &'a [u8],
    reader: Reader<'a>,
    style: Style,
    depth: usize,
    zero_sized: usize,
    /// What is open, from the outside in. Bounded by the depth.
    open: Vec<Open<'a>>,
    /// A text that is written next, and then the value.
    piece: Option<Piece<'a>>,
    value: Option<NodeId>,
    stage: Stage,
    /// What is written is a field as it is: not written, but noted where it lies.
    raw: bool,
    raw_body: Range<usize>,
    /// What nobody sees is written here.
    discarded: Vec<u8>,
    /// The text of a map's key.
    key: Vec<u8>,
    hasher: RandomState,
    /// Keys of the maps that are open.
    keys: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Before,
    Value,
    Done,
}

impl<'a> Decoding<'a> {
    pub(super) fn new(program: &'a ResponseProgram, message: &'a [u8]) -> Decoding<'a> {
        Decoding {
            piece: Some(Piece::Plain(&program.before)),
            after: program.after,
            raw: program.raw,
            ..Decoding::of_field(program, &program.field, message)
        }
    }

    /// Only that field of the message, with nothing around it.
    pub(super) fn of_field(program: &'a ResponseProgram, path: &'a [u32], message: &'a [u8]) -> Decoding<'a> {
        Decoding {
            program,
            path,
            after: b"",
            message,
            reader: Reader::new(message),
            style: program.style,
            depth: 0,
            zero_sized: 0,
            open: Vec::new(),
            piece: None,
            value: None,
            stage: Stage::Before,
            raw: false,
            raw_body: 0..0,
            discarded: Vec::new(),
            key: Vec::new(),
            hasher: RandomState::new(),
            keys: 0,
        }
    }

    /// Appends the next `most` bytes at most, of which there must be [`MIN_STEP`], with work in proportion. `true` when it was
    /// the end; before that it may append fewer, where values are short or are not shown.
    ///
    /// # Errors
    /// As [`ResponseProgram::decode`]; a key that is there twice is noticed where it comes, and not at the map's end.
    pub fn advance(&mut self, out: &mut Vec<u8>, most: usize) -> Result<bool, DecodeError> {
        let done = self.run(out, most);
        done.map_err(|reason| DecodeError { offset: self.reader.offset(), reason })
    }

    /// Where in the message the body lies, if it is raw and the end was reached. Empty where the field is absent.
    pub fn raw_body(&self) -> Range<usize> {
        self.raw_body.clone()
    }

    /// What it has allocated itself, in bytes: the keys of the maps that are open, by which it finds one that is there twice.
    pub fn held(&self) -> usize {
        (self.keys + self.piece.as_ref().map_or(0, Piece::keys)) * KEY_SIZE
    }

    fn run(&mut self, out: &mut Vec<u8>, most: usize) -> Step<bool> {
        let end = out.len() + most;
        let mut work = 0;
        while work < most && self.stage != Stage::Done {
            if end.saturating_sub(out.len()) < 2 * TOKEN {
                break;
            }
            if self.style.discard {
                let mut discarded = std::mem::take(&mut self.discarded);
                discarded.clear();
                work += STEP + self.step(&mut discarded, MIN_STEP)?;
                self.discarded = discarded;
            } else {
                let before = out.len();
                let looked = self.step(out, end)?;
                work += STEP + looked.max(out.len() - before);
            }
        }
        Ok(self.stage == Stage::Done)
    }

    /// Writes one text, or a part of it, or one value or its beginning, up to that length of `out`. Gives the bytes that it has
    /// looked at.
    fn step(&mut self, out: &mut Vec<u8>, end: usize) -> Step<usize> {
        if let Some(piece) = self.piece.take() {
            let (rest, looked) = piece.put(out, end - out.len())?;
            self.piece = rest;
            return Ok(looked);
        }
        match self.value.take() {
            Some(node) => self.begin(node, out, end)?,
            None if self.open.is_empty() => self.outermost(out, end)?,
            None => self.go_on(out, end)?,
        }
        Ok(0)
    }

    /// Before and after all values.
    fn outermost(&mut self, out: &mut Vec<u8>, end: usize) -> Step {
        let program = self.program;
        if self.stage == Stage::Before {
            self.stage = Stage::Value;
            return self.choose(program.root, self.path, out, end);
        }
        self.stage = Stage::Done;
        if self.reader.remaining() > 0 {
            return Err(Reason::TrailingBytes.into());
        }
        out.extend_from_slice(self.after);
        Ok(())
    }

    /// Reads a value, or the beginning of one, and writes it.
    fn begin(&mut self, mut node: NodeId, out: &mut Vec<u8>, end: usize) -> Step {
        let layout = &self.program.layout;
        let Some(inner) = self.there(node)? else {
            out.extend_from_slice(b"null");
            return Ok(());
        };
        node = inner;
        match layout.node(node) {
            Node::Scalar(scalar) => self.scalar(*scalar, out, end),
            Node::Struct(table) => self.structure(table),
            Node::Enum(table) => self.enumeration(table, out, end),
            Node::Json => self.json(),
            Node::List(item) | Node::Set(item) => {
                let count = self.reader.length()?;
                self.items(Items::Same(*item, count), None, out)
            }
            Node::Array(item, length) => {
                let start = self.reader.offset();
                self.items(Items::Same(*item, u64::from(*length)), Some(start), out)
            }
            Node::Tuple(items) => {
                let start = self.reader.offset();
                self.items(Items::Each(items.iter()), Some(start), out)
            }
            Node::Map(key, value) => self.map(*key, *value, out),
            Node::Unit => {
                out.extend_from_slice(b"null");
                self.zero_sized()
            }
            // They were passed.
            Node::Option(_) | Node::Presence(_) | Node::Guarded(..) => Ok(()),
        }
    }

    /// Passes what says whether a value is there, and what is asked of it. `None` if it is not there, which is `null`.
    pub(super) fn there(&mut self, mut node: NodeId) -> Step<Option<NodeId>> {
        loop {
            let (is_there, inner) = match self.program.layout.node(node) {
                Node::Option(inner) => (self.reader.bool()?, inner),
                Node::Presence(inner) => match self.reader.varint(32)? {
                    tag @ 0..=2 => (tag == 2, inner),
                    _ => return Err(Reason::UnknownVariant.into()),
                },
                Node::Guarded(inner, _) => (true, inner),
                _ => return Ok(Some(node)),
            };
            if !is_there {
                return Ok(None);
            }
            node = *inner;
        }
    }

    fn scalar(&mut self, scalar: Scalar, out: &mut Vec<u8>, end: usize) -> Step {
        match scalar {
            Scalar::String => {
                let bytes = self.reader.bytes()?;
                self.string(bytes, out, end)
            }
            // Of any length, and checked as a whole; the others are short.
            Scalar::Text(form @ (TextForm::Url | TextForm::Email)) => {
                let bytes = self.reader.bytes()?;
                form.check_printed(bytes, self.style)?;
                self.string(bytes, out, end)
            }
            Scalar::Bytes => {
                out.push(b'"');
                self.piece = Some(Piece::Base64(self.reader.bytes()?));
                Ok(())
            }
            _ => scalar.print(&mut self.reader, out, self.style),
        }
    }

    fn string(&mut self, bytes: &'a [u8], out: &mut Vec<u8>, end: usize) -> Step {
        if fits(bytes.len().saturating_mul(6), out, end) {
            return Ok(put_json_utf8(out, bytes).ok_or(WireError::InvalidUtf8)?);
        }
        out.push(b'"');
        self.piece = Some(Piece::Text(bytes));
        Ok(())
    }

    fn plain(&mut self, text: &'a [u8], out: &mut Vec<u8>, end: usize) {
        match fits(text.len(), out, end) {
            true => out.extend_from_slice(text),
            false => self.piece = Some(Piece::Plain(text)),
        }
    }

    /// What a backend calls JSON is checked before it becomes a part of the answer.
    fn json(&mut self) -> Step {
        // One look at all of it: there are some gigabytes a second of those.
        let text = self.reader.str()?;
        if !self.style.discard {
            self.piece = Some(Piece::document(text, self.depth));
        }
        Ok(())
    }
}

/// Whether there is room for so many bytes, and then for a token.
fn fits(bytes: usize, out: &[u8], end: usize) -> bool {
    out.len().saturating_add(bytes).saturating_add(TOKEN) <= end
}
