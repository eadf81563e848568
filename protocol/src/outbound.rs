//! The sending half of a connection: messages in, bytes out, in fair order.
//!
//! What fits one frame is appended to one buffer, so that everything that became ready in one turn of the event loop
//! leaves in one write. A message longer than a frame waits aside. (A call puts its first, empty fragment there, which fixes
//! its place among the numbers.) Its fragments go out one at a time, in turn with other long messages that the peer's window
//! has room for, each time the buffer has run empty, and after every [`SHORT_RUN`] bytes of other frames when it never does.
//! So a short call waits for one fragment at most, never for a message, and no flood of short ones stops a long one.

mod buffer;
mod long;

use crate::budget::Room;
use crate::call::{CallHead, Metadata};
use crate::frame::{HEADER, MAGIC, flag, kind};
use crate::hello::Hello;
use crate::limits::{Limits, MAX_SCHEMA};
use crate::schema::Fingerprint;
use crate::status::Status;
use buffer::Buffer;
use long::{Dropped, LongMessage, LongMessages};
use std::convert::Infallible;

/// So many bytes of other frames go before a fragment at most.
const SHORT_RUN: usize = 256 * 1024;

/// Bytes to send on one connection. Does no I/O: the owner writes [`chunk`](Self::chunk) and says
/// [`advance`](Self::advance).
#[derive(Debug)]
pub struct Outbound {
    ready: Buffer,
    long: LongMessages,
    /// Bytes queued since the last fragment.
    short_run: usize,
    max_frame: usize,
}

impl Outbound {
    /// Starts with the magic and HELLO in the buffer.
    pub fn new(hello: &Hello) -> Outbound {
        let mut outbound = Outbound::without_hello();
        // HELLO is never fragmented.
        outbound.max_frame = crate::limits::MAX_CONTROL as usize;
        outbound.control(kind::HELLO, |body| hello.encode(body));
        outbound.max_frame = crate::limits::MIN_FRAME as usize;
        outbound
    }

    /// Starts with the magic alone, for a side that does not let its peer in.
    pub(crate) fn without_hello() -> Outbound {
        Outbound {
            ready: Buffer::new(MAGIC.to_vec()),
            long: LongMessages::new(usize::MAX, usize::MAX),
            short_run: 0,
            // Until the peer's HELLO is there nothing long may be sent.
            max_frame: crate::limits::MIN_FRAME as usize,
        }
    }

    /// Tells what the peer accepts, from its HELLO.
    pub fn set_limits(&mut self, peer: &Limits) {
        self.set_max_frame(peer.max_frame);
        self.long.set_bounds(peer.window as usize, peer.max_calls as usize);
    }

