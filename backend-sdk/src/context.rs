//! What a handler may know of the call that it serves: deadline, metadata, and whether anybody still waits.
//!
//! [`CallState`] is what the connection and the call's task share of it: the one place where it is decided, once and
//! for all, whether a call is answered or cancelled.

use callgate_protocol::{Metadata, MetadataBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A call's surroundings. A method that wants it takes `&Context` as its first argument; passed on to a
/// [`Client`](crate::Client) it hands on deadline, request id and trace context, and what the program itself has added
/// by [`with_metadata`](Self::with_metadata); whatever else came with the call stays here.
#[derive(Clone, Debug)]
pub struct Context {
    deadline: Option<Instant>,
    metadata: MetadataBuf,
    /// The entries that the program has added, which go along with the calls that it makes.
    added: MetadataBuf,
    call: Option<Arc<CallState>>,
}

impl Context {
    /// A context for a call that a program starts of itself: no deadline, no metadata, never cancelled.
    pub fn background() -> Context {
        Context {
            deadline: None,
            metadata: MetadataBuf::default(),
            added: MetadataBuf::default(),
            call: None,
        }
    }

    /// The context of a call that has arrived.
    pub(crate) fn of_call(
        deadline: Option<Instant>,
        metadata: Metadata<'_>,
        call: Arc<CallState>,
    ) -> Context {
        Context { deadline, metadata: metadata.into(), added: MetadataBuf::default(), call: Some(call) }
    }

    /// The same with a deadline at most `timeout` from now; an earlier one stays.
    pub fn with_timeout(mut self, timeout: Duration) -> Context {
        if let Some(new) = Instant::now().checked_add(timeout) {
            self.deadline = Some(self.deadline.map_or(new, |old| old.min(new)));
        }
        self
    }

    /// The same with one more metadata entry, which goes along with the calls that are made with this context (`caller`
    /// does not: it is the [client's](crate::ClientBuilder::caller) to say). Names are sent in lower case. An entry whose name is not 1 to 255
    /// ASCII letters, digits, `-`, `_` and `.`, or with which the metadata would be longer than 16 KiB, is left out. When a name is there already, the first entry counts.
    pub fn with_metadata(mut self, name: &str, value: &str) -> Context {
        let name = name.to_ascii_lowercase();
        self.metadata.push_named(&name, value.as_bytes());
        self.added.push_named(&name, value.as_bytes());
        self
    }

    /// The entries that the program has added.
    pub(crate) fn added(&self) -> Metadata<'_> {
        self.added.as_metadata()
    }

    /// The moment after which nobody waits for the answer.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The time that is left; zero when the deadline has passed, `None` without one.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// The value of a metadata entry, such as `request-id`, `traceparent` or `caller`, if it is there and is UTF-8.
    pub fn metadata(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.metadata.as_metadata().get(name)?).ok()
    }

    /// Whether nobody waits for the answer any more: the caller gave up or is gone, or the deadline has passed.
    pub fn is_cancelled(&self) -> bool {
        self.call.as_ref().is_some_and(|call| call.is_cancelled())
    }

    /// Waits until nobody waits for the answer any more. The handler's own future is dropped then; this is for what it
    /// has spawned. Never ends for a call that is answered, nor for a context that belongs to no call.
    pub async fn cancelled(&self) {
        match &self.call {
            Some(call) => call.cancelled().await,
            None => std::future::pending().await,
        }
    }
}

/// How a call stands. It leaves `RUNNING` once, towards one of the others: so a call has one answer, whoever is first.
#[derive(Debug)]
pub(crate) struct CallState {
    stage: AtomicU8,
    cancelled: Notify,
}

const RUNNING: u8 = 0;
const ANSWERED: u8 = 1;
const CANCELLED: u8 = 2;

impl CallState {
    pub(crate) fn running() -> CallState {
        CallState { stage: AtomicU8::new(RUNNING), cancelled: Notify::new() }
    }

    /// Claims the answer for the call's task; `false` when it was cancelled or answered before.
    pub(crate) fn answer(&self) -> bool {
        self.leave_running(ANSWERED)
    }

    /// Cancels the call and tells those who wait for that; `false` when it was cancelled or answered before.
    pub(crate) fn cancel(&self) -> bool {
        let cancelled = self.leave_running(CANCELLED);
        if cancelled {
            self.cancelled.notify_waiters();
        }
        cancelled
    }

    fn leave_running(&self, stage: u8) -> bool {
        self.stage.compare_exchange(RUNNING, stage, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn is_cancelled(&self) -> bool {
        self.stage.load(Ordering::Acquire) == CANCELLED
    }

    async fn cancelled(&self) {
        loop {
            // Created before the look at the stage, so that a cancellation between the two is not missed.
            let notified = self.cancelled.notified();
            if self.is_cancelled() {
                return;
            }
            notified.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_either_answered_or_cancelled() {
        let answered = CallState::running();
        assert!(answered.answer() && !answered.cancel() && !answered.is_cancelled());
        let cancelled = CallState::running();
        assert!(cancelled.cancel() && !cancelled.answer() && cancelled.is_cancelled());
    }

    #[tokio::test]
    async fn everybody_who_waits_hears_of_a_cancellation_and_late_ones_too() {
        let call = Arc::new(CallState::running());
        let cx = Context::of_call(None, Metadata::default(), call.clone());
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                tokio::spawn({
                    let cx = cx.clone();
                    async move { cx.cancelled().await }
                })
            })
            .collect();
        tokio::task::yield_now().await;
        call.cancel();
        for task in waiting {
            task.await.expect("the task does not panic");
        }
        cx.cancelled().await;
    }

    #[test]
    fn the_earlier_deadline_counts() {
        let cx = Context::background().with_timeout(Duration::from_secs(1));
        let deadline = cx.deadline();
        assert_eq!(cx.clone().with_timeout(Duration::from_secs(9)).deadline(), deadline);
        assert!(cx.with_timeout(Duration::ZERO).deadline() < deadline);
    }

    #[test]
    fn what_came_with_a_call_counts_before_what_is_added() {
        let mut came = MetadataBuf::default();
        came.push_named("tenant", b"blue");
        let call = Arc::new(CallState::running());
        let cx = Context::of_call(None, came.as_metadata(), call).with_metadata("tenant", "red");
        assert_eq!(cx.metadata("tenant"), Some("blue"));
        assert_eq!(cx.added().get("tenant"), Some(&b"red"[..]));
    }
}
