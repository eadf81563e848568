//! Room for calls in the whole server, and how long they take when there is little of it.

use callgate_protocol::Budget;
use callgate_protocol::limits::MAX_FRAME;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

/// A message of more bytes takes room of the server's budget. It does not fit into a frame.
pub(crate) const LONG: usize = MAX_FRAME as usize;

/// What a caller is told who finds the server full, while nobody knows how long calls take; and the bounds of what it is told
/// then. In milliseconds.
const RETRY_AFTER_MS: u32 = 100;
const RETRY_AFTER_BOUNDS: RangeInclusive<u32> = 20..=5000;

/// Room for calls in the whole server.
#[derive(Debug)]
pub(crate) struct Slots {
    used: AtomicUsize,
    max: usize,
    /// How long calls take when there are many, in microseconds; a moving average, 0 before the first.
    mean_us: AtomicU32,
    /// For the long among their messages: those that arrive in parts, arguments at work, results that wait to be read.
    pub(crate) budget: Arc<Budget>,
}

/// Room for one call that begins.
#[derive(Debug)]
pub(crate) struct Slot<'a>(&'a Arc<Slots>);

/// Room for one call that has a task. It is given back when the task has really ended, even if nobody has waited for it any more.
#[derive(Debug)]
pub(crate) struct TaskSlot(Arc<Slots>);

impl Slots {
    pub(crate) fn new(max: usize, max_buffered: usize) -> Slots {
        Slots {
            used: AtomicUsize::new(0),
            max,
            mean_us: AtomicU32::new(0),
            budget: Budget::new(max_buffered),
        }
    }

    #[inline]
    pub(crate) fn take(self: &Arc<Slots>) -> Option<Slot<'_>> {
        // Counted before it is compared; whoever finds no room counts back through the drop.
        let slot = Slot(self);
        (self.used.fetch_add(1, Ordering::Relaxed) < self.max).then_some(slot)
    }

    /// When a caller who finds the server full should come again, in milliseconds: when most calls that run now have ended.
    pub(crate) fn retry_after_ms(&self) -> u32 {
        match self.mean_us.load(Ordering::Relaxed) {
            0 => RETRY_AFTER_MS,
            mean => (mean / 1000).clamp(*RETRY_AFTER_BOUNDS.start(), *RETRY_AFTER_BOUNDS.end()),
        }
    }

    /// A call has ended, which `took` so long. It is asked only when the server is half full: before that nobody wants to know.
    pub(crate) fn ended(&self, took: impl FnOnce() -> Duration) {
        if self.used.load(Ordering::Relaxed) * 2 < self.max {
            return;
        }
        let took = u32::try_from(took().as_micros()).unwrap_or(u32::MAX).max(1);
        let mean = self.mean_us.load(Ordering::Relaxed);
        // Two that end at once may forget one of them, which does not matter to an average.
        let mean = if mean == 0 { took } else { mean - mean / 8 + took / 8 };
        self.mean_us.store(mean.max(1), Ordering::Relaxed);
    }

    /// Whether any call is running.
    pub(crate) fn are_used(&self) -> bool {
        self.used.load(Ordering::Relaxed) > 0
    }

    fn give_back(&self) {
        self.used.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Slot<'_> {
    /// The call gets a task.
    pub(crate) fn keep(self) -> TaskSlot {
        let kept = TaskSlot(self.0.clone());
        std::mem::forget(self);
        kept
    }
}

impl TaskSlot {
    pub(crate) fn slots(&self) -> &Slots {
        &self.0
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

impl Drop for TaskSlot {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_finds_the_server_full_is_told_to_come_when_calls_will_have_ended() {
        let slots = Arc::new(Slots::new(2, 0));
        let ended = |ms| slots.ended(|| Duration::from_millis(ms));
        ended(700);
        assert_eq!(slots.retry_after_ms(), RETRY_AFTER_MS, "nobody asks while there is room");
        let slot = slots.take().expect("there is room").keep();
        ended(700);
        assert_eq!(slots.retry_after_ms(), 700);
        (0..100).for_each(|_| ended(0));
        assert!(slots.retry_after_ms() < 100, "it follows: {}", slots.retry_after_ms());
        (0..100).for_each(|_| ended(60_000));
        assert_eq!(slots.retry_after_ms(), 5000, "but not beyond its bounds");
        drop(slot);
        assert!(!slots.are_used());
    }

    #[test]
    fn room_is_given_back_once_by_whoever_has_it() {
        let slots = Arc::new(Slots::new(2, 0));
        let first = slots.take().expect("there is room");
        let second = slots.take().expect("there is room").keep();
        assert!(slots.take().is_none());
        drop(first);
        let third = slots.take().expect("there is room again").keep();
        assert!(slots.take().is_none());
        drop((second, third));
        assert!(!slots.are_used());
    }
}
