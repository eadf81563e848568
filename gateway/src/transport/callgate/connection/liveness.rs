//! Whether the peer of a connection is there: when it was last heard of, when it was asked, and what its silence comes to.

use super::silence::{Limits, Silence, Then};
use std::cell::{Cell, RefCell};
use std::time::Duration;
use tokio::time::Instant;

/// What is known of that.
pub(super) struct Liveness {
    /// When something was last read.
    heard_at: Cell<Instant>,
    /// When the peer was last asked whether it is there.
    asked_at: Cell<Option<Instant>>,
    /// Something was read since the last look, and how much had been written then.
    heard: Cell<bool>,
    written_before: Cell<u64>,
    silence: RefCell<Silence>,
    limits: Limits,
    /// It does not answer: it gets calls only when there is no other.
    silent: Cell<bool>,
    /// It was given up.
    given_up: Cell<bool>,
}

impl Liveness {
    /// The peer was heard of now.
    pub(super) fn new(limits: Limits) -> Liveness {
        Liveness {
            heard_at: Cell::new(Instant::now()),
            asked_at: Cell::new(None),
            heard: Cell::new(true),
            written_before: Cell::new(0),
            silence: RefCell::default(),
            limits,
            silent: Cell::new(false),
            given_up: Cell::new(false),
        }
    }

    /// When something was last heard of it.
    #[inline]
    pub(super) fn heard_at(&self) -> Instant {
        self.heard_at.get()
    }

    /// Whether the peer may be gone: it does not answer.
    #[inline]
    pub(super) fn is_silent(&self) -> bool {
        self.silent.get()
    }

    /// Whether it was given up.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.get()
    }

    /// Something was read. Says whether that ends a silence.
    #[inline]
    pub(super) fn hears(&self, now: Instant) -> bool {
        self.heard_at.set(now);
        self.heard.set(true);
        self.silent.replace(false)
    }

    /// Looks `pace` after the last time. `written`: bytes that have left so far; `sending`: more wait; `busy`: calls wait.
    pub(super) fn look(&self, pace: Duration, written: u64, sending: bool, busy: bool) -> Then {
        // What is still being taken from us is no silence: the question would have to wait behind it.
        let moves = self.written_before.replace(written) != written && sending;
        let alive = self.heard.replace(false) || moves;
        let then = self.silence.borrow_mut().look(alive, busy, pace, self.limits);
        match then {
            Then::Doubt if self.silent.replace(true) => return Then::Nothing,
            Then::Leave => self.given_up.set(true),
            _ => {}
        }
        then
    }

    /// It is asked now.
    pub(super) fn asked(&self) -> Instant {
        let now = Instant::now();
        self.asked_at.set(Some(now));
        now
    }

    /// When it was asked, if nothing was heard since.
    pub(super) fn unanswered_since(&self) -> Option<Instant> {
        self.asked_at.get().filter(|asked| *asked >= self.heard_at.get())
    }
}
