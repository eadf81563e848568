//! What an HTTP/2 connection holds of replies that its client has not taken. As much as a connection of HTTP/1.1 may hold anyway needs
//! nothing; whatever is above that has room of what long answers have together. So memory has a bound however many streams there are, and
//! replies that are taken as they are made touch nothing that workers share.

use callgate_protocol::{Budget, Room};
use std::cell::Cell;
use std::sync::Arc;

/// So much needs no room, in bytes.
const FREE: usize = 128 * 1024;

/// So much room a connection may have where that is scarce, in bytes.
const PART: usize = 1024 * 1024;

/// A request is refused where a reply of that many bytes would be.
const LEAST: usize = 16 * 1024;

/// What a connection holds, in bytes.
#[derive(Debug, Default)]
pub(in crate::front) struct Unsent {
    /// Without room.
    free: Cell<usize>,
    /// With room.
    part: Cell<usize>,
}

/// What a piece of a reply holds. It is to be [given back](Unsent::give_back).
#[derive(Debug, Default)]
pub(in crate::front) struct Hold {
    bytes: usize,
    room: Option<Room>,
}

impl Unsent {
    /// Holds so many bytes more, if there is room.
    pub(in crate::front) fn hold(&self, bytes: usize, budget: &Arc<Budget>) -> Option<Hold> {
        if self.is_free(bytes) {
            self.free.set(self.free.get() + bytes);
            return Some(Hold { bytes, room: None });
        }
        let room = Some(budget).filter(|budget| self.may_have(bytes, budget))?.take(bytes)?;
        self.part.set(self.part.get() + bytes);
        Some(Hold { bytes, room: Some(room) })
    }

    /// Takes back what was held.
    pub(in crate::front) fn give_back(&self, hold: &mut Hold) {
        let Hold { bytes, room } = std::mem::take(hold);
        let of = if room.is_some() { &self.part } else { &self.free };
        of.set(of.get() - bytes);
    }

    /// Whether there is no room for the reply to one more request.
    pub(in crate::front) fn is_full(&self, budget: &Budget) -> bool {
        let fits = self.is_free(LEAST) || (self.may_have(LEAST, budget) && budget.has(LEAST));
        !fits
    }

    fn is_free(&self, bytes: usize) -> bool {
        self.free.get() + bytes <= FREE
    }

    /// While there is room for all, a connection may have as much as its replies need.
    fn may_have(&self, bytes: usize, budget: &Budget) -> bool {
        self.part.get() + bytes <= PART || !budget.is_scarce()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    #[test]
    fn what_is_little_takes_no_room() {
        let (unsent, budget) = (Unsent::default(), Budget::new(0));
        let mut first = unsent.hold(100 * KIB, &budget).expect("it is free");
        assert!(unsent.hold(29 * KIB, &budget).is_none());
        assert!(!unsent.is_full(&budget));
        let mut second = unsent.hold(28 * KIB, &budget).expect("it is free");
        assert!(unsent.is_full(&budget));
        unsent.give_back(&mut first);
        assert!(!unsent.is_full(&budget) && unsent.hold(101 * KIB, &budget).is_none());
        unsent.give_back(&mut second);
        assert!(unsent.hold(128 * KIB, &budget).is_some());
    }

    #[test]
    fn one_connection_has_as_much_as_it_needs_until_room_is_scarce() {
        let (unsent, budget) = (Unsent::default(), Budget::new(8192 * KIB));
        let free = unsent.hold(FREE, &budget).expect("it is free");
        let hold = || unsent.hold(64 * KIB, &budget);
        let mut all: Vec<Hold> = std::iter::from_fn(hold).collect();
        // The one that makes more than half of it is the last one.
        assert_eq!((all.len(), budget.used()), (65, 65 * 64 * KIB));
        assert!(unsent.is_full(&budget));
        // Another one has its part, until there is none.
        let others: Vec<_> = (0..4).map(|_| Unsent::default()).collect();
        let held = others.iter().map(|other| {
            other.hold(FREE, &budget).expect("it is free");
            std::iter::from_fn(|| other.hold(64 * KIB, &budget)).collect::<Vec<_>>()
        });
        let held: Vec<_> = held.collect();
        assert_eq!(held.iter().map(Vec::len).collect::<Vec<_>>(), [16, 16, 16, 15]);
        drop(held);
        assert!(unsent.hold(64 * KIB, &budget).is_none());
        all.iter_mut().for_each(|hold| unsent.give_back(hold));
        assert_eq!((budget.used(), unsent.part.get(), unsent.free.get()), (0, 0, FREE));
        drop(free);
    }
}
