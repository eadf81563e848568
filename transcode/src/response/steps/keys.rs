//! The keys of maps: each written, and noted so that no map is shown that has one twice.

use super::{Decoding, Open, Step};
use crate::layout::{Node, NodeId};
use crate::response::DecodeReason;
use crate::scalar::Scalar;
use callgate_protocol::wire::Reader;

impl Decoding<'_> {
    /// Writes a map's key, unless the map has it already.
    pub(super) fn key(&mut self, node: NodeId, out: &mut Vec<u8>, end: usize) -> Step {
        let at = self.reader.offset();
        self.key.clear();
        match self.program.layout.node(node) {
            Node::Scalar(scalar @ (Scalar::String | Scalar::Text(_))) => {
                let bytes = self.reader.bytes()?;
                if let Scalar::Text(form) = scalar {
                    form.check_printed(bytes, self.style)?;
                }
                self.note_key(node, bytes, at)?;
                self.string(bytes, out, end)
            }
            Node::Scalar(scalar) => {
                let mut key = std::mem::take(&mut self.key);
                scalar.print_key(&mut self.reader, &mut key, self.style)?;
                out.extend_from_slice(&key);
                self.note_key(node, &key, at)?;
                self.key = key;
                Ok(())
            }
            Node::Enum(table) => {
                let (variant, number) = self.variant(table)?;
                self.note_key(node, &number.to_le_bytes(), at)?;
                self.plain(&variant.quoted, out, end);
                Ok(())
            }
            // The layout has no maps of other keys.
            _ => self.begin(node, out, end),
        }
    }

    /// Notes the key that was read at that offset; `text` is the same for equal keys, however each is encoded.
    fn note_key(&mut self, node: NodeId, text: &[u8], at: usize) -> Step {
        if self.style.discard {
            return Ok(());
        }
        let Some(Open::Map(mut map)) = self.open.pop() else { return Ok(()) };
        let same = |other| self.key_text(node, other).is_some_and(|other| other == text);
        let is_new = map.keys.add(&self.hasher, text, at, same);
        self.open.push(Open::Map(map));
        self.keys += 1;
        if is_new { Ok(()) } else { Err(DecodeReason::DuplicateKey) }
    }

    /// That text of the key at an offset. Asked for only where two are likely the same.
    fn key_text(&self, node: NodeId, at: usize) -> Option<Vec<u8>> {
        let mut reader = Reader::new(self.message.get(at..)?);
        match self.program.layout.node(node) {
            Node::Scalar(Scalar::String | Scalar::Text(_)) => reader.bytes().ok().map(<[u8]>::to_vec),
            Node::Scalar(scalar) => {
                let mut text = Vec::new();
                scalar.print_key(&mut reader, &mut text, self.style).ok().map(|()| text)
            }
            _ => reader.varint(32).ok().map(|number| number.to_le_bytes().to_vec()),
        }
    }
}
