//! What one side knows of the streams of one call: who may still send how much, and whether an end was said.

use super::{Terms, Turn, Turns};
use crate::frame::{ProtocolError, kind};
use crate::hello::Streaming;
use crate::limits::{MAX_CREDIT, StreamCredit};

/// The streams of one call, one in each direction at most.
#[derive(Debug)]
pub(in crate::connection) struct Stream {
    number: u32,
    /// This side's items; none when it streams none or has said its end.
    sending: Option<Sending>,
    /// The peer's.
    receiving: Option<Receiving>,
    /// Whether this side was to stream at all. Credit may come after its end.
    sends: bool,
    /// An item was put or has come.
    begun: bool,
}

#[derive(Debug)]
struct Sending {
    /// What the peer lets this side send. The last item may have taken more bytes than were left.
    items: u32,
    bytes: i64,
    /// A long message of this side is under way.
    busy: bool,
    /// The writer was told to wait.
    waits: bool,
    /// When it has put its last item.
    last: u64,
}

#[derive(Debug)]
struct Receiving {
    /// What this side gives from the beginning.
    window: StreamCredit,
    /// What the peer may still send.
    items: u32,
    bytes: i64,
    /// What was used and not given back yet.
    used: StreamCredit,
    /// An item is arriving in parts. It was counted when it began.
    arriving: bool,
}

impl Stream {
    /// The streams of a call in which this side and the peer may stream.
    fn new(number: u32, sends: bool, receives: bool, terms: Terms) -> Stream {
        let Terms { own, peer } = terms;
        let sending =
            Sending { items: peer.items, bytes: peer.bytes.into(), busy: false, waits: false, last: 0 };
        let receiving = Receiving {
            window: own,
            items: own.items,
            bytes: own.bytes.into(),
            used: StreamCredit { items: 0, bytes: 0 },
            arriving: false,
        };
        Stream {
            number,
            sending: sends.then_some(sending),
            receiving: receives.then_some(receiving),
            sends,
            begun: false,
        }
    }

    /// As the caller sees them.
    pub(in crate::connection) fn of_caller(number: u32, streaming: Streaming, terms: Terms) -> Stream {
        Stream::new(number, streaming.caller, streaming.service, terms)
    }

    /// As the service sees them.
    pub(in crate::connection) fn of_service(number: u32, streaming: Streaming, terms: Terms) -> Stream {
        Stream::new(number, streaming.service, streaming.caller, terms)
    }

    pub(in crate::connection) fn number(&self) -> u32 {
        self.number
    }

    /// Whether an item was put or has come.
    #[inline]
    pub(in crate::connection) fn has_begun(&self) -> bool {
        self.begun
    }

    // Sending.

    /// Whether an item may be put. Who is told to wait is told when it may go on.
    pub(in crate::connection) fn turn(&mut self, room: bool, turns: &mut Turns) -> Turn {
        let Some(sending) = &mut self.sending else { return Turn::Never };
        if sending.may_go_on() && room {
            return Turn::Now;
        }
        sending.waits = true;
        self.wait_for_room(turns);
        Turn::Later
    }

    /// An item is put.
    pub(in crate::connection) fn put(&mut self, size: usize, is_long: bool, turns: &mut Turns) {
        self.begun = true;
        if let Some(sending) = &mut self.sending {
            sending.items = sending.items.saturating_sub(1);
            sending.bytes -= size as i64;
            sending.busy = is_long;
            sending.waits = false;
            sending.last = turns.tick();
        }
    }

    /// A long message of this side is under way.
    pub(in crate::connection) fn is_busy(&mut self) {
        if let Some(sending) = &mut self.sending {
            sending.busy = true;
        }
    }

    /// The long message of this side that was under way was sent.
    pub(in crate::connection) fn is_free(&mut self, turns: &mut Turns) {
        if let Some(sending) = &mut self.sending {
            sending.busy = false;
            self.wait_for_room(turns);
        }
    }

