//! What was read of a body, and the room that it takes.

use crate::buffers::Buffers;
use crate::call::{self, SharedBody};
use crate::failure::{Failure, ShedReason};
use callgate_protocol::{Budget, Room};
use std::ops::Range;
use std::sync::Arc;

/// A body of more bytes takes room of what all bodies have together. Shorter ones are bounded by the number of connections.
pub(super) const LONG: usize = 64 * 1024;

/// The same for one of many that a connection may have at once.
pub(in crate::front) const LONG_OF_MANY: usize = 4 * 1024;

/// What a body may take.
pub(super) struct Bounds<'a> {
    /// So many bytes.
    pub(super) most: usize,
    /// So many without room.
    pub(super) free: usize,
    /// What all long ones have together.
    pub(super) budget: &'a Arc<Budget>,
    /// Where buffers come from.
    pub(super) buffers: &'a Buffers,
}

/// What was read of a body.
#[derive(Default)]
pub(super) struct Content {
    /// Where it lies in what has come with the head…
    in_place: Range<usize>,
    /// …if it is not put together in a buffer of its own…
    collected: Option<Vec<u8>>,
    /// …which others may keep, once all of it is there.
    shared: Option<SharedBody>,
    /// So many bytes have room.
    held: usize,
    /// That of a long one. It is given back when nobody has the bytes any more.
    room: Option<Room>,
}

impl Content {
    /// The bytes, where `rest` is what has come with the head.
    pub(super) fn bytes<'a>(&'a self, rest: &'a [u8]) -> &'a [u8] {
        let own = self.shared.as_deref().or(self.collected.as_ref());
        match own {
            Some(bytes) => bytes,
            None => rest.get(self.in_place.clone()).unwrap_or_default(),
        }
    }

    /// Whether nothing was read, or nothing came.
    pub(super) fn is_empty(&self) -> bool {
        let own = self.shared.as_deref().or(self.collected.as_ref());
        self.in_place.is_empty() && own.is_none_or(Vec::is_empty)
    }

    /// All of it is there.
    pub(super) fn is_whole(&mut self) {
        if let Some(bytes) = self.collected.take() {
            self.shared = Some(SharedBody::new(bytes, self.room.take()));
        }
    }

    /// Puts other bytes in the place of those that were read, which are no fewer.
    pub(super) fn replace(&mut self, bytes: Vec<u8>) {
        let shared = match &self.shared {
            Some(shared) => shared.holding(bytes),
            None => SharedBody::new(bytes, self.room.take()),
        };
        *self = Content { shared: Some(shared), held: self.held, ..Content::default() };
    }

    /// Adds a piece of `bytes`. The first one stays where it is, for as long as it is the only one: `bytes` are what has come with the
    /// head then.
    pub(super) fn put(
        &mut self,
        bytes: &[u8],
        piece: Range<usize>,
        bounds: &Bounds<'_>,
    ) -> Result<(), Failure> {
        let all = self.collected.as_ref().map_or(self.in_place.len(), |bytes| bytes.len()) + piece.len();
        if all > bounds.most {
            return Err(Failure::BodyTooLarge(bounds.most as u64));
        }
        self.hold(all, bounds)?;
        if self.collected.is_none() && self.in_place.is_empty() {
            self.in_place = piece;
            return Ok(());
        }
        self.gather(bytes, bounds.buffers);
        self.buffer().extend_from_slice(&bytes[piece]);
        Ok(())
    }

    /// Puts what lies in `rest` into a buffer of its own, to which more is added.
    pub(super) fn gather(&mut self, rest: &[u8], buffers: &Buffers) {
        if self.collected.is_none() {
            let mut bytes = buffers.take();
            bytes.extend_from_slice(&rest[self.in_place.clone()]);
            self.collected = Some(bytes);
        }
    }

