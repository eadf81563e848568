//! What an instance replies.

use crate::buffers::ReplyBuffer;
use bytes::Bytes;
use callgate_protocol::Room;
use callgate_transcode::{Decoding, ResponseProgram};
use std::fmt;
use std::rc::Rc;

/// A result as JSON.
#[derive(Debug)]
pub enum Json {
    /// In one piece; empty when the method returns nothing.
    Short(ReplyBuffer),
    /// In pieces, each of which holds its room among all long replies until it is dropped.
    Long(Vec<Bytes>),
}

/// A reply whose JSON is long, or may be: its bytes, taken out of the connection so that the caller makes the JSON in steps.
pub struct LongReply {
    payload: Vec<u8>,
    /// The payload's, where it was put together of parts.
    room: Option<Room>,
    program: Rc<ResponseProgram>,
}

impl LongReply {
    /// A reply that is to be transcoded by that program.
    pub(super) fn new(payload: Vec<u8>, room: Option<Room>, program: Rc<ResponseProgram>) -> LongReply {
        LongReply { payload, room, program }
    }

    /// How many bytes it holds that have no room yet.
    pub fn without_room(&self) -> usize {
        if self.room.is_some() { 0 } else { self.payload.len() }
    }

    /// Begins to make its JSON.
    pub fn begin(&self) -> Decoding<'_> {
        self.program.begin(&self.payload)
    }
}

impl fmt::Debug for LongReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LongReply").field("bytes", &self.payload.len()).finish_non_exhaustive()
    }
}
