//! What a connection has to send: calls are encoded into it by whoever makes them, and the connection's task, which is woken for
//! that once in a turn, writes it.

use callgate_protocol::Outbound;
use std::cell::{Cell, RefCell, RefMut};
use std::task::{Context, Waker};

/// Unsent bytes past which a connection is given no more calls, in bytes.
pub(super) const MAX_BACKLOG: usize = 32 * 1024 * 1024;

/// What is to be sent, and the task that does it.
pub(super) struct SendBuffer {
    outbound: RefCell<Outbound>,
    /// Bytes that the kernel has taken since the connection began.
    written: Cell<u64>,
    /// Calls that were encoded since the task last wrote.
    unsent: Cell<usize>,
    task: RefCell<Option<Waker>>,
    woken: Cell<bool>,
}

impl SendBuffer {
    pub(super) fn new(outbound: Outbound) -> SendBuffer {
        SendBuffer {
            outbound: RefCell::new(outbound),
            written: Cell::new(0),
            unsent: Cell::new(0),
            task: RefCell::new(None),
            woken: Cell::new(false),
        }
    }

    /// For who encodes or writes.
    #[inline]
    pub(super) fn outbound(&self) -> RefMut<'_, Outbound> {
        self.outbound.borrow_mut()
    }

    /// Whether too much waits to be sent.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.outbound.borrow().backlog() >= MAX_BACKLOG
    }

    /// Whether nothing waits to be sent.
    pub(super) fn is_empty(&self) -> bool {
        self.outbound.borrow().is_empty()
    }

    /// Bytes that have left.
    #[inline]
    pub(super) fn written(&self) -> u64 {
        self.written.get()
    }

    /// So many bytes have left.
    pub(super) fn wrote(&self, bytes: usize) {
        self.written.set(self.written.get() + bytes as u64);
    }

    /// Calls that were encoded since [`all_gathered`](Self::all_gathered).
    #[inline]
    pub(super) fn unsent(&self) -> usize {
        self.unsent.get()
    }

    /// A call was encoded.
    #[inline]
    pub(super) fn has_one_more(&self) {
        self.unsent.set(self.unsent.get() + 1);
        self.wake();
    }

    /// What was encoded is being written.
    pub(super) fn all_gathered(&self) {
        self.unsent.set(0);
    }

    /// Takes a call back.
    pub(super) fn cancel(&self, number: u32) {
        self.outbound.borrow_mut().cancel(number);
    }

    /// Takes the rest of a call back of which not all was sent: it is of no use to anybody.
    #[inline]
    pub(super) fn abandon(&self, number: u32) {
        let mut outbound = self.outbound.borrow_mut();
        if outbound.abandon(number) {
            outbound.cancel(number);
        }
    }

    /// Asks the peer whether it is there.
    pub(super) fn ping(&self) {
        self.outbound.borrow_mut().ping(*b"callgate");
        self.wake();
    }

    /// Says that we are there. A peer that asks on and on and reads nothing must not fill our memory with that.
    pub(super) fn pong(&self, token: [u8; 8]) {
        let mut outbound = self.outbound.borrow_mut();
        if outbound.backlog() < MAX_BACKLOG {
            outbound.pong(token);
        }
    }

    /// The task is polled: it is the one to be woken.
    pub(super) fn register(&self, cx: &mut Context<'_>) {
        self.woken.set(false);
        let mut task = self.task.borrow_mut();
        match task.as_mut() {
            Some(known) => known.clone_from(cx.waker()),
            None => *task = Some(cx.waker().clone()),
        }
    }

    /// Wakes the task, once until it is polled.
    #[inline]
    pub(super) fn wake(&self) {
        if !self.woken.replace(true)
            && let Some(task) = self.task.borrow().as_ref()
        {
            task.wake_by_ref();
        }
    }
}