    /// The buffer of its own.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        self.collected.get_or_insert_default()
    }

    /// The bytes for somebody who may still need them when the exchange has ended. Only a body that is short is copied.
    pub(super) fn shared(&self, rest: &[u8]) -> SharedBody {
        self.shared.clone().unwrap_or_else(|| SharedBody::new(self.bytes(rest).to_vec(), None))
    }

    /// The bytes for a call.
    pub(super) fn of_call<'a>(&'a self, rest: &'a [u8]) -> call::Body<'a> {
        match &self.shared {
            Some(shared) => call::Body::Shared(shared),
            None => call::Body::Whole(self.bytes(rest)),
        }
    }

    /// Its buffer, which is empty if it has none of its own, or shares it.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.collected.or_else(|| self.shared?.into_buffer()).unwrap_or_default()
    }

    /// Takes room for so many bytes, if they are many.
    pub(super) fn hold(&mut self, bytes: usize, bounds: &Bounds<'_>) -> Result<(), Failure> {
        if bytes <= bounds.free.max(self.held) {
            return Ok(());
        }
        let more = bytes - self.held;
        let holds = match &mut self.room {
            Some(room) => room.grow(more),
            None => {
                self.room = bounds.budget.take(more);
                self.room.is_some()
            }
        };
        self.held = bytes;
        if holds { Ok(()) } else { Err(Failure::Shed(ShedReason::Memory)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_piece_stays_where_it_is_until_another_one_comes() {
        let (buffers, budget) = (Buffers::default(), Budget::new(0));
        let bounds = Bounds { most: 5, free: LONG, budget: &budget, buffers: &buffers };
        let mut content = Content::default();
        assert_eq!(content.bytes(b"abcdefg"), b"");
        content.put(b"abcdefg", 1..3, &bounds).expect("it fits");
        assert_eq!(content.bytes(b"abcdefg"), b"bc");
        assert_eq!(*content.shared(b"abcdefg"), b"bc");
        content.put(b"abcdefg", 4..6, &bounds).expect("it fits");
        assert_eq!(content.bytes(b""), b"bcef");
        assert!(matches!(content.put(b"xy", 0..2, &bounds), Err(Failure::BodyTooLarge(5))));
        content.put(b"xy", 0..1, &bounds).expect("it fits");
        content.is_whole();
        let shared = content.shared(b"");
        assert_eq!((&shared[..], shared.as_ptr()), (&b"bcefx"[..], content.bytes(b"").as_ptr()));
        drop(shared);
        assert_eq!(content.into_buffer(), b"bcefx");
    }

    #[test]
    fn what_is_long_takes_room_and_gives_it_back() {
        let (buffers, budget) = (Buffers::default(), Budget::new(LONG + 10));
        let bounds = Bounds { most: usize::MAX, free: LONG, budget: &budget, buffers: &buffers };
        let mut content = Content::default();
        content.hold(LONG, &bounds).expect("a short one needs none");
        assert_eq!(budget.used(), 0);
        for bytes in [LONG + 1, LONG + 10, 7] {
            content.hold(bytes, &bounds).expect("there is room");
        }
        assert_eq!(budget.used(), LONG + 10);
        assert!(matches!(content.hold(LONG + 11, &bounds), Err(Failure::Shed(ShedReason::Memory))));
        drop(content);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn who_shares_a_body_keeps_its_room() {
        let (buffers, budget) = (Buffers::default(), Budget::new(4 * LONG));
        let bounds = Bounds { most: usize::MAX, free: LONG, budget: &budget, buffers: &buffers };
        let mut long = Content::default();
        long.put(&[7; 2 * LONG], 0..2 * LONG, &bounds).expect("there is room");
        long.gather(&[7; 2 * LONG], &buffers);
        long.is_whole();
        let mut shared = long.shared(b"");
        drop(long);
        assert!(shared.hold(&budget, LONG_OF_MANY));
        assert_eq!((shared.len(), budget.used()), (2 * LONG, 2 * LONG), "once");
        let mut short = Content::default();
        short.put(&[7; LONG], 0..LONG, &bounds).expect("it needs none");
        let mut others: Vec<_> = (0..3).map(|_| short.shared(&[7; LONG])).collect();
        assert_eq!(budget.used(), 2 * LONG);
        assert_eq!(
            others.iter_mut().map(|other| other.hold(&budget, LONG_OF_MANY)).collect::<Vec<_>>(),
            [true, true, false]
        );
        drop((shared, others));
        assert_eq!(budget.used(), 0);
    }
}
