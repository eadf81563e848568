//! The walk over a message in steps: what [`decode`](super::decode) does with the stack of the thread this does with one of its
//! own, so that it can stop after any value and within any text. It is for messages whose JSON is long or may be: what a step
//! writes is bounded, and so is the work of one that writes nothing.

mod chosen;
mod keys;

use super::decode::is_absent;
use super::pieces::Piece;
use super::{DecodeError, DecodeReason, ResponseProgram};
use crate::json::{KEY_SIZE, Keys, put_json_utf8};
use crate::layout::{Enum, Field, Node, NodeId, Struct, Variant};
use crate::scalar::{Scalar, Style, TextForm};
use callgate_protocol::check::Reason;
use callgate_protocol::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};
use callgate_protocol::wire::{Reader, WireError};
use std::hash::RandomState;
use std::iter::Enumerate;
use std::slice::Iter;

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

/// A container that is open, or what else is to be done after a value.
#[derive(Debug)]
enum Open<'a> {
    /// Further fields, whether one was begun, and where it began.
    Struct(Iter<'a, Field>, bool, usize),
    /// Further items, whether one was begun, and where it began if it may be of size zero.
    Items(Items<'a>, bool, Option<usize>),
    Map(Map),
    /// The content of a variant, which is yet to come or was begun.
    Variant(Option<NodeId>),
    /// A struct of which one field is wanted: further fields, the path, and where it began.
    Chosen(Enumerate<Iter<'a, Field>>, &'a [u32], usize),
    /// A value that nobody sees was read.
    Discarded,
}

#[derive(Debug)]
enum Items<'a> {
    Same(NodeId, u64),
    Each(Iter<'a, NodeId>),
}

impl Items<'_> {
    fn next(&mut self) -> Option<NodeId> {
        match self {
            Items::Same(item, left) => {
                *left = left.checked_sub(1)?;
                Some(*item)
            }
            Items::Each(items) => items.next().copied(),
        }
    }
}

#[derive(Debug)]
struct Map {
    key: NodeId,
    value: NodeId,
    left: u64,
    begun: bool,
    /// The key was written, and the value comes next.
    keyed: bool,
    keys: Keys,
}

