//! Messages longer than a frame, which leave in fragments: one at a time, in turn.
//!
//! A receiver has room for so many bytes of messages that have begun and not ended: its window. A message begins when its whole
//! length fits into what is left of that, in the order in which messages came; until then it waits. So it is never refused for want
//! of room. A window has room for at least one message, so that one is always under way.

use crate::budget::Room;
use crate::frame::{Header, flag, kind};
use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct LongMessage {
    pub(super) call: u32,
    /// The kind and flags of the first frame, unless that was sent already, empty.
    pub(super) first: Option<(u8, u8)>,
    pub(super) body: Vec<u8>,
    /// Given back with the message.
    pub(super) _room: Option<Room>,
}

/// A message of which a part was sent.
#[derive(Debug)]
struct Begun {
    message: LongMessage,
    sent: usize,
}

#[derive(Debug)]
pub(super) struct LongMessages {
    begun: VecDeque<Begun>,
    waiting: VecDeque<LongMessage>,
    /// Bytes of all of them that were not sent.
    unsent: usize,
    /// What those that have begun take of the receiver's window: their whole lengths.
    taken: usize,
    window: usize,
    /// As many may have begun at once.
    most: usize,
}

/// What was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    /// There was no such message.
    Nothing,
    /// One that the receiver does not know of.
    Unseen,
    /// One whose beginning the receiver has.
    Begun,
}

impl LongMessages {
    pub(super) fn new(window: usize, most: usize) -> LongMessages {
        LongMessages { begun: VecDeque::new(), waiting: VecDeque::new(), unsent: 0, taken: 0, window, most }
    }

    pub(super) fn set_bounds(&mut self, window: usize, most: usize) {
        (self.window, self.most) = (window, most);
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.waiting.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.begun.len() + self.waiting.len()
    }

    /// Bytes that were not sent.
    #[inline]
    pub(super) fn unsent(&self) -> usize {
        self.unsent
    }

    pub(super) fn push(&mut self, message: LongMessage) {
        self.unsent += message.body.len();
        self.waiting.push_back(message);
    }

    /// Drops what was not sent of all messages.
    pub(super) fn clear(&mut self) {
        self.begun.clear();
        self.waiting.clear();
        (self.unsent, self.taken) = (0, 0);
    }

    /// Drops what was not sent of a message.
    pub(super) fn remove(&mut self, call: u32) -> Dropped {
        if self.is_empty() {
            return Dropped::Nothing;
        }
        if let Some(at) = self.begun.iter().position(|begun| begun.message.call == call) {
            if let Some(Begun { message, sent }) = self.begun.remove(at) {
                self.unsent -= message.body.len() - sent;
                self.taken -= message.body.len();
            }
            return Dropped::Begun;
        }
        let at = self.waiting.iter().position(|message| message.call == call);
        match at.and_then(|at| self.waiting.remove(at)) {
            Some(message) => {
                self.unsent -= message.body.len();
                if message.first.is_none() { Dropped::Begun } else { Dropped::Unseen }
            }
            None => Dropped::Nothing,
        }
    }

    /// Writes the next fragment, if there is one.
    pub(super) fn fragment(&mut self, max_frame: usize, out: &mut Vec<u8>) {
        self.begin();
        let Some(Begun { mut message, sent }) = self.begun.pop_front() else {
            return;
        };
        let end = message.body.len().min(sent + max_frame);
        let last = end == message.body.len();
        let (kind, flags) = message.first.take().unwrap_or((kind::DATA, 0));
        let flags = if last { flags } else { flags | flag::MORE };
        let fragment = &message.body[sent..end];
        let header = Header { length: fragment.len() as u32, kind, flags, call: message.call };
        out.extend_from_slice(&header.encode());
        out.extend_from_slice(fragment);
        self.unsent -= fragment.len();
        if last {
            self.taken -= message.body.len();
        } else {
            self.begun.push_back(Begun { message, sent: end });
        }
    }

    /// Begins the messages for which the receiver has room.
    fn begin(&mut self) {
        while let Some(next) = self.waiting.front()
            && self.begun.len() < self.most
            && (self.taken + next.body.len() <= self.window || self.begun.is_empty())
        {
            self.taken += next.body.len();
            self.begun.extend(self.waiting.pop_front().map(|message| Begun { message, sent: 0 }));
        }
    }
}
