//! The sending half of a connection: messages in, bytes out, in fair order.
//!
//! What fits one frame is appended to one buffer, so that everything that became ready in one turn of the event loop
//! leaves in one write. A message longer than a frame puts only its first, empty fragment there (which fixes its place
//! among the call numbers) and waits aside; its further fragments go out one at a time, in turn with other long
//! messages, each time the buffer has run empty, and after every [`SHORT_RUN`] bytes of other frames when it never does.
//! So a short call waits for one fragment at most, never for a message, and no flood of short ones stops a long one.

use crate::budget::Room;
use crate::call::CallHead;
use crate::frame::{HEADER, Header, MAGIC, flag, kind};
use crate::hello::Hello;
use crate::limits::MAX_SCHEMA;
use crate::schema::Fingerprint;
use crate::status::Status;
use std::collections::VecDeque;
use std::convert::Infallible;

/// A buffer that grew past this many bytes is given back once it is empty.
const KEEP_CAPACITY: usize = 256 * 1024;

/// So many bytes of other frames go before a fragment at most.
const SHORT_RUN: usize = 256 * 1024;

/// Bytes to send on one connection. Does no I/O: the owner writes [`chunk`](Self::chunk) and says
/// [`advance`](Self::advance).
#[derive(Debug)]
pub struct Outbound {
    ready: Vec<u8>,
    written: usize,
    long: VecDeque<LongMessage>,
    long_bytes: usize,
    /// Bytes queued since the last fragment.
    short_run: usize,
    max_frame: usize,
}

#[derive(Debug)]
struct LongMessage {
    call: u32,
    body: Vec<u8>,
    sent: usize,
    /// Given back with the message.
    _room: Option<Room>,
}

impl Outbound {
    /// Starts with the magic and HELLO in the buffer.
    pub fn new(hello: &Hello) -> Outbound {
        let mut outbound = Outbound {
            ready: MAGIC.to_vec(),
            written: 0,
            long: VecDeque::new(),
            long_bytes: 0,
            short_run: 0,
            // HELLO is never fragmented; until the peer's HELLO is there nothing long may be sent.
            max_frame: crate::limits::MAX_CONTROL as usize,
        };
        outbound.control(kind::HELLO, |body| hello.encode(body));
        outbound.max_frame = crate::limits::MIN_FRAME as usize;
        outbound
    }

    /// Tells the largest frame body that the peer accepts, in bytes, from its HELLO.
    pub fn set_max_frame(&mut self, max_frame: u32) {
        self.max_frame = max_frame as usize;
    }

    /// Queues a CALL. The payload is written by `payload` straight into the send buffer; if that fails, nothing is
    /// queued and its error is returned. Call numbers must be queued in rising order.
    ///
    /// Returns the size of the payload in bytes.
    #[inline]
    pub fn call<E>(
        &mut self,
        number: u32,
        head: &CallHead<'_>,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let flags = if head.metadata.is_empty() { 0 } else { flag::METADATA };
        self.message(kind::CALL, flags, number, |out| {
            head.encode(out);
            let start = out.len();
            payload(out)?;
            Ok(out.len() - start)
        })
    }

    /// Queues a REPLY, likewise.
    #[inline]
    pub fn reply<E>(
        &mut self,
        number: u32,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.message(kind::REPLY, 0, number, payload)
    }

    /// Queues a REPLY whose payload is there already; a long one is not copied.
    pub fn reply_with(&mut self, number: u32, payload: Vec<u8>) {
        self.reply_holding(number, payload, None);
    }

    /// The same for a payload that takes room of a budget, until all of it was handed out to be written.
    pub fn reply_holding(&mut self, number: u32, payload: Vec<u8>, room: Option<Room>) {
        let start = self.begin();
        if payload.len() <= self.max_frame {
            self.ready.extend_from_slice(&payload);
            self.finish(start, kind::REPLY, 0, number);
        } else {
            self.finish(start, kind::REPLY, flag::MORE, number);
            self.push_long(number, payload, room);
        }
    }

    /// Queues a FAILURE.
    pub fn failure(&mut self, number: u32, status: &Status) {
        let flags = if status.says_not_executed() { flag::NOT_EXECUTED } else { 0 };
        let result = self.message(kind::FAILURE, flags, number, |out| {
            status.encode(out);
            Ok::<(), Infallible>(())
        });
        let Ok(()) = result;
    }

    /// Queues a CANCEL, and drops what was not yet sent of that call's own message.
    pub fn cancel(&mut self, number: u32) {
        self.abandon(number);
        self.frame(kind::CANCEL, 0, number, |_| {});
    }

    /// Drops what was not yet sent of a long message, because nobody waits for it. Says whether there was any: then the
    /// peer holds the message's beginning, and must be told that it ends here (by CANCEL or FAILURE).
    pub fn abandon(&mut self, number: u32) -> bool {
        let at = self.long.iter().position(|message| message.call == number);
        let dropped = at.and_then(|at| self.long.remove(at));
        if let Some(message) = &dropped {
            self.long_bytes -= message.body.len() - message.sent;
        }
        dropped.is_some()
    }

    /// Queues a PING; the peer's PONG brings the same bytes back.
    pub fn ping(&mut self, token: [u8; 8]) {
        self.control(kind::PING, |body| body.extend_from_slice(&token));
    }

    /// Queues a PONG.
    pub fn pong(&mut self, token: [u8; 8]) {
        self.control(kind::PONG, |body| body.extend_from_slice(&token));
    }

    /// Queues a READY: whether this side wants calls from now on.
    pub fn ready(&mut self, ready: bool) {
        self.control(kind::READY, |body| body.push(u8::from(ready)));
    }

