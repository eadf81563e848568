//! The times of one connection: for the handshake, for a peer that is silent or does not read, and its owner's alarm. All of
//! them by one timer.

use super::Lost;
use callgate_protocol::connection::{KeepAlive, Patience, Then};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// From connecting to the peer's HELLO.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often it is looked whether the peer is there.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The same while calls wait for the peer.
const LOOK_OFTEN: Duration = Duration::from_millis(100);

/// What a side that is called has: without a byte from the peer for 20 s it asks whether the peer is there, and 10 s later
/// the peer is gone.
pub(crate) const PATIENT: Patience = Patience {
    idle: Duration::from_secs(20),
    busy: Duration::from_secs(20),
    doubt: Duration::from_secs(10),
    leave: Duration::from_secs(10),
};

/// What a side that calls has. While calls wait, it asks soon, and what does not answer soon gets no more calls: those that it got
/// before have to be sent again. `leave` is half of the time that a call has unless told, so that there is time for a second
/// attempt where all endpoints are behind one address.
pub(crate) const HURRIED: Patience = Patience {
    idle: Duration::from_secs(20),
    busy: Duration::from_millis(200),
    doubt: Duration::from_millis(200),
    leave: Duration::from_secs(5),
};

/// A write that makes no progress for this long ends the connection.
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// What it is time for; one of these at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Due {
    /// To ask the peer whether it is there.
    pub(super) ping: bool,
    /// To look for another peer: this one does not answer. It may still be there.
    pub(super) doubt: bool,
    /// The time that was given to [`Watch::wake_at`] has come.
    pub(super) alarm: bool,
}

