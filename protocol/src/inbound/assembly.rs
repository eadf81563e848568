//! Messages that arrive in fragments: put together here, within the limits of one connection.
//!
//! A sender begins a message, sends its rest in DATA frames between other frames, and ends it or gives it up. What is under
//! way at once is bounded: messages by the calls in flight, each by the largest message, all together by the window and by
//! what other connections leave of a shared [`Budget`]. A peer that keeps to the window is refused nothing but by the budget. A message past a bound is dropped whole; its remaining fragments find nothing here and are skipped.

use crate::budget::{Budget, Room};
use crate::limits::Limits;
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Assembly {
    limits: Limits,
    /// What this connection has in common with others.
    budget: Option<Arc<Budget>>,
    messages: HashMap<u32, Message>,
    bytes: usize,
}

/// A message, whole or on its way to it: what its first frame said, and the body so far.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) body: Vec<u8>,
    /// The body's, where there is a budget.
    pub(super) room: Option<Room>,
}

impl Message {
    pub(super) fn new(kind: u8, flags: u8, body: Vec<u8>) -> Message {
        Message { kind, flags, body, room: None }
    }
}

/// What a further fragment made of its message.
#[derive(Debug)]
pub(super) enum Progress {
    /// There is more to come, or nobody waits for it.
    Nothing,
    /// It was the last fragment.
    Whole(Message),
    /// A message of that kind was dropped.
    Dropped(u8, Why),
}

/// Why a message was dropped.
#[derive(Clone, Copy, Debug)]
pub(super) enum Why {
    /// It went past a limit.
    TooLarge,
    /// Nothing is left of what connections share.
    NoRoom,
}

impl Assembly {
    pub(super) fn new(limits: Limits, budget: Option<Arc<Budget>>) -> Assembly {
        Assembly { limits, budget, messages: HashMap::new(), bytes: 0 }
    }

    /// Whether a message of that call is under way. Asked for every reply: it is quick while there is none at all.
    #[inline]
    pub(super) fn holds(&self, call: u32) -> bool {
        !self.messages.is_empty() && self.messages.contains_key(&call)
    }

    /// Whether a message of a call up to that number is under way.
    pub(super) fn holds_up_to(&self, call: u32) -> bool {
        self.messages.keys().any(|&number| number <= call)
    }

    /// Takes a message's first fragment.
    pub(super) fn begin(&mut self, call: u32, mut message: Message) -> Progress {
        let size = message.body.len();
        if self.messages.len() >= self.limits.max_calls as usize
            || self.bytes + size > self.limits.window as usize
        {
            return Progress::Dropped(message.kind, Why::TooLarge);
        }
        if let Some(budget) = &self.budget {
            message.room = budget.take(size);
            if message.room.is_none() {
                return Progress::Dropped(message.kind, Why::NoRoom);
            }
        }
        self.bytes += size;
        self.messages.insert(call, message);
        Progress::Nothing
    }

    pub(super) fn append(&mut self, call: u32, fragment: &[u8], more: bool) -> Progress {
        let Some(message) = self.messages.get_mut(&call) else {
            return Progress::Nothing;
        };
        let (kind, size) = (message.kind, message.body.len() + fragment.len());
        if size > self.limits.max_message as usize
            || self.bytes + fragment.len() > self.limits.window as usize
        {
            self.forget(call);
            return Progress::Dropped(kind, Why::TooLarge);
        }
        if !message.room.as_mut().is_none_or(|room| room.grow(fragment.len())) {
            self.forget(call);
            return Progress::Dropped(kind, Why::NoRoom);
        }
        message.body.extend_from_slice(fragment);
        self.bytes += fragment.len();
        if more {
            return Progress::Nothing;
        }
        self.forget(call).map_or(Progress::Nothing, Progress::Whole)
    }

    pub(super) fn forget(&mut self, call: u32) -> Option<Message> {
        let message = self.messages.remove(&call)?;
        self.bytes -= message.body.len();
        Some(message)
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize) {
        (self.messages.len(), self.bytes)
    }
}
