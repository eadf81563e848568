//! Where a link puts what comes of a call, and where its caller waits for that: how the call has ended; or, where the reply comes in
//! items, its head, its items and then how it has ended.
//!
//! Nearly all replies are whole and come with their call's end. Only for a reply that has begun there is a queue, on the heap. It is
//! bounded: a link asks whether there is room before it puts an item in, and is woken when the reader has made some.

mod items;

use super::outcome::Outcome;
use bytes::Bytes;
use items::Items;
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

/// A reply that has begun: its head is there, its items follow. Its call cannot be sent again.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    /// How long it took until its head was there.
    pub took: Duration,
    /// The worker was away for a part of that time, so that this says nothing of the instance.
    pub disturbed: bool,
}

/// What comes of a call first.
#[derive(Debug)]
pub enum Progress {
    /// Its reply has begun.
    Begun(Begun),
    /// It has ended, with a whole reply or none.
    Ended(Ended),
}

/// What is heard of a call that was made.
#[derive(Debug)]
pub enum Heard {
    /// What has come of it, which is all that is heard before the items of its reply.
    Progress(Progress),
    /// Its instance has fallen silent. The reply may come all the same.
    Silent,
}

/// What is heard of a reply that has begun.
#[derive(Debug)]
pub enum Item {
    /// The next one.
    Data(Bytes),
    /// How it has ended, after its last item.
    End(Ended),
}

/// Where a link puts what comes of a call.
#[derive(Default)]
pub(super) struct Slot {
    state: RefCell<State>,
    /// Its instance has fallen silent, and its caller does not know that yet.
    silent: Cell<bool>,
    reader: RefCell<Option<Waker>>,
}

#[derive(Default)]
enum State {
    /// Nothing has come, or its end was heard.
    #[default]
    Waiting,
    #[cfg_attr(not(test), expect(dead_code, reason = "only the tests' link has replies in items yet"))]
    Begun(Box<Items>),
    Ended(Ended),
}

impl Slot {
    /// The call has ended, and with it its reply, if that has begun.
    #[inline]
    pub(super) fn end(&self, ended: Ended) {
        match &mut *self.state.borrow_mut() {
            State::Begun(items) => items.end(ended),
            state => *state = State::Ended(ended),
        }
        if let Some(waker) = self.reader.borrow_mut().take() {
            waker.wake();
        }
    }

    /// The instance has fallen silent.
    pub(super) fn fall_silent(&self) {
        self.silent.set(true);
        if let Some(waker) = self.reader.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }

    /// What is heard next.
    #[inline]
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Heard> {
        match &mut *self.state.borrow_mut() {
            State::Waiting => {}
            State::Begun(items) => {
                if let Some(begun) = items.take_head() {
                    return Poll::Ready(Heard::Progress(Progress::Begun(begun)));
                }
            }
            state => {
                if let State::Ended(ended) = std::mem::take(state) {
                    return Poll::Ready(Heard::Progress(Progress::Ended(ended)));
                }
            }
        }
        if self.silent.take() {
            return Poll::Ready(Heard::Silent);
        }
        self.register(cx);
        Poll::Pending
    }

    /// What is heard next of a reply that has begun. That its instance has fallen silent is not: nobody else can go on with it.
    pub(super) fn poll_item(&self, cx: &mut Context<'_>) -> Poll<Item> {
        if let State::Begun(items) = &mut *self.state.borrow_mut()
            && let Some(item) = items.take()
        {
            return Poll::Ready(item);
        }
        self.register(cx);
        Poll::Pending
    }

    #[inline]
    fn register(&self, cx: &mut Context<'_>) {
        let mut reader = self.reader.borrow_mut();
        match reader.as_mut() {
            Some(known) => known.clone_from(cx.waker()),
            None => *reader = Some(cx.waker().clone()),
        }
    }

    /// How the call has ended, if it has and nobody has heard of it.
    #[inline]
    pub(super) fn take_end(&self) -> Option<Ended> {
        match std::mem::take(&mut *self.state.borrow_mut()) {
            State::Waiting => None,
            State::Begun(items) => items.into_end(),
            State::Ended(ended) => Some(ended),
        }
    }

    /// Whether its reply has begun.
    pub(super) fn has_begun(&self) -> bool {
        matches!(&*self.state.borrow(), State::Begun(_))
    }
}

/// What a link uses that has replies in items.
#[cfg(test)]
impl Slot {
    /// The reply has begun. Its items may take so many bytes.
    pub(super) fn begin(&self, begun: Begun, most: usize) {
        *self.state.borrow_mut() = State::Begun(Box::new(Items::new(begun, most)));
        self.wake();
    }

    /// The next item has come. To be asked before is whether there is [room](Self::poll_room).
    pub(super) fn put(&self, item: Bytes) {
        if let State::Begun(items) = &mut *self.state.borrow_mut() {
            items.put(item);
        }
        self.wake();
    }

    /// Whether there is room for an item. If not, the link is woken when there is, or when the reply's reader has gone.
    pub(super) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self.state.borrow_mut() {
            State::Begun(items) => items.poll_room(cx),
            _ => Poll::Ready(()),
        }
    }

    fn wake(&self) {
        if let Some(waker) = self.reader.borrow_mut().take() {
            waker.wake();
        }
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
