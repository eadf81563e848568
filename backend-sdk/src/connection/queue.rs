//! What a connection's own task and everybody who has something to send share: one short lock, one wake-up.
//!
//! Whoever pushes takes the waker away; the connection's task leaves it when it has written everything. So however
//! many messages become ready in one turn, the task is woken once, and everything leaves in one write.

use callgate_protocol::Outbound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// Bytes in short messages waiting to be sent above which a connection's task stops reading until its peer has read
/// some. Long messages do not count here: PING and CANCEL are to be heard while one is under way.
const PAUSE_READING: usize = 1024 * 1024;

/// The same for all bytes waiting to be sent.
const PAUSE_READING_LONG: usize = 16 * 1024 * 1024;

/// Bytes waiting to be sent to one peer above which nothing long is added.
pub(crate) const MAX_BACKLOG: usize = 64 * 1024 * 1024;

/// The sending side of a connection, and `T`: what belongs under the same lock.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    outbound: Outbound,
    waker: Option<Waker>,
    table: T,
}

impl<T> Queue<T> {
    pub(crate) fn new(outbound: Outbound, table: T) -> Queue<T> {
        Queue { state: Mutex::new(State { outbound, waker: None, table }) }
    }

    /// Queues something, and wakes the connection's task if there is now something to send.
    #[inline]
    pub(crate) fn push<R>(&self, add: impl FnOnce(&mut Outbound, &mut T) -> R) -> R {
        let mut guard = self.lock();
        let state = &mut *guard;
        let result = add(&mut state.outbound, &mut state.table);
        let waker = if state.outbound.is_empty() { None } else { state.waker.take() };
        drop(guard);
        if let Some(waker) = waker {
            waker.wake();
        }
        result
    }

    /// Looks at the table, or changes it.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
        look(&mut self.lock().table)
    }

    /// Whether so much waits to be sent that no more should be read.
    pub(crate) fn is_full(&self) -> bool {
        let outbound = &self.lock().outbound;
        outbound.queued() > PAUSE_READING || outbound.backlog() > PAUSE_READING_LONG
    }

    /// Whether nothing waits to be sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().outbound.is_empty()
    }

    /// Moves what is to be written next into `buffer`, and says so by `true`; or leaves the waker, to be woken when
    /// there is something. `taken` is called under the lock when something is moved.
    pub(crate) fn take(&self, cx: &Context<'_>, buffer: &mut Vec<u8>, taken: impl FnOnce(&mut T)) -> bool {
        let state = &mut *self.lock();
        if state.outbound.is_empty() {
            match &mut state.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            return false;
        }
        state.outbound.take(buffer);
        taken(&mut state.table);
        true
    }

    /// A thread that panicked under this lock was only appending bytes; that must not take the others along.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
