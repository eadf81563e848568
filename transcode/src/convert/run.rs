//! The walk: one pass over the message, which it checks as it goes.
//!
//! Bounds are those of any message: depth, values without bytes, and the bytes that are really there. They hold for what
//! is read and for what is written, which can have more of both. Containers recurse, which the depth bounds; options
//! count nothing there and are passed in a loop. A struct whose fields have moved is written in the order in which it
//! is read, and put in order at its end: its bytes are copied once more for each such struct around them.

use super::error::{Done, Failure, Segment};
use super::scalar::{pass, plain_width};
use super::{Content, ConvertError, ConvertReason, Converter, Maybe, Op, OpId, Step, Struct, Variant};
use crate::layout::Fixed;
use callgate_protocol::check::{Keys, Reason};
use callgate_protocol::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};
use callgate_protocol::wire::{Reader, put_varint};

pub(super) fn message(
    program: &Converter,
    message: &[u8],
    out: &mut Vec<u8>,
    most: usize,
) -> Result<(), ConvertError> {
    let mut walk = Walk {
        program,
        reader: Reader::new(message),
        end: out.len().saturating_add(most),
        out,
        dropping: 0,
        depth: 0,
        read_empty: 0,
        written_empty: 0,
        ends: Vec::new(),
        moved: Vec::new(),
    };
    let walked = walk.value(program.root).and_then(|()| match walk.reader.remaining() {
        0 => Ok(()),
        _ => Err(Reason::TrailingBytes.into()),
    });
    walked.map_err(|failure| failure.told(walk.reader.offset()))
}

struct Walk<'a, 'b> {
    program: &'a Converter,
    reader: Reader<'b>,
    out: &'b mut Vec<u8>,
    /// The greatest length of `out`.
    end: usize,
    /// How many of the values around are dropped: then nothing is written.
    dropping: u32,
    depth: usize,
    read_empty: usize,
    written_empty: usize,
    /// Where the kept fields of structs end that have moved.
    ends: Vec<usize>,
    moved: Vec<u8>,
}

