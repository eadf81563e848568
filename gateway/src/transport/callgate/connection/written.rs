//! Calls whose makers want to know when all of them were written: told after the write by which the last byte has left.

use super::Connection;
use crate::transport::call::OnWritten;
use std::cell::{Cell, RefCell};

/// Those that were not written yet. There are none as a rule.
#[derive(Default)]
pub(super) struct Awaited {
    calls: RefCell<Vec<AwaitedCall>>,
    has_some: Cell<bool>,
}

struct AwaitedCall {
    number: u32,
    /// How many bytes of the connection must have left; not known while a part of the call waits for others.
    end: Option<u64>,
    on_written: OnWritten,
}

impl Connection {
    /// Somebody wants to know when all of that call was written, which was encoded last.
    #[cold]
    pub(super) fn await_written(&self, number: u32, on_written: &OnWritten) {
        let end = self.machine.borrow().end_of(number);
        let call = AwaitedCall { number, end, on_written: on_written.clone() };
        self.awaited.calls.borrow_mut().push(call);
        self.awaited.has_some.set(true);
    }

    /// All that has left lies in the socket.
    #[inline]
    pub(super) fn has_flushed(&self) {
        if self.awaited.has_some.get() {
            self.tell_written();
        }
    }

    #[cold]
    fn tell_written(&self) {
        let mut calls = self.awaited.calls.borrow_mut();
        let machine = self.machine.borrow();
        let mut written = Vec::new();
        calls.retain_mut(|call| {
            if call.end.is_none() {
                // What has ended before its last byte was sent is not written any more.
                if machine.value(call.number).is_none() {
                    return false;
                }
                call.end = machine.end_of(call.number);
            }
            let has_left = call.end.is_some_and(|end| end <= machine.departed());
            if has_left {
                written.push(call.on_written.clone());
            }
            !has_left
        });
        self.awaited.has_some.set(!calls.is_empty());
        drop((calls, machine));
        written.iter().for_each(|on_written| on_written());
    }
}
