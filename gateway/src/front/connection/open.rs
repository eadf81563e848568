//! The connections of a worker that are open: the books on which each is from before its task runs until that has ended.

use super::Connection;
use super::idle::IdleList;
use super::requests::RequestBound;
use crate::buffers::Buffers;
use crate::front::date::DateLine;
use crate::front::pool::Pool;
use callgate_http1::Limits;
use slab::Slab;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tokio::sync::Notify;

/// The connections that are open, and what concerns all of them.
pub(in crate::front) struct OpenConnections {
    pub(in crate::front) all: RefCell<Slab<Rc<Connection>>>,
    /// Those that wait for a request, and for nothing else.
    pub(super) idle: RefCell<IdleList>,
    /// Those that shake hands, in the order in which they began.
    pub(super) handshakes: RefCell<IdleList>,
    /// How many those are.
    pub(super) shaking: Cell<usize>,
    /// Set when also those without a request are to be closed.
    pub(in crate::front) stopping: Cell<bool>,
    /// Set when replies in items are waited for no longer.
    pub(in crate::front) streams_over: Cell<bool>,
    /// Sweeps since the worker began: the clock of the limits.
    pub(in crate::front) sweeps: Cell<u64>,
    pub(in crate::front) closed: Notify,
    /// How many have given their place to others and are not closed yet.
    pub(in crate::front) placeless: Cell<usize>,
    /// What those that are not idle read requests into.
    pub(in crate::front) pool: Pool,
    /// What they read bodies into and write from: the worker's buffers.
    pub(in crate::front) buffers: Rc<Buffers>,
    /// What their replies say of the time.
    pub(in crate::front) date: DateLine,
    /// Bounds of what is read.
    pub(in crate::front) limits: Limits,
    /// How many requests each may have.
    pub(super) requests: RequestBound,
}

impl OpenConnections {
    /// None yet; what is read of them is bounded so, and how many requests each has.
    pub(in crate::front) fn new(
        limits: Limits,
        requests: RequestBound,
        buffers: Rc<Buffers>,
    ) -> OpenConnections {
        OpenConnections {
            all: RefCell::default(),
            idle: RefCell::default(),
            handshakes: RefCell::default(),
            shaking: Cell::new(0),
            stopping: Cell::new(false),
            streams_over: Cell::new(false),
            sweeps: Cell::new(0),
            closed: Notify::new(),
            placeless: Cell::new(0),
            pool: Pool::default(),
            buffers,
            date: DateLine::now(),
            limits,
            requests,
        }
    }

    /// Replies in items are waited for no longer: each is told.
    pub(in crate::front) fn end_streams(&self) {
        self.streams_over.set(true);
        for (_, connection) in self.all.borrow().iter() {
            connection.wake();
            if let Some(http2) = connection.http2.get() {
                http2.wake_streams();
            }
        }
    }

    /// The connection that has been idle for the longest time.
    pub(in crate::front) fn longest_idle(&self) -> Option<Rc<Connection>> {
        let first = self.idle.borrow().first()?;
        self.all.borrow().get(first).cloned()
    }
}
