//! Maps, and their keys: each written, and compared so that no map is shown that has one twice.

use super::{Decoder, Step};
use crate::json::{Key, duplicate};
use crate::layout::{Node, NodeId};
use crate::response::DecodeReason;

impl Decoder<'_> {
    pub(super) fn map(&mut self, key: NodeId, value: NodeId) -> Step {
        let count = self.reader.length()?;
        self.enter()?;
        self.out.push(b'{');
        let base = self.keys.len();
        for index in 0..count {
            if index > 0 {
                self.out.push(b',');
            }
            self.has_room(0)?;
            self.key(key)?;
            self.out.push(b':');
            self.value(value)?;
        }
        self.compare_keys(base)?;
        self.out.push(b'}');
        self.depth -= 1;
        Ok(())
    }

    /// Writes a map's key, and notes it.
    pub(super) fn key(&mut self, key: NodeId) -> Step {
        let (start, at) = (self.out.len(), self.reader.offset());
        match self.layout.node(key) {
            Node::Scalar(scalar) => scalar.print_key(&mut self.reader, self.out, self.style)?,
            // One of units alone, and a key is its name whatever its values are else.
            Node::Enum(table) => {
                let variant = self.variant(table)?;
                self.out.extend_from_slice(&variant.quoted);
            }
            _ => self.value(key)?,
        }
        let (start, end) = match self.style.discard {
            true => (at, self.reader.offset()),
            false => (start, self.out.len()),
        };
        self.keys.push(Key { start, end, at: start, escaped: false });
        Ok(())
    }

    /// Looks for a key that is there twice among those that are noted from `base` on. Each value has one way to be written, so
    /// equal keys are equal bytes. Where nothing is shown they may be not written at all, and stand in the message.
    pub(super) fn compare_keys(&mut self, base: usize) -> Step {
        let keys = self.keys.get_mut(base..).unwrap_or_default();
        let bytes = if self.style.discard { self.reader.since(0) } else { self.out.as_slice() };
        if duplicate(keys, bytes).is_some() {
            return Err(DecodeReason::DuplicateKey);
        }
        self.keys.truncate(base);
        Ok(())
    }
}
