//! The calls in flight on a connection, by their numbers.

use crate::number_map::NumberMap;
use crate::transport::callgate::programs::Program;
use crate::transport::slot::Slot;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tokio::time::Instant;

/// Call numbers past this one are not given out any more; the connection is replaced.
const LAST_NUMBER: u32 = u32::MAX - 1;

/// A call in flight.
pub(super) struct InFlight {
    /// Where its caller waits for what comes of it.
    pub(super) slot: Rc<Slot>,
    /// How its reply becomes JSON.
    pub(super) program: Rc<Program>,
    /// Where in the stream of bytes the call begins: while no more than that was written, it has not left.
    pub(super) position: u64,
    pub(super) sent_at: Instant,
    pub(super) deadline: Instant,
}

/// All calls in flight.
pub(super) struct Calls {
    by_number: RefCell<NumberMap<u32, InFlight>>,
    next_number: Cell<u32>,
    /// No call in flight has its deadline before this. The task has one timer, for this time, instead of one a call.
    first_deadline: Cell<Option<Instant>>,
}

impl Default for Calls {
    fn default() -> Calls {
        Calls { by_number: RefCell::default(), next_number: Cell::new(1), first_deadline: Cell::new(None) }
    }
}

impl Calls {
    /// How many there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.by_number.borrow().len()
    }

    /// The number of the next one.
    #[inline]
    pub(super) fn next_number(&self) -> u32 {
        self.next_number.get()
    }

    /// Whether no further number is to be given out.
    #[inline]
    pub(super) fn are_at_the_last_number(&self) -> bool {
        self.next_number.get() > LAST_NUMBER
    }

    /// Adds a call, which has the next number.
    #[inline]
    pub(super) fn add(&self, call: InFlight) {
        let number = self.next_number.get();
        self.next_number.set(number + 1);
        if self.first_deadline.get().is_none_or(|first| call.deadline < first) {
            self.first_deadline.set(Some(call.deadline));
        }
        self.by_number.borrow_mut().insert(number, call);
    }

    /// Takes a call out, if it is still in flight.
    #[inline]
    pub(super) fn take(&self, number: u32) -> Option<InFlight> {
        self.by_number.borrow_mut().remove(&number)
    }

    /// Takes those out of which that is so.
    pub(super) fn take_where(&self, is_so: impl Fn(u32, &InFlight) -> bool) -> Vec<(u32, InFlight)> {
        self.by_number.borrow_mut().extract_if(|number, call| is_so(*number, call)).collect()
    }

    /// No call has its deadline before this.
    #[inline]
    pub(super) fn first_deadline(&self) -> Option<Instant> {
        self.first_deadline.get()
    }

    /// Finds the first deadline anew.
    pub(super) fn find_first_deadline(&self) {
        self.first_deadline.set(self.by_number.borrow().values().map(|call| call.deadline).min());
    }

    /// The instance has fallen silent: all callers are told.
    pub(super) fn fall_silent(&self) {
        self.by_number.borrow().values().for_each(|call| call.slot.fall_silent());
    }
}
