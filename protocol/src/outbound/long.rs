//! Messages longer than a frame, which leave in fragments: one at a time, in turn.
//!
//! A receiver has room for so many bytes of messages that have begun and not ended: its window. A message begins when its whole
//! length fits into what is left of that, in the order in which messages came; until then it waits. So it is never refused for want
//! of room. A window has room for at least one message, so that one is always under way.

use super::body::Body;
use super::buffer::Buffer;
use crate::frame::{Header, flag, kind};
use std::collections::VecDeque;
use std::ops::Range;

#[derive(Debug)]
pub(super) struct LongMessage {
    call: u32,
    /// The kind and flags of the first frame, unless that was sent already, empty.
    first: Option<(u8, u8)>,
    body: Body,
    /// One of a stream: no answer.
    is_item: bool,
    /// Somebody wants to be told when all of it was sent.
    told: bool,
    /// The last message of the same call, which waits for this one.
    last: Option<Box<LongMessage>>,
}

impl LongMessage {
    pub(super) fn new(call: u32, kind: u8, flags: u8, body: Body) -> LongMessage {
        let is_item = kind == kind::ITEM;
        LongMessage { call, first: Some((kind, flags)), body, is_item, told: is_item, last: None }
    }

    /// The same, of which the first frame was sent, empty.
    pub(super) fn begun(self) -> LongMessage {
        LongMessage { first: None, ..self }
    }

    /// Whether it can leave as one frame: that frame's kind and flags.
    pub(super) fn fits(&self, max_frame: usize) -> Option<(u8, u8)> {
        self.first.filter(|_| self.body.len() <= max_frame)
    }

    pub(super) fn call(&self) -> u32 {
        self.call
    }

    pub(super) fn body(&self) -> &Body {
        &self.body
    }

    /// Whether it is an answer, or one waits for it.
    fn answers(&self) -> bool {
        !self.is_item || self.last.is_some()
    }

