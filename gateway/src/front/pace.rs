//! Whether a client takes its reply, or sends its body, as fast as it has to, so that nobody keeps a long one by a byte now and then.
//!
//! What counts of a reply is what the kernel takes from us. It does that in steps: it asks for more when half of what it may hold
//! back has left, and a peer opens its window by some tens of KiB at a time. So the kernel is told to hold back little
//! (`AsyncStream::hold_back_little`), which makes a step 80 KiB at most and not megabytes; and a client is left only when two
//! windows in a row have brought less than the rate asks for, so that one between two steps is no offence. The worker's
//! sweep is the clock.
//!
//! A connection waits for one of the two at a time: for its client to take more, or to send more.

use std::cell::Cell;
use std::io;
use std::task::Poll;

/// Windows in a row that must be too slow.
const WINDOWS: u32 = 2;

/// What a client must take or send at least.
#[derive(Clone, Copy, Debug)]
pub(super) struct Least {
    /// So many bytes…
    pub(super) bytes: u64,
    /// …in so many sweeps.
    pub(super) sweeps: u64,
}

/// How fast bytes go over a connection.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// We wait for the client: the kernel takes no more at the moment, or has no more for us.
    blocked: Cell<bool>,
    /// Bytes that it has taken, or brought, since the connection began.
    taken: Cell<u64>,
    /// The window that is looked at, if any.
    window: Cell<Option<Window>>,
    /// Replies that go over it which have no least rate: their clients may pause.
    free: Cell<u32>,
}

/// A reply without a least rate, while it goes over a connection.
pub(super) struct Free<'p>(&'p Pace);

impl Drop for Free<'_> {
    fn drop(&mut self) {
        self.0.free.set(self.0.free.get() - 1);
    }
}

#[derive(Clone, Copy, Debug)]
struct Window {
    /// The sweep at which it began.
    began: u64,
    /// What had come over by then.
    taken: u64,
    /// Windows before it that were too slow.
    slow: u32,
}

impl Pace {
    /// Notes what has come of a write, or of a read of a body.
    #[inline]
    pub(super) fn moved(&self, moved: &Poll<io::Result<usize>>) {
        self.blocked.set(moved.is_pending());
        if let Poll::Ready(Ok(bytes)) = moved {
            self.taken.set(self.taken.get() + *bytes as u64);
        }
    }

    /// Has it be without a least rate as long as what is given lives.
    pub(super) fn set_free(&self) -> Free<'_> {
        self.free.set(self.free.get() + 1);
        Free(self)
    }

    /// Whether what goes over it has no least rate.
    pub(super) fn is_free(&self) -> bool {
        self.free.get() > 0
    }

    /// We wait for the client no longer.
    pub(super) fn rest(&self) {
        self.blocked.set(false);
        self.window.set(None);
    }

    /// Whether we wait for the client to take more, or to send more.
    #[inline]
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.get()
    }

    /// Whether the client is too slow. Asked at each sweep.
    pub(super) fn is_too_slow(&self, now: u64, least: Least) -> bool {
        if !self.is_blocked() || self.is_free() {
            self.window.set(None);
            return false;
        }
        let taken = self.taken.get();
        let Some(window) = self.window.get() else {
            self.window.set(Some(Window { began: now, taken, slow: 0 }));
            return false;
        };
        if now - window.began < least.sweeps {
            return false;
        }
        let slow = if taken - window.taken < least.bytes { window.slow + 1 } else { 0 };
        self.window.set(Some(Window { began: now, taken, slow }));
        slow >= WINDOWS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Least = Least { bytes: 100, sweeps: 4 };

    /// Sweeps with what is taken before each; at which of them the client is too slow.
    fn left_at(pace: &Pace, taken: impl IntoIterator<Item = usize>) -> Option<usize> {
        let too_slow = |(sweep, bytes): (usize, usize)| {
            if bytes > 0 {
                pace.moved(&Poll::Ready(Ok(bytes)));
                pace.moved(&Poll::Pending);
            }
            pace.is_too_slow(sweep as u64, LEAST).then_some(sweep)
        };
        taken.into_iter().enumerate().find_map(too_slow)
    }

    #[test]
    fn who_takes_less_than_the_rate_is_left_after_two_windows() {
        let pace = Pace::default();
        assert_eq!(left_at(&pace, [1; 30]), Some(8));
    }

    #[test]
    fn a_reply_without_a_least_rate_may_pause_and_what_follows_may_not() {
        let pace = Pace::default();
        let free = [pace.set_free(), pace.set_free()];
        assert_eq!(left_at(&pace, [0; 30]), None);
        let [one, other] = free;
        drop(one);
        assert_eq!(left_at(&pace, [0; 30]), None);
        drop(other);
        assert_eq!(left_at(&pace, [1; 30]), Some(8));
    }

    #[test]
    fn who_takes_as_much_in_steps_stays() {
        let steps =
            |every: usize, bytes| (0..400).map(move |sweep| if sweep % every == 0 { bytes } else { 0 });
        assert_eq!(left_at(&Pace::default(), steps(1, 25)), None, "evenly");
        assert_eq!(left_at(&Pace::default(), steps(7, 175)), None, "a step in nearly two windows");
        assert_eq!(left_at(&Pace::default(), steps(4, 99)), Some(8), "a little too slow");
    }

    #[test]
    fn who_waits_for_nothing_is_never_too_slow() {
        let pace = Pace::default();
        pace.moved(&Poll::Pending);
        assert!((0..6).all(|sweep| !pace.is_too_slow(sweep, LEAST)));
        pace.moved(&Poll::Ready(Ok(1)));
        assert!((6..30).all(|sweep| !pace.is_too_slow(sweep, LEAST)));
        // What it waits for next is looked at from its beginning.
        pace.moved(&Poll::Pending);
        assert_eq!((30..60).find(|sweep| pace.is_too_slow(*sweep, LEAST)), Some(38));
    }
}
