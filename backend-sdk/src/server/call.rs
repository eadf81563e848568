//! One call: runs the handler's future and answers, whatever becomes of it.
//!
//! [`begin`] runs it until it ends or waits. What waits goes on in a task of its own, [`run`], which keeps [`Reply`], the promise of
//! exactly one answer: a future whose drop panics unwinds through it.

use super::items::Items;
use super::mailbox::{Done, Mailbox, Outcome, Succeeded};
use super::registry::{Target, full_name};
use super::slots::{LONG, Slots, TaskSlot};
use crate::context::CallState;
use crate::service::{Answer, Method};
use crate::{Context, Status};
use callgate_protocol::{Room, Status as Told};
use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{self, Poll, Waker};
use std::time::Instant;

/// The longest message and details of a failure, in bytes; what is longer is cut.
const MAX_FAILURE: usize = 64 * 1024;

/// The promise to answer a call that has a task.
pub(crate) struct Reply {
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) number: u32,
    pub(crate) state: Arc<CallState>,
    pub(crate) target: Arc<Target>,
    pub(crate) slot: TaskSlot,
    pub(crate) began: Instant,
    /// That of long arguments.
    pub(crate) _room: Option<Room>,
}

impl Reply {
    /// Answers, unless the call was cancelled.
    fn answer(&self, result: impl FnOnce() -> Result<Vec<u8>, Status>) {
        if !self.state.answer() {
            return;
        }
        let slots = self.slot.slots();
        let streams = self.target.method.streams;
        // One that streams takes as long as its reader likes.
        if streams.is_plain() {
            slots.ended(|| self.began.elapsed());
        }
        let outcome = outcome(result(), &self.state, slots);
        self.mailbox.put(Done { number: self.number, outcome, ends: streams.service });
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.answer(|| Err(Status::internal("the method ended without an answer")));
    }
}

/// What a call's caller is told: a long result takes room until it has left, and a failure is cut to its bounds.
pub(crate) fn outcome(result: Result<Vec<u8>, Status>, state: &CallState, slots: &Slots) -> Outcome {
    let beside = state.reply_metadata().unwrap_or_default();
    let payload = match result {
        Ok(payload) => payload,
        Err(status) => return Err(bounded(status).told(beside)),
    };
    if payload.len() <= LONG {
        return Ok(Succeeded { payload, beside, room: None });
    }
    let message = "the server has no room for a result of this length now";
    match slots.budget.take(payload.len()) {
        Some(room) => Ok(Succeeded { payload, beside, room: Some(room) }),
        None => Err(Told::resource_exhausted(message)),
    }
}

/// Decodes the arguments and gives the future that runs the method. User code, so that it may panic.
pub(crate) fn start(
    target: &Target,
    state: &CallState,
    context: Context,
    payload: &[u8],
    items: Option<Items>,
) -> Result<Answer, Status> {
    let call = || target.service.clone().call(target.index, context, payload, items);
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(panicked(target.method, state, &*panic)))
}

/// A call's task. Where the method is not `begun`, it tells how long that takes.
pub(crate) async fn run(mut answer: Answer, reply: Reply, mut begun: bool) {
    let result = poll_fn(|cx| {
        if std::mem::replace(&mut begun, true) {
            return poll(&mut answer, reply.target.method, &reply.state, cx);
        }
        let since = Instant::now();
        let polled = poll(&mut answer, reply.target.method, &reply.state, cx);
        reply.target.place.took(since.elapsed());
        polled
    })
    .await;
    reply.answer(|| result);
}

/// Runs the method to its end, within its layers. What made it fail is told when they have let that pass.
pub(crate) async fn finish(
    mut answer: Answer,
    method: &'static Method,
    state: &CallState,
) -> Result<Vec<u8>, Status> {
    poll_fn(|cx| polled(&mut answer, method, state, cx)).await
}

/// Runs the method until it ends, or waits for something: then its future comes back. Whoever goes on with it polls it
/// again, so nobody need be woken for it.
pub(crate) fn begin(
    mut answer: Answer,
    method: &'static Method,
    state: &CallState,
) -> Result<Result<Vec<u8>, Status>, Answer> {
    match poll(&mut answer, method, state, &mut task::Context::from_waker(Waker::noop())) {
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
    state: &CallState,
    cx: &mut task::Context<'_>,
) -> Poll<Result<Vec<u8>, Status>> {
    let polled = polled(answer, method, state, cx);
    if let Poll::Ready(Err(status)) = &polled {
        tell_cause(status, method, state);
    }
    polled
}

/// Polls the method, and makes a failure of a panic.
fn polled(
    answer: &mut Answer,
    method: &'static Method,
    state: &CallState,
    cx: &mut task::Context<'_>,
) -> Poll<Result<Vec<u8>, Status>> {
    let poll = || answer.as_mut().poll(cx);
    catch_unwind(AssertUnwindSafe(poll))
        .unwrap_or_else(|panic| Poll::Ready(Err(panicked(method, state, &*panic))))
}

/// What made a method fail is for the log, where the caller is not told of it.
fn tell_cause(status: &Status, method: &Method, state: &CallState) {
    if let Some(cause) = status.untold_cause() {
        let (method, code, request_id) = (full_name(method), status.code.name(), state.request_id());
        tracing::error!(method, request_id, code, error = %cause, "a method failed");
    }
}

/// What a caller learns of a panic is that there was one; the message is for the log.
fn panicked(method: &Method, state: &CallState, panic: &(dyn Any + Send)) -> Status {
    let message = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text.as_str(),
        _ => "(a panic without a text)",
    };
    tracing::error!(
        method = full_name(method),
        request_id = state.request_id(),
        panic = message,
        "a method panicked"
    );
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
