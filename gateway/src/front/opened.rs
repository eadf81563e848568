//! A WebSocket that may begin: its call was sent, and its client has not been told yet. `websocket/` makes it, a reply carries it to its
//! connection, and there it is served.

use super::traced::TracedCall;
use crate::call;
use crate::config::{Messages, StreamLimits};
use crate::failure::Failure;
use crate::transport::Piece;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use tokio::sync::mpsc::Sender;

/// What it has so far.
pub(super) struct Opened {
    pub(super) call: Calling,
    /// Where the client's messages go.
    pub(super) items: Sender<Piece>,
    pub(super) messages: Messages,
    pub(super) limits: StreamLimits,
    pub(super) counted: Rc<MessageBytes>,
    /// Its call's spans, if it has some.
    pub(super) traced: Option<TracedCall>,
}

/// The bytes of a WebSocket's messages so far.
#[derive(Debug, Default)]
pub(super) struct MessageBytes {
    /// Those of the client's.
    pub(super) came: Cell<u64>,
    /// Those of what it was sent.
    pub(super) went: Cell<u64>,
}

/// Its call, which is under way. Dropped, it is cancelled.
pub(super) type Calling = Pin<Box<dyn Future<Output = Called>>>;

/// What the call has come to.
pub(super) struct Called {
    pub(super) result: Result<call::Reply, Failure>,
    /// Whether its method takes items of its caller.
    pub(super) reads: bool,
}
