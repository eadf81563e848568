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

/// Without a byte from the peer for 20 s it is asked whether it is there, and 10 s later it is gone.
pub(super) const PATIENCE: Patience = Patience {
    idle: Duration::from_secs(20),
    busy: Duration::from_secs(20),
    doubt: Duration::from_secs(10),
    leave: Duration::from_secs(10),
};

/// A write that makes no progress for this long ends the connection.
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// What it is time for; one of these at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// To ask the peer whether it is there.
    pub(super) ping: bool,
    /// The time that was given to [`Watch::wake_at`] has come.
    pub(super) alarm: bool,
}

#[derive(Debug)]
pub(super) struct Watch {
    started_at: Instant,
    opened: bool,
    keep_alive: KeepAlive,
    look_at: Instant,
    /// Something was read, or written, since the last look.
    alive: bool,
    blocked_since: Option<Instant>,
    alarm: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl Watch {
    /// A connection begins with its handshake.
    pub(super) fn new() -> Watch {
        let now = Instant::now();
        Watch {
            started_at: now,
            opened: false,
            keep_alive: KeepAlive::default(),
            look_at: now + LOOK_EVERY,
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

    /// The socket takes bytes.
    pub(super) fn flows(&mut self) {
        self.blocked_since = None;
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

    /// Waits until it is time for something.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Due, Lost>> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let due = self.on_timer()?;
            if due.ping || due.alarm {
                return Poll::Ready(Ok(due));
            }
        }
    }

    /// Reacts to the timer and sets it anew.
    fn on_timer(&mut self) -> Result<Due, Lost> {
        let now = Instant::now();
        let mut next = now + LOOK_EVERY;
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
        let mut ping = false;
        if due(self.look_at) {
            self.look_at = now + LOOK_EVERY;
            let alive = std::mem::replace(&mut self.alive, false) || !self.opened;
            match self.keep_alive.look(alive, false, LOOK_EVERY, PATIENCE) {
                Then::Ask => ping = true,
                Then::Leave => return Err(Lost::Silent),
                Then::Nothing | Then::Doubt => {}
            }
        }
        let alarm = self.alarm.is_some_and(&mut due);
        if alarm {
            self.alarm = None;
        }
        self.timer.as_mut().reset(next);
        Ok(Due { ping, alarm })
    }

    fn wake_timer_by(&mut self, time: Instant) {
        if time < self.timer.deadline() {
            self.timer.as_mut().reset(time);
        }
    }
}
