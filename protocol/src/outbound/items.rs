//! What streams send: items, their end, credit. Items have bounds of their own, so that no stream stands before calls.

use super::body::Body;
use super::long::LongMessage;
use super::{Aside, Outbound, metadata_flag};
use crate::budget::Room;
use crate::frame::{HEADER, flag, kind};
use crate::limits::StreamCredit;
use crate::metadata::Metadata;
use crate::status::Status;
use bytes::Bytes;

/// Bytes in the buffer above which no item of a stream is added. They stand before a call that is made then.
const MAX_AHEAD: usize = 256 * 1024;

/// Bytes of long items above which no further item is added.
const MAX_LONG_ITEMS: usize = 16 * 1024 * 1024;

impl Outbound {
    /// Queues a FAILURE behind what was queued of the call's stream.
    pub(crate) fn failure_behind(&mut self, number: u32, status: &Status) {
        let mut body = Vec::new();
        status.encode(&mut body);
        self.behind(number, kind::FAILURE, if status.not_executed { flag::NOT_EXECUTED } else { 0 }, body);
    }

    /// Queues an ITEM. The payload is written straight into the send buffer, but for what it leaves out. Gives the payload's size in bytes.
    /// No other message of the call may be under way.
    #[inline]
    pub(crate) fn item<E>(
        &mut self,
        number: u32,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<Option<Aside>, E>,
    ) -> Result<usize, E> {
        self.queue.message(kind::ITEM, 0, number, payload)
    }

    /// Queues an ITEM that is there already and takes room of a budget. A long one is taken; a short one is copied.
    pub(crate) fn item_holding(&mut self, number: u32, payload: &mut Vec<u8>, room: Option<Room>) {
        if payload.len() <= self.queue.max_frame {
            return self.queue.frame(kind::ITEM, 0, number, |out| out.extend_from_slice(payload));
        }
        let body = Body::holding(std::mem::take(payload), room);
        self.queue.long.push(LongMessage::new(number, kind::ITEM, 0, body));
    }

    /// Queues an END behind what was queued of the call's stream.
    pub(crate) fn end(&mut self, number: u32, metadata: Metadata<'_>) {
        let mut body = Vec::new();
        metadata.encode(&mut body);
        self.behind(number, kind::END, metadata_flag(metadata), body);
    }

    /// Queues a CREDIT. A peer brings it about by the items that it sends.
    pub(crate) fn credit(&mut self, number: u32, credit: StreamCredit) {
        self.queue.frame(kind::CREDIT, 0, number, |body| {
            body.extend_from_slice(&credit.items.to_le_bytes());
            body.extend_from_slice(&credit.bytes.to_le_bytes());
        });
        self.queue.ready.count_asked(HEADER + 8, false);
    }

    /// Whether an item of that size travels in fragments.
    #[inline]
    pub(crate) fn is_long(&self, size: usize) -> bool {
        size > self.queue.max_frame
    }

    /// Whether a further item may be queued now.
    #[inline]
    pub(crate) fn has_room_for_items(&self) -> bool {
        self.queue.ready.queued() < MAX_AHEAD && self.queue.long.unsent_items() < MAX_LONG_ITEMS
    }

    /// Whether a long message of that call is under way. If so, [`next_sent`](Self::next_sent) tells when all of it was sent.
    pub(crate) fn tell_when_sent(&mut self, number: u32) -> bool {
        self.queue.long.tell_when_sent(number)
    }

    /// The call of a long message that was sent to its end: of an item, or of a message of which that was asked.
    #[inline]
    pub(crate) fn next_sent(&mut self) -> Option<u32> {
        self.queue.long.next_sent()
    }

    /// Queues the last message of a call, behind one of it that is under way.
    fn behind(&mut self, number: u32, kind: u8, flags: u8, body: Vec<u8>) {
        let last = LongMessage::new(number, kind, flags, Body::from(Bytes::from(body)));
        let Some(last) = self.queue.long.push_behind(last) else { return };
        self.queue.push(last);
    }
}