    /// So many bytes, if they are an item's.
    fn of_item(&self, bytes: usize) -> usize {
        if self.is_item { bytes } else { 0 }
    }
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
    /// Those of items among them.
    unsent_items: usize,
    /// Those that are answers, or that answers wait for.
    answers: usize,
    /// What those that have begun take of the receiver's window: their whole lengths.
    taken: usize,
    window: usize,
    /// As many may have begun at once.
    most: usize,
    /// The calls of messages that were sent to their end, where somebody wants to be told.
    sent: Vec<u32>,
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
        LongMessages {
            begun: VecDeque::new(),
            waiting: VecDeque::new(),
            unsent: 0,
            unsent_items: 0,
            answers: 0,
            taken: 0,
            window,
            most,
            sent: Vec::new(),
        }
    }

    pub(super) fn set_bounds(&mut self, window: usize, most: usize) {
        (self.window, self.most) = (window, most);
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.waiting.is_empty()
    }

    /// Messages that are answers, or that answers wait for.
    pub(super) fn answers(&self) -> usize {
        self.answers
    }

    /// Bytes that were not sent.
    #[inline]
    pub(super) fn unsent(&self) -> usize {
        self.unsent
    }

    /// Those of items among them.
    #[inline]
    pub(super) fn unsent_items(&self) -> usize {
        self.unsent_items
    }

    pub(super) fn push(&mut self, message: LongMessage) {
        self.unsent += message.body.len();
        self.unsent_items += message.of_item(message.body.len());
        self.answers += usize::from(message.answers());
        self.waiting.push_back(message);
    }

    /// Has the last message of a call wait for the one of it that is under way. Gives it back when there is none.
    pub(super) fn push_behind(&mut self, last: LongMessage) -> Option<LongMessage> {
        let Some(before) = self.of(last.call) else { return Some(last) };
        let is_answered = before.answers();
        before.last = Some(Box::new(last));
        self.answers += usize::from(!is_answered);
        None
    }

    /// Whether a message of that call is under way. If so, it is told when all of it was sent.
    pub(super) fn tell_when_sent(&mut self, call: u32) -> bool {
        let message = self.of(call);
        message.map(|message| message.told = true).is_some()
    }

    /// The call of a message that was sent to its end, where somebody wanted to be told.
    pub(super) fn next_sent(&mut self) -> Option<u32> {
        self.sent.pop()
    }

    /// The message of that call. The latest ones are asked for most.
    fn of(&mut self, call: u32) -> Option<&mut LongMessage> {
        let begun = self.begun.iter_mut().map(|begun| &mut begun.message);
        begun.chain(&mut self.waiting).rfind(|message| message.call == call)
    }

    /// Whether a message of that call waits, at least in part.
    pub(super) fn has(&self, call: u32) -> bool {
        self.begun.iter().any(|begun| begun.message.call == call)
            || self.waiting.iter().any(|message| message.call == call)
    }

    /// Drops what was not sent of all messages.
    pub(super) fn clear(&mut self) {
        self.begun.clear();
        self.waiting.clear();
        (self.unsent, self.unsent_items, self.answers, self.taken) = (0, 0, 0, 0);
    }

    /// Drops what was not sent of a message, and what waits for it.
    pub(super) fn remove(&mut self, call: u32) -> Dropped {
        if self.is_empty() {
            return Dropped::Nothing;
        }
        if let Some(at) = self.begun.iter().position(|begun| begun.message.call == call) {
            if let Some(Begun { message, sent }) = self.begun.remove(at) {
                self.taken -= message.body.len();
                self.forget(&message, message.body.len() - sent);
            }
            return Dropped::Begun;
        }
        let at = self.waiting.iter().position(|message| message.call == call);
        match at.and_then(|at| self.waiting.remove(at)) {
            Some(message) => {
                self.forget(&message, message.body.len());
                if message.first.is_none() { Dropped::Begun } else { Dropped::Unseen }
            }
            None => Dropped::Nothing,
        }
    }

    /// A message is not here any more, of which so many bytes were not sent.
    fn forget(&mut self, message: &LongMessage, unsent: usize) {
        self.unsent -= unsent;
        self.unsent_items -= message.of_item(unsent);
        self.answers -= usize::from(message.answers());
    }

    /// Writes the next fragment, if there is one.
    pub(super) fn fragment(&mut self, max_frame: usize, out: &mut Buffer) {
        self.begin();
        let Some(Begun { mut message, sent }) = self.begun.pop_front() else {
            return;
        };
        let end = message.body.len().min(sent + max_frame);
        let is_last = end == message.body.len();
        let (kind, flags) = message.first.take().unwrap_or((kind::DATA, 0));
        let flags = if is_last { flags } else { flags | flag::MORE };
        put_frame(out, kind, flags, &message, sent..end);
        self.unsent -= end - sent;
        self.unsent_items -= message.of_item(end - sent);
        if is_last {
            self.taken -= message.body.len();
            self.forget(&message, 0);
            self.ended(message, max_frame, out);
        } else {
            self.begun.push_back(Begun { message, sent: end });
        }
    }

    /// A message was sent to its end: then what waits for it goes.
    fn ended(&mut self, message: LongMessage, max_frame: usize, out: &mut Buffer) {
        match message.last {
            Some(last) => match last.fits(max_frame) {
                Some((kind, flags)) => put_frame(out, kind, flags, &last, 0..last.body.len()),
                None => self.push(*last),
            },
            None if message.told => self.sent.push(message.call),
            None => {}
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

/// Puts a part of a message behind what waits, as a frame.
fn put_frame(out: &mut Buffer, kind: u8, flags: u8, message: &LongMessage, part: Range<usize>) {
    let header = Header { length: part.len() as u32, kind, flags, call: message.call };
    out.bytes.extend_from_slice(&header.encode());
    message.body.put(part, out);
}
