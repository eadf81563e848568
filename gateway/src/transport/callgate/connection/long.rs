//! A reply whose JSON is long, or may be: its bytes, taken out of the connection so that the caller makes the JSON in steps.
//!
//! What the reply says of its instance is known only when it was read to its end; until then the call is not settled.

use super::LocalTranscoder;
use crate::backends::Endpoint;
use crate::backends::Monitor;
use crate::backends::Verdict;
use crate::telemetry::Outcome;
use callgate_protocol::{Code, Room};
use callgate_transcode::{Decoding, ResponseProgram};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A reply that is to be transcoded by its caller.
pub struct LongReply {
    pub(super) payload: Vec<u8>,
    /// The payload's, where it was put together of parts.
    pub(super) room: Option<Room>,
    pub(super) transcoder: Rc<LocalTranscoder>,
    pub(super) call: Unsettled,
}

/// A call that was answered and of which it is not known whether well. Dropped, it was: who gives up says nothing of the
/// instance.
pub(super) struct Unsettled {
    pub(super) monitor: Rc<Monitor>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) worker: usize,
    pub(super) epoch: u32,
    /// None where that is not the instance's time.
    pub(super) took: Option<Duration>,
    pub(super) at: Instant,
    pub(super) settled: bool,
}

impl LongReply {
    /// How many bytes it holds that have no room yet.
    pub fn without_room(&self) -> usize {
        if self.room.is_some() { 0 } else { self.payload.len() }
    }

    /// Begins to make its JSON.
    pub fn begin(&self) -> Decoding<'_> {
        self.program().begin(&self.payload)
    }

    fn program(&self) -> &ResponseProgram {
        &self.transcoder.shared.response
    }

    /// The reply was no value of its schema.
    pub fn is_bad(mut self) {
        self.call.settle(Outcome::Failed(Code::Internal), Verdict::Failed);
    }
}

impl Unsettled {
    fn settle(&mut self, outcome: Outcome, verdict: Verdict) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        self.monitor.ended(self.epoch, verdict, self.took, self.at);
        self.endpoint.stats.0.of(self.worker).ended(outcome);
    }
}

impl Drop for Unsettled {
    fn drop(&mut self) {
        self.settle(Outcome::Ok, Verdict::Good);
    }
}

impl fmt::Debug for LongReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LongReply").field("bytes", &self.payload.len()).finish_non_exhaustive()
    }
}