    /// Queues a GO_AWAY: calls with a number above `last_call` have not run and will not run here.
    pub fn go_away(&mut self, last_call: u32, reason: &str) {
        self.control(kind::GO_AWAY, |body| {
            body.extend_from_slice(&last_call.to_le_bytes());
            // A reason is for people; a line is enough of it, and fits the smallest frame.
            let short: String = reason.chars().take(225).collect();
            body.extend_from_slice(short.as_bytes());
        });
    }

    /// Queues a SCHEMA_REQUEST.
    pub fn schema_request(&mut self, fingerprint: Fingerprint) {
        self.control(kind::SCHEMA_REQUEST, |body| body.extend_from_slice(&fingerprint.0));
    }

    /// Queues a SCHEMA; an empty one says that there is none of that fingerprint, and so is one sent that is longer
    /// than [`MAX_SCHEMA`].
    pub fn schema(&mut self, fingerprint: Fingerprint, encoded: &[u8]) {
        let encoded = if encoded.len() > MAX_SCHEMA { &[] } else { encoded };
        self.control(kind::SCHEMA, |body| {
            body.extend_from_slice(&fingerprint.0);
            body.extend_from_slice(encoded);
        });
    }

    /// Whether nothing is left to send.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.written == self.ready.len() && self.long.is_empty()
    }

    /// Bytes that wait to be sent; those that [`take`](Self::take) gave away are not among them.
    pub fn backlog(&self) -> usize {
        self.ready.len() - self.written + self.long_bytes
    }

    /// Bytes in the buffer that go out before anything queued from now on: the place of the next message.
    #[inline]
    pub fn queued(&self) -> usize {
        self.ready.len() - self.written
    }

    /// The next bytes to write; empty when nothing is left.
    #[inline]
    pub fn chunk(&mut self) -> &[u8] {
        if self.written == self.ready.len() {
            self.refill();
        }
        &self.ready[self.written..]
    }

    /// Says that the first `n` bytes of [`chunk`](Self::chunk) were written.
    #[inline]
    pub fn advance(&mut self, n: usize) {
        self.written = (self.written + n).min(self.ready.len());
        if self.written == self.ready.len() {
            self.clear();
        } else if self.written >= KEEP_CAPACITY && self.written >= self.ready.len() / 2 {
            // A buffer that never runs empty must not keep all that ever went through it. What is moved is less than
            // what was written since the last time.
            self.ready.drain(..self.written);
            self.written = 0;
        }
    }

    /// Moves what [`chunk`](Self::chunk) would give into `buffer`, whose contents are dropped: for owners that share the
    /// queue between threads and would not hold its lock while they write.
    #[inline]
    pub fn take(&mut self, buffer: &mut Vec<u8>) {
        if self.written == self.ready.len() {
            self.refill();
        }
        if self.written == 0 {
            std::mem::swap(&mut self.ready, buffer);
        } else {
            buffer.clear();
            buffer.extend_from_slice(&self.ready[self.written..]);
        }
        self.clear();
    }

    fn clear(&mut self) {
        self.written = 0;
        if self.ready.capacity() > KEEP_CAPACITY {
            self.ready = Vec::new();
        } else {
            self.ready.clear();
        }
    }

    fn refill(&mut self) {
        self.clear();
        self.fragment();
    }

    /// Moves one fragment of the next long message into the buffer.
    fn fragment(&mut self) {
        self.short_run = 0;
        let Some(mut message) = self.long.pop_front() else {
            return;
        };
        let end = message.body.len().min(message.sent + self.max_frame);
        let fragment = &message.body[message.sent..end];
        let last = end == message.body.len();
        let header = Header {
            length: fragment.len() as u32,
            kind: kind::DATA,
            flags: if last { 0 } else { flag::MORE },
            call: message.call,
        };
        self.ready.extend_from_slice(&header.encode());
        self.ready.extend_from_slice(fragment);
        self.long_bytes -= fragment.len();
        if !last {
            message.sent = end;
            self.long.push_back(message);
        }
    }

    fn control(&mut self, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
        self.frame(kind, 0, 0, write);
    }

    fn frame(&mut self, kind: u8, flags: u8, call: u32, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.begin();
        write(&mut self.ready);
        self.finish(start, kind, flags, call);
    }

    /// Appends a message as one frame, or as an empty first fragment and a long message.
    #[inline]
    fn message<T, E>(
        &mut self,
        kind: u8,
        flags: u8,
        call: u32,
        write: impl FnOnce(&mut Vec<u8>) -> Result<T, E>,
    ) -> Result<T, E> {
        let start = self.begin();
        let written = write(&mut self.ready);
        if written.is_err() {
            self.ready.truncate(start);
            return written;
        }
        if self.ready.len() - start - HEADER <= self.max_frame {
            self.finish(start, kind, flags, call);
        } else {
            let body = self.ready.split_off(start + HEADER);
            self.finish(start, kind, flags | flag::MORE, call);
            self.push_long(call, body, None);
        }
        written
    }

    fn push_long(&mut self, call: u32, body: Vec<u8>, room: Option<Room>) {
        self.long_bytes += body.len();
        self.long.push_back(LongMessage { call, body, sent: 0, _room: room });
    }

    #[inline]
    fn begin(&mut self) -> usize {
        let start = self.ready.len();
        self.ready.extend_from_slice(&[0; HEADER]);
        start
    }

    #[inline]
    fn finish(&mut self, start: usize, kind: u8, flags: u8, call: u32) {
        let length = (self.ready.len() - start - HEADER) as u32;
        self.ready[start..start + HEADER].copy_from_slice(&Header { length, kind, flags, call }.encode());
        self.short_run += HEADER + length as usize;
        if self.short_run >= SHORT_RUN {
            self.fragment();
        }
    }
}

#[cfg(test)]
mod tests;
