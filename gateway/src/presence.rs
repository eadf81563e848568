//! Whether the worker itself was away: stopped, or without a processor. Calls that were in flight then are late for its own
//! reasons, which say nothing of the instances.
//!
//! This needs no timer and no further look at the clock. The health reviewer comes ten times a second, and each read of a connection
//! brings its time along. When neither came for longer than that, the worker was away.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The longest time without anybody that is no absence: the health reviewer's pace, and half of it because it may be late.
const LONGEST_GAP: Duration = Duration::from_millis(150);

/// What a worker knows of its own absence.
#[derive(Debug)]
pub(crate) struct Presence {
    /// When it was last known to run.
    seen: Cell<Instant>,
    /// When it came back last.
    back: Cell<Instant>,
    /// How long it was away, in all.
    away: Cell<Duration>,
}

impl Presence {
    /// It runs since now.
    pub(crate) fn new(now: Instant) -> Presence {
        Presence { seen: Cell::new(now), back: Cell::new(now), away: Cell::default() }
    }

    /// It runs now.
    #[inline]
    pub(crate) fn see(&self, now: Instant) {
        let gap = now.saturating_duration_since(self.seen.get());
        if gap > LONGEST_GAP {
            self.back.set(now);
            self.away.set(self.away.get() + gap);
        }
        self.seen.set(self.seen.get().max(now));
    }

    /// Whether it was away at any time since then, as far as it has noticed.
    #[inline]
    pub(crate) fn was_away_since(&self, then: Instant) -> bool {
        then < self.back.get()
    }

    /// Awaits something for that long. The time in which the worker is away does not count. `None` when it is not ready by
    /// then.
    pub(crate) async fn timeout<T>(&self, time: Duration, what: impl Future<Output = T>) -> Option<T> {
        let mut what = pin!(what);
        let (mut until, mut away) = (Instant::now() + time, self.away.get());
        loop {
            if let Ok(done) = timeout_at(until, &mut what).await {
                return Some(done);
            }
            self.see(Instant::now());
            let more = self.away.get() - away;
            if more.is_zero() {
                return None;
            }
            (until, away) = (until + more, away + more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::time::{advance, interval};

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_worker_is_away_when_nobody_has_come_for_longer_than_the_reviewer_takes() {
        let begin = Instant::now();
        let presence = Presence::new(begin);
        for ms in [100, 200, 340, 330, 480] {
            presence.see(begin + ms * MS);
        }
        assert!(!presence.was_away_since(begin));
        presence.see(begin + 5000 * MS);
        assert!(presence.was_away_since(begin + 4999 * MS) && !presence.was_away_since(begin + 5000 * MS));
        assert_eq!(presence.away.get(), 4520 * MS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_limit_counts_only_while_the_worker_is_there() {
        let (begin, presence) = (Instant::now(), Presence::new(Instant::now()));
        let mut reviewer = interval(100 * MS);
        let keep = async {
            loop {
                reviewer.tick().await;
                presence.see(Instant::now());
                if begin.elapsed() == 300 * MS {
                    advance(5000 * MS).await;
                }
            }
        };
        let limited = tokio::select! {
            limited = presence.timeout(1000 * MS, pending::<()>()) => limited,
            () = keep => None,
        };
        assert_eq!(limited, None);
        let elapsed = begin.elapsed();
        assert!(elapsed >= 5900 * MS && elapsed <= 6100 * MS, "{elapsed:?}");
    }
}
