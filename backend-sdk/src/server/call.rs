//! One call: runs the handler's future and answers, whatever becomes of it.
//!
//! [`Reply`] is the promise of exactly one answer. It is kept by whoever runs the call, as a rule a task of its own; a
//! handler that panics, or a future whose drop panics, unwinds through it.

use super::calls::Peer;
use super::registry::{Target, full_name};
use crate::connection::Queue;
use crate::context::CallState;
use crate::service::{Answer, Method};
use crate::{Context, Status};
use callgate_protocol::limits::MAX_FRAME;
use callgate_protocol::{Budget, Metadata, Room};
use std::any::Any;
use std::future::poll_fn;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::task::{self, Poll, Waker};
use std::time::Instant;

/// The longest message and details of a failure, in bytes; what is longer is cut.
const MAX_FAILURE: usize = 64 * 1024;

/// A message of more bytes takes room of the server's budget. It does not fit into a frame.
pub(crate) const LONG: usize = MAX_FRAME as usize;

/// What a caller is told who finds the server full, while nobody knows how long calls take; and the bounds of what it is told
/// then. In milliseconds.
const RETRY_AFTER_MS: u32 = 100;
const RETRY_AFTER_BOUNDS: RangeInclusive<u32> = 20..=5000;

/// Room for calls in the whole server.
#[derive(Debug)]
pub(crate) struct Slots {
    used: AtomicUsize,
    max: usize,
    /// How long calls take when there are many, in microseconds; a moving average, 0 before the first.
    mean_us: AtomicU32,
    /// For the long among their messages: those that arrive in parts, arguments at work, results that wait to be read.
    pub(crate) budget: Arc<Budget>,
}

/// One call's room. It is given back when the call's task has really ended, even if nobody has waited for it any more.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Slots>);

impl Slots {
    pub(crate) fn new(max: usize, max_buffered: usize) -> Slots {
        Slots {
            used: AtomicUsize::new(0),
            max,
            mean_us: AtomicU32::new(0),
            budget: Budget::new(max_buffered),
        }
    }

    pub(crate) fn take(self: &Arc<Slots>) -> Option<Slot> {
        // Counted before it is compared; whoever finds no room counts back through the drop.
        let slot = Slot(self.clone());
        (self.used.fetch_add(1, Ordering::Relaxed) < self.max).then_some(slot)
    }

    /// When a caller who finds the server full should come again, in milliseconds: when most calls that run now have ended.
    pub(crate) fn retry_after_ms(&self) -> u32 {
        match self.mean_us.load(Ordering::Relaxed) {
            0 => RETRY_AFTER_MS,
            mean => (mean / 1000).clamp(*RETRY_AFTER_BOUNDS.start(), *RETRY_AFTER_BOUNDS.end()),
        }
    }

    /// A call has ended that began then. The clock is asked only when the server is half full: before that nobody wants to
    /// know.
    fn ended(&self, began: Instant) {
        if self.used.load(Ordering::Relaxed) * 2 < self.max {
            return;
        }
        let took = u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX).max(1);
        let mean = self.mean_us.load(Ordering::Relaxed);
        // Two that end at once may forget one of them, which does not matter to an average.
        let mean = if mean == 0 { took } else { mean - mean / 8 + took / 8 };
        self.mean_us.store(mean.max(1), Ordering::Relaxed);
    }

    /// Whether any call is running.
    pub(crate) fn are_used(&self) -> bool {
        self.used.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.used.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The promise to answer a call.
pub(crate) struct Reply {
    pub(crate) queue: Arc<Queue<Peer>>,
    pub(crate) number: u32,
    pub(crate) state: Arc<CallState>,
    pub(crate) method: &'static Method,
    pub(crate) slot: Slot,
    pub(crate) began: Instant,
    /// That of long arguments.
    pub(crate) _room: Option<Room>,
}

impl Reply {
    /// Answers, unless the call was cancelled.
    pub(crate) fn send(self, result: Result<Vec<u8>, Status>) {
        self.answer(|| result);
    }

    fn answer(&self, result: impl FnOnce() -> Result<Vec<u8>, Status>) {
        if !self.state.answer() {
            return;
        }
        self.slot.0.ended(self.began);
        let result = result().map_err(bounded).and_then(|payload| Ok((self.room(payload.len())?, payload)));
        self.queue.push(|peer| match result {
            Ok((room, payload)) => peer.reply(self.number, Metadata::default(), payload, room),
            Err(status) => peer.fail(self.number, &status.told()),
        });
    }

    /// Room for a result, until it has left.
    fn room(&self, size: usize) -> Result<Option<Room>, Status> {
        if size <= LONG {
            return Ok(None);
        }
        let message = "the server has no room for a result of this length now";
        self.slot.0.budget.take(size).map(Some).ok_or_else(|| Status::resource_exhausted(message))
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.answer(|| Err(Status::internal("the method ended without an answer")));
    }
}

/// Decodes the arguments and gives the future that runs the method. User code, so that it may panic.
pub(crate) fn start(target: &Target, context: Context, payload: &[u8]) -> Result<Answer, Status> {
    let call = || target.service.clone().call(target.index, context, payload);
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(panicked(target.method, &*panic)))
}

