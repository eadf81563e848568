//! The sending half of a connection: messages in, bytes out. What each message is stands here; in which order the bytes of all
//! leave is the [`Queue`]'s.

mod body;
mod buffer;
mod chunk;
mod items;
mod long;
mod queue;

use crate::budget::Room;
use crate::call::{CallHead, Metadata};
use crate::frame::{HEADER, MAGIC, flag, kind};
use crate::hello::Hello;
use crate::limits::{Limits, MAX_SCHEMA};
use crate::schema::Fingerprint;
use crate::status::Status;
use body::Body;
pub use chunk::{Aside, Chunk, PIECES};
use long::{Dropped, LongMessage};
use queue::Queue;
use std::convert::Infallible;

/// Bytes to send on one connection. Does no I/O: the owner writes [`chunk`](Self::chunk) and says
/// [`advance`](Self::advance).
#[derive(Debug)]
pub struct Outbound {
    queue: Queue,
}

impl Outbound {
    /// Starts with the magic and HELLO in the buffer.
    pub fn new(hello: &Hello) -> Outbound {
        let mut outbound = Outbound::without_hello();
        // HELLO is never fragmented.
        outbound.queue.max_frame = crate::limits::MAX_CONTROL as usize;
        outbound.control(kind::HELLO, |body| hello.encode(body));
        outbound.queue.max_frame = crate::limits::MIN_FRAME as usize;
        outbound
    }

    /// Starts with the magic alone, for a side that does not let its peer in.
    pub(crate) fn without_hello() -> Outbound {
        // Until the peer's HELLO is there nothing long may be sent.
        Outbound { queue: Queue::new(MAGIC.to_vec(), crate::limits::MIN_FRAME as usize) }
    }

    /// Tells what the peer accepts, from its HELLO.
    pub fn set_limits(&mut self, peer: &Limits) {
        self.set_max_frame(peer.max_frame);
        self.queue.long.set_bounds(peer.window as usize, peer.max_calls as usize);
    }

    /// Tells the largest frame body that the peer accepts, in bytes.
    pub fn set_max_frame(&mut self, max_frame: u32) {
        self.queue.max_frame = max_frame as usize;
    }

    /// Queues a CALL. The payload is written by `payload` straight into the send buffer, but for what it leaves out, which is not copied; if
    /// that fails, nothing is queued and its error is returned. Call numbers must be queued in rising order.
    ///
    /// Returns the size of the payload in bytes.
    #[inline]
    pub fn call<E>(
        &mut self,
        number: u32,
        head: &CallHead<'_>,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<Option<Aside>, E>,
    ) -> Result<usize, E> {
        let mut before = 0;
        let size = self.queue.message(kind::CALL, metadata_flag(head.metadata), number, |out| {
            let start = out.len();
            head.encode(out);
            before = out.len() - start;
            payload(out)
        })?;
        Ok(size - before)
    }

    /// Queues a REPLY, likewise.
    #[inline]
    pub fn reply<E>(
        &mut self,
        number: u32,
        metadata: Metadata<'_>,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<Option<Aside>, E>,
    ) -> Result<(), E> {
        self.queue.message(kind::REPLY, metadata_flag(metadata), number, |out| {
            metadata.encode(out);
            payload(out)
        })?;
        Ok(())
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
        if metadata.size() + payload.len() <= self.queue.max_frame {
            self.queue.frame(kind::REPLY, flags, number, |out| {
                metadata.encode(out);
                out.extend_from_slice(payload);
            });
            return;
        }
        let mut body = Body::holding(std::mem::take(payload), room);
        metadata.encode(&mut body.head);
        self.queue.long.push(LongMessage::new(number, kind::REPLY, flags, body));
    }

    /// Queues a FAILURE.
    pub fn failure(&mut self, number: u32, status: &Status) {
        let flags = if status.not_executed { flag::NOT_EXECUTED } else { 0 };
        let result = self.queue.message(kind::FAILURE, flags, number, |out| {
            status.encode(out);
            Ok::<_, Infallible>(None)
        });
        let Ok(_) = result;
    }

