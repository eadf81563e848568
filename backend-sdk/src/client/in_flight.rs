//! What lies between a connection and the caller of one call on it: how the call has ended, and before that perhaps word that the
//! peer may be gone, and the items of one that streams.
//!
//! The connection keeps an [`InFlight`] for each call, and its caller waits by a [`Wait`]. Word of a silence comes by the wake-up
//! for which the caller waits anyway, so a plain call pays nothing for it.

use super::outcome::{Origin, Outcome, unavailable};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The connection's end. When it is dropped without an outcome, the call is lost.
#[derive(Debug)]
pub(crate) struct InFlight(Option<Arc<Shared>>);

/// The caller's end.
#[derive(Debug)]
pub(crate) struct Wait(Arc<Shared>);

/// What a caller hears.
#[derive(Debug)]
pub(crate) enum Heard {
    /// How the call has ended; nothing comes after it.
    Outcome(Outcome),
    /// The peer has fallen silent: it may be gone, and it may answer all the same.
    Silent,
    /// The first item is there. It is heard until the item is taken.
    Begun,
}

/// What has happened and was not heard yet.
#[derive(Debug, Default)]
struct Shared(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    heard: Option<Heard>,
    /// Those that wait for the caller, as many as the credit that this side gives. They come before an outcome.
    items: VecDeque<Vec<u8>>,
    waker: Option<Waker>,
}

/// The two ends of a call.
pub(crate) fn in_flight() -> (InFlight, Wait) {
    let shared = Arc::default();
    (InFlight(Some(Arc::clone(&shared))), Wait(shared))
}

impl InFlight {
    /// The call has ended. That its caller has left does not matter.
    pub(crate) fn end(mut self, outcome: Outcome) {
        self.0.take().inspect(|shared| shared.tell(|state| state.heard = Some(Heard::Outcome(outcome))));
    }

    /// The peer has fallen silent.
    pub(crate) fn falls_silent(&self) {
        self.0.as_ref().inspect(|shared| shared.tell(|state| state.heard = Some(Heard::Silent)));
    }

    /// An item has come.
    pub(crate) fn item(&self, payload: &[u8]) {
        self.0.as_ref().inspect(|shared| shared.tell(|state| state.items.push_back(payload.to_vec())));
    }

    /// It is the caller's turn to put items.
    pub(crate) fn turn(&self) {
        self.0.as_ref().inspect(|shared| shared.tell(|_| {}));
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            let lost = unavailable(Origin::Lost, "the connection was lost");
            shared.tell(|state| state.heard = Some(Heard::Outcome(Err(lost))));
        }
    }
}

impl Wait {
    /// The next thing that is heard. Not to be asked again after an outcome.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<Heard> {
        let mut state = self.0.lock();
        if !state.items.is_empty() {
            return Poll::Ready(Heard::Begun);
        }
        if let Some(heard) = state.heard.take() {
            return Poll::Ready(heard);
        }
        state.wait(cx)
    }

    /// The next item, or behind the last the outcome. Not to be asked again after that.
    pub(crate) fn poll_item(&self, cx: &Context<'_>) -> Poll<Result<Vec<u8>, Outcome>> {
        let mut state = self.0.lock();
        if let Some(item) = state.items.pop_front() {
            return Poll::Ready(Ok(item));
        }
        match state.heard.take() {
            Some(Heard::Outcome(outcome)) => Poll::Ready(Err(outcome)),
            // Who reads a stream waits for the peer, as long as the connection is not given up.
            _ => state.wait(cx),
        }
    }
}

impl Shared {
    /// What was not heard yet is of no use any more.
    fn tell(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Nothing under this lock panics half-way.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[tokio::test]
    async fn a_silence_is_heard_once_before_the_outcome_and_not_after_it() {
        let (end, wait) = in_flight();
        end.falls_silent();
        assert!(matches!(poll_fn(|cx| wait.poll(cx)).await, Heard::Silent));
        let waits = poll_fn(|cx| Poll::Ready(wait.poll(cx).is_pending()));
        assert!(waits.await);
        end.falls_silent();
        end.end(Err(unavailable(Origin::Endpoint, "as it was told")));
        let heard = poll_fn(|cx| wait.poll(cx)).await;
        let Heard::Outcome(Err(failed)) = heard else { panic!("{heard:?}") };
        assert_eq!(failed.origin, Origin::Endpoint);
    }

    #[tokio::test]
    async fn a_call_that_its_connection_drops_is_lost() {
        let (end, wait) = in_flight();
        drop(end);
        let heard = poll_fn(|cx| wait.poll(cx)).await;
        assert!(matches!(&heard, Heard::Outcome(Err(failed)) if failed.origin == Origin::Lost), "{heard:?}");
    }
}
