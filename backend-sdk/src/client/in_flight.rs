//! What lies between a connection and the caller of one call on it: how the call has ended, and before that perhaps word that the
//! peer may be gone.
//!
//! The connection keeps an [`InFlight`] for each call, and its caller waits by a [`Wait`]. Word of a silence comes by the wake-up
//! for which the caller waits anyway, so a plain call pays nothing for it.

use super::outcome::{Origin, Outcome, unavailable};
use std::sync::{Arc, Mutex, PoisonError};
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
}

/// What has happened and was not heard yet, and whom to wake.
type Shared = Mutex<(Option<Heard>, Option<Waker>)>;

/// The two ends of a call.
pub(crate) fn in_flight() -> (InFlight, Wait) {
    let shared = Arc::default();
    (InFlight(Some(Arc::clone(&shared))), Wait(shared))
}

impl InFlight {
    /// The call has ended. That its caller has left does not matter.
    pub(crate) fn end(mut self, outcome: Outcome) {
        self.0.take().inspect(|shared| tell(shared, Heard::Outcome(outcome)));
    }

    /// The peer has fallen silent.
    pub(crate) fn falls_silent(&self) {
        self.0.as_ref().inspect(|shared| tell(shared, Heard::Silent));
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            tell(&shared, Heard::Outcome(Err(unavailable(Origin::Lost, "the connection was lost"))));
        }
    }
}

impl Wait {
    /// The next thing that is heard. Not to be asked again after an outcome.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<Heard> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(heard) = shared.0.take() {
            return Poll::Ready(heard);
        }
        match &mut shared.1 {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

/// What was not heard yet is of no use any more.
fn tell(shared: &Shared, news: Heard) {
    let mut guard = shared.lock().unwrap_or_else(PoisonError::into_inner);
    guard.0 = Some(news);
    let waker = guard.1.take();
    drop(guard);
    if let Some(waker) = waker {
        waker.wake();
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
