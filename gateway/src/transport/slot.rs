//! Where a link puts what comes of a call, and where its caller waits for that.

use super::outcome::Outcome;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::Instant;

/// An attempt that has ended.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
    /// The worker was away for a part of that time, so that this says nothing of the instance.
    pub disturbed: bool,
}

/// What is heard of a call that was made.
#[derive(Debug)]
pub enum Heard {
    /// How it has ended, which is the last that is heard.
    Ended(Ended),
    /// Its instance has fallen silent. The reply may come all the same.
    Silent,
}

/// Where a link puts what comes of a call.
#[derive(Default)]
pub(super) struct Slot {
    ended: RefCell<Option<Ended>>,
    /// Its instance has fallen silent, and its caller does not know that yet.
    silent: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Slot {
    /// The call has ended.
    #[inline]
    pub(super) fn end(&self, ended: Ended) {
        *self.ended.borrow_mut() = Some(ended);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// The instance has fallen silent.
    pub(super) fn fall_silent(&self) {
        self.silent.set(true);
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }

    /// What is heard next.
    #[inline]
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Heard> {
        if let Some(ended) = self.take() {
            return Poll::Ready(Heard::Ended(ended));
        }
        if self.silent.take() {
            return Poll::Ready(Heard::Silent);
        }
        let mut waker = self.waker.borrow_mut();
        match waker.as_mut() {
            Some(known) => known.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// How the call has ended, if it has and nobody has heard of it.
    #[inline]
    pub(super) fn take(&self) -> Option<Ended> {
        self.ended.borrow_mut().take()
    }
}

/// A call that a link has sent.
pub(super) struct Sent {
    /// By which the link knows it.
    pub(super) number: u32,
    /// Where it puts what comes of it.
    pub(super) slot: Rc<Slot>,
    /// When it was sent.
    pub(super) at: Instant,
}
