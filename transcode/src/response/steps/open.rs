//! The containers that are open: what each still has, and how it goes on.

use super::{Decoding, Step, fits};
use crate::json::Keys;
use crate::layout::{Enum, Field, Node, NodeId, Struct, Variant};
use crate::response::decode::is_absent;
use crate::response::pieces::Piece;
use callgate_protocol::check::Reason;
use callgate_protocol::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};
use std::iter::Enumerate;
use std::slice::Iter;

/// A container that is open, or what else is to be done after a value.
#[derive(Debug)]
pub(super) enum Open<'a> {
    Struct(Fields<'a>),
    /// Further items, whether one was begun, and where it began if it may be of size zero.
    Items(Items<'a>, bool, Option<usize>),
    Map(Map<'a>),
    /// The content of a variant, which is yet to come or was begun, and how it stands there.
    Variant(Option<NodeId>, Content<'a>),
    /// A struct of which one field is wanted: further fields, the path, and where it began.
    Chosen(Enumerate<Iter<'a, Field>>, &'a [u32], usize),
    /// A value that nobody sees was read.
    Discarded,
}

/// What else an object has beside what is written: no key of a map may be a member of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'a> {
    pub(super) tag: Option<&'a str>,
    pub(super) table: Option<&'a Struct>,
}

/// The fields of a struct that are left.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    left: Iter<'a, Field>,
    /// Whether its object has a member already.
    begun: bool,
    start: usize,
    object: Object<'a>,
    /// Whether its members stand in the object of another one.
    within: bool,
}

/// How a variant's content stands in the object that names it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content<'a> {
    /// Behind the variant's name, and a colon before it.
    Named,
    /// As the value of a member whose name is written.
    Value,
    /// Its members are those of the object.
    Members(Object<'a>),
}

#[derive(Debug)]
pub(super) enum Items<'a> {
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

/// The entries of a map that are left.
#[derive(Debug)]
pub(super) struct Map<'a> {
    key: NodeId,
    value: NodeId,
    left: u64,
    /// Whether its object has a member already.
    begun: bool,
    /// The key was written, and the value comes next.
    keyed: bool,
    pub(super) keys: Keys,
    /// The object in which its entries stand, if that is not its own.
    pub(super) within: Option<Object<'a>>,
}

