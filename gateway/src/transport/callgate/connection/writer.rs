//! The task that writes for a connection, as those see it that have put something into its send buffer: they wake it, and it is
//! woken once in a turn.

use std::cell::{Cell, RefCell};
use std::task::{Context, Waker};

/// How the task is woken, and what for.
#[derive(Default)]
pub(super) struct Writer {
    /// Calls that were encoded since the task last wrote.
    gathered: Cell<usize>,
    task: RefCell<Option<Waker>>,
    woken: Cell<bool>,
}

impl Writer {
    /// Calls that were encoded since [`writes`](Self::writes).
    #[inline]
    pub(super) fn gathered(&self) -> usize {
        self.gathered.get()
    }

    /// A call was encoded.
    #[inline]
    pub(super) fn has_one_more(&self) {
        self.gathered.set(self.gathered.get() + 1);
        self.wake();
    }

    /// What was encoded is being written.
    pub(super) fn writes(&self) {
        self.gathered.set(0);
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
