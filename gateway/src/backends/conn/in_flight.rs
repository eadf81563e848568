//! A call in flight: what the connection keeps of it, and what its caller holds.

use super::{Answer, Conn, LocalTranscoder};
use crate::backends::health::Verdict;
use crate::routes::Endpoint;
use crate::telemetry::Outcome;
use callgate_protocol::Code;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
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

    /// Where it was sent.
    pub fn endpoint(&self) -> &Endpoint {
        &self.conn.endpoint
    }
}

impl Future for InFlight {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        if let Some(answer) = self.slot.answer.borrow_mut().take() {
            return Poll::Ready(answer);
        }
        let mut waker = self.slot.waker.borrow_mut();
        match waker.as_mut() {
            Some(known) => known.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(pending) = self.conn.take_pending(self.number) {
            // Whoever gives up soon says nothing; whoever has waited longer than others do says that the instance is slow.
            let now = Instant::now();
            let waited = now.saturating_duration_since(pending.sent_at);
            self.conn.monitor.ended(pending.epoch, Verdict::GivenUp, Some(waited), now);
            let stats = &self.conn.endpoint.stats.0;
            stats.of(self.conn.worker).ended(Outcome::Failed(Code::Cancelled));
            self.conn.outbound.borrow_mut().cancel(self.number);
            self.conn.wake_driver();
        }
    }
}
