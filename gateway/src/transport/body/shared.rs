//! A body that several may need at once, and longer than its exchange: it lies in one place until nobody has it any more.

use bytes::Bytes;
use callgate_protocol::{Budget, Room};
use std::ops::Deref;
use std::sync::Arc;

/// A body with the room that it takes of what all bodies have together.
#[derive(Clone, Debug)]
pub struct SharedBody {
    bytes: Arc<Vec<u8>>,
    room: Option<Arc<Room>>,
}

impl SharedBody {
    /// That of these bytes, with their room if they have some.
    pub fn new(bytes: Vec<u8>, room: Option<Room>) -> SharedBody {
        SharedBody { bytes: Arc::new(bytes), room: room.map(Arc::new) }
    }

    /// Other bytes, which are held as these are.
    pub fn holding(&self, bytes: Vec<u8>) -> SharedBody {
        SharedBody { bytes: Arc::new(bytes), room: self.room.clone() }
    }

    /// The bytes, if nobody else has them.
    pub fn into_buffer(self) -> Option<Vec<u8>> {
        Arc::into_inner(self.bytes)
    }

    /// Takes room for a body that has none because it is short, since of such bodies there may be many. One of so many bytes needs none.
    /// Says whether there is room.
    pub fn hold(&mut self, budget: &Arc<Budget>, free: usize) -> bool {
        if self.room.is_none() && self.bytes.len() > free {
            self.room = budget.take(self.bytes.len()).map(Arc::new);
            return self.room.is_some();
        }
        true
    }

    /// The same bytes, which keep their room as long as somebody has them.
    pub fn to_bytes(&self) -> Bytes {
        Bytes::from_owner(self.clone())
    }
}

impl Deref for SharedBody {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl AsRef<[u8]> for SharedBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
