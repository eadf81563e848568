//! The protocol's state machine for one connection, and what it keeps for each call in flight.

use super::programs::Program;
use crate::transport::slot::Slot;
use callgate_protocol::Connector;
use std::rc::Rc;
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
}