    /// The peer gives credit.
    pub(in crate::connection) fn credit(
        &mut self,
        items: u32,
        bytes: u32,
        turns: &mut Turns,
    ) -> Result<(), ProtocolError> {
        if !self.sends {
            return Err(ProtocolError::NotStreamed { kind: kind::CREDIT, number: self.number });
        }
        // After the end it is of no use and does no harm.
        let Some(sending) = &mut self.sending else { return Ok(()) };
        let (items, bytes) = (sending.items.saturating_add(items), sending.bytes + i64::from(bytes));
        if items > MAX_CREDIT || bytes > i64::from(MAX_CREDIT) {
            return Err(ProtocolError::TooMuchCredit(self.number));
        }
        (sending.items, sending.bytes) = (items, bytes);
        self.wait_for_room(turns);
        Ok(())
    }

    /// This side says its end. Says whether it could.
    pub(in crate::connection) fn end(&mut self) -> bool {
        self.sending.take().is_some()
    }

    /// Room is there for a writer that waits. Says whether one does, and can go on.
    pub(in crate::connection) fn has_room(&mut self) -> bool {
        self.sending.as_mut().is_some_and(|sending| {
            let goes_on = sending.waits && sending.may_go_on();
            sending.waits &= !goes_on;
            goes_on
        })
    }

    /// A writer that waits for nothing else waits for room.
    fn wait_for_room(&self, turns: &mut Turns) {
        if let Some(sending) = &self.sending
            && sending.waits
            && sending.may_go_on()
        {
            turns.wait(sending.last, self.number);
        }
    }

    // Receiving.

    /// The first part of an item has come.
    pub(in crate::connection) fn item_begins(&mut self) -> Result<(), ProtocolError> {
        let number = self.number;
        let receiving = self.receiving(kind::ITEM)?;
        if receiving.items == 0 || receiving.bytes <= 0 {
            return Err(ProtocolError::BeyondCredit(number));
        }
        receiving.items -= 1;
        receiving.arriving = true;
        self.begun = true;
        Ok(())
    }

    /// An item has come, whole.
    #[inline]
    pub(in crate::connection) fn item(&mut self, size: usize) -> Result<(), ProtocolError> {
        if !self.receiving(kind::ITEM)?.arriving {
            self.item_begins()?;
        }
        let receiving = self.receiving(kind::ITEM)?;
        receiving.arriving = false;
        receiving.bytes -= size as i64;
        Ok(())
    }

    /// The peer says its end.
    pub(in crate::connection) fn ended(&mut self) -> Result<(), ProtocolError> {
        self.receiving(kind::END)?;
        self.receiving = None;
        Ok(())
    }

    /// Whether more items of the peer may come.
    pub(in crate::connection) fn awaits_items(&self) -> bool {
        self.receiving.is_some()
    }

    /// The reader is done with so much. Gives what the peer is to be told, when it is worth a frame: half of what this side
    /// gives from the beginning. So a writer that has sent all of that hears of it.
    #[inline]
    pub(in crate::connection) fn used(&mut self, items: u32, bytes: usize) -> Option<StreamCredit> {
        let Receiving { window, items: left_items, bytes: left_bytes, used, .. } = self.receiving.as_mut()?;
        // What the peer may send never passes the bound.
        let most_items = MAX_CREDIT - *left_items;
        let most_bytes = (i64::from(MAX_CREDIT) - *left_bytes).min(MAX_CREDIT.into()) as u32;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        used.items = used.items.saturating_add(items).min(most_items);
        used.bytes = used.bytes.saturating_add(bytes).min(most_bytes);
        if used.items == 0 && used.bytes == 0 {
            return None;
        }
        if used.items < window.items.div_ceil(2) && used.bytes < window.bytes.div_ceil(2) {
            return None;
        }
        let told = std::mem::replace(used, StreamCredit { items: 0, bytes: 0 });
        *left_items += told.items;
        *left_bytes += i64::from(told.bytes);
        Some(told)
    }

    fn receiving(&mut self, kind: u8) -> Result<&mut Receiving, ProtocolError> {
        let number = self.number;
        self.receiving.as_mut().ok_or(ProtocolError::NotStreamed { kind, number })
    }
}

impl Sending {
    /// Whether nothing keeps it from putting an item but the room that all share.
    fn may_go_on(&self) -> bool {
        self.items > 0 && self.bytes > 0 && !self.busy
    }
}
