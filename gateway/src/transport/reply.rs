//! What an instance replies: its result as JSON, and what the route wants to know of it beside.

use crate::buffers::{ReplyBuffer, with_room};
use bytes::Bytes;
use callgate_protocol::Room;
use callgate_transcode::{Decoding, Picked, Picking, ResponseProgram};
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

/// A result as the body of an answer: its JSON, or the field of it that is the body as it is.
#[derive(Debug)]
pub enum Json {
    /// In one piece; empty when the method returns nothing.
    Short(ReplyBuffer),
    /// In pieces, each of which holds its room among all long replies until it is dropped.
    Long(Vec<Bytes>),
}

/// A reply that is there.
#[derive(Debug)]
pub struct Replied {
    /// The result.
    pub json: Json,
    /// What the route wants to know of it beside. On the heap: most routes want nothing.
    pub noted: Option<Box<Noted>>,
}

/// What a route wants to know of a reply beside its JSON.
#[derive(Debug, Default)]
pub struct Noted {
    /// The fields that its binding picks.
    pub picked: Picked,
    /// What the method says beside its result, by the list of the route.
    pub metadata: Vec<Option<Vec<u8>>>,
    /// All of it, where all is kept.
    pub all_metadata: Vec<(String, Vec<u8>)>,
}

/// One of which nothing else is to be known.
impl From<Json> for Replied {
    fn from(json: Json) -> Replied {
        Replied { json, noted: None }
    }
}

/// A reply whose JSON is long, or may be: its bytes, taken out of the connection so that the caller makes the JSON in steps.
pub struct LongReply {
    payload: Vec<u8>,
    /// The payload's, where it was put together of parts.
    room: Option<Room>,
    program: Rc<ResponseProgram>,
    /// What was noted; the fields are yet to be picked.
    noted: Option<Box<Noted>>,
}

impl LongReply {
    /// A reply that is to be transcoded by that program.
    pub(super) fn new(payload: Vec<u8>, room: Option<Room>, program: Rc<ResponseProgram>) -> LongReply {
        LongReply { payload, room, program, noted: None }
    }

    /// The same, of which that was noted.
    pub(super) fn with(self, noted: Option<Box<Noted>>) -> LongReply {
        LongReply { noted, ..self }
    }

    /// Gives what was noted.
    pub fn take_noted(&mut self) -> Option<Box<Noted>> {
        self.noted.take()
    }

    /// Begins to pick the fields that the route wants.
    pub fn begin_picking(&self) -> Picking<'_> {
        self.program.begin_picking(&self.payload)
    }

    /// How many bytes it holds that have no room yet.
    pub fn without_room(&self) -> usize {
        if self.room.is_some() { 0 } else { self.payload.len() }
    }

    /// Begins to make its JSON.
    pub fn begin(&self) -> Decoding<'_> {
        self.program.begin(&self.payload)
    }

    /// Whether its body is a field as it is, and no JSON.
    pub fn is_raw(&self) -> bool {
        self.program.is_raw()
    }

    /// The part of it that is its body. It stays where it lies, and so does the rest, with the room that all of it has and is given.
    pub fn into_body(self, body: Range<usize>, room: Room) -> Bytes {
        let whole = with_room(self.payload, 0, (self.room, room));
        if body.end <= whole.len() { whole.slice(body) } else { Bytes::new() }
    }
}

impl fmt::Debug for LongReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LongReply").field("bytes", &self.payload.len()).finish_non_exhaustive()
    }
}
