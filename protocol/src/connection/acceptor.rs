//! The side that is called: the calls that are open on one connection, and the answers that wait to be written.
//!
//! Every call that [`Acceptor::on_event`] gives out is open until its owner answers or refuses it, its time is up, the peer cancels
//! it, or the owner gives all up; so it has at most one answer. `T` is what the owner keeps for a call that is running, and gets
//! back when nobody waits for it any more. `I` is a point in time of the owner's clock.
//!
//! What waits to be written is bounded without a pause in reading. Answers count with the open calls, of which there are at most
//! twice as many as may be in flight: those of an honest peer, and those that it has read while this side does not know that yet.
//! What can be asked for without end (PONG, SCHEMA, refusals) is bounded in bytes.

mod asked;
mod notices;
mod open;
mod schemas;
mod streaming;

use super::streams::{Terms, Turns};
use super::{MAX_BACKLOG, MAX_UNREAD};
use crate::budget::Room;
use crate::call::Metadata;
use crate::frame::ProtocolError;
use crate::hello::Hello;
use crate::inbound::Event;
use crate::limits::{Limits, StreamCredit};
use crate::outbound::Outbound;
use crate::schema::Fingerprint;
use crate::status::Status;
use notices::Notices;
use open::{Closed, OpenCalls};
use schemas::Schemas;
use std::borrow::Cow;

pub use asked::{Asked, Refusal};

/// One connection of a side that is called.
#[derive(Debug)]
pub struct Acceptor<T, I> {
    outbound: Outbound,
    /// Nothing is said until the peer was let in.
    guarded: bool,
    limits: Limits,
    /// What the peer accepts, from its HELLO on.
    peer: Option<Limits>,
    /// Calls that have no answer yet.
    open: OpenCalls<T, I>,
    /// Answers among the bytes that were taken last.
    taken: usize,
    schemas: Schemas,
    notices: Notices,
    /// What this side has said of streams in HELLO.
    credit: Option<StreamCredit>,
    /// What both have said.
    terms: Option<Terms>,
    turns: Turns,
}

impl<T, I: Copy + Ord> Acceptor<T, I> {
    /// A connection that begins with this HELLO.
    pub fn new(hello: &Hello) -> Acceptor<T, I> {
        Acceptor {
            outbound: Outbound::new(hello),
            guarded: false,
            limits: hello.limits.clamped(),
            peer: None,
            open: OpenCalls::new(),
            taken: 0,
            schemas: Schemas::default(),
            notices: Notices::new(),
            credit: hello.streams,
            terms: None,
            turns: Turns::default(),
        }
    }

    /// The same, where not everybody is let in: HELLO is not sent before the owner has looked at the peer's and said
    /// [`let_in`](Self::let_in). Who is not let in does not hear what is offered.
    pub fn guarded(hello: &Hello) -> Acceptor<T, I> {
        Acceptor { guarded: true, ..Acceptor::new(hello) }
    }

    /// The peer is one of those who are let in.
    pub fn let_in(&mut self) {
        self.guarded = false;
    }

