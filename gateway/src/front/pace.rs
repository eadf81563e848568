//! Whether a client takes its answer as fast as it has to, so that nobody keeps a long one by reading a byte now and then.
//!
//! What counts is what the kernel takes from us. It does that in steps: it asks for more when half of what it may hold back has
//! left, and a peer opens its window by some tens of KiB at a time. So the kernel is told to hold back little
//! (`AsyncStream::hold_back_little`), which makes a step 80 KiB at most and not megabytes; and a client is left only when two
//! windows in a row have brought less than the rate asks for, so that one between two steps is no offence. The worker's
//! sweep is the clock.

use std::cell::Cell;
use std::io;
use std::task::Poll;

/// Windows in a row that must be too slow.
const WINDOWS: u32 = 2;

/// What a client must take at least.
#[derive(Clone, Copy, Debug)]
pub(super) struct Least {
    /// So many bytes…
    pub(super) bytes: u64,
    /// …in so many sweeps.
    pub(super) sweeps: u64,
}

/// How fast a client takes what it is sent.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// The kernel takes no more at the moment.
    blocked: Cell<bool>,
    /// Bytes that it has taken since the connection began.
    taken: Cell<u64>,
    /// The window that is looked at, if any.
    window: Cell<Option<Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    /// The sweep at which it began.
    began: u64,
    /// What had been taken by then.
    taken: u64,
    /// Windows before it that were too slow.
    slow: u32,
}

impl Pace {
    /// Notes what has come of a write.
    #[inline]
    pub(super) fn wrote(&self, written: &Poll<io::Result<usize>>) {
        self.blocked.set(written.is_pending());
        if let Poll::Ready(Ok(bytes)) = written {
            self.taken.set(self.taken.get() + *bytes as u64);
        }
    }

    /// Whether some of an answer waits for the client to take what came before.
    #[inline]
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.get()
    }

    /// Whether the client is too slow. Asked at each sweep.
    pub(super) fn is_too_slow(&self, now: u64, least: Least) -> bool {
        if !self.is_blocked() {
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
                pace.wrote(&Poll::Ready(Ok(bytes)));
                pace.wrote(&Poll::Pending);
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
        pace.wrote(&Poll::Pending);
        assert!((0..6).all(|sweep| !pace.is_too_slow(sweep, LEAST)));
        pace.wrote(&Poll::Ready(Ok(1)));
        assert!((6..30).all(|sweep| !pace.is_too_slow(sweep, LEAST)));
        // What it waits for next is looked at from its beginning.
        pace.wrote(&Poll::Pending);
        assert_eq!((30..60).find(|sweep| pace.is_too_slow(*sweep, LEAST)), Some(38));
    }
}
