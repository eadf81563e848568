//! What a connection's own task and everybody who has something to send share: one short lock, one wake-up.
//!
//! Under the lock lies the state machine of the connection's side. Whoever pushes takes the waker away; the connection's task
//! leaves it when it has written everything. So however many messages become ready in one turn, the task is woken once, and
//! everything leaves in one write.

use callgate_protocol::connection::{Acceptor, Connector, MAX_BACKLOG};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// A connection's side, as far as whoever reads and writes has to do with it.
pub(crate) trait Machine {
    fn is_empty(&self) -> bool;
    fn backlog(&self) -> usize;
    /// Moves what is to be written next into `buffer`, of which everything was written.
    fn take_output(&mut self, buffer: &mut Vec<u8>);
    fn ping(&mut self);
}

macro_rules! machine {
    ($machine:ident) => {
        impl<T, I: Copy + Ord> Machine for $machine<T, I> {
            fn is_empty(&self) -> bool {
                $machine::is_empty(self)
            }
            fn backlog(&self) -> usize {
                $machine::backlog(self)
            }
            fn take_output(&mut self, buffer: &mut Vec<u8>) {
                $machine::take_output(self, buffer);
            }
            fn ping(&mut self) {
                $machine::ping(self);
            }
        }
    };
}
machine!(Acceptor);
machine!(Connector);

/// A connection's state machine, and whom to wake.
#[derive(Debug)]
pub(crate) struct Queue<M> {
    state: Mutex<State<M>>,
    /// Told when less waits to be sent than [`MAX_BACKLOG`] again.
    room: Notify,
}

#[derive(Debug)]
struct State<M> {
    machine: M,
    waker: Option<Waker>,
}

impl<M: Machine> Queue<M> {
    pub(crate) fn new(machine: M) -> Queue<M> {
        Queue { state: Mutex::new(State { machine, waker: None }), room: Notify::new() }
    }

    /// Changes something, and wakes the connection's task if there is now something to send.
    #[inline]
    pub(crate) fn push<R>(&self, change: impl FnOnce(&mut M) -> R) -> R {
        let mut guard = self.lock();
        let state = &mut *guard;
        let was_full = state.machine.backlog() >= MAX_BACKLOG;
        let result = change(&mut state.machine);
        let waker = if state.machine.is_empty() { None } else { state.waker.take() };
        let has_room = was_full && state.machine.backlog() < MAX_BACKLOG;
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
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut M) -> R) -> R {
        look(&mut self.lock().machine)
    }

    /// Whether nothing waits to be sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().machine.is_empty()
    }

    /// Returns when there may be room for more to send. To be made before the machine is asked, so that nothing is missed.
    pub(crate) fn room(&self) -> Notified<'_> {
        self.room.notified()
    }

    /// Has those that wait for room look again.
    pub(crate) fn wake_waiting(&self) {
        self.room.notify_waiters();
    }

    /// Moves what is to be written next into `buffer`, and says so by `true`; or leaves the waker, to be woken when
    /// there is something.
    pub(crate) fn take(&self, cx: &Context<'_>, buffer: &mut Vec<u8>) -> bool {
        let mut guard = self.lock();
        let state = &mut *guard;
        let was_full = state.machine.backlog() >= MAX_BACKLOG;
        state.machine.take_output(buffer);
        if buffer.is_empty() {
            match &mut state.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            return false;
        }
        let has_room = was_full && state.machine.backlog() < MAX_BACKLOG;
        drop(guard);
        if has_room {
            self.room.notify_waiters();
        }
        true
    }

    /// A thread that panicked under this lock was only appending bytes; that must not take the others along.
    fn lock(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
