//! The walk over an encoded message to the fields that are wanted. What lies between is passed, and what lies behind the last of them is
//! not looked at.
//!
//! The message was written or checked before, so nothing is wrong with it. The bounds are kept all the same: containers recurse, which
//! the depth bounds, and values without bytes are counted.

use super::value::{self, FieldValue};
use crate::layout::{Layout, Node, NodeId, Struct};
use crate::scalar::{Int, Scalar};
use callgate_protocol::check::Reason;
use callgate_protocol::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};
use callgate_protocol::wire::Reader;

/// A field that is wanted. They are sorted by their paths, which is the order in which a message has them.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Its place among those that were asked for.
    pub(crate) at: usize,
    /// Its index in each struct, from the outside in.
    pub(crate) path: Vec<u32>,
    /// Its type.
    pub(crate) node: NodeId,
}

type Step = Result<(), Reason>;

pub(crate) struct Walk<'a> {
    layout: &'a Layout,
    reader: Reader<'a>,
    depth: usize,
    /// How many more items without bytes are passed.
    left: usize,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(layout: &'a Layout, message: &'a [u8]) -> Walk<'a> {
        Walk::at(layout, Reader::new(message))
    }

    /// One that goes on there.
    pub(super) fn at(layout: &'a Layout, reader: Reader<'a>) -> Walk<'a> {
        Walk { layout, reader, depth: 0, left: MAX_ZERO_SIZED_ITEMS }
    }

    /// Reads the next value of a list, and passes it where it is none that can be compared.
    pub(super) fn item(&mut self, item: NodeId) -> Result<Option<FieldValue<'a>>, Reason> {
        let mut ahead = self.reader.clone();
        let value = value::read(self.layout, self.layout.node(item), &mut ahead)?;
        match value {
            Some(_) => self.reader = ahead,
            None => self.pass(item)?,
        }
        Ok(value)
    }

    /// How much of the message was passed.
    pub(crate) fn offset(&self) -> usize {
        self.reader.offset()
    }

    /// Walks to the fields `wanted`, which lie within a value that is `depth` names deep, and notes for each where its value begins,
    /// behind what says that it is there. Of one that is absent or null nothing is noted. `last`: nothing that is wanted follows the
    /// value.
    pub(crate) fn find(
        &mut self,
        node: NodeId,
        wanted: &[Wanted],
        depth: usize,
        last: bool,
        note: &mut impl FnMut(&Wanted, usize),
    ) -> Step {
        let Some(node) = self.present(node)? else { return Ok(()) };
        let node = self.layout.node(node);
        let itself = wanted.iter().take_while(|one| one.path.len() == depth).count();
        let (itself, inside) = wanted.split_at(itself);
        if !itself.is_empty() && !self.is_null(node)? {
            let offset = self.offset();
            itself.iter().for_each(|one| note(one, offset));
        }
        match node {
            Node::Struct(table) if !inside.is_empty() => self.find_within(table, inside, depth, last, note),
            _ if last => Ok(()),
            node => self.pass_bare(node),
        }
    }

    fn find_within(
        &mut self,
        table: &Struct,
        wanted: &[Wanted],
        depth: usize,
        last: bool,
        note: &mut impl FnMut(&Wanted, usize),
    ) -> Step {
        self.enter()?;
        let mut left = wanted;
        for (index, field) in (0..).zip(&table.fields) {
            if left.is_empty() && last {
                break;
            }
            let here = left.iter().take_while(|one| one.path.get(depth) == Some(&index)).count();
            let (here, later) = left.split_at(here);
            if here.is_empty() {
                self.pass(field.node)?;
            } else {
                self.find(field.node, here, depth + 1, last && later.is_empty(), note)?;
            }
            left = later;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads what says whether there is a value; gives its type without what is around it.
    #[inline]
    fn present(&mut self, mut node: NodeId) -> Result<Option<NodeId>, Reason> {
        loop {
            node = match self.layout.node(node) {
                Node::Option(inner) => match self.reader.bool()? {
                    true => *inner,
                    false => return Ok(None),
                },
                Node::Presence(inner) => match self.reader.varint(32)? {
                    0 | 1 => return Ok(None),
                    2 => *inner,
                    _ => return Err(Reason::UnknownVariant),
                },
                Node::Guarded(inner, _) => *inner,
                _ => return Ok(Some(node)),
            };
        }
    }

    /// Whether a value that is there is JSON's `null`.
    fn is_null(&self, node: &Node) -> Result<bool, Reason> {
        Ok(match node {
            Node::Unit => true,
            Node::Json => self.reader.clone().str()?.trim_ascii() == "null",
            _ => false,
        })
    }

    /// Passes a value.
    #[inline]
    fn pass(&mut self, node: NodeId) -> Step {
        match self.layout.node(node) {
            Node::Scalar(scalar) => pass_scalar(*scalar, &mut self.reader),
            _ => match self.present(node)? {
                Some(node) => self.pass_bare(self.layout.node(node)),
                None => Ok(()),
            },
        }
    }

    fn pass_bare(&mut self, node: &Node) -> Step {
        match node {
            Node::Unit => Ok(()),
            Node::Scalar(scalar) => pass_scalar(*scalar, &mut self.reader),
            Node::Json => Ok(self.reader.bytes().map(drop)?),
            Node::List(item) | Node::Set(item) => {
                let count = self.reader.length()?;
                self.items(*item, count)
            }
            Node::Array(item, count) => self.items(*item, u64::from(*count)),
            Node::Tuple(items) => self.nested(|walk| items.iter().try_for_each(|item| walk.pass(*item))),
            Node::Map(key, value) => {
                let count = self.reader.length()?;
                self.nested(|walk| {
                    (0..count).try_for_each(|_| walk.pass(*key).and_then(|()| walk.pass(*value)))
                })
            }
            Node::Struct(table) => {
                self.nested(|walk| table.fields.iter().try_for_each(|field| walk.pass(field.node)))
            }
            Node::Enum(table) => {
                let number = usize::try_from(self.reader.varint(32)?).map_err(|_| Reason::UnknownVariant)?;
                let variant = table.variants.get(number).ok_or(Reason::UnknownVariant)?;
                match variant.content {
                    Some(content) => self.nested(|walk| walk.pass(content)),
                    None => Ok(()),
                }
            }
            // Those are around a value, and `present` has passed them.
            Node::Option(_) | Node::Presence(_) | Node::Guarded(..) => Ok(()),
        }
    }

    /// Passes so many items. Each takes bytes, or is counted.
    fn items(&mut self, item: NodeId, count: u64) -> Step {
        self.nested(|walk| {
            for _ in 0..count {
                let before = walk.offset();
                walk.pass(item)?;
                if walk.offset() == before {
                    walk.left = walk.left.checked_sub(1).ok_or(Reason::TooManyZeroSizedItems)?;
                }
            }
            Ok(())
        })
    }

    fn nested(&mut self, inside: impl FnOnce(&mut Self) -> Step) -> Step {
        self.enter()?;
        inside(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn enter(&mut self) -> Step {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(Reason::TooDeep) } else { Ok(()) }
    }
}

#[inline]
pub(super) fn pass_scalar(scalar: Scalar, reader: &mut Reader<'_>) -> Step {
    match scalar {
        Scalar::Bool => drop(reader.u8()?),
        Scalar::Int(int) => int.pass(reader)?,
        Scalar::F32 | Scalar::Ipv4Addr => drop(reader.take(4)?),
        Scalar::F64 => drop(reader.take(8)?),
        Scalar::String | Scalar::Bytes | Scalar::Uuid | Scalar::Text(_) => drop(reader.bytes()?),
        Scalar::Char => drop(reader.char()?),
        Scalar::Timestamp | Scalar::Duration => {
            reader.varint(64)?;
            reader.varint(32)?;
        }
        Scalar::IpAddr => match reader.varint(32)? {
            0 => drop(reader.take(4)?),
            1 => drop(reader.take(16)?),
            _ => return Err(Reason::UnknownVariant),
        },
        Scalar::Ipv6Addr => drop(reader.take(16)?),
    }
    Ok(())
}

impl Int {
    #[inline]
    fn pass(self, reader: &mut Reader<'_>) -> Step {
        match self {
            Int::U8 | Int::I8 => drop(reader.u8()?),
            Int::U128 | Int::I128 => drop(reader.varint128()?),
            _ => drop(reader.varint(64)?),
        }
        Ok(())
    }
}
