//! The walk over a message: reads each value once and writes its JSON. Bounded as `callgate_protocol::check` is.

mod chosen;
mod maps;
mod plain;
mod shapes;

use super::DecodeReason;
use crate::json::{Key, document, put_on_one_line};
use crate::layout::{Enum, Layout, Node, NodeId, Struct, Variant};
use crate::scalar::Style;
use callgate_protocol::check::Reason;
use callgate_protocol::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};
use callgate_protocol::wire::Reader;

pub(super) use shapes::is_absent;

type Step = Result<(), DecodeReason>;

pub(super) struct Decoder<'a> {
    layout: &'a Layout,
    reader: Reader<'a>,
    out: &'a mut Vec<u8>,
    /// Past that length of `out` it gives up.
    most: usize,
    style: Style,
    depth: usize,
    zero_sized: usize,
    /// Scratch of the maps that are open: where their keys stand in `out`.
    keys: Vec<Key>,
}

impl<'a> Decoder<'a> {
    /// One that gives up when `out` becomes longer than `most`; one scalar may go past it.
    pub(super) fn new(
        layout: &'a Layout,
        message: &'a [u8],
        out: &'a mut Vec<u8>,
        style: Style,
        most: usize,
    ) -> Self {
        let reader = Reader::new(message);
        Decoder { layout, reader, out, most, style, depth: 0, zero_sized: 0, keys: Vec::new() }
    }

    /// How much of the message was read.
    pub(super) fn offset(&self) -> usize {
        self.reader.offset()
    }

    /// Reads the content of a variant whose number was read up to that offset.
    pub(super) fn content(&mut self, offset: usize, content: Option<NodeId>) -> Step {
        self.reader.take(offset)?;
        let Some(content) = content else { return Ok(()) };
        // JSON shows an object around it, which counts.
        self.enter()?;
        self.value(content)?;
        self.depth -= 1;
        self.has_room(0)
    }

    /// The message must end here.
    pub(super) fn end(&self) -> Step {
        match self.reader.remaining() {
            0 => Ok(()),
            _ => Err(Reason::TrailingBytes.into()),
        }
    }

    /// Reads and writes one value.
    #[inline(always)]
    pub(super) fn value(&mut self, node: NodeId) -> Step {
        match self.layout.node(node) {
            // Most values. They do not need the frame of the others, which costs as much as a small one itself.
            Node::Scalar(scalar) => scalar.print(&mut self.reader, self.out, self.style),
            node => self.compound(node),
        }
    }

    #[inline(never)]
    fn compound(&mut self, node: &'a Node) -> Step {
        match node {
            Node::Scalar(_) => Ok(()),
            Node::Struct(table) => self.structure(table),
            Node::Option(inner) => match self.reader.bool()? {
                true => self.value(*inner),
                false => self.null(),
            },
            Node::Presence(inner) => self.presence(*inner),
            Node::Guarded(inner, _) => self.apart(*inner),
            Node::List(item) | Node::Set(item) => self.list(*item),
            Node::Enum(table) => self.enumeration(table),
            Node::Map(key, value) => self.map(*key, *value),
            Node::Json => self.json(),
            Node::Array(item, length) => self.array(*item, *length),
            Node::Tuple(items) => self.tuple(items),
            Node::Unit => {
                self.null()?;
                self.zero_sized()
            }
        }
    }

    /// The same as [`value`](Self::value), for what is rare: inlined there it would cost the others.
    #[inline(never)]
    fn apart(&mut self, node: NodeId) -> Step {
        self.value(node)
    }

    fn null(&mut self) -> Step {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn enter(&mut self) -> Step {
        self.depth += 1;
        match self.depth > MAX_DEPTH {
            true => Err(Reason::TooDeep.into()),
            false => Ok(()),
        }
    }

    /// Ends a container that has no length of its own and began at `start`: it may have been of size zero.
    fn leave(&mut self, start: usize) -> Step {
        self.depth -= 1;
        match self.reader.offset() == start {
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

    /// Whether so many bytes more are too many. Asked before whatever is not bounded by the bytes of the message.
    #[inline]
    fn has_room(&self, more: usize) -> Step {
        match self.out.len().saturating_add(more) > self.most {
            true => Err(DecodeReason::TooLong),
            false => Ok(()),
        }
    }

    fn structure(&mut self, table: &'a Struct) -> Step {
        self.enter()?;
        self.has_room(table.leads as usize)?;
        let start = self.reader.offset();
        if table.sparse {
            self.sparse_object(table)?;
            return self.leave(start);
        }
        if table.fields.is_empty() {
            self.out.push(b'{');
        }
        self.fields(&table.fields)?;
        self.out.push(b'}');
        self.leave(start)
    }

    fn list(&mut self, item: NodeId) -> Step {
        let count = self.reader.length()?;
        self.enter()?;
        match self.layout.node(item) {
            // Long lists are of objects, as a rule; which they are is not asked for each.
            Node::Struct(table) => self.items(count, |decoder| decoder.structure(table))?,
            _ => self.items(count, |decoder| decoder.value(item))?,
        }
        self.depth -= 1;
        Ok(())
    }

    fn array(&mut self, item: NodeId, length: u32) -> Step {
        self.enter()?;
        let start = self.reader.offset();
        self.items(u64::from(length), |decoder| decoder.value(item))?;
        self.leave(start)
    }

    /// The count is not believed: each item takes bytes that are there, or counts as zero-sized.
    fn items(&mut self, count: u64, mut one: impl FnMut(&mut Self) -> Step) -> Step {
        self.out.push(b'[');
        for index in 0..count {
            if index > 0 {
                self.out.push(b',');
            }
            self.has_room(0)?;
            one(self)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn tuple(&mut self, items: &'a [NodeId]) -> Step {
        self.enter()?;
        let start = self.reader.offset();
        let mut items = items.iter();
        self.items(items.len() as u64, |decoder| items.next().map_or(Ok(()), |item| decoder.value(*item)))?;
        self.leave(start)
    }

    fn variant(&mut self, table: &'a Enum) -> Result<&'a Variant, DecodeReason> {
        let number = self.reader.varint(32)? as usize;
        let variant = table.variants.get(number).ok_or(Reason::UnknownVariant)?;
        self.has_room(variant.quoted.len())?;
        Ok(variant)
    }

    fn enumeration(&mut self, table: &'a Enum) -> Step {
        let variant = self.variant(table)?;
        if let Some(tagged) = &table.tagged {
            return self.tagged(variant, tagged);
        }
        let Some(content) = variant.content else {
            self.out.extend_from_slice(&variant.quoted);
            return Ok(());
        };
        self.enter()?;
        self.out.push(b'{');
        self.out.extend_from_slice(&variant.quoted);
        self.out.push(b':');
        self.value(content)?;
        self.out.push(b'}');
        self.depth -= 1;
        Ok(())
    }

    /// What a backend calls JSON is checked before it becomes a part of the answer.
    fn json(&mut self) -> Step {
        let text = self.reader.str()?;
        if !self.style.discard {
            document(text, self.depth).map_err(|_| DecodeReason::InvalidJson)?;
            put_on_one_line(self.out, text);
        }
        Ok(())
    }
}
