//! The streams of a side that calls. [`streams`](crate::connection::streams) says how they are driven.

use super::calls::InFlight;
use super::{Answer, Connector, NotSent, Said};
use crate::call::CallHead;
use crate::connection::MAX_UNREAD;
use crate::connection::streams::{NotPut, Stream, Turn};
use crate::frame::{ProtocolError, kind};
use crate::hello::Streaming;
use crate::metadata::Metadata;
use crate::outbound::Aside;

impl<T, I: Copy + Ord> Connector<T, I> {
    /// Whether calls that stream can be made: both sides speak streams.
    pub fn speaks_streams(&self) -> bool {
        self.terms.is_some()
    }

    /// Sends a call whose items stream that way. For the rest it is as [`call`](Self::call).
    ///
    /// # Errors
    /// [`NotSent`]; then `value` is dropped. [`NotSent::Closed`] also where not both sides speak streams.
    pub fn stream<E>(
        &mut self,
        streaming: Streaming,
        head: &CallHead<'_>,
        deadline: I,
        value: T,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<Option<Aside>, E>,
    ) -> Result<u32, NotSent<E>> {
        let terms = self.terms.ok_or(NotSent::Closed)?;
        let number = self.call(head, deadline, value, payload)?;
        let mut stream = Box::new(Stream::of_caller(number, streaming, terms));
        // Its items come behind its arguments.
        if self.outbound.tell_when_sent(number) {
            stream.is_busy();
        }
        if let Some(call) = self.calls.get_mut(number) {
            call.stream = Some(stream);
        }
        Ok(number)
    }

    /// Whether an item of a call can be put now. Who is told [`Later`](Turn::Later) is named by [`next_turn`](Self::next_turn).
    #[inline]
    pub fn turn(&mut self, number: u32) -> Turn {
        let room = self.outbound.has_room_for_items();
        self.calls.stream(number).map_or(Turn::Never, |stream| stream.turn(room, &mut self.turns))
    }

    /// Sends an item of a call, which `payload` writes straight into the send buffer, but for bytes that it leaves out.
    ///
    /// # Errors
    /// [`NotPut`]; then nothing is sent.
    #[inline]
    pub fn item<E>(
        &mut self,
        number: u32,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<Option<Aside>, E>,
    ) -> Result<(), NotPut<E>> {
        match self.turn(number) {
            Turn::Now => {}
            Turn::Later => return Err(NotPut::Later),
            Turn::Never => return Err(NotPut::Never),
        }
        let most = self.max_message();
        let size = self.outbound.item(number, |out| {
            let start = out.len();
            let aside = payload(out).map_err(NotPut::Payload)?;
            let size = out.len() - start + Aside::len(&aside);
            if size <= most { Ok(aside) } else { Err(NotPut::TooLong { size, most }) }
        })?;
        let is_long = self.outbound.is_long(size);
        if let Some(stream) = self.calls.stream(number) {
            stream.put(size, is_long, &mut self.turns);
        }
        Ok(())
    }

    /// Says that no more items of a call come from this side. Says whether that was of use: the call is in flight, and its caller streams
    /// and has not said so before. Metadata that is longer than the peer accepts is left out.
    pub fn end(&mut self, number: u32, metadata: Metadata<'_>) -> bool {
        let ended = self.calls.stream(number).is_some_and(Stream::end);
        if ended {
            let fits = metadata.size() <= self.max_message();
            self.outbound.end(number, if fits { metadata } else { Metadata::default() });
        }
        ended
    }

    /// The reader of a call is done with so many items of so many bytes: the peer may send as many again. More than have come widen what
    /// may be under way.
    #[inline]
    pub fn used(&mut self, number: u32, items: u32, bytes: usize) {
        if let Some(credit) = self.calls.stream(number).and_then(|stream| stream.used(items, bytes)) {
            self.outbound.credit(number, credit);
        }
    }

    /// The next call whose writer was told to wait and can go on.
    #[inline]
    pub fn next_turn(&mut self) -> Option<u32> {
        while let Some(number) = self.outbound.next_sent() {
            if let Some(stream) = self.calls.stream(number) {
                stream.is_free(&mut self.turns);
            }
        }
        while self.outbound.has_room_for_items() {
            let number = self.turns.next()?;
            if self.calls.stream(number).is_some_and(Stream::has_room) {
                return Some(number);
            }
        }
        None
    }

    /// What the owner has kept for a call in flight.
    #[inline]
    pub fn value(&self, number: u32) -> Option<&T> {
        self.calls.get(number).map(|call| &call.value)
    }

    /// Gives a call in flight another deadline at this side. The peer is not told. Says whether it is in flight.
    pub fn set_deadline(&mut self, number: u32, deadline: I) -> bool {
        self.calls.set_deadline(number, deadline)
    }

    pub(super) fn item_came<'a>(
        &mut self,
        number: u32,
        payload: &'a [u8],
    ) -> Result<Said<'a, T, I>, ProtocolError> {
        let Some(stream) = self.streamed(number, kind::ITEM)? else { return Ok(Said::Nothing) };
        stream.item(payload.len())?;
        // What it brings back is credit, which it must read.
        if self.outbound.unread() > MAX_UNREAD {
            return Err(ProtocolError::Unread);
        }
        Ok(Said::Item { number, payload })
    }

    pub(super) fn item_begins<'a>(&mut self, number: u32) -> Result<Said<'a, T, I>, ProtocolError> {
        if let Some(stream) = self.streamed(number, kind::ITEM)? {
            stream.item_begins()?;
        }
        Ok(Said::Nothing)
    }

    pub(super) fn ended<'a>(
        &mut self,
        number: u32,
        metadata: Metadata<'a>,
    ) -> Result<Said<'a, T, I>, ProtocolError> {
        if let Some(stream) = self.streamed(number, kind::END)? {
            stream.ended()?;
        }
        self.answered(number, Answer::End { metadata })
    }

    pub(super) fn credited<'a>(
        &mut self,
        number: u32,
        items: u32,
        bytes: u32,
    ) -> Result<Said<'a, T, I>, ProtocolError> {
        self.streamed(number, kind::CREDIT)?;
        if let Some(stream) = self.calls.stream(number) {
            stream.credit(items, bytes, &mut self.turns)?;
        }
        Ok(Said::Nothing)
    }

    /// A call that streams is answered. One of which an item went over the wire has run, whatever the peer says.
    pub(super) fn stream_answered<'a>(
        &mut self,
        number: u32,
        call: InFlight<T, I>,
        mut answer: Answer<'a>,
    ) -> Result<Said<'a, T, I>, ProtocolError> {
        let awaits_items = call.stream.as_ref().is_some_and(|stream| stream.awaits_items());
        if awaits_items && matches!(answer, Answer::Reply { .. }) {
            self.calls.insert(number, call);
            return Err(ProtocolError::NotStreamed { kind: kind::REPLY, number });
        }
        let ended = call.end(number);
        if let Answer::Failure(status) = &mut answer {
            status.not_executed &= !ended.streamed;
        }
        Ok(Said::Answered(ended, answer))
    }

    /// The streams of a call; none when it has ended.
    fn streamed(&mut self, number: u32, kind: u8) -> Result<Option<&mut Stream>, ProtocolError> {
        if number >= self.next {
            return Err(ProtocolError::BadCallNumber(number));
        }
        match self.calls.get_mut(number) {
            None => Ok(None),
            Some(InFlight { stream: Some(stream), .. }) => Ok(Some(stream)),
            Some(_) => Err(ProtocolError::NotStreamed { kind, number }),
        }
    }
}
