//! The times of a reply in items: when its client hears that it goes on, when it has waited too long for an item, and when it has to end.
//!
//! The clock is looked at only while nothing can be done: an item that follows the one before at once costs no look.

use crate::config::StreamLimits;
use crate::transport::Stop;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a client has to take the last words of a reply that was cut.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What it is time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// To say that the reply goes on.
    Heartbeat,
    /// To end it.
    End(Stop),
}

/// The times of a reply.
#[derive(Debug)]
pub(super) struct Clock {
    ends: Instant,
    idle: Option<Duration>,
    heartbeat: Option<Duration>,
    /// Since when no item has gone.
    waits: Option<Instant>,
    /// Since when its client takes nothing.
    blocked: Option<Instant>,
    /// When something was last said while no item has gone.
    said: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Clock {
    /// Of a reply that begins now.
    pub(super) fn begin(limits: StreamLimits, heartbeat: Option<Duration>) -> Clock {
        let ends = Instant::now() + limits.time;
        Clock { ends, idle: limits.idle, heartbeat, waits: None, blocked: None, said: None, timer: None }
    }

    /// Says so often that it goes on.
    pub(super) fn beat(&mut self, heartbeat: Duration) {
        self.heartbeat = Some(heartbeat);
    }

    /// An item goes: nothing is waited for any more.
    #[inline]
    pub(super) fn rest(&mut self) {
        (self.waits, self.blocked, self.said) = (None, None, None);
    }

    /// It was cut: what is still to be sent has a time of its own.
    pub(super) fn begin_to_end(&mut self) {
        (self.ends, self.idle, self.blocked) = (Instant::now() + LAST_WORDS, None, None);
    }

    /// Waits for an item, until it is time for something.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Due> {
        let now = Instant::now();
        self.blocked = None;
        let (waits, said) = (*self.waits.get_or_insert(now), *self.said.get_or_insert(now));
        let beat = self.heartbeat.map(|heartbeat| (said + heartbeat, Due::Heartbeat));
        let due = ready!(self.poll_first(cx, waits, beat));
        if due == Due::Heartbeat {
            self.said = Some(Instant::now());
        }
        Poll::Ready(due)
    }

    /// Waits for the client to take what was sent, until it is time for an end.
    pub(super) fn poll_blocked(&mut self, cx: &mut Context<'_>) -> Poll<Stop> {
        let blocked = *self.blocked.get_or_insert_with(Instant::now);
        match ready!(self.poll_first(cx, blocked, None)) {
            Due::End(stop) => Poll::Ready(stop),
            Due::Heartbeat => Poll::Pending,
        }
    }

    fn poll_first(
        &mut self,
        cx: &mut Context<'_>,
        since: Instant,
        beat: Option<(Instant, Due)>,
    ) -> Poll<Due> {
        let idle = self.idle.map(|idle| (since + idle, Due::End(Stop::Idle)));
        let all = [Some((self.ends, Due::End(Stop::Time))), idle, beat];
        let first = all.into_iter().flatten().min_by_key(|(at, _)| *at);
        let Some((at, due)) = first else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() > at {
            timer.as_mut().reset(at);
        }
        // One that was set for an earlier time is let run: to set it anew for every item costs more than to look once in vain.
        while timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= at {
                return Poll::Ready(due);
            }
            timer.as_mut().reset(at);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits(idle: Option<u32>) -> StreamLimits {
        StreamLimits { time: 10 * SECOND, idle: idle.map(|idle| idle * SECOND), ..StreamLimits::default() }
    }

    /// What is due next, and after how many seconds.
    async fn next(clock: &mut Clock, began: Instant) -> (Due, u64) {
        let due = poll_fn(|cx| clock.poll(cx)).await;
        (due, began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn heartbeats_go_on_until_the_end_and_an_item_puts_off_what_waits_for_it() {
        let began = Instant::now();
        let mut clock = Clock::begin(limits(None), Some(4 * SECOND));
        assert_eq!(next(&mut clock, began).await, (Due::Heartbeat, 4));
        tokio::time::advance(SECOND).await;
        clock.rest();
        assert_eq!(next(&mut clock, began).await, (Due::Heartbeat, 9));
        assert_eq!(next(&mut clock, began).await, (Due::End(Stop::Time), 10));
        let began = Instant::now();
        let mut clock = Clock::begin(limits(Some(3)), Some(2 * SECOND));
        assert_eq!(next(&mut clock, began).await, (Due::Heartbeat, 2));
        assert_eq!(next(&mut clock, began).await, (Due::End(Stop::Idle), 3), "a heartbeat is no item");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_waited_for_as_long_as_an_item() {
        let began = Instant::now();
        for (idle, expected) in [(Some(3), (Stop::Idle, 3)), (None, (Stop::Time, 18))] {
            let mut clock = Clock::begin(limits(idle), Some(SECOND));
            let stop = poll_fn(|cx| clock.poll_blocked(cx)).await;
            assert_eq!((stop, began.elapsed().as_secs()), expected);
            // And for the last words once more.
            let ended = Instant::now();
            clock.begin_to_end();
            poll_fn(|cx| clock.poll_blocked(cx)).await;
            assert_eq!(ended.elapsed(), LAST_WORDS);
        }
    }
}
