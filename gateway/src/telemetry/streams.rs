//! What a route counts of its calls that stream.

use super::counter::{Counter, Histogram};
use super::labels::labels;

labels! {
    /// How a call that streams has ended.
    StreamOutcome {
        /// With its last item; or with its result, where only the request streams.
        Ok = "ok",
        /// The method has failed, or its instance has refused the call.
        Failed = "failed",
        /// The connection to the instance was lost.
        Lost = "lost",
        /// Its time was up.
        Late = "late",
        /// No item has gone to the client for as long as `stream_idle` says.
        Idle = "idle",
        /// Its reply has more bytes than `max_stream` says.
        TooLong = "too_long",
        /// The gateway ends, or another one serves in its place.
        Leaving = "leaving",
        /// The client has left.
        Left = "left",
        /// An item of the request does not fit, or the request cannot be read to its end.
        BadRequest = "bad_request",
        /// An item of the reply is no value of its type, or larger than it may be.
        BadReply = "bad_reply",
    }
}

/// One worker's share.
#[derive(Debug, Default)]
pub struct StreamCounters {
    /// Items that were sent to instances.
    pub request_items: Counter,
    /// Items that were given to clients' connections.
    pub reply_items: Counter,
    /// Those that are under way.
    pub open: Counter,
    ends: [Counter; StreamOutcome::ALL.len()],
    /// From where the call was sent to its end.
    pub duration: Histogram,
    /// From where the call was sent to the first item of its reply.
    pub first_item: Histogram,
}

impl StreamCounters {
    /// Counts one that has ended so.
    pub fn ended(&self, outcome: StreamOutcome) {
        self.ends[outcome as usize].increment();
    }

    /// How many have ended so.
    pub fn count(&self, outcome: StreamOutcome) -> u64 {
        self.ends[outcome as usize].get()
    }
}
