//! Room for long messages, shared by connections: each has bounds of its own, which many connections can use at once.
//!
//! Messages in parts take it as their fragments arrive, long answers until their last fragment has left. What it cannot
//! give is refused and not waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that may be held at once, and those that are.
#[derive(Debug)]
pub struct Budget {
    used: AtomicUsize,
    max: usize,
}

/// A part of a [`Budget`], given back when it is dropped.
#[derive(Debug)]
pub struct Room {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    /// Room for `max` bytes.
    pub fn new(max: usize) -> Arc<Budget> {
        Arc::new(Budget { used: AtomicUsize::new(0), max })
    }

    /// Bytes that are held.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether more than half of it is held.
    pub fn is_scarce(&self) -> bool {
        self.used() > self.max / 2
    }

    /// Whether there is room for `bytes` at the moment.
    pub fn has(&self, bytes: usize) -> bool {
        self.used().saturating_add(bytes) <= self.max
    }

    /// Takes room for `bytes`, if there is so much.
    pub fn take(self: &Arc<Budget>, bytes: usize) -> Option<Room> {
        let mut room = Room { budget: self.clone(), bytes: 0 };
        room.grow(bytes).then_some(room)
    }
}

impl Room {
    /// Takes room for so many more bytes; `false`, and nothing is taken, when there is not so much.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let Budget { used, max } = &*self.budget;
        // Counted before it is compared; whoever finds no room counts back.
        let fits = used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= *max;
        match fits {
            true => self.bytes += bytes,
            false => drop(used.fetch_sub(bytes, Ordering::Relaxed)),
        }
        fits
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_given_up_to_the_bound_and_comes_back() {
        let budget = Budget::new(100);
        let mut first = budget.take(60).expect("there is room");
        assert!(budget.take(41).is_none() && !first.grow(41));
        assert!(budget.is_scarce() && budget.has(40) && !budget.has(41));
        let second = budget.take(40).expect("what was refused was not taken");
        drop(first);
        assert!(budget.take(61).is_none());
        drop(second);
        assert!(!budget.is_scarce());
        assert!(budget.take(100).is_some());
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }
}