impl<'a> Decoding<'a> {
    pub(super) fn new(program: &'a ResponseProgram, message: &'a [u8]) -> Decoding<'a> {
        Decoding {
            program,
            message,
            reader: Reader::new(message),
            style: program.style,
            depth: 0,
            zero_sized: 0,
            open: Vec::new(),
            piece: Some(Piece::Plain(&program.before)),
            value: None,
            stage: Stage::Before,
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
            return self.choose(program.root, &program.field, out, end);
        }
        self.stage = Stage::Done;
        if self.reader.remaining() > 0 {
            return Err(Reason::TrailingBytes.into());
        }
        out.extend_from_slice(program.after);
        Ok(())
    }

    /// Goes on with the innermost container.
    fn go_on(&mut self, out: &mut Vec<u8>, end: usize) -> Step {
        match self.open.last_mut() {
            None => Ok(()),
            Some(Open::Struct(fields, begun, start)) => match (fields.next(), *start) {
                (Some(field), _) => {
                    if is_absent(self.program.layout.node(field.node), &mut self.reader)? {
                        return Ok(());
                    }
                    let opening = if std::mem::replace(begun, true) { b',' } else { b'{' };
                    self.field(field, opening, out, end)
                }
                (None, start) => {
                    if !*begun {
                        out.push(b'{');
                    }
                    self.close(b'}', Some(start), out)
                }
            },
            Some(Open::Items(items, begun, start)) => match (items.next(), *start) {
                (Some(item), _) => {
                    if std::mem::replace(begun, true) {
                        out.push(b',');
                    }
                    self.begin(item, out, end)
                }
                (None, start) => self.close(b']', start, out),
            },
            Some(Open::Map(map)) if map.keyed => {
                map.keyed = false;
                let value = map.value;
                out.push(b':');
                self.begin(value, out, end)
            }
            Some(Open::Map(map)) => match map.left.checked_sub(1) {
                Some(left) => {
                    map.left = left;
                    if std::mem::replace(&mut map.begun, true) {
                        out.push(b',');
                    }
                    map.keyed = true;
                    let key = map.key;
                    self.key(key, out, end)
                }
                None => {
                    self.keys -= map.keys.count();
                    self.close(b'}', None, out)
                }
            },
            Some(Open::Variant(content)) => match content.take() {
                Some(content) => {
                    out.push(b':');
                    self.begin(content, out, end)
                }
                None => self.close(b'}', None, out),
            },
            Some(Open::Chosen(fields, path, start)) => match (fields.next(), *path, *start) {
                (Some((index, field)), path, _) => self.chosen(index, field, path, out, end),
                (None, _, start) => {
                    self.open.pop();
                    self.leave(Some(start))
                }
            },
            Some(Open::Discarded) => {
                self.open.pop();
                self.style.discard = false;
                Ok(())
            }
        }
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
            Node::Map(key, value) => {
                let left = self.reader.length()?;
                self.enter()?;
                out.push(b'{');
                let (key, value, keys) = (*key, *value, Keys::default());
                self.open.push(Open::Map(Map { key, value, left, begun: false, keyed: false, keys }));
                Ok(())
            }
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

    /// What a backend calls JSON is checked before it becomes a part of the answer.
    fn json(&mut self) -> Step {
        // One look at all of it: there are some gigabytes a second of those.
        let text = self.reader.str()?;
        if !self.style.discard {
            self.piece = Some(Piece::document(text, self.depth));
        }
        Ok(())
    }

    fn structure(&mut self, table: &'a Struct) -> Step {
        self.enter()?;
        self.open.push(Open::Struct(table.fields.iter(), false, self.reader.offset()));
        Ok(())
    }

    fn field(&mut self, field: &'a Field, opening: u8, out: &mut Vec<u8>, end: usize) -> Step {
        let (_, key) = field.lead.parts();
        out.push(opening);
        if fits(key.len(), out, end) {
            out.extend_from_slice(key);
            return self.begin(field.node, out, end);
        }
        self.piece = Some(Piece::Plain(key));
        self.value = Some(field.node);
        Ok(())
    }

    fn items(&mut self, items: Items<'a>, start: Option<usize>, out: &mut Vec<u8>) -> Step {
        self.enter()?;
        out.push(b'[');
        self.open.push(Open::Items(items, false, start));
        Ok(())
    }

    fn enumeration(&mut self, table: &'a Enum, out: &mut Vec<u8>, end: usize) -> Step {
        let (variant, _) = self.variant(table)?;
        if let Some(content) = variant.content {
            self.enter()?;
            out.push(b'{');
            self.open.push(Open::Variant(Some(content)));
        }
        self.plain(&variant.quoted, out, end);
        Ok(())
    }

    fn variant(&mut self, table: &'a Enum) -> Step<(&'a Variant, u64)> {
        let number = self.reader.varint(32)?;
        let variant = table.variants.get(number as usize).ok_or(Reason::UnknownVariant)?;
        Ok((variant, number))
    }

    fn plain(&mut self, text: &'a [u8], out: &mut Vec<u8>, end: usize) {
        match fits(text.len(), out, end) {
            true => out.extend_from_slice(text),
            false => self.piece = Some(Piece::Plain(text)),
        }
    }

    fn close(&mut self, sign: u8, start: Option<usize>, out: &mut Vec<u8>) -> Step {
        self.open.pop();
        out.push(sign);
        self.leave(start)
    }

    fn enter(&mut self) -> Step {
        self.depth += 1;
        match self.depth > MAX_DEPTH {
            true => Err(Reason::TooDeep.into()),
            false => Ok(()),
        }
    }

    /// Ends a container. One that has no length of its own and began where the reader still is was of size zero.
    fn leave(&mut self, start: Option<usize>) -> Step {
        self.depth -= 1;
        match start == Some(self.reader.offset()) {
            true => self.zero_sized(),
            false => Ok(()),
        }
    }

    fn zero_sized(&mut self) -> Step {
        self.zero_sized += 1;
        match self.zero_sized > MAX_ZERO_SIZED_ITEMS {
            true => Err(Reason::TooManyZeroSizedItems.into()),
            false => Ok(()),
        }
    }
}

/// Whether there is room for so many bytes, and then for a token.
fn fits(bytes: usize, out: &[u8], end: usize) -> bool {
    out.len().saturating_add(bytes).saturating_add(TOKEN) <= end
}
