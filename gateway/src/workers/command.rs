//! What a worker is told by those that accept connections, and by the process when it ends.

use crate::front::{Accepted, Question};
use crate::worker::Place;
use tokio::sync::oneshot;

/// What a worker is told.
pub enum Command {
    /// A client has connected.
    Serve(Accepted),
    /// The connection that has been idle longest is to close; its place is for whoever asks. Dropped when none is idle.
    MakeRoom(oneshot::Sender<Place>),
    /// What would become of that request?
    Explain(Question, oneshot::Sender<serde_json::Value>),
    /// What were the last requests?
    Replay(oneshot::Sender<Vec<Vec<u8>>>),
    /// No new connections: finish with those that are open, then end. May be said again with less patience.
    Drain(Ending),
}

/// Why a process ends, and so how much time its clients have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was told to stop: idle connections close at once.
    Stop,
    /// A successor has its listening sockets: connections close with their next answer, or when they were idle for as
    /// long as any may be.
    HandOver,
}
