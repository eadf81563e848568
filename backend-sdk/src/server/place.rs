//! Where a method begins: in the task of its connection, which costs a small call little, or in a task of its own.
//!
//! A method that blocks its thread or computes for long must not begin in its connection's task, where it would keep the
//! connection's other calls and PINGs waiting. Nobody says which methods do, so each shows it: it begins in tasks of its own until
//! it was [`PROOF`] times in a row quick to end or to wait for something, and again after it was slow once.
//!
//! On a runtime of one thread whoever runs keeps all others waiting anyway. There methods always begin at their connection.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// So often a method shows that it is quick.
const PROOF: u32 = 16;

/// What is quick. A task of its own would make a call that takes so long no more than a tenth dearer, and lets other threads take
/// part.
const QUICK: Duration = Duration::from_micros(50);

/// Where one method begins. Written to only while that is not settled, so that threads do not wait for each other's writes.
#[derive(Debug)]
pub(super) struct Place {
    /// How often it must show again that it is quick.
    unproven: AtomicU32,
}

impl Place {
    pub(super) fn new() -> Place {
        Place { unproven: AtomicU32::new(PROOF) }
    }

    /// Whether the method begins in its connection's task.
    #[inline]
    pub(super) fn is_at_connection(&self) -> bool {
        self.unproven.load(Ordering::Relaxed) == 0
    }

    /// It took so long until the method has ended, or has waited for the first time.
    #[inline]
    pub(super) fn took(&self, time: Duration) {
        if time > QUICK {
            self.unproven.store(PROOF, Ordering::Relaxed);
        } else {
            // Of two calls that end at once one may not count, which does not matter.
            let unproven = self.unproven.load(Ordering::Relaxed);
            if unproven > 0 {
                self.unproven.store(unproven - 1, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_begins_at_its_connection_once_it_was_quick_in_a_row() {
        let place = Place::new();
        for _ in 0..PROOF {
            assert!(!place.is_at_connection());
            place.took(QUICK);
        }
        assert!(place.is_at_connection());
        place.took(QUICK);
        assert!(place.is_at_connection());
    }

    #[test]
    fn one_slow_call_sends_it_away_and_among_the_proofs_it_begins_them_anew() {
        let place = Place::new();
        (0..PROOF).for_each(|_| place.took(QUICK));
        let slow = QUICK + Duration::from_nanos(1);
        place.took(slow);
        assert!(!place.is_at_connection());
        (1..PROOF).for_each(|_| place.took(QUICK));
        place.took(slow);
        (1..PROOF).for_each(|_| place.took(QUICK));
        assert!(!place.is_at_connection());
        place.took(QUICK);
        assert!(place.is_at_connection());
    }
}