    /// Takes up what the peer has said.
    ///
    /// # Errors
    /// When the peer breaks the protocol. The connection cannot go on then.
    #[inline]
    pub fn on_event<'a>(&mut self, event: Event<'a>) -> Result<Asked<'a, T>, ProtocolError> {
        Ok(match event {
            // The peer knows from GO_AWAY, or will, that such a call does not run.
            Event::Call { number, .. } | Event::TooLarge { number } | Event::NoRoom { number }
                if self.notices.last_call().is_some_and(|last| number > last) =>
            {
                Asked::Nothing
            }
            Event::Call { number, head, payload } => {
                let why = self.refusal();
                self.open.insert(number);
                match why {
                    Some(why) => Asked::Refuse { number, why },
                    None => Asked::Call { number, head, payload },
                }
            }
            Event::TooLarge { number } => self.unheard(number, Refusal::TooLarge),
            Event::NoRoom { number } => self.unheard(number, Refusal::NoRoom),
            Event::Item { number, payload } => self.item_came(number, payload)?,
            Event::ItemBegins { number } => self.item_begins(number)?,
            Event::End { number, metadata } => self.ended(number, metadata)?,
            Event::Credit { number, items, bytes } => self.credited(number, items, bytes)?,
            Event::ItemTooLarge { number } => {
                self.item_lost(number, "an item is longer than is accepted here")?
            }
            Event::ItemNoRoom { number } => self.item_lost(number, "there is no room for an item")?,
            Event::Cancel { number } => self.cancelled(number)?,
            Event::Ping(token) => {
                self.outbound.pong(token);
                self.bounded()?;
                Asked::Nothing
            }
            Event::SchemaRequest(fingerprint) => {
                self.bounded()?;
                Asked::Schema(fingerprint)
            }
            Event::Hello(hello) => {
                self.outbound.set_limits(&hello.limits);
                self.peer = Some(hello.limits);
                self.terms = Terms::agreed(self.credit, hello.streams);
                self.notices.open(&mut self.outbound);
                Asked::Hello(hello)
            }
            // A PONG shows by its mere arrival that the peer is there, and a caller may go as it likes.
            _ => Asked::Nothing,
        })
    }

    /// The call is running from now on. Gives `value` back when nobody waits for the call any more: then it is answered already.
    pub fn run(&mut self, number: u32, deadline: Option<I>, value: T) -> Option<T> {
        self.open.run(number, deadline, value, None)
    }

    /// Answers a call with its result, which takes `room` until all of it was handed out to be written. Says whether anybody waits
    /// for it. A result that is longer than the peer accepts becomes a failure.
    pub fn reply(
        &mut self,
        number: u32,
        metadata: Metadata<'_>,
        payload: &mut Vec<u8>,
        room: Option<Room>,
    ) -> bool {
        if self.open.remove(number).is_none() {
            return false;
        }
        let (size, most) = (metadata.size() + payload.len(), self.max_message());
        if size > most {
            let message = format!("the result has {size} bytes; the caller accepts {most}");
            self.outbound.failure(number, &Status::resource_exhausted(message));
        } else {
            self.outbound.reply_holding(number, metadata, payload, room);
        }
        true
    }

    /// Answers a call with a failure; where it streams, behind the items that were put. Says whether anybody waits for it.
    pub fn fail(&mut self, number: u32, status: &Status) -> bool {
        match self.open.remove(number) {
            None => return false,
            Some(Closed { stream: Some(stream), .. }) => self.fail_behind(&stream, status),
            Some(_) => self.outbound.failure(number, status),
        }
        true
    }

    /// Refuses a call, which has not run.
    ///
    /// # Errors
    /// When the peer does not read and calls on and on.
    pub fn refuse(&mut self, number: u32, status: Status) -> Result<(), ProtocolError> {
        match self.open.remove(number) {
            None => {}
            Some(Closed { stream: Some(stream), .. }) => self.fail_behind(&stream, &status.not_executed()),
            Some(_) => self.outbound.refusal(number, &status.not_executed()),
        }
        self.bounded()
    }

    /// Gives a schema that was asked for; empty when there is none.
    pub fn schema(&mut self, fingerprint: Fingerprint, encoded: impl Into<Cow<'static, [u8]>>) {
        self.schemas.push(fingerprint, encoded.into());
    }

    /// Drops the calls whose time is up, and tells the peer. Gives what was kept for them.
    pub fn expire(&mut self, now: I) -> Vec<T> {
        let status = Status::deadline_exceeded("the method was not ready in time");
        let late = self.open.remove_late(now);
        late.into_iter().filter_map(|call| self.cut_short(call, &status)).collect()
    }

    /// No call has its deadline before this.
    pub fn first_deadline(&self) -> Option<I> {
        self.open.first_deadline()
    }

    /// Says whether calls are welcome, if the peer does not know.
    pub fn set_ready(&mut self, ready: bool) {
        self.notices.set_ready(ready, &mut self.outbound);
    }

    /// Takes no calls above `last_call`, the last that has begun to arrive, from now on, and says so.
    pub fn drain(&mut self, last_call: u32, reason: &str) {
        self.notices.go_away(last_call, reason, &mut self.outbound);
    }

    /// Answers all open calls with a failure; some may have run. Gives what was kept for them.
    pub fn give_up(&mut self, status: &Status) -> Vec<T> {
        let open = self.open.remove_all();
        open.into_iter().filter_map(|call| self.cut_short(call, status)).collect()
    }

    /// The connection is lost: gives what was kept for the calls that are running.
    pub fn lose(&mut self) -> Vec<T> {
        self.open.remove_all().into_iter().filter_map(|call| call.value).collect()
    }

    /// Says that the connection ends because of an error.
    pub fn go_away_with(&mut self, last_call: u32, reason: &str) {
        if std::mem::take(&mut self.guarded) {
            self.outbound = Outbound::without_hello();
        }
        self.outbound.go_away(last_call, reason);
    }

    /// While going away: the last call that is run.
    pub fn last_call(&self) -> Option<u32> {
        self.notices.last_call()
    }

    /// Calls that have no answer yet.
    pub fn open_calls(&self) -> usize {
        self.open.len()
    }

    /// Asks the peer whether it is there, unless its HELLO is still to come.
    pub fn ping(&mut self) {
        if self.notices.is_open() {
            self.outbound.ping(*b"callgate");
        }
    }

    /// Whether nothing is left to send.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.guarded || (self.outbound.is_empty() && self.schemas.is_empty())
    }

    /// Bytes that wait to be sent.
    pub fn backlog(&self) -> usize {
        self.outbound.backlog()
    }

    /// Moves the next bytes to write into `buffer`, of which everything was written before.
    #[inline]
    pub fn take_output(&mut self, buffer: &mut Vec<u8>) {
        if self.guarded {
            return buffer.clear();
        }
        self.schemas.go_on(&mut self.outbound);
        self.taken = self.outbound.answers();
        self.outbound.take(buffer);
    }

    fn max_message(&self) -> usize {
        self.peer.as_ref().map_or(0, |peer| peer.max_message as usize)
    }

    fn refusal(&self) -> Option<Refusal> {
        let most = self.limits.max_calls as usize;
        let (open, waiting) =
            (self.open.len(), self.taken + self.outbound.answers() + self.outbound.long_answers());
        if open >= most || open + waiting >= most.saturating_mul(2) {
            Some(Refusal::TooManyCalls)
        } else if self.outbound.backlog_of_calls() >= MAX_BACKLOG {
            Some(Refusal::TooManyAnswers)
        } else {
            None
        }
    }

    /// A call whose message cannot be put together.
    fn unheard<'a>(&mut self, number: u32, why: Refusal) -> Asked<'a, T> {
        self.open.insert(number);
        Asked::Refuse { number, why }
    }

    fn cancelled<'a>(&mut self, number: u32) -> Result<Asked<'a, T>, ProtocolError> {
        let closed = self.open.remove(number);
        let streams = closed.as_ref().is_some_and(|call| call.stream.is_some());
        // Answered already, or in the midst of its items. If only the beginning of one has left, the peer must hear that it ends there.
        if (closed.is_none() || streams) && self.outbound.abandon(number) {
            self.outbound.refusal(number, &Status::cancelled("the caller gave up"));
            self.bounded()?;
        }
        Ok(closed.and_then(|call| call.value).map_or(Asked::Nothing, Asked::Stop))
    }

    fn bounded(&self) -> Result<(), ProtocolError> {
        let unread = self.outbound.unread() + self.schemas.cost();
        if unread > MAX_UNREAD { Err(ProtocolError::Unread) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
