//! Where a link puts what comes of a call, and where its caller waits for that: how the call has ended; or, where the reply comes in
//! items, its head, its items and then how it has ended.
//!
//! Nearly all replies are whole and come with their call's end. Only for a reply that has begun there is a queue, on the heap. Its bound
//! is the link's, which is told of each item that its reader takes, and lets the instance send no more than that at a time.

mod items;

use super::outcome::Outcome;
use super::reply::LongReply;
use bytes::Bytes;
use callgate_protocol::Room;
use callgate_transcode::Picked;
use items::Items;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::task::AbortHandle;
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
    /// The time says nothing of the instance: the worker was away for a part of it, or the reply counts as begun though nothing has come.
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
    /// The next one, as JSON on one line, with the fields that the route picks of it.
    Data(Bytes, Option<Box<Picked>>),
    /// The next one, whose JSON is long, or may be: it is yet to be made.
    Long(Box<LongReply>),
    /// How it has ended, after its last item.
    End(Ended),
}

/// An item as its link has it, until its reader takes it.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) bytes: Vec<u8>,
    /// The bytes' room, where they were put together of parts.
    pub(super) room: Option<Room>,
}

/// What is next in the queue of a reply that has begun.
pub(super) enum Next {
    Item(Raw),
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
    pub(super) fn poll_item(&self, cx: &mut Context<'_>) -> Poll<Next> {
        if let State::Begun(items) = &mut *self.state.borrow_mut()
            && let Some(next) = items.take()
        {
            return Poll::Ready(next);
        }
        self.register(cx);
        Poll::Pending
    }

    /// The reply counts as begun now, unless more than that has come of the call. What has come of it.
    pub(super) fn begin_now(&self, begun: Begun) -> Progress {
        let state = &mut *self.state.borrow_mut();
        match std::mem::take(state) {
            State::Ended(ended) => Progress::Ended(ended),
            State::Waiting => {
                *state = State::Begun(Box::new(Items::heard()));
                Progress::Begun(begun)
            }
            State::Begun(mut items) => {
                let head = items.take_head();
                *state = State::Begun(items);
                Progress::Begun(head.unwrap_or(begun))
            }
        }
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
impl Slot {
    /// The reply has begun.
    pub(super) fn begin(&self, begun: Begun) {
        *self.state.borrow_mut() = State::Begun(Box::new(Items::new(begun)));
        self.wake();
    }

    /// The next item of a reply that has begun has come.
    pub(super) fn put(&self, item: Raw) {
        if let State::Begun(items) = &mut *self.state.borrow_mut() {
            items.put(item);
        }
        self.wake();
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
    /// Of a call that streams. On the heap: most do not.
    pub(super) streams: Option<Box<Streams>>,
}

/// What belongs to a call that streams.
pub(super) struct Streams {
    /// The method's reply comes in items.
    pub(super) in_items: bool,
    /// Makes of an item what its reader gets, and lets the instance send another one in its place; or says why that is no value.
    pub(super) take: Box<dyn Fn(Raw) -> Result<Item, String>>,
    /// The task that sends the items of the request, if there is one.
    pub(super) sender: Option<Sender>,
}

/// A task that sends the items of a request. It ends with this.
pub(super) struct Sender(pub(super) AbortHandle);

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.abort();
    }
}
