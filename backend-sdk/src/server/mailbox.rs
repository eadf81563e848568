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
    /// Its service streams: a result is the end of the items.
    pub(crate) ends: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Mailbox(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    done: Vec<Done>,
    /// Calls that stream, of which there is something to do: items to put, or to say of others that they were used.
    streams: Vec<u32>,
    waker: Option<Waker>,
}

impl Mailbox {
    pub(crate) fn put(&self, done: Done) {
        self.leave(|state| state.done.push(done));
    }

    /// There is something to do for a call that streams.
    pub(crate) fn note(&self, number: u32) {
        self.leave(|state| state.streams.push(number));
    }

    fn leave(&self, leave: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        leave(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Moves everything into `done` and `streams`, which are empty. The next one to put something here wakes `cx`.
    pub(crate) fn take(&self, done: &mut Vec<Done>, streams: &mut Vec<u32>, cx: Option<&Context<'_>>) {
        let mut state = self.lock();
        std::mem::swap(&mut state.done, done);
        std::mem::swap(&mut state.streams, streams);
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