#[derive(Debug)]
pub(super) struct Watch {
    started_at: Instant,
    opened: bool,
    patience: Patience,
    keep_alive: KeepAlive,
    look_at: Instant,
    /// The next look comes soon.
    often: bool,
    /// Something was read, or written, since the last look.
    alive: bool,
    blocked_since: Option<Instant>,
    alarm: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl Watch {
    /// A connection begins with its handshake.
    pub(super) fn new(patience: Patience) -> Watch {
        let now = Instant::now();
        Watch {
            started_at: now,
            opened: false,
            patience,
            keep_alive: KeepAlive::default(),
            look_at: now + LOOK_EVERY,
            often: false,
            alive: true,
            blocked_since: None,
            alarm: None,
            timer: Box::pin(sleep_until(now + LOOK_EVERY)),
        }
    }

    /// The peer's HELLO is there.
    pub(super) fn opened(&mut self) {
        self.opened = true;
    }

    /// The peer shows that it is there.
    pub(super) fn alive(&mut self) {
        self.alive = true;
    }

    /// The socket takes bytes. Calls may be among them; then their answers are waited for from now on.
    pub(super) fn flows(&mut self) {
        self.blocked_since = None;
        if !self.often && self.opened && self.patience.busy < self.patience.idle {
            self.often = true;
            let soon = Instant::now() + LOOK_OFTEN;
            self.look_at = self.look_at.min(soon);
            self.wake_timer_by(soon);
        }
    }

    /// The socket takes no bytes.
    pub(super) fn blocked(&mut self) {
        if self.blocked_since.is_none() {
            let now = Instant::now();
            self.blocked_since = Some(now);
            self.wake_timer_by(now + WRITE_TIMEOUT);
        }
    }

    /// Asks for an alarm at that time, or earlier if it was asked for before.
    pub(super) fn wake_at(&mut self, time: Instant) {
        if self.alarm.is_none_or(|alarm| time < alarm) {
            self.alarm = Some(time);
            self.wake_timer_by(time);
        }
    }

    /// Waits until it is time for something. `is_busy` says whether calls wait for the peer.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        is_busy: impl Fn() -> bool,
    ) -> Poll<Result<Due, Lost>> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let due = self.on_timer(&is_busy)?;
            if due != Due::default() {
                return Poll::Ready(Ok(due));
            }
        }
    }

    /// Reacts to the timer and sets it anew.
    fn on_timer(&mut self, is_busy: impl Fn() -> bool) -> Result<Due, Lost> {
        let now = Instant::now();
        let mut done = Due::default();
        if self.look_at <= now {
            done = self.look(now, is_busy())?;
        }
        let mut next = self.look_at;
        let mut due = |time: Instant| {
            if time > now {
                next = next.min(time);
            }
            time <= now
        };
        if self.blocked_since.is_some_and(|since| due(since + WRITE_TIMEOUT)) {
            return Err(Lost::Stalled);
        }
        if !self.opened && due(self.started_at + HANDSHAKE_TIMEOUT) {
            return Err(Lost::NoHandshake);
        }
        done.alarm = self.alarm.is_some_and(&mut due);
        if done.alarm {
            self.alarm = None;
        }
        self.timer.as_mut().reset(next);
        Ok(done)
    }

    /// Looks whether the peer is there, and says when to look again.
    fn look(&mut self, now: Instant, busy: bool) -> Result<Due, Lost> {
        let pace = if self.often { LOOK_OFTEN } else { LOOK_EVERY };
        let alive = std::mem::replace(&mut self.alive, false) || !self.opened;
        let then = self.keep_alive.look(alive, busy, pace, self.patience);
        self.often = busy && self.patience.busy < self.patience.idle;
        self.look_at = now + if self.often { LOOK_OFTEN } else { LOOK_EVERY };
        match then {
            Then::Leave => Err(Lost::Silent(self.patience.leave)),
            then => Ok(Due { ping: then == Then::Ask, doubt: then == Then::Doubt, alarm: false }),
        }
    }

    fn wake_timer_by(&mut self, time: Instant) {
        if time < self.timer.deadline() {
            self.timer.as_mut().reset(time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    /// When the next thing is due, in milliseconds from now, and what.
    async fn next(watch: &mut Watch, busy: bool) -> (u128, Result<Due, Lost>) {
        let began = Instant::now();
        let due = poll_fn(|cx| watch.poll(cx, || busy)).await;
        (began.elapsed().as_millis(), due)
    }

    fn opened(patience: Patience) -> Watch {
        let mut watch = Watch::new(patience);
        watch.opened();
        watch
    }

    #[tokio::test(start_paused = true)]
    async fn while_calls_wait_a_silent_peer_is_asked_and_doubted_soon_and_left_in_the_end() {
        let mut watch = opened(HURRIED);
        watch.flows();
        let (at, due) = next(&mut watch, true).await;
        // Since the beginning something was heard: the first look starts the count.
        assert!(at == 300 && due.is_ok_and(|due| due.ping));
        let (at, due) = next(&mut watch, true).await;
        assert!(at == 200 && due.is_ok_and(|due| due.doubt));
        let mut left = 0;
        loop {
            let (at, due) = next(&mut watch, true).await;
            left += at;
            match due {
                Ok(due) => assert!(due.doubt && !due.ping),
                Err(lost) => break assert!(matches!(lost, Lost::Silent(_)), "{lost}"),
            }
        }
        assert_eq!(left, 4800);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_moves_is_neither_asked_nor_doubted() {
        let mut watch = opened(HURRIED);
        watch.flows();
        watch.wake_at(Instant::now() + Duration::from_secs(10));
        let mut alarm = false;
        while !alarm {
            let due = poll_fn(|cx| {
                watch.alive();
                watch.poll(cx, || true)
            });
            let Due { ping, doubt, alarm: now } = due.await.expect("it is there");
            assert!(!ping && !doubt);
            alarm = now;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_no_calls_wait_a_peer_is_asked_after_20_s_and_nobody_wakes_up_often() {
        for (patience, leave) in [(HURRIED, 5000), (PATIENT, 10_000)] {
            let mut watch = opened(patience);
            watch.flows();
            let (at, due) = next(&mut watch, false).await;
            assert!((20_000..=25_100).contains(&at) && due.is_ok_and(|due| due.ping), "{at}");
            let mut left = 0;
            loop {
                let (at, due) = next(&mut watch, false).await;
                left += at;
                match due {
                    Ok(due) => assert!(due.doubt),
                    Err(lost) => break assert!(matches!(lost, Lost::Silent(_)), "{lost}"),
                }
            }
            assert_eq!(left, leave);
        }
    }
}
