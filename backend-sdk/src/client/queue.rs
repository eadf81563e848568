//! What a connection's own task and everybody who calls on it share: one short lock, one wake-up.
//!
//! Under the lock lies the state machine of the connection's side. Whoever pushes takes the waker away; the connection's task
//! leaves it when it has written everything. So however many calls are made in one turn, the task is woken once, and
//! everything leaves in one write.

use super::connection::Calls;
use crate::connection::Outgoing;
use callgate_protocol::connection::MAX_BACKLOG;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// A connection's state machine, and whom to wake.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Told when less waits to be sent than [`MAX_BACKLOG`] again.
    room: Notify,
}

#[derive(Debug)]
struct State {
    calls: Calls,
    waker: Option<Waker>,
}

impl Queue {
    pub(crate) fn new(calls: Calls) -> Queue {
        Queue { state: Mutex::new(State { calls, waker: None }), room: Notify::new() }
    }

    /// Changes something, and wakes the connection's task if there is now something to send.
    #[inline]
    pub(crate) fn push<R>(&self, change: impl FnOnce(&mut Calls) -> R) -> R {
        let mut guard = self.lock();
        let state = &mut *guard;
        let was_full = state.calls.backlog() >= MAX_BACKLOG;
        let result = change(&mut state.calls);
        let waker = if state.calls.is_empty() { None } else { state.waker.take() };
        let has_room = was_full && state.calls.backlog() < MAX_BACKLOG;
        drop(guard);
        if has_room {
            self.room.notify_waiters();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
        result
    }

    /// Looks at the machine, or changes what sends nothing.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut Calls) -> R) -> R {
        look(&mut self.lock().calls)
    }

    /// Returns when there may be room for more to send. To be made before the machine is asked, so that nothing is missed.
    pub(crate) fn room(&self) -> Notified<'_> {
        self.room.notified()
    }

    /// Has those that wait for room look again.
    pub(crate) fn wake_waiting(&self) {
        self.room.notify_waiters();
    }

    /// A thread that panicked under this lock was only appending bytes; that must not take the others along.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outgoing for &Queue {
    /// Others push into the machine itself.
    fn gather(&mut self, _cx: &Context<'_>) {}

    /// Calls are made by other tasks, many at a time.
    fn may_grow(&self) -> bool {
        true
    }

    fn is_empty(&self) -> bool {
        self.lock().calls.is_empty()
    }

    fn take(&mut self, cx: &Context<'_>, buffer: &mut Vec<u8>) {
        let mut guard = self.lock();
        let state = &mut *guard;
        let was_full = state.calls.backlog() >= MAX_BACKLOG;
        state.calls.take_output(buffer);
        // What has left, and what has come since the last time, may let writers of streams go on.
        while let Some(number) = state.calls.next_turn() {
            state.calls.value(number).inspect(|in_flight| in_flight.turn());
        }
        if buffer.is_empty() {
            match &mut state.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            return;
        }
        let has_room = was_full && state.calls.backlog() < MAX_BACKLOG;
        drop(guard);
        if has_room {
            self.room.notify_waiters();
        }
    }

    fn ping(&mut self) {
        self.push(Calls::ping);
    }

    fn is_busy(&self) -> bool {
        self.lock().calls.in_flight() > 0
    }
}
