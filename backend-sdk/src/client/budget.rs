//! A bound on retries: when servers refuse because they are overloaded, calling them four times as often would not
//! help. Each call earns a part of a retry; a failure that an endpoint has answered costs a whole one. What never
//! reached an endpoint costs nothing to retry, because it has cost no endpoint anything.
//!
//! A result gives back the retries that have led to it. So the bound is tight when everything fails, and does not bind while the
//! calls of endpoints in trouble only have to go to others that are well.

use std::sync::atomic::{AtomicU32, Ordering};

/// Retries that can be saved up, and with which a client starts. When an endpoint falls silent, all that it was given within half a
/// second is sent again at once, and several may.
const MOST: u32 = 500 * WHOLE;

/// One retry for every five calls.
const WHOLE: u32 = 5;

/// What is left for retries.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicU32,
}

impl Budget {
    pub(crate) fn new() -> Budget {
        Budget { left: AtomicU32::new(MOST) }
    }

    /// A call was made.
    pub(crate) fn earn(&self) {
        // Not exact when threads meet here, and need not be.
        let left = self.left.load(Ordering::Relaxed);
        if left < MOST {
            self.left.store(left + 1, Ordering::Relaxed);
        }
    }

    /// Takes a retry, if there is one.
    pub(crate) fn spend(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(WHOLE)).is_ok()
    }

    /// Gives back retries that were taken, and not made or not in vain.
    pub(crate) fn give_back(&self, retries: u32) {
        let given = |left: u32| Some((left + retries * WHOLE).min(MOST));
        // Always given: the closure always has a value.
        let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, given);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_calls_earn_a_retry_and_savings_are_bounded() {
        let budget = Budget::new();
        assert_eq!((0..1000).filter(|_| budget.spend()).count(), 500);
        (0..5).for_each(|_| budget.earn());
        assert!(budget.spend() && !budget.spend());
        budget.give_back(1);
        assert!(budget.spend() && !budget.spend());
        (0..10_000).for_each(|_| budget.earn());
        assert_eq!((0..1000).filter(|_| budget.spend()).count(), 500);
    }

    #[test]
    fn what_is_given_back_does_not_exceed_what_can_be_saved_up() {
        let budget = Budget::new();
        assert!(budget.spend());
        (0..5).for_each(|_| budget.earn());
        budget.give_back(1);
        assert_eq!((0..1000).filter(|_| budget.spend()).count(), 500);
    }
}
