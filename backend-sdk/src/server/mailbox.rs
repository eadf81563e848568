//! Where the tasks of a connection's calls leave their answers: one short lock, one wake-up.
//!
//! The connection's own task takes them from here. Whoever leaves an answer takes the waker away, so however many calls end
//! together, on whichever threads, the task is woken once. There are never more answers here than calls that have tasks.

use callgate_protocol::{MetadataBuf, Room, Status};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// How a call ends.
pub(crate) type Outcome = Result<Succeeded, Status>;

/// An encoded result, what goes beside it, and the room that it takes.
#[derive(Debug)]
pub(crate) struct Succeeded {
    pub(crate) payload: Vec<u8>,
    pub(crate) beside: MetadataBuf,
    pub(crate) room: Option<Room>,
}

/// A call that has ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) number: u32,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Default)]
pub(crate) struct Mailbox(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    done: Vec<Done>,
    waker: Option<Waker>,
}

impl Mailbox {
    pub(crate) fn put(&self, done: Done) {
        let mut state = self.lock();
        state.done.push(done);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Moves everything into `done`, which is empty. The next one to put something here wakes `cx`.
    pub(crate) fn take(&self, done: &mut Vec<Done>, cx: Option<&Context<'_>>) {
        let mut state = self.lock();
        std::mem::swap(&mut state.done, done);
        if let Some(cx) = cx {
            match &mut state.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
        }
    }

    /// Nothing under this lock panics half-way.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
