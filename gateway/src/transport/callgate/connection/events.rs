//! What the peer says, and what it means to the calls in flight: each ends here, and its caller hears how.

use super::Connection;
use super::calls::InFlight;
use crate::reply_buffer::HEADROOM;
use crate::transport::outcome::Outcome;
use crate::transport::reply::{Json, LongReply};
use crate::transport::slot::Ended;
use callgate_protocol::limits::MAX_FRAME;
use callgate_protocol::{Code, Event, ProtocolError, Room};
use callgate_transcode::{DecodeError, DecodeReason};
use tokio::time::Instant;

/// JSON up to this length is made where the reply lies, in one step, in bytes. The caller makes what is longer, in steps that
/// let others work.
const MAX_AT_ONCE: usize = 256 * 1024;

impl Connection {
    /// Something was read.
    #[inline]
    pub(super) fn hears(&self, now: Instant) {
        self.worker.presence.see(now);
        if self.liveness.hears(now) {
            self.review.raise();
        }
    }

    /// The peer has said something. Gives a call whose reply was put together of parts: it is to get that.
    pub(super) fn on_event(&self, event: Event<'_>) -> Result<Option<Box<InFlight>>, ProtocolError> {
        match event {
            Event::Reply { number, payload, .. } => return self.on_reply(number, payload),
            Event::Failure { number, status } => {
                if let Some(call) = self.answered(number)? {
                    let failure = call.program.failure(status, &self.addr);
                    let refused = failure.status.not_executed && failure.status.code == Code::Unavailable;
                    let outcome = if refused { Outcome::Refused(failure) } else { Outcome::Failed(failure) };
                    self.end(Some(call), outcome);
                }
            }
            Event::TooLarge { number } => {
                self.send.cancel(number);
                self.end(self.answered(number)?, Outcome::TooLarge);
            }
            Event::NoRoom { number } => {
                self.send.cancel(number);
                self.end(self.answered(number)?, Outcome::NoRoom);
            }
            Event::Ping(token) => self.send.pong(token),
            Event::Ready(ready) => self.set_ready(ready),
            Event::GoAway { last_call, reason } => {
                tracing::info!(endpoint = %self.addr, reason, "the instance goes away");
                self.stop_accepting();
                self.end_where(|number, _| number > last_call, || Outcome::NotAccepted);
            }
            _ => {}
        }
        Ok(None)
    }

    /// Has the caller of a call transcode its reply.
    pub(super) fn hand_over(&self, call: InFlight, payload: Vec<u8>, room: Option<Room>) {
        let reply = LongReply::new(payload, room, call.program.shared.response.clone());
        self.end(Some(call), Outcome::Long(Box::new(reply)));
    }

    /// Ends the calls whose time is up, and finds the next deadline.
    pub(super) fn expire(&self, now: Instant) {
        self.worker.presence.see(now);
        for (number, call) in self.calls.take_where(|_, call| call.deadline <= now) {
            self.send.cancel(number);
            self.end(Some(call), Outcome::Late);
        }
        self.calls.find_first_deadline();
    }

    /// The connection has ended.
    pub(super) fn on_end(&self) {
        self.stop_accepting();
        let written = self.send.written();
        self.end_where(|_, call| written <= call.position, || Outcome::NotAccepted);
        self.end_where(|_, _| true, || Outcome::Lost);
    }

    fn on_reply(&self, number: u32, payload: &[u8]) -> Result<Option<Box<InFlight>>, ProtocolError> {
        let Some(call) = self.answered(number)? else {
            return Ok(None);
        };
        if payload.len() > MAX_FRAME as usize {
            return Ok(Some(Box::new(call)));
        }
        // JSON is about twice as long as what it is made of.
        let mut json = self.worker.buffers.take(payload.len() * 2 + 64);
        let response = &call.program.shared.response;
        let outcome = match json.append(|out| response.decode_within(payload, out, HEADROOM + MAX_AT_ONCE)) {
            Ok(()) => {
                if response.is_empty() {
                    json.clear();
                }
                Outcome::Reply(Json::Short(json))
            }
            Err(DecodeError { reason: DecodeReason::TooLong, .. }) => {
                drop(json);
                self.hand_over(call, payload.to_vec(), None);
                return Ok(None);
            }
            Err(error) => Outcome::BadReply(error.to_string()),
        };
        self.end(Some(call), outcome);
        Ok(None)
    }

    /// The call that an answer belongs to; `None` for one that nobody waits for any more.
    fn answered(&self, number: u32) -> Result<Option<InFlight>, ProtocolError> {
        if number >= self.calls.next_number() {
            return Err(ProtocolError::BadCallNumber(number));
        }
        // An answer to a call of which not all was sent yet: the rest is of no use to anybody.
        self.send.abandon(number);
        Ok(self.calls.take(number))
    }

    /// A call has ended, if it is one.
    #[inline]
    fn end(&self, call: Option<InFlight>, outcome: Outcome) {
        let Some(InFlight { slot, sent_at, deadline, .. }) = call else { return };
        // The time of the read that brought the answer: no clock is asked for each of them.
        let ended_at = if matches!(outcome, Outcome::Late) { deadline } else { self.liveness.heard_at() };
        let took = ended_at.saturating_duration_since(sent_at);
        slot.end(Ended { outcome, took, disturbed: self.worker.presence.was_away_since(sent_at) });
    }

    fn end_where(&self, is_so: impl Fn(u32, &InFlight) -> bool, outcome: impl Fn() -> Outcome) {
        self.calls.take_where(is_so).into_iter().for_each(|(_, call)| self.end(Some(call), outcome()));
    }
}
