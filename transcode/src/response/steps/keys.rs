//! The keys of maps: each written, and noted so that no map is shown that has one twice.

use super::open::{Object, Open};
use super::{Decoding, Step};
use crate::layout::{Node, NodeId};
use crate::response::{DecodeReason, is_member, is_member_named};
use crate::scalar::Scalar;
use callgate_protocol::wire::Reader;

impl<'a> Decoding<'a> {
    /// Writes a map's key, unless the map has it already, or the object in which its entries stand.
    pub(super) fn key(&mut self, node: NodeId, out: &mut Vec<u8>, end: usize) -> Step {
        let at = self.reader.offset();
        self.key.clear();
        let object = self.object_around();
        match self.program.layout.node(node) {
            Node::Scalar(scalar @ (Scalar::String | Scalar::Text(_))) => {
                let bytes = self.reader.bytes()?;
                if let Scalar::Text(form) = scalar {
                    form.check_printed(bytes, self.style)?;
                }
                self.note_key(node, bytes, at)?;
                let is_member = |object: Object<'_>| {
                    let name = std::str::from_utf8(bytes);
                    name.is_ok_and(|name| is_member_named(name, object.tag, object.table))
                };
                refuse_if(object.is_some_and(is_member))?;
                self.string(bytes, out, end)
            }
            Node::Scalar(scalar) => {
                let mut key = std::mem::take(&mut self.key);
                scalar.print_key(&mut self.reader, &mut key, self.style)?;
                out.extend_from_slice(&key);
                self.note_key(node, &key, at)?;
                refuse_if(object.is_some_and(|object| is_member(&key, object.tag, object.table)))?;
                self.key = key;
                Ok(())
            }
            Node::Enum(table) => {
                let (variant, number) = self.variant(table)?;
                self.note_key(node, &number.to_le_bytes(), at)?;
                let is_member = |object: Object<'_>| is_member_named(&variant.name, object.tag, object.table);
                refuse_if(object.is_some_and(is_member))?;
                self.plain(&variant.quoted, out, end);
                Ok(())
            }
            // The layout has no maps of other keys.
            _ => self.begin(node, out, end),
        }
    }

    /// The object in which the innermost map's entries stand, if it has other members and is shown.
    fn object_around(&self) -> Option<Object<'a>> {
        match self.open.last() {
            Some(Open::Map(map)) if !self.style.discard => map.within,
            _ => None,
        }
    }

    /// Notes the key that was read at that offset; `text` is the same for equal keys, however each is encoded. A key that nobody
    /// sees may have no text, and is its bytes.
    fn note_key(&mut self, node: NodeId, text: &[u8], at: usize) -> Step {
        let text = match self.style.discard {
            true => self.message.get(at..self.reader.offset()).unwrap_or_default(),
            false => text,
        };
        let Some(Open::Map(mut map)) = self.open.pop() else { return Ok(()) };
        let same = |other| self.key_text(node, other).is_some_and(|other| other == text);
        let is_new = map.keys.add(&self.hasher, text, at, same);
        self.open.push(Open::Map(map));
        self.keys += 1;
        refuse_if(!is_new)
    }

    /// That text of the key at an offset. Asked for only where two are likely the same.
    fn key_text(&self, node: NodeId, at: usize) -> Option<Vec<u8>> {
        let mut reader = Reader::new(self.message.get(at..)?);
        let text = match self.program.layout.node(node) {
            Node::Scalar(Scalar::String | Scalar::Text(_)) => reader.bytes().ok()?.to_vec(),
            Node::Scalar(scalar) => {
                let mut text = Vec::new();
                scalar.print_key(&mut reader, &mut text, self.style).ok()?;
                text
            }
            _ => reader.varint(32).ok()?.to_le_bytes().to_vec(),
        };
        Some(if self.style.discard { reader.since(0).to_vec() } else { text })
    }
}

fn refuse_if(is_twice: bool) -> Step {
    if is_twice { Err(DecodeReason::DuplicateKey) } else { Ok(()) }
}