    /// Tells the largest frame body that the peer accepts, in bytes.
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
        self.message(kind::CALL, metadata_flag(head.metadata), number, |out| {
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
        metadata: Metadata<'_>,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.message(kind::REPLY, metadata_flag(metadata), number, |out| {
            metadata.encode(out);
            payload(out)
        })
    }

    /// Queues a REPLY whose payload is there already; a long one is not copied.
    pub fn reply_with(&mut self, number: u32, metadata: Metadata<'_>, mut payload: Vec<u8>) {
        self.reply_holding(number, metadata, &mut payload, None);
    }

    /// The same for a payload that takes room of a budget, until all of it was handed out to be written. A long payload is taken; a short
    /// one is copied, and its buffer stays the caller's.
    pub fn reply_holding(
        &mut self,
        number: u32,
        metadata: Metadata<'_>,
        payload: &mut Vec<u8>,
        room: Option<Room>,
    ) {
        let flags = metadata_flag(metadata);
        if metadata.size() + payload.len() <= self.max_frame {
            self.frame(kind::REPLY, flags, number, |out| {
                metadata.encode(out);
                out.extend_from_slice(payload);
            });
            return;
        }
        let mut payload = std::mem::take(payload);
        if !metadata.is_empty() {
            let mut block = Vec::with_capacity(metadata.size());
            metadata.encode(&mut block);
            payload.splice(..0, block);
        }
        self.long.push(LongMessage {
            call: number,
            first: Some((kind::REPLY, flags)),
            body: payload,
            _room: room,
        });
    }

    /// Queues a FAILURE.
    pub fn failure(&mut self, number: u32, status: &Status) {
        let flags = if status.not_executed { flag::NOT_EXECUTED } else { 0 };
        let result = self.message(kind::FAILURE, flags, number, |out| {
            status.encode(out);
            Ok::<(), Infallible>(())
        });
        let Ok(()) = result;
    }

    /// Queues a FAILURE of a call that was not run. A peer can have as many as it likes.
    pub(crate) fn refusal(&mut self, number: u32, status: &Status) {
        let before = self.backlog();
        self.failure(number, status);
        self.ready.count_asked(self.backlog() - before, true);
    }

    /// Queues a CANCEL, and drops what was not yet sent of that call's own message.
    pub fn cancel(&mut self, number: u32) {
        self.abandon(number);
        self.frame(kind::CANCEL, 0, number, |_| {});
    }

    /// Drops what was not yet sent of a long message, because nobody waits for it. Says whether the peer holds the message's
    /// beginning: then it must be told that it ends here (by CANCEL or FAILURE).
    #[inline]
    pub fn abandon(&mut self, number: u32) -> bool {
        self.long.remove(number) == Dropped::Begun
    }

    /// Drops what was queued from that [position](Self::position) on, and the rest of all long messages, because the connection
    /// ends. The last words can still be queued.
    pub(crate) fn cut(&mut self, position: u64) {
        self.long.clear();
        self.ready.cut(position);
    }

    /// Queues a PING; the peer's PONG brings the same bytes back.
    pub fn ping(&mut self, token: [u8; 8]) {
        self.control(kind::PING, |body| body.extend_from_slice(&token));
    }

    /// Queues a PONG.
    pub fn pong(&mut self, token: [u8; 8]) {
        self.control(kind::PONG, |body| body.extend_from_slice(&token));
        self.ready.count_asked(HEADER + token.len(), false);
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
        self.ready.is_empty() && self.long.is_empty()
    }

    /// Bytes that wait to be sent; those that [`take`](Self::take) gave away are not among them.
    pub fn backlog(&self) -> usize {
        self.queued() + self.long.unsent()
    }

    /// Bytes that wait in the buffer of what a peer can ask for without end.
    pub(crate) fn unread(&self) -> usize {
        self.ready.unread()
    }

    /// Answers that wait whole in the buffer.
    #[inline]
    pub(crate) fn answers(&self) -> usize {
        self.ready.answers()
    }

    /// Long messages that wait to be sent, at least in part.
    #[inline]
    pub(crate) fn long(&self) -> usize {
        self.long.len()
    }

    /// Bytes in the buffer that go out before anything queued from now on: the place of the next message.
    #[inline]
    pub fn queued(&self) -> usize {
        self.ready.queued()
    }

    /// Where in the stream of all bytes of this side the next message begins, if it is short.
    #[inline]
    pub fn position(&self) -> u64 {
        self.ready.position()
    }

    /// How many bytes have left: were written, or taken.
    #[inline]
    pub fn departed(&self) -> u64 {
        self.ready.departed()
    }

    /// The next bytes to write; empty when nothing is left.
    #[inline]
    pub fn chunk(&mut self) -> &[u8] {
        if self.ready.is_empty() {
            self.refill();
        }
        self.ready.chunk()
    }

    /// Says that the first `n` bytes of [`chunk`](Self::chunk) were written.
    #[inline]
    pub fn advance(&mut self, n: usize) {
        self.ready.advance(n);
    }

    /// Moves what [`chunk`](Self::chunk) would give into `buffer`, whose contents are dropped: for owners that share the
    /// queue between threads and would not hold its lock while they write.
    #[inline]
    pub fn take(&mut self, buffer: &mut Vec<u8>) {
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
        self.long.fragment(self.max_frame, &mut self.ready.bytes);
    }

    fn control(&mut self, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
        self.frame(kind, 0, 0, write);
    }

    fn frame(&mut self, kind: u8, flags: u8, call: u32, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.ready.begin();
        write(&mut self.ready.bytes);
        self.finish(start, kind, flags, call);
    }

    /// Appends a message as one frame, or has it wait as a long one; of a call the first, empty fragment goes.
    #[inline]
    fn message<T, E>(
        &mut self,
        kind: u8,
        flags: u8,
        call: u32,
        write: impl FnOnce(&mut Vec<u8>) -> Result<T, E>,
    ) -> Result<T, E> {
        let start = self.ready.begin();
        let written = write(&mut self.ready.bytes);
        if written.is_err() {
            self.ready.bytes.truncate(start);
            return written;
        }
        if self.ready.body(start) <= self.max_frame {
            self.finish(start, kind, flags, call);
        } else {
            let body = self.ready.bytes.split_off(start + HEADER);
            let first = if kind == kind::CALL {
                self.finish(start, kind, flags | flag::MORE, call);
                None
            } else {
                self.ready.bytes.truncate(start);
                Some((kind, flags))
            };
            self.long.push(LongMessage { call, first, body, _room: None });
        }
        written
    }

    #[inline]
    fn finish(&mut self, start: usize, kind: u8, flags: u8, call: u32) {
        self.short_run += self.ready.finish(start, kind, flags, call);
        if self.short_run >= SHORT_RUN {
            self.fragment();
        }
    }
}

#[inline]
fn metadata_flag(metadata: Metadata<'_>) -> u8 {
    if metadata.is_empty() { 0 } else { flag::METADATA }
}

#[cfg(test)]
mod tests;
