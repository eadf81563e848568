//! What was read of a body, and the room that it takes.

use crate::buffers::Buffers;
use crate::failure::{Failure, ShedReason};
use callgate_protocol::{Budget, Room};
use std::ops::{Deref, Range};
use std::rc::Rc;
use std::sync::Arc;

/// A body of more bytes takes room of what all bodies have together. Shorter ones are bounded by the number of connections.
pub(super) const LONG: usize = 64 * 1024;

/// The same for one of many that a connection may have at once.
pub(super) const LONG_OF_MANY: usize = 4 * 1024;

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
    /// …if it was not put together in a buffer of its own.
    collected: Option<Rc<Vec<u8>>>,
    /// So many bytes have room.
    held: usize,
    /// That of a long one. It is given back when nobody has the bytes any more.
    room: Option<Rc<Room>>,
}

/// A body that somebody still needs when its exchange has ended, with the room that it takes.
pub(in crate::front) struct SharedBody {
    bytes: Rc<Vec<u8>>,
    room: Option<Rc<Room>>,
}

impl Deref for SharedBody {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl SharedBody {
    /// Takes room for a body that has none because it is short, since of such bodies there may be many. Says whether there is room.
    pub(in crate::front) fn hold(&mut self, budget: &Arc<Budget>) -> bool {
        if self.room.is_none() && self.bytes.len() > LONG_OF_MANY {
            self.room = budget.take(self.bytes.len()).map(Rc::new);
            return self.room.is_some();
        }
        true
    }
}

impl Content {
    /// The bytes, where `rest` is what has come with the head.
    pub(super) fn bytes<'a>(&'a self, rest: &'a [u8]) -> &'a [u8] {
        match &self.collected {
            Some(bytes) => bytes,
            None => rest.get(self.in_place.clone()).unwrap_or_default(),
        }
    }

    /// Whether nothing was read, or nothing came.
    pub(super) fn is_empty(&self) -> bool {
        self.in_place.is_empty() && self.collected.as_ref().is_none_or(|bytes| bytes.is_empty())
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
            self.collected = Some(Rc::new(bytes));
        }
    }

    /// The buffer of its own.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        Rc::make_mut(self.collected.get_or_insert_default())
    }

    /// The bytes for somebody who may still need them when the exchange has ended. Only a body that is short is copied.
    pub(super) fn shared(&self, rest: &[u8]) -> SharedBody {
        let bytes = self.collected.clone().unwrap_or_else(|| Rc::new(self.bytes(rest).to_vec()));
        SharedBody { bytes, room: self.room.clone() }
    }

    /// Its buffer, which is empty if it has none of its own, or shares it.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.collected.and_then(Rc::into_inner).unwrap_or_default()
    }

    /// Takes room for so many bytes, if they are many.
    pub(super) fn hold(&mut self, bytes: usize, bounds: &Bounds<'_>) -> Result<(), Failure> {
        if bytes <= bounds.free.max(self.held) {
            return Ok(());
        }
        let more = bytes - self.held;
        let holds = match &mut self.room {
            Some(room) => Rc::get_mut(room).is_some_and(|room| room.grow(more)),
            None => {
                self.room = bounds.budget.take(more).map(Rc::new);
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
        let mut shared = long.shared(&[7; 2 * LONG]);
        drop(long);
        assert!(shared.hold(&budget));
        assert_eq!((shared.len(), budget.used()), (2 * LONG, 2 * LONG), "once");
        let mut short = Content::default();
        short.put(&[7; LONG], 0..LONG, &bounds).expect("it needs none");
        let mut others: Vec<_> = (0..3).map(|_| short.shared(&[7; LONG])).collect();
        assert_eq!(budget.used(), 2 * LONG);
        assert_eq!(
            others.iter_mut().map(|other| other.hold(&budget)).collect::<Vec<_>>(),
            [true, true, false]
        );
        drop((shared, others));
        assert_eq!(budget.used(), 0);
    }
}
