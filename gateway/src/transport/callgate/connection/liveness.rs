//! Whether the peer of a connection is there: when it was last heard of, when it was asked, and what its silence comes to.

use crate::transport::callgate::in_flight::Machine;
use callgate_protocol::connection::{KeepAlive, Patience, Then};
use std::cell::{Cell, RefCell};
use std::time::Duration;
use tokio::time::Instant;

/// After so long without a byte the peer is asked, if calls wait for it. Short, because all that it is given before it is
/// doubted has to be sent again: together with [`DOUBT`], less than the share of the recent calls that retries may be.
const BUSY: Duration = Duration::from_millis(200);

/// So long after it was asked in vain it is given no more calls, as long as there is another instance.
const DOUBT: Duration = Duration::from_millis(200);

/// What is known of that.
pub(super) struct Liveness {
    /// When something was last read.
    heard_at: Cell<Instant>,
    /// When the peer was last asked whether it is there.
    asked_at: Cell<Option<Instant>>,
    /// Something was read since the last look, and how much had been written then.
    heard: Cell<bool>,
    written_before: Cell<u64>,
    keep_alive: RefCell<KeepAlive>,
    patience: Patience,
    /// It does not answer: it gets calls only when there is no other.
    silent: Cell<bool>,
    /// It was given up.
    given_up: Cell<bool>,
}

impl Liveness {
    /// The peer was heard of now. It is asked when nothing was heard of it for so long, and may take so long to answer.
    pub(super) fn new(idle: Duration, leave: Duration) -> Liveness {
        Liveness {
            heard_at: Cell::new(Instant::now()),
            asked_at: Cell::new(None),
            heard: Cell::new(true),
            written_before: Cell::new(0),
            keep_alive: RefCell::default(),
            patience: Patience { idle, busy: BUSY, doubt: DOUBT, leave },
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

    /// Looks at the connection `pace` after the last time.
    pub(super) fn look(&self, pace: Duration, machine: &Machine) -> Then {
        let (written, busy) = (machine.departed(), machine.in_flight() > 0);
        // What is still being taken from us is no silence.
        let moves = self.written_before.replace(written) != written && !machine.is_empty();
        let alive = self.heard.replace(false) || moves;
        let then = self.keep_alive.borrow_mut().look(alive, busy, pace, self.patience);
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
