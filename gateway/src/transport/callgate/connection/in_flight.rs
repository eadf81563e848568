//! A call in flight: what the connection keeps of it, and what its caller holds.

use super::{Answer, Conn, LocalTranscoder};
use crate::backends::Endpoint;
use crate::backends::Verdict;
use crate::telemetry::Outcome;
use callgate_protocol::Code;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::time::Instant;

/// What the connection keeps of a call.
pub(super) struct Pending {
    pub(super) slot: Rc<Slot>,
    pub(super) transcoder: Rc<LocalTranscoder>,
    /// Where in the stream of bytes the call begins: while no more than that was written, it has not left.
    pub(super) position: u64,
    pub(super) sent_at: Instant,
    pub(super) deadline: Instant,
    /// For the instance's health.
    pub(super) epoch: u32,
}

/// Where the answer is put.
#[derive(Default)]
pub(super) struct Slot {
    answer: RefCell<Option<Answer>>,
    took: Cell<Duration>,
    /// Its instance has fallen silent, and its caller does not know that yet.
    doubt: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Slot {
    pub(super) fn give(&self, answer: Answer, took: Duration) {
        self.took.set(took);
        *self.answer.borrow_mut() = Some(answer);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// The instance has fallen silent.
    pub(super) fn doubt(&self) {
        self.doubt.set(true);
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

/// What is heard of a call that was sent.
#[derive(Debug)]
pub enum Heard {
    /// Its answer, which is the last that is heard.
    Answer(Answer),
    /// Its instance has fallen silent. The answer may come all the same.
    Doubt,
}

/// A call that was sent. Dropped before its answer is there, it is cancelled.
pub struct InFlight {
    pub(super) conn: Rc<Conn>,
    pub(super) number: u32,
    pub(super) slot: Rc<Slot>,
    pub(super) sent_at: Instant,
}

impl InFlight {
    /// When it was sent.
    pub fn sent_at(&self) -> Instant {
        self.sent_at
    }

    /// How long its answer took; zero before that is there.
    pub fn took(&self) -> Duration {
        self.slot.took.get()
    }

    /// Whether its instance is silent, so that the answer may never come.
    pub fn is_doubtful(&self) -> bool {
        self.conn.is_doubtful()
    }

    /// Asks its instance whether it is there, unless it was asked already and has not answered. Returns when it was asked.
    pub fn ask(&self) -> Instant {
        self.conn.ask_once()
    }

    /// Whether nothing was heard of its instance since it was asked, which is that long ago or longer.
    pub fn has_no_sign(&self, asked: Instant, time: Duration) -> bool {
        self.conn.heard_at() <= asked && asked.elapsed() >= time
    }

    /// Whether this worker was away for a part of its time, so that this says nothing of the instance.
    #[inline]
    pub fn is_disturbed(&self) -> bool {
        self.conn.presence.was_away_since(self.sent_at)
    }

    /// Waits for what is heard of it next.
    #[inline]
    pub fn heard(&mut self) -> impl Future<Output = Heard> {
        poll_fn(|cx| self.poll_heard(cx))
    }

    /// What is heard of it next.
    #[inline]
    pub fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        if let Some(answer) = self.slot.answer.borrow_mut().take() {
            return Poll::Ready(Heard::Answer(answer));
        }
        if self.slot.doubt.take() {
            return Poll::Ready(Heard::Doubt);
        }
        let mut waker = self.slot.waker.borrow_mut();
        match waker.as_mut() {
            Some(known) => known.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Where it was sent.
    pub fn endpoint(&self) -> &Endpoint {
        &self.conn.endpoint
    }
}

impl Conn {
    /// Tells the instance's health how a call has ended, and gives the time that it took. That is not told where it is not the
    /// instance's.
    pub(super) fn reports(&self, pending: &Pending, verdict: Verdict, ended_at: Instant) -> Duration {
        let took = ended_at.saturating_duration_since(pending.sent_at);
        let disturbed = self.presence.was_away_since(pending.sent_at);
        self.monitor.ended(pending.epoch, verdict, (!disturbed).then_some(took), ended_at);
        took
    }
}

impl Future for InFlight {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        loop {
            if let Heard::Answer(answer) = ready!(self.poll_heard(cx)) {
                return Poll::Ready(answer);
            }
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(pending) = self.conn.take_pending(self.number) {
            let now = Instant::now();
            self.conn.presence.see(now);
            // Whoever gives up soon says nothing; whoever has waited longer than others do says that the instance is slow. One
            // that is silent is left for that already.
            let silent = self.is_doubtful();
            let verdict = if silent { Verdict::Nothing } else { Verdict::GivenUp };
            self.conn.reports(&pending, verdict, now);
            let stats = &self.conn.endpoint.stats.0;
            stats.of(self.conn.worker).ended(Outcome::Failed(Code::Cancelled));
            self.conn.outbound.borrow_mut().cancel(self.number);
            self.conn.wake_driver();
        }
    }
}
