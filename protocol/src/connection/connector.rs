//! The side that calls: the calls in flight on one connection, and what becomes of each.
//!
//! Every call that [`Connector::call`] takes ends once: by an answer, because its owner cancels it, because its time is up, because
//! the peer went away before it began, or because the connection was lost. `T` is what the owner keeps for a call, and gets back
//! when the call ends. `I` is a point in time of the owner's clock.
//!
//! A call that is given up is forgotten when CANCEL is queued. Its answer may be under way; it finds no call and is ignored.

mod calls;
mod said;
mod streaming;

use super::streams::{Terms, Turns};
use super::{MAX_BACKLOG, MAX_UNREAD};
use crate::call::CallHead;
use crate::frame::ProtocolError;
use crate::hello::Hello;
use crate::inbound::Event;
use crate::limits::{Limits, StreamCredit};
use crate::outbound::{Aside, Chunk, Outbound};
use crate::schema::Fingerprint;
use calls::{Calls, InFlight};

pub use said::{Answer, Ended, Lost, NotSent, Said};

/// Call numbers past this one are not given out any more; the connection is replaced.
const LAST_NUMBER: u32 = u32::MAX - 1;

/// One connection of a side that calls.
#[derive(Debug)]
pub struct Connector<T, I> {
    outbound: Outbound,
    calls: Calls<T, I>,
    next: u32,
    /// What the peer accepts, from its HELLO on.
    peer: Option<Limits>,
    /// Calls in flight at once.
    most: usize,
    accepting: bool,
    /// The lowest last call that the peer has told.
    last_call: u32,
    /// What this side has said of streams in HELLO.
    credit: Option<StreamCredit>,
    /// What both have said.
    terms: Option<Terms>,
    turns: Turns,
}

impl<T, I: Copy + Ord> Connector<T, I> {
    /// A connection that begins with this HELLO. No call can be made before the peer's HELLO is there.
    pub fn new(hello: &Hello) -> Connector<T, I> {
        Connector {
            outbound: Outbound::new(hello),
            calls: Calls::new(),
            next: 1,
            peer: None,
            most: 0,
            accepting: true,
            last_call: u32::MAX,
            credit: hello.streams,
            terms: None,
            turns: Turns::default(),
        }
    }

    /// Keeps to fewer calls in flight than the peer accepts.
    pub fn limit_calls(&mut self, most: u32) {
        self.most = self.most.min(most as usize);
    }

    /// Sends a call. `payload` writes the arguments straight into the send buffer, but for bytes that it leaves out and that are sent from
    /// where they are; `value` is kept until the call ends. Gives the call's number.
    ///
    /// # Errors
    /// [`NotSent`]; then `value` is dropped.
    #[inline]
    pub fn call<E>(
        &mut self,
        head: &CallHead<'_>,
        deadline: I,
        value: T,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<Option<Aside>, E>,
    ) -> Result<u32, NotSent<E>> {
        if !self.has_room() {
            return Err(if self.accepts() { NotSent::Full } else { NotSent::Closed });
        }
        let most = self.max_message();
        let (number, position) = (self.next, self.outbound.position());
        self.outbound.call(number, head, |out| {
            let start = out.len();
            let aside = payload(out).map_err(NotSent::Payload)?;
            let size = head.size() + out.len() - start + Aside::len(&aside);
            if size <= most { Ok(aside) } else { Err(NotSent::TooLong { size, most }) }
        })?;
        self.next = number + 1;
        if self.next > LAST_NUMBER {
            self.accepting = false;
        }
        self.calls.insert(number, InFlight { value, position, deadline, stream: None });
        Ok(number)
    }

    /// Gives a call up, and tells the peer. `None` when it has ended already.
    pub fn cancel(&mut self, number: u32) -> Option<Ended<T, I>> {
        let ended = self.calls.take(number)?;
        self.outbound.cancel(number);
        Some(ended)
    }

    /// Gives up the calls whose time is up, tells the peer, and finds the next deadline.
    pub fn expire(&mut self, now: I) -> Vec<Ended<T, I>> {
        let late = self.calls.take_late(now);
        late.iter().for_each(|call| self.outbound.cancel(call.number));
        late
    }

    /// No call in flight has its deadline before this.
    #[inline]
    pub fn first_deadline(&self) -> Option<I> {
        self.calls.first_deadline()
    }

