//! What the peer says, and what it means to the calls in flight: each ends here, and its caller hears how.

use super::Connection;
use crate::buffers::HEADROOM;
use crate::transport::callgate::in_flight::InFlight;
use crate::transport::outcome::{Outcome, Stop};
use crate::transport::reply::{Json, LongReply, Noted, Replied};
use crate::transport::slot::{Ended, Raw};
use callgate_protocol::connection::{self, Answer, Lost, Said};
use callgate_protocol::limits::MAX_FRAME;
use callgate_protocol::{Code, Event, Metadata, ProtocolError, Room, Status};
use callgate_transcode::{DecodeError, DecodeReason};
use tokio::time::Instant;

/// JSON up to this length is made where the reply lies, in one step, in bytes. The caller makes what is longer, in steps that
/// let others work.
pub(super) const MAX_AT_ONCE: usize = 256 * 1024;

/// A call that has ended, as the protocol has it.
pub(super) type EndedCall = connection::Ended<InFlight, Instant>;

/// A call whose reply its caller makes, and what was noted of that.
pub(super) struct LongCall {
    call: EndedCall,
    noted: Option<Box<Noted>>,
}

/// What was put together of parts, and is to get that payload.
pub(super) enum Long {
    Reply(Box<LongCall>),
    /// An item of the call of that number.
    Item(u32),
}

impl Connection {
    /// Something was read.
    #[inline]
    pub(super) fn hears(&self, now: Instant) {
        self.worker.presence.see(now);
        if self.liveness.hears(now) {
            self.review.raise();
        }
    }

    /// The peer has said something. Gives what was put together of parts: it is to get that.
    pub(super) fn on_event(&self, event: Event<'_>) -> Result<Option<Long>, ProtocolError> {
        let said = self.machine.borrow_mut().on_event(event)?;
        match said {
            Said::Answered(call, answer) => return Ok(self.on_answer(call, answer).map(Long::Reply)),
            Said::Item { number, payload } if payload.len() > MAX_FRAME as usize => {
                return Ok(Some(Long::Item(number)));
            }
            Said::Item { number, payload } => self.put(number, Raw { bytes: payload.to_vec(), room: None }),
            Said::Ready(ready) => self.set_ready(ready),
            Said::GoAway { reason, refused } => {
                tracing::info!(endpoint = %self.addr, reason, "the instance goes away");
                self.has_closed();
                self.end_unaccepted(refused);
            }
            Said::Nothing | Said::Hello(_) | Said::Schema(..) => {}
        }
        Ok(None)
    }

    /// Has the caller of a call transcode its reply, or an item of that.
    pub(super) fn hand_over(&self, long: Long, payload: Vec<u8>, room: Option<Room>) {
        match long {
            Long::Reply(call) => self.reply_long(*call, payload, room),
            Long::Item(number) => self.put(number, Raw { bytes: payload, room }),
        }
    }

    fn reply_long(&self, long: LongCall, payload: Vec<u8>, room: Option<Room>) {
        let LongCall { call, noted } = long;
        let reply = LongReply::new(payload, room, call.value.program.shared.response.clone()).with(noted);
        self.end(call, Outcome::Long(Box::new(reply)));
    }

    /// No call in flight has its deadline before this. The task has one timer, for this time, instead of one a call.
    pub(super) fn first_deadline(&self) -> Option<Instant> {
        self.machine.borrow().first_deadline()
    }

    /// Ends the calls whose time is up.
    pub(super) fn expire(&self, now: Instant) {
        self.worker.presence.see(now);
        let late = self.machine.borrow_mut().expire(now);
        self.end_all(late, |call| match &call.value.streamed {
            // It has replied for as long as it may.
            Some(streamed) if streamed.has_items.get() => Outcome::Stopped(Stop::Time),
            _ => Outcome::Late,
        });
    }

    /// The connection has ended.
    pub(super) fn on_end(&self) {
        let Lost { unsent, sent } = self.machine.borrow_mut().lose();
        self.has_closed();
        self.end_unaccepted(unsent);
        self.end_all(sent, |_| Outcome::Lost);
    }

    #[inline]
    fn on_answer(&self, call: EndedCall, answer: Answer<'_>) -> Option<Box<LongCall>> {
        match answer {
            Answer::Reply { payload, metadata } => return self.on_reply(call, payload, metadata),
            Answer::Failure(status) => self.on_failure(call, status),
            Answer::TooLarge => self.end(call, Outcome::TooLarge),
            Answer::NoRoom => self.end(call, Outcome::NoRoom),
            Answer::End { .. } => self.on_last_item(call),
        }
        None
    }

    fn on_failure(&self, call: EndedCall, status: Status) {
        let failure = call.value.program.failure(status, &self.addr);
        let refused = failure.status.not_executed && failure.status.code == Code::Unavailable;
        self.end(call, if refused { Outcome::Refused(failure) } else { Outcome::Failed(failure) });
    }

    fn on_reply(&self, call: EndedCall, payload: &[u8], metadata: Metadata<'_>) -> Option<Box<LongCall>> {
        // Without a payload nothing is read, and so nothing fails.
        let noted = |call: &EndedCall| call.value.program.note(None, metadata).unwrap_or_default();
        if payload.len() > MAX_FRAME as usize {
            let noted = noted(&call);
            return Some(Box::new(LongCall { call, noted }));
        }
        // JSON is about two and a half times as long as what it is made of.
        let mut json = self.worker.buffers.for_reply(payload.len() * 5 / 2 + 64);
        let response = &call.value.program.shared.response;
        let outcome = match json.append(|out| response.decode_within(payload, out, HEADROOM + MAX_AT_ONCE)) {
            Ok(()) => {
                if response.is_empty() {
                    json.clear();
                }
                match call.value.program.note(Some(payload), metadata) {
                    Ok(noted) => Outcome::Reply(Replied { json: Json::Short(json), noted }),
                    Err(error) => Outcome::BadReply(error.to_string()),
                }
            }
            Err(DecodeError { reason: DecodeReason::TooLong, .. }) => {
                drop(json);
                let noted = noted(&call);
                self.reply_long(LongCall { call, noted }, payload.to_vec(), None);
                return None;
            }
            Err(error) => Outcome::BadReply(error.to_string()),
        };
        self.end(call, outcome);
        None
    }

    /// A call has ended.
    #[inline]
    pub(super) fn end(&self, call: EndedCall, outcome: Outcome) {
        let EndedCall { value: InFlight { slot, sent_at, .. }, deadline, .. } = call;
        // The time of the read that brought the answer: no clock is asked for each of them.
        let ended_at = if matches!(outcome, Outcome::Late) { deadline } else { self.liveness.heard_at() };
        let took = ended_at.saturating_duration_since(sent_at);
        slot.end(Ended { outcome, took, disturbed: self.worker.presence.was_away_since(sent_at) });
    }

    /// They have not run. Those of which an item went over the wire are not to be sent elsewhere all the same: that item is gone.
    fn end_unaccepted(&self, calls: Vec<EndedCall>) {
        self.end_all(calls, |call| if call.streamed { Outcome::Lost } else { Outcome::NotAccepted });
    }

    fn end_all(&self, calls: Vec<EndedCall>, outcome: impl Fn(&EndedCall) -> Outcome) {
        for call in calls {
            let outcome = outcome(&call);
            self.end(call, outcome);
        }
    }
}