    /// Queues a FAILURE of a call that was not run. A peer can have as many as it likes.
    pub(crate) fn refusal(&mut self, number: u32, status: &Status) {
        let before = self.backlog();
        self.failure(number, status);
        self.queue.ready.count_asked(self.backlog() - before, true);
    }

    /// Queues a CANCEL, and drops what was not yet sent of that call's own message.
    pub fn cancel(&mut self, number: u32) {
        self.abandon(number);
        self.queue.frame(kind::CANCEL, 0, number, |_| {});
    }

    /// Drops what was not yet sent of a long message, because nobody waits for it. Says whether the peer holds the message's
    /// beginning: then it must be told that it ends here (by CANCEL or FAILURE).
    #[inline]
    pub fn abandon(&mut self, number: u32) -> bool {
        self.queue.long.remove(number) == Dropped::Begun
    }

    /// Drops what was queued from that [position](Self::position) on, and the rest of all long messages, because the connection
    /// ends. The last words can still be queued.
    pub(crate) fn cut(&mut self, position: u64) {
        self.queue.long.clear();
        self.queue.ready.cut(position);
    }

    /// Queues a PING; the peer's PONG brings the same bytes back.
    pub fn ping(&mut self, token: [u8; 8]) {
        self.control(kind::PING, |body| body.extend_from_slice(&token));
    }

    /// Queues a PONG.
    pub fn pong(&mut self, token: [u8; 8]) {
        self.control(kind::PONG, |body| body.extend_from_slice(&token));
        self.queue.ready.count_asked(HEADER + token.len(), false);
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
        self.queue.is_empty()
    }

    /// Bytes that wait to be sent; those that [`take`](Self::take) gave away are not among them.
    pub fn backlog(&self) -> usize {
        self.queue.backlog()
    }

    /// Bytes that wait in the buffer of what a peer can ask for without end.
    pub(crate) fn unread(&self) -> usize {
        self.queue.ready.unread()
    }

    /// The same without the items of streams, which have a bound of their own.
    #[inline]
    pub(crate) fn backlog_of_calls(&self) -> usize {
        self.backlog() - self.queue.long.unsent_items()
    }

    /// Answers that wait whole in the buffer.
    #[inline]
    pub(crate) fn answers(&self) -> usize {
        self.queue.ready.answers()
    }

    /// Long answers that wait to be sent, at least in part.
    #[inline]
    pub(crate) fn long_answers(&self) -> usize {
        self.queue.long.answers()
    }

    /// Bytes in the buffer that go out before anything queued from now on: the place of the next message.
    #[inline]
    pub fn queued(&self) -> usize {
        self.queue.ready.queued()
    }

    /// Where in the stream of all bytes of this side the next message begins, if it is short.
    #[inline]
    pub fn position(&self) -> u64 {
        self.queue.ready.position()
    }

    /// Where in the stream of all bytes of this side what is queued of that message is behind; `None` while a part of it still waits
    /// aside, whose place is not known.
    pub(crate) fn end_of(&self, number: u32) -> Option<u64> {
        (!self.queue.long.has(number)).then(|| self.position())
    }

    /// How many bytes have left: were written, or taken.
    #[inline]
    pub fn departed(&self) -> u64 {
        self.queue.ready.departed()
    }

    /// The next bytes to write: whole frames, but for what has left of the first. Empty when nothing is left.
    #[inline]
    pub fn chunk(&mut self) -> Chunk<'_> {
        self.queue.chunk()
    }

    /// Says that the first `n` bytes of [`chunk`](Self::chunk) were written.
    #[inline]
    pub fn advance(&mut self, n: usize) {
        self.queue.ready.advance(n);
    }

    /// Moves what [`chunk`](Self::chunk) would give into `buffer`, whose contents are dropped: for owners that share the
    /// queue between threads and would not hold its lock while they write.
    #[inline]
    pub fn take(&mut self, buffer: &mut Vec<u8>) {
        self.queue.take(buffer);
    }

    fn control(&mut self, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
        self.queue.frame(kind, 0, 0, write);
    }
}

#[inline]
fn metadata_flag(metadata: Metadata<'_>) -> u8 {
    if metadata.is_empty() { 0 } else { flag::METADATA }
}

#[cfg(test)]
mod aside_tests;
#[cfg(test)]
mod tests;