/// A call's task.
pub(crate) async fn run(mut answer: Answer, reply: Reply) {
    let result = poll_fn(|cx| poll(&mut answer, reply.method, cx)).await;
    reply.send(result);
}

/// Runs the method until it ends, or waits for something: then its future comes back. Whoever goes on with it polls it
/// again, so nobody need be woken for it.
pub(crate) fn begin(mut answer: Answer, method: &'static Method) -> Result<Result<Vec<u8>, Status>, Answer> {
    match poll(&mut answer, method, &mut task::Context::from_waker(Waker::noop())) {
        Poll::Pending => Err(answer),
        Poll::Ready(result) => {
            // A panic here is the method's, and comes too late to matter to anybody.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(answer)));
            Ok(result)
        }
    }
}

fn poll(
    answer: &mut Answer,
    method: &'static Method,
    cx: &mut task::Context<'_>,
) -> Poll<Result<Vec<u8>, Status>> {
    let poll = || answer.as_mut().poll(cx);
    let polled = catch_unwind(AssertUnwindSafe(poll));
    let polled = polled.unwrap_or_else(|panic| Poll::Ready(Err(panicked(method, &*panic))));
    if let Poll::Ready(Err(status)) = &polled {
        tell_cause(status, method);
    }
    polled
}

/// What made a method fail is for the log, where the caller is not told of it.
fn tell_cause(status: &Status, method: &Method) {
    if let Some(cause) = status.cause() {
        let (method, code) = (full_name(method), status.code.name());
        tracing::error!(method, code, error = %cause, "a method failed");
    }
}

/// What a caller learns of a panic is that there was one; the message is for the log.
fn panicked(method: &Method, panic: &(dyn Any + Send)) -> Status {
    let message = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text.as_str(),
        _ => "(a panic without a text)",
    };
    tracing::error!(method = full_name(method), panic = message, "a method panicked");
    Status::internal("the method failed unexpectedly")
}

fn bounded(mut status: Status) -> Status {
    if status.message.len() > MAX_FAILURE {
        let end = (0..=MAX_FAILURE).rev().find(|&end| status.message.is_char_boundary(end));
        status.message.truncate(end.unwrap_or(0));
    }
    // Half a JSON text is none.
    status.details = status.details.filter(|details| details.len() <= MAX_FAILURE);
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn who_finds_the_server_full_is_told_to_come_when_calls_will_have_ended() {
        let slots = Arc::new(Slots::new(2, 0));
        let now = Instant::now();
        let ago = |ms| now.checked_sub(Duration::from_millis(ms)).expect("the machine runs for longer");
        slots.ended(ago(700));
        assert_eq!(slots.retry_after_ms(), RETRY_AFTER_MS, "nobody asks while there is room");
        let _slot = slots.take().expect("there is room");
        slots.ended(ago(700));
        assert!((700..750).contains(&slots.retry_after_ms()), "{}", slots.retry_after_ms());
        (0..100).for_each(|_| slots.ended(now));
        assert!(slots.retry_after_ms() < 100, "it follows: {}", slots.retry_after_ms());
        (0..100).for_each(|_| slots.ended(ago(60_000)));
        assert_eq!(slots.retry_after_ms(), 5000, "but not beyond its bounds");
    }
}
