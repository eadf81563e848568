//! The streams of a side that is called. [`streams`](crate::connection::streams) says how they are driven.

use super::open::Closed;
use super::{Acceptor, Asked};
use crate::budget::Room;
use crate::connection::streams::{NotPut, Stream, Turn};
use crate::frame::{ProtocolError, kind};
use crate::hello::Streaming;
use crate::metadata::Metadata;
use crate::status::Status;
use std::convert::Infallible;

impl<T, I: Copy + Ord> Acceptor<T, I> {
    /// Whether calls that stream can be served: both sides speak streams. To one that does not such a method is not offered.
    pub fn speaks_streams(&self) -> bool {
        self.terms.is_some()
    }

    /// The call is running from now on, and its items stream that way; to be said before the next event. Gives `value` back when nobody
    /// waits for the call any more, or when [not both sides speak streams](Self::speaks_streams).
    ///
    /// A call whose service streams is answered by [`end`](Self::end) or [`fail`](Self::fail), any other one by
    /// [`reply`](Self::reply) or `fail`.
    pub fn stream(&mut self, number: u32, streaming: Streaming, deadline: Option<I>, value: T) -> Option<T> {
        let Some(terms) = self.terms else { return Some(value) };
        let stream = Box::new(Stream::of_service(number, streaming, terms));
        self.open.run(number, deadline, value, Some(stream))
    }

    /// Whether an item of a call can be put now. Who is told [`Later`](Turn::Later) is named by [`next_turn`](Self::next_turn).
    #[inline]
    pub fn turn(&mut self, number: u32) -> Turn {
        let room = self.outbound.has_room_for_items();
        self.open.stream(number).map_or(Turn::Never, |stream| stream.turn(room, &mut self.turns))
    }

    /// Sends an item of a call, which takes `room` until all of it was handed out to be written. A long payload is taken; a short one is
    /// copied, and its buffer stays the caller's.
    ///
    /// # Errors
    /// [`NotPut`]; then nothing is sent, and the payload is as it was.
    pub fn item(
        &mut self,
        number: u32,
        payload: &mut Vec<u8>,
        room: Option<Room>,
    ) -> Result<(), NotPut<Infallible>> {
        match self.turn(number) {
            Turn::Now => {}
            Turn::Later => return Err(NotPut::Later),
            Turn::Never => return Err(NotPut::Never),
        }
        let (size, most) = (payload.len(), self.max_message());
        if size > most {
            return Err(NotPut::TooLong { size, most });
        }
        self.outbound.item_holding(number, payload, room);
        let is_long = self.outbound.is_long(size);
        if let Some(stream) = self.open.stream(number) {
            stream.put(size, is_long, &mut self.turns);
        }
        Ok(())
    }

    /// Answers a call whose service streams: all items were put. Says whether anybody waits for it. Metadata that is longer than the
    /// peer accepts makes a failure of it.
    pub fn end(&mut self, number: u32, metadata: Metadata<'_>) -> bool {
        if !self.open.stream(number).is_some_and(Stream::end) {
            return false;
        }
        self.open.remove(number);
        let (size, most) = (metadata.size(), self.max_message());
        if size > most {
            let message = format!("the metadata has {size} bytes; the caller accepts {most}");
            self.outbound.failure_behind(number, &Status::resource_exhausted(message));
        } else {
            self.outbound.end(number, metadata);
        }
        true
    }

    /// The reader of a call is done with so many items of so many bytes: the peer may send as many again. More than have come widen what
    /// may be under way.
    #[inline]
    pub fn used(&mut self, number: u32, items: u32, bytes: usize) {
        if let Some(credit) = self.open.stream(number).and_then(|stream| stream.used(items, bytes)) {
            self.outbound.credit(number, credit);
        }
    }

    /// The next call whose writer was told to wait and can go on.
    #[inline]
    pub fn next_turn(&mut self) -> Option<u32> {
        while let Some(number) = self.outbound.next_sent() {
            if let Some(stream) = self.open.stream(number) {
                stream.is_free(&mut self.turns);
            }
        }
        while self.outbound.has_room_for_items() {
            let number = self.turns.next()?;
            if self.open.stream(number).is_some_and(Stream::has_room) {
                return Some(number);
            }
        }
        None
    }

    /// What the owner has kept for a call that is running.
    #[inline]
    pub fn value(&self, number: u32) -> Option<&T> {
        self.open.value(number)
    }

    /// A failure of a call that streams goes behind its items. One of which an item went over the wire has run.
    pub(super) fn fail_behind(&mut self, stream: &Stream, status: &Status) {
        let status = Status { not_executed: status.not_executed && !stream.has_begun(), ..status.clone() };
        self.outbound.failure_behind(stream.number(), &status);
    }

    /// Ends a call whose answer is not ready, and drops what was not sent of its items. Gives what was kept for it.
    pub(super) fn cut_short(&mut self, call: Closed<T>, status: &Status) -> Option<T> {
        if call.stream.is_some() {
            self.outbound.abandon(call.number);
        }
        self.outbound.failure(call.number, status);
        call.value
    }

    pub(super) fn item_came<'a>(
        &mut self,
        number: u32,
        payload: &'a [u8],
    ) -> Result<Asked<'a, T>, ProtocolError> {
        let Some(stream) = self.streamed(number, kind::ITEM)? else { return Ok(Asked::Nothing) };
        stream.item(payload.len())?;
        // What it brings back is credit, which it must read.
        self.bounded()?;
        Ok(Asked::Item { number, payload })
    }

    pub(super) fn item_begins<'a>(&mut self, number: u32) -> Result<Asked<'a, T>, ProtocolError> {
        if let Some(stream) = self.streamed(number, kind::ITEM)? {
            stream.item_begins()?;
        }
        Ok(Asked::Nothing)
    }

    pub(super) fn ended<'a>(
        &mut self,
        number: u32,
        metadata: Metadata<'a>,
    ) -> Result<Asked<'a, T>, ProtocolError> {
        let Some(stream) = self.streamed(number, kind::END)? else { return Ok(Asked::Nothing) };
        stream.ended()?;
        Ok(Asked::End { number, metadata })
    }

    pub(super) fn credited<'a>(
        &mut self,
        number: u32,
        items: u32,
        bytes: u32,
    ) -> Result<Asked<'a, T>, ProtocolError> {
        self.streamed(number, kind::CREDIT)?;
        if let Some(stream) = self.open.stream(number) {
            stream.credit(items, bytes, &mut self.turns)?;
        }
        Ok(Asked::Nothing)
    }

    /// A call whose items cannot all be had is over.
    pub(super) fn item_lost<'a>(&mut self, number: u32, why: &str) -> Result<Asked<'a, T>, ProtocolError> {
        self.streamed(number, kind::ITEM)?;
        let Some(call) = self.open.remove(number) else { return Ok(Asked::Nothing) };
        let value = self.cut_short(call, &Status::resource_exhausted(why));
        Ok(value.map_or(Asked::Nothing, Asked::Stop))
    }

    /// The streams of a call; none when it is not open any more.
    fn streamed(&mut self, number: u32, kind: u8) -> Result<Option<&mut Stream>, ProtocolError> {
        if !self.open.contains(number) {
            return Ok(None);
        }
        let stream = self.open.stream(number);
        stream.map(Some).ok_or(ProtocolError::NotStreamed { kind, number })
    }
}