    /// Takes up what the peer has said.
    ///
    /// # Errors
    /// When the peer breaks the protocol. The connection cannot go on then.
    #[inline]
    pub fn on_event<'a>(&mut self, event: Event<'a>) -> Result<Said<'a, T, I>, ProtocolError> {
        Ok(match event {
            Event::Reply { number, metadata, payload } => {
                self.answered(number, Answer::Reply { metadata, payload })?
            }
            Event::Failure { number, status } => self.answered(number, Answer::Failure(status))?,
            Event::TooLarge { number } | Event::ItemTooLarge { number } => {
                self.unwanted(number, Answer::TooLarge)?
            }
            Event::NoRoom { number } | Event::ItemNoRoom { number } => {
                self.unwanted(number, Answer::NoRoom)?
            }
            Event::Item { number, payload } => self.item_came(number, payload)?,
            Event::ItemBegins { number } => self.item_begins(number)?,
            Event::End { number, metadata } => self.ended(number, metadata)?,
            Event::Credit { number, items, bytes } => self.credited(number, items, bytes)?,
            Event::Ping(token) => {
                self.outbound.pong(token);
                if self.outbound.unread() > MAX_UNREAD {
                    return Err(ProtocolError::Unread);
                }
                Said::Nothing
            }
            Event::Hello(hello) => {
                self.outbound.set_limits(&hello.limits);
                self.most = hello.limits.max_calls as usize;
                self.terms = Terms::agreed(self.credit, hello.streams);
                self.peer = Some(hello.limits);
                Said::Hello(hello)
            }
            Event::Schema(fingerprint, encoded) => Said::Schema(fingerprint, encoded),
            Event::Ready(ready) => Said::Ready(ready),
            Event::GoAway { last_call, reason } => Said::GoAway { reason, refused: self.go_away(last_call) },
            // A PONG shows by its mere arrival that the peer is there. The rest comes to the other side only.
            Event::Pong(_) | Event::Call { .. } | Event::Cancel { .. } | Event::SchemaRequest(_) => {
                Said::Nothing
            }
        })
    }

    /// Takes no more calls; those in flight go on.
    pub fn close(&mut self) {
        self.accepting = false;
    }

    /// The connection is lost: gives all calls that were in flight. Those that were not sent are dropped from what waits to be
    /// written: their owner may send them elsewhere, while the peer may still be told why the connection ends.
    pub fn lose(&mut self) -> Lost<T, I> {
        self.accepting = false;
        let left = self.outbound.departed();
        let first = self.calls.values().map(|call| call.position).filter(|position| left <= *position).min();
        self.outbound.cut(first.unwrap_or_else(|| self.outbound.position()));
        let unsent = self.calls.take_where(|_, call| left <= call.position);
        Lost { unsent, sent: self.calls.take_where(|_, _| true) }
    }

    /// Whether it takes calls at all.
    #[inline]
    pub fn accepts(&self) -> bool {
        self.accepting && self.peer.is_some()
    }

    /// Whether a further call may be made.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.accepts() && self.calls.len() < self.most && self.outbound.backlog_of_calls() < MAX_BACKLOG
    }

    /// How many calls are in flight.
    #[inline]
    pub fn in_flight(&self) -> usize {
        self.calls.len()
    }

    /// Whether nothing is left to do: it takes no calls, none is in flight, and all bytes have left.
    pub fn is_done(&self) -> bool {
        !self.accepting && self.calls.is_empty() && self.outbound.is_empty()
    }

    /// What the owner has kept for the calls in flight, in no order.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.calls.values().map(|call| &call.value)
    }

    /// Asks the peer whether it is there.
    pub fn ping(&mut self) {
        self.outbound.ping(*b"callgate");
    }

    /// Asks for a schema.
    pub fn request_schema(&mut self, fingerprint: Fingerprint) {
        self.outbound.schema_request(fingerprint);
    }

    /// Says that no more calls will come, and why.
    pub fn go_away_with(&mut self, reason: &str) {
        self.close();
        self.outbound.go_away(0, reason);
    }

    /// Whether nothing is left to send.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.outbound.is_empty()
    }

    /// Bytes that wait to be sent.
    #[inline]
    pub fn backlog(&self) -> usize {
        self.outbound.backlog()
    }

    /// Bytes that have left.
    #[inline]
    pub fn departed(&self) -> u64 {
        self.outbound.departed()
    }

    /// How many bytes must have left for all of a call to have left, the call itself being the last thing that was queued, or long;
    /// `None` while a part of a long one has no place among these bytes yet. Items of its request are not meant.
    pub fn end_of(&self, number: u32) -> Option<u64> {
        self.outbound.end_of(number)
    }

    /// The next bytes to write, see [`Outbound::chunk`].
    #[inline]
    pub fn chunk(&mut self) -> Chunk<'_> {
        self.outbound.chunk()
    }

    /// Says that the first `n` bytes of [`chunk`](Self::chunk) were written.
    #[inline]
    pub fn advance(&mut self, n: usize) {
        self.outbound.advance(n);
    }

    /// Moves the next bytes to write into `buffer`, see [`Outbound::take`].
    #[inline]
    pub fn take_output(&mut self, buffer: &mut Vec<u8>) {
        self.outbound.take(buffer);
    }

    /// The longest message that the peer accepts, in bytes.
    pub fn max_message(&self) -> usize {
        self.peer.as_ref().map_or(0, |peer| peer.max_message as usize)
    }

    /// An answer; to a call for which nobody waits any more it is ignored.
    #[inline]
    fn answered<'a>(&mut self, number: u32, answer: Answer<'a>) -> Result<Said<'a, T, I>, ProtocolError> {
        if number >= self.next {
            return Err(ProtocolError::BadCallNumber(number));
        }
        // The rest of arguments that were not all sent is of no use to anybody. The peer hears that nothing more comes of them.
        if self.outbound.abandon(number) {
            self.outbound.cancel(number);
        }
        match self.calls.remove(number) {
            None => Ok(Said::Nothing),
            Some(call) if call.stream.is_some() => self.stream_answered(number, call, answer),
            Some(call) => Ok(Said::Answered(call.end(number), answer)),
        }
    }

    /// An answer that is not taken: the peer need not send the rest of it.
    fn unwanted<'a>(&mut self, number: u32, answer: Answer<'a>) -> Result<Said<'a, T, I>, ProtocolError> {
        let said = self.answered(number, answer)?;
        if let Said::Answered(..) = said {
            self.outbound.cancel(number);
        }
        Ok(said)
    }

    /// The calls above the last that the peer has accepted have not run.
    fn go_away(&mut self, last_call: u32) -> Vec<Ended<T, I>> {
        self.accepting = false;
        self.last_call = self.last_call.min(last_call);
        let last = self.last_call;
        let refused = self.calls.take_where(|number, _| number > last);
        for call in &refused {
            if self.outbound.abandon(call.number) {
                self.outbound.cancel(call.number);
            }
        }
        refused
    }
}

#[cfg(test)]
mod tests;
