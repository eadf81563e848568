//! In which order bytes leave: whole frames at once, long messages in fragments between them.
//!
//! What fits one frame is appended to one buffer, so that everything that became ready in one turn of the event loop
//! leaves in one write. A message longer than a frame waits aside. (A call puts its first, empty fragment there, which fixes
//! its place among the numbers.) Its fragments go out in turn with other long messages that the peer's window has room for:
//! up to about [`LONG_RUN`] bytes of them in one write each time the buffer has run empty, and one after every [`SHORT_RUN`] bytes of other
//! frames when it never does. So a short call waits for a few fragments at most, never for a message, and no flood of short ones
//! stops a long one.

use super::body::Body;
use super::buffer::Buffer;
use super::chunk::{Aside, Chunk};
use super::long::{LongMessage, LongMessages};
use crate::frame::{HEADER, flag, kind};

/// So many bytes of other frames go before a fragment at most.
const SHORT_RUN: usize = 256 * 1024;

/// So many bytes of fragments go into an empty buffer, where they are long and so need not be copied. A write of 256 KiB costs less
/// than four of 64.
const LONG_RUN: usize = 256 * 1024;

/// What waits to be written.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) ready: Buffer,
    pub(super) long: LongMessages,
    /// Bytes queued since the last fragment.
    short_run: usize,
    pub(super) max_frame: usize,
}

impl Queue {
    /// Begins with these bytes.
    pub(super) fn new(begin: Vec<u8>, max_frame: usize) -> Queue {
        let long = LongMessages::new(usize::MAX, usize::MAX);
        Queue { ready: Buffer::new(begin), long, short_run: 0, max_frame }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.long.is_empty()
    }

    pub(super) fn backlog(&self) -> usize {
        self.ready.queued() + self.long.unsent()
    }

    #[inline]
    pub(super) fn chunk(&mut self) -> Chunk<'_> {
        if self.ready.is_empty() {
            self.refill();
            while self.ready.can_gather() && self.ready.queued() < LONG_RUN && !self.long.is_empty() {
                self.fragment();
            }
        }
        self.ready.chunk()
    }

    #[inline]
    pub(super) fn take(&mut self, buffer: &mut Vec<u8>) {
        if self.ready.is_empty() {
            self.refill();
        }
        self.ready.take(buffer);
    }

    fn refill(&mut self) {
        self.ready.clear();
        self.fragment();
    }

    /// Moves one fragment of the next long message into the buffer.
    fn fragment(&mut self) {
        self.short_run = 0;
        self.long.fragment(self.max_frame, &mut self.ready);
    }

    pub(super) fn frame(&mut self, kind: u8, flags: u8, call: u32, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.ready.begin();
        write(&mut self.ready.bytes);
        self.finish(start, self.ready.body(start), kind, flags, call);
    }

    /// Appends a message as one frame, or has it wait as a long one; of a call the first, empty fragment goes. What is written may leave
    /// bytes out that are not to be copied. Gives the size of the message in bytes.
    #[inline]
    pub(super) fn message<E>(
        &mut self,
        kind: u8,
        flags: u8,
        call: u32,
        write: impl FnOnce(&mut Vec<u8>) -> Result<Option<Aside>, E>,
    ) -> Result<usize, E> {
        let start = self.ready.begin();
        let aside = match write(&mut self.ready.bytes) {
            Ok(aside) => aside,
            Err(error) => {
                self.ready.bytes.truncate(start);
                return Err(error);
            }
        };
        let size = self.ready.body(start) + Aside::len(&aside);
        if size <= self.max_frame {
            if let Some(aside) = aside {
                self.ready.put_aside(aside);
            }
            self.finish(start, size, kind, flags, call);
        } else {
            self.long_message(start, aside, kind, flags, call);
        }
        Ok(size)
    }

    /// Has a message wait as a long one that was written from there on.
    fn long_message(&mut self, start: usize, aside: Option<Aside>, kind: u8, flags: u8, call: u32) {
        let begin = start + HEADER;
        let body = match aside {
            None => Body::from(self.ready.split_off(begin)),
            Some(Aside { at, bytes }) => {
                let tail = self.ready.bytes.split_off(at);
                Body { head: self.ready.bytes.split_off(begin), content: bytes, tail }
            }
        };
        let message = LongMessage::new(call, kind, flags, body);
        if kind == kind::CALL {
            self.finish(start, 0, kind, flags | flag::MORE, call);
            self.long.push(message.begun());
        } else {
            self.ready.bytes.truncate(start);
            self.long.push(message);
        }
    }

    /// Appends a message that is there already as one frame, or has it wait as a long one.
    pub(super) fn push(&mut self, message: LongMessage) {
        match message.fits(self.max_frame) {
            Some((kind, flags)) => {
                self.frame(kind, flags, message.call(), |out| message.body().write(out));
            }
            None => self.long.push(message),
        }
    }

    #[inline]
    fn finish(&mut self, start: usize, length: usize, kind: u8, flags: u8, call: u32) {
        self.short_run += self.ready.finish(start, length, kind, flags, call);
        if self.short_run >= SHORT_RUN {
            self.fragment();
        }
    }
}