impl<'a> Walk<'a, '_> {
    fn value(&mut self, mut op: OpId) -> Done {
        loop {
            let Some(now) = self.program.ops.get(op as usize) else {
                // No program has such an index.
                return Ok(());
            };
            match now {
                Op::Given(some, value) => {
                    self.put(some)?;
                    op = *value;
                }
                Op::Maybe(maybe) => {
                    let given = self.reader.bool()?;
                    match self.maybe(maybe, given)? {
                        Some(value) => op = value,
                        None => return Ok(()),
                    }
                }
                Op::Presence(absent, maybe) => match self.presence(absent.as_ref(), maybe)? {
                    Some(value) => op = value,
                    None => return Ok(()),
                },
                other => return self.one(other),
            }
        }
    }

    /// What is to be read next, if there is a value.
    fn maybe(&mut self, maybe: &'a Maybe, given: bool) -> Result<Option<OpId>, Box<Failure>> {
        if given {
            self.put(maybe.some)?;
            return Ok(Some(maybe.value));
        }
        self.instead(maybe.none.as_ref())
    }

    fn presence(&mut self, absent: Option<&Fixed>, maybe: &'a Maybe) -> Result<Option<OpId>, Box<Failure>> {
        match self.reader.varint(32)? {
            0 => self.instead(absent),
            number @ (1 | 2) => self.maybe(maybe, number == 2),
            _ => Err(Reason::UnknownVariant.into()),
        }
    }

    fn instead(&mut self, fixed: Option<&Fixed>) -> Result<Option<OpId>, Box<Failure>> {
        match fixed {
            Some(fixed) => self.put_fixed(fixed)?,
            None => return Err(ConvertReason::None.into()),
        }
        Ok(None)
    }

    fn one(&mut self, op: &'a Op) -> Done {
        match op {
            // Taken in the loop.
            Op::Given(..) | Op::Maybe(_) | Op::Presence(..) => Ok(()),
            Op::Unit => {
                self.read_empty()?;
                self.written_empty(1)
            }
            Op::Copy(ty) => {
                let before = self.reader.offset();
                pass(&mut self.reader, ty)?;
                self.put(self.reader.since(before))
            }
            Op::Int(from, to) => {
                let value = from.read(&mut self.reader)?;
                let written = self.out.len();
                if !to.put(value, self.out) {
                    return Err(ConvertReason::OutOfRange(format!("{value} does not fit {to}")).into());
                }
                self.keep(written)
            }
            Op::Widen => {
                let value = f32::from_le_bytes(self.reader.array()?);
                self.put(&f64::from(value).to_le_bytes())
            }
            Op::List(item) => {
                let count = self.length()?;
                self.items(*item, count)
            }
            Op::Array(item, length) => {
                let before = self.mark();
                self.items(*item, u64::from(*length))?;
                self.count_if_empty(before)
            }
            Op::Tuple(items) => self.tuple(items),
            Op::Set(item) => self.set(*item),
            Op::Map(key, value) => self.map(*key, *value),
            Op::Struct(table) => self.structure(table),
            Op::Enum(variants) => self.enumeration(variants),
        }
    }

    fn length(&mut self) -> Result<u64, Box<Failure>> {
        let count = self.reader.length()?;
        let written = self.out.len();
        put_varint(self.out, count);
        self.keep(written)?;
        Ok(count)
    }

    /// `count` values of one type. The count is only a claim: the bytes run out, or the allowance of empty ones does.
    fn items(&mut self, item: OpId, count: u64) -> Done {
        self.enter()?;
        let width = self.program.ops.get(item as usize).and_then(plain_width);
        if let Some(width) = width {
            let bytes = usize::try_from(count.saturating_mul(width)).unwrap_or(usize::MAX);
            let taken = self.reader.take(bytes)?;
            self.put(taken)?;
        } else {
            for index in 0..count {
                self.value(item).map_err(|failure| failure.at(Segment::Index(index)))?;
            }
        }
        self.leave();
        Ok(())
    }

    /// A map. Two keys that are different as they are read may be one as they are written.
    #[inline(never)]
    fn map(&mut self, key: OpId, value: OpId) -> Done {
        let count = self.length()?;
        self.enter()?;
        let mut keys = Keys::new();
        for index in 0..count {
            let before = self.mark();
            let read =
                self.value(key).and_then(|()| self.note(&mut keys, before)).and_then(|()| self.value(value));
            read.map_err(|failure| failure.at(Segment::Index(index)))?;
        }
        self.compared(&mut keys)?;
        self.leave();
        Ok(())
    }

    /// A set, likewise: its items may have lost the fields in which they differ.
    #[inline(never)]
    fn set(&mut self, item: OpId) -> Done {
        let count = self.length()?;
        self.enter()?;
        let mut items = Keys::new();
        for index in 0..count {
            let before = self.mark();
            let read = self.value(item).and_then(|()| self.note(&mut items, before));
            read.map_err(|failure| failure.at(Segment::Index(index)))?;
        }
        self.compared(&mut items)?;
        self.leave();
        Ok(())
    }

    /// Notes what was read and written since then. What is dropped is only read.
    fn note(&self, keys: &mut Keys, before: (usize, usize)) -> Done {
        let now = self.mark();
        let is_new = match self.dropping > 0 {
            true => keys.add(self.reader.since(0), before.0..now.0),
            false => keys.add(self.out, before.1..now.1),
        };
        if is_new { Ok(()) } else { Err(ConvertReason::Twice.into()) }
    }

    fn compared(&self, keys: &mut Keys) -> Done {
        let bytes = if self.dropping > 0 { self.reader.since(0) } else { self.out.as_slice() };
        if keys.are_distinct(bytes) { Ok(()) } else { Err(ConvertReason::Twice.into()) }
    }

    fn tuple(&mut self, items: &'a [OpId]) -> Done {
        let before = self.mark();
        self.enter()?;
        for (index, item) in (0..).zip(items) {
            self.value(*item).map_err(|failure| failure.at(Segment::Index(index)))?;
        }
        self.leave();
        self.count_if_empty(before)
    }

    fn structure(&mut self, table: &'a Struct) -> Done {
        let before = self.mark();
        self.enter()?;
        self.put_fixed(&table.first)?;
        match &table.order {
            None => table.steps.iter().try_for_each(|step| self.step(step))?,
            Some(order) => self.moved(&table.steps, order)?,
        }
        self.leave();
        self.count_if_empty(before)
    }

    fn step(&mut self, step: &'a Step) -> Done {
        self.dropping += u32::from(step.kept.is_none());
        self.value(step.op).map_err(|failure| failure.at(Segment::Name(step.name.to_string().into())))?;
        match &step.kept {
            Some(behind) => self.put_fixed(behind),
            None => {
                self.dropping -= 1;
                Ok(())
            }
        }
    }

    /// Fields of which the wanted order is another. What is dropped has not moved, so that all of these are written.
    fn moved(&mut self, steps: &'a [Step], order: &[u32]) -> Done {
        let (start, base) = (self.out.len(), self.ends.len());
        // The end of each is the beginning of the next.
        self.ends.push(start);
        for step in steps {
            self.step(step)?;
            if step.kept.is_some() {
                self.ends.push(self.out.len());
            }
        }
        self.moved.clear();
        for place in order {
            let at = base + *place as usize;
            if let Some([begin, end]) = self.ends.get(at..at + 2) {
                self.moved.extend_from_slice(self.out.get(*begin..*end).unwrap_or_default());
            }
        }
        self.out.truncate(start);
        self.out.extend_from_slice(&self.moved);
        self.ends.truncate(base);
        Ok(())
    }

    fn enumeration(&mut self, variants: &'a [Variant]) -> Done {
        let number = self.reader.varint(32)?;
        let variant = variants.get(number as usize).ok_or(Reason::UnknownVariant)?;
        let Some((number, content)) = &variant.wanted else {
            return Err(ConvertReason::UnknownVariant(variant.name.to_string()).into());
        };
        let written = self.out.len();
        put_varint(self.out, u64::from(*number));
        self.keep(written)?;
        if let Content::Unit = content {
            return Ok(());
        }
        self.enter()?;
        let converted = match content {
            Content::Unit => Ok(()),
            Content::Value(value) => self.value(*value),
            Content::Tuple(items) => self.tuple(items),
            Content::Fields(table) => self.structure(table),
        };
        converted.map_err(|failure| failure.at(Segment::Name(variant.name.to_string().into())))?;
        self.leave();
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Done {
        if self.dropping > 0 {
            return Ok(());
        }
        if self.out.len().saturating_add(bytes.len()) > self.end {
            return Err(ConvertReason::TooLong.into());
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Keeps what a few bytes were just written of, as [`put`](Self::put) would have.
    fn keep(&mut self, before: usize) -> Done {
        if self.dropping > 0 {
            self.out.truncate(before);
        }
        match self.out.len() > self.end {
            true => Err(ConvertReason::TooLong.into()),
            false => Ok(()),
        }
    }

    fn put_fixed(&mut self, fixed: &Fixed) -> Done {
        if self.depth + fixed.depth > MAX_DEPTH {
            return Err(ConvertReason::TooDeep.into());
        }
        self.written_empty(fixed.zero_sized)?;
        self.put(&fixed.bytes)
    }

    fn enter(&mut self) -> Done {
        self.depth += 1;
        match self.depth > MAX_DEPTH {
            true => Err(Reason::TooDeep.into()),
            false => Ok(()),
        }
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// How much was read and written.
    fn mark(&self) -> (usize, usize) {
        (self.reader.offset(), self.out.len())
    }

    /// Counts a container that has no length or number of its own, on each side on which it took no bytes.
    fn count_if_empty(&mut self, before: (usize, usize)) -> Done {
        let now = self.mark();
        if now.0 == before.0 {
            self.read_empty()?;
        }
        match now.1 == before.1 {
            true => self.written_empty(1),
            false => Ok(()),
        }
    }

    fn read_empty(&mut self) -> Done {
        self.read_empty += 1;
        match self.read_empty > MAX_ZERO_SIZED_ITEMS {
            true => Err(Reason::TooManyZeroSizedItems.into()),
            false => Ok(()),
        }
    }

    fn written_empty(&mut self, count: usize) -> Done {
        if self.dropping == 0 {
            self.written_empty += count;
        }
        match self.written_empty > MAX_ZERO_SIZED_ITEMS {
            true => Err(ConvertReason::TooManyZeroSizedItems.into()),
            false => Ok(()),
        }
    }
}
