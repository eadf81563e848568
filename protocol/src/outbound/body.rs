//! What a long message consists of. Most of it lies where it was, and is sent from there.

use super::buffer::Buffer;
use super::chunk::Aside;
use crate::budget::Room;
use bytes::Bytes;
use std::ops::Range;

/// What a message consists of: bytes that are not copied, between those that were written for it.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) head: Vec<u8>,
    pub(super) content: Bytes,
    pub(super) tail: Vec<u8>,
}

impl From<Bytes> for Body {
    fn from(content: Bytes) -> Body {
        Body { head: Vec::new(), content, tail: Vec::new() }
    }
}

impl Body {
    /// Bytes that are there already and take room of a budget, which is given back with them.
    pub(super) fn holding(bytes: Vec<u8>, room: Option<Room>) -> Body {
        Body::from(match room {
            None => Bytes::from(bytes),
            Some(room) => Bytes::from_owner(Held { bytes, _room: room }),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.head.len() + self.content.len() + self.tail.len()
    }

    /// Writes all of it.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        [&self.head, &self.content[..], &self.tail].iter().for_each(|part| out.extend_from_slice(part));
    }

    /// Puts a part of it behind what waits.
    pub(super) fn put(&self, part: Range<usize>, out: &mut Buffer) {
        let within = |from: usize, length: usize| {
            part.start.clamp(from, from + length) - from..part.end.clamp(from, from + length) - from
        };
        let (begin, end) = (self.head.len(), self.head.len() + self.content.len());
        out.bytes.extend_from_slice(&self.head[within(0, begin)]);
        let bytes = self.content.slice(within(begin, self.content.len()));
        out.put_aside(Aside { at: out.bytes.len(), bytes });
        out.bytes.extend_from_slice(&self.tail[within(end, self.tail.len())]);
    }
}

/// Bytes, and the room that they take.
struct Held {
    bytes: Vec<u8>,
    _room: Room,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
