//! A reply whose JSON is long, or may be: its bytes, taken out of the connection so that the caller makes the JSON in steps.

use super::programs::Program;
use callgate_protocol::Room;
use callgate_transcode::Decoding;
use std::fmt;
use std::rc::Rc;

/// A reply that is to be transcoded by its caller.
pub struct LongReply {
    pub(super) payload: Vec<u8>,
    /// The payload's, where it was put together of parts.
    pub(super) room: Option<Room>,
    pub(super) program: Rc<Program>,
}

impl LongReply {
    /// How many bytes it holds that have no room yet.
    pub fn without_room(&self) -> usize {
        if self.room.is_some() { 0 } else { self.payload.len() }
    }

    /// Begins to make its JSON.
    pub fn begin(&self) -> Decoding<'_> {
        self.program.shared.response.begin(&self.payload)
    }
}

impl fmt::Debug for LongReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LongReply").field("bytes", &self.payload.len()).finish_non_exhaustive()
    }
}
