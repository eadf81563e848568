//! The protocol's state machine for one connection, and what it keeps for each call in flight.

use super::programs::Program;
use crate::transport::slot::Slot;
use callgate_protocol::Connector;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;
use tokio::time::Instant;

/// The state of a connection, by the rules of the protocol.
pub(super) type Machine = Connector<InFlight, Instant>;

/// What is kept for a call in flight.
pub(super) struct InFlight {
    /// Where its caller waits for what comes of it.
    pub(super) slot: Rc<Slot>,
    /// How its reply becomes JSON.
    pub(super) program: Rc<Program>,
    pub(super) sent_at: Instant,
    /// Of a call that streams.
    pub(super) streamed: Option<Rc<Streamed>>,
}

/// What is kept for a call that streams.
pub(super) struct Streamed {
    /// When all of it must be over.
    pub(super) deadline: Instant,
    /// An item of the reply has come.
    pub(super) has_items: Cell<bool>,
    /// The task that sends the items of the request, while it waits for its turn.
    pub(super) sender: RefCell<Option<Waker>>,
}
