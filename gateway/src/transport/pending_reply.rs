//! A call that was made on a link: what its caller holds, and where the link puts what comes of it.

use super::link::Link;
use super::outcome::Outcome;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
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
}

/// A call that was made. Dropped before it has ended, it is cancelled.
pub struct PendingReply {
    link: Link,
    number: u32,
    slot: Rc<Slot>,
    sent_at: Instant,
    /// It has ended, and its caller knows.
    over: bool,
}

impl PendingReply {
    /// Number `number` of that link, which puts into `slot` what comes of it.
    #[inline]
    pub(super) fn new(link: Link, number: u32, slot: Rc<Slot>, sent_at: Instant) -> PendingReply {
        PendingReply { link, number, slot, sent_at, over: false }
    }

    /// When it was sent.
    #[inline]
    pub fn sent_at(&self) -> Instant {
        self.sent_at
    }

    /// The link that it was made on.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Waits for what is heard of it next.
    #[inline]
    pub fn heard(&mut self) -> impl Future<Output = Heard> {
        poll_fn(|cx| self.poll_heard(cx))
    }

    /// What is heard of it next.
    #[inline]
    pub fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        if let Some(ended) = self.slot.ended.borrow_mut().take() {
            self.over = true;
            return Poll::Ready(Heard::Ended(ended));
        }
        if self.slot.silent.take() {
            return Poll::Ready(Heard::Silent);
        }
        let mut waker = self.slot.waker.borrow_mut();
        match waker.as_mut() {
            Some(known) => known.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Gives the call up, and says how it has ended, unless that was heard already.
    #[inline]
    pub fn give_up(&mut self) -> Option<Ended> {
        if std::mem::replace(&mut self.over, true) {
            return None;
        }
        // What has come, and was not heard, has come.
        let come = self.slot.ended.borrow_mut().take();
        come.or_else(|| self.link.cancel(self.number))
    }
}

impl Drop for PendingReply {
    #[inline]
    fn drop(&mut self) {
        self.give_up();
    }
}