impl<'a> Decoding<'a> {
    /// Goes on with the innermost container.
    pub(super) fn go_on(&mut self, out: &mut Vec<u8>, end: usize) -> Step {
        match self.open.last_mut() {
            None => Ok(()),
            Some(Open::Struct(fields)) => {
                let Some(field) = fields.left.next() else { return self.end_struct(out) };
                if field.flat {
                    let (object, begun) = (fields.object, fields.begun);
                    return self.flattened(field.node, object, begun);
                }
                if is_absent(self.program.layout.node(field.node), &mut self.reader)? {
                    return Ok(());
                }
                let opening = if std::mem::replace(&mut fields.begun, true) { b',' } else { b'{' };
                self.field(field, opening, out, end)
            }
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
            Some(Open::Map(map)) => {
                let Some(left) = map.left.checked_sub(1) else { return self.end_map(out) };
                map.left = left;
                if std::mem::replace(&mut map.begun, true) {
                    out.push(b',');
                } else if map.within.is_some() {
                    out.push(b'{');
                }
                map.keyed = true;
                let key = map.key;
                self.key(key, out, end)
            }
            Some(Open::Variant(content, how)) => match (content.take(), *how) {
                (Some(content), Content::Named) => {
                    out.push(b':');
                    self.begin(content, out, end)
                }
                (Some(content), Content::Value) => self.begin(content, out, end),
                (Some(content), Content::Members(object)) => self.flattened(content, object, true),
                (None, _) => self.close(b'}', None, out),
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

    pub(super) fn structure(&mut self, table: &'a Struct) -> Step {
        let object = Object { tag: None, table: Some(table) };
        self.fields(table, object, false, false)
    }

    fn fields(&mut self, table: &'a Struct, object: Object<'a>, begun: bool, within: bool) -> Step {
        self.enter()?;
        let (left, start) = (table.fields.iter(), self.reader.offset());
        self.open.push(Open::Struct(Fields { left, begun, start, object, within }));
        Ok(())
    }

    fn end_struct(&mut self, out: &mut Vec<u8>) -> Step {
        let Some(Open::Struct(fields)) = self.open.pop() else { return Ok(()) };
        if fields.within {
            self.has_members(fields.begun);
        } else {
            if !fields.begun {
                out.push(b'{');
            }
            out.push(b'}');
        }
        self.leave(Some(fields.start))
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

    /// Begins a value whose members stand in an object that is open.
    fn flattened(&mut self, node: NodeId, object: Object<'a>, begun: bool) -> Step {
        match self.program.layout.node(node) {
            Node::Option(inner) => match self.reader.bool()? {
                true => self.flattened(*inner, object, begun),
                false => Ok(()),
            },
            Node::Struct(table) => self.fields(table, object, begun, true),
            Node::Map(key, value) => self.entries(*key, *value, begun, Some(object)),
            // The layout flattens nothing else.
            _ => Ok(()),
        }
    }

    /// Tells the struct around whether its object has a member now.
    fn has_members(&mut self, begun: bool) {
        if let Some(Open::Struct(outer)) = self.open.last_mut() {
            outer.begun = begun;
        }
    }

    pub(super) fn map(&mut self, key: NodeId, value: NodeId, out: &mut Vec<u8>) -> Step {
        self.entries(key, value, false, None)?;
        out.push(b'{');
        Ok(())
    }

    fn entries(&mut self, key: NodeId, value: NodeId, begun: bool, within: Option<Object<'a>>) -> Step {
        let left = self.reader.length()?;
        self.enter()?;
        let keys = Keys::default();
        self.open.push(Open::Map(Map { key, value, left, begun, keyed: false, keys, within }));
        Ok(())
    }

    fn end_map(&mut self, out: &mut Vec<u8>) -> Step {
        let Some(Open::Map(map)) = self.open.pop() else { return Ok(()) };
        self.keys -= map.keys.count();
        match map.within {
            Some(_) => self.has_members(map.begun),
            None => out.push(b'}'),
        }
        self.leave(None)
    }

    pub(super) fn items(&mut self, items: Items<'a>, start: Option<usize>, out: &mut Vec<u8>) -> Step {
        self.enter()?;
        out.push(b'[');
        self.open.push(Open::Items(items, false, start));
        Ok(())
    }

    pub(super) fn enumeration(&mut self, table: &'a Enum, out: &mut Vec<u8>, end: usize) -> Step {
        let (variant, _) = self.variant(table)?;
        let Some(tagged) = &table.tagged else {
            if let Some(content) = variant.content {
                self.enter()?;
                out.push(b'{');
                self.open.push(Open::Variant(Some(content), Content::Named));
            }
            self.plain(&variant.quoted, out, end);
            return Ok(());
        };
        self.enter()?;
        let how = match (variant.content, &tagged.content) {
            (Some(content), None) => {
                let table = match self.program.layout.node(content) {
                    Node::Struct(table) => Some(table),
                    _ => None,
                };
                Content::Members(Object { tag: Some(&tagged.tag), table })
            }
            _ => Content::Value,
        };
        self.open.push(Open::Variant(variant.content, how));
        self.plain(&variant.opening, out, end);
        Ok(())
    }

    pub(super) fn variant(&mut self, table: &'a Enum) -> Step<(&'a Variant, u64)> {
        let number = self.reader.varint(32)?;
        let variant = table.variants.get(number as usize).ok_or(Reason::UnknownVariant)?;
        Ok((variant, number))
    }

    fn close(&mut self, sign: u8, start: Option<usize>, out: &mut Vec<u8>) -> Step {
        self.open.pop();
        out.push(sign);
        self.leave(start)
    }

    pub(super) fn enter(&mut self) -> Step {
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

    pub(super) fn zero_sized(&mut self) -> Step {
        self.zero_sized += 1;
        match self.zero_sized > MAX_ZERO_SIZED_ITEMS {
            true => Err(Reason::TooManyZeroSizedItems.into()),
            false => Ok(()),
        }
    }
}
