//! What the peer says, and what it means to the calls in flight: each gets its answer here, and the instance's health hears of
//! it.

use super::in_flight::Pending;
use super::long::{LongReply, Unsettled};
use super::{Answer, Conn, Json, MAX_BACKLOG};
use crate::backends::Verdict;
use crate::telemetry::Outcome;
use callgate_protocol::limits::MAX_FRAME;
use callgate_protocol::{Code, Event, ProtocolError, Room, Status};
use callgate_transcode::{DecodeError, DecodeReason};
use tokio::time::Instant;

/// JSON up to this length is made where the reply lies, in one step, in bytes. The caller makes what is longer, in steps that
/// let others work.
const MAX_AT_ONCE: usize = 256 * 1024;

impl Conn {
    pub(super) fn take_pending(&self, number: u32) -> Option<Pending> {
        let pending = self.pending.borrow_mut().remove(&number);
        if pending.is_some() {
            self.endpoint.stats.0.of(self.worker).in_flight.decrement();
            self.gives_back();
        }
        pending
    }

    fn finish(&self, pending: Pending, answer: Answer) {
        let (outcome, verdict) = match &answer {
            Answer::Json(_) => (Outcome::Ok, Verdict::Good),
            Answer::Failed(status) => (Outcome::Failed(status.code), verdict(status)),
            Answer::BadReply(_) => (Outcome::Failed(Code::Internal), Verdict::Failed),
            Answer::NoRoom => (Outcome::Failed(Code::ResourceExhausted), Verdict::Good),
            // These two are made of a long reply, which settles the call itself.
            Answer::Long(_) | Answer::TooLong(_) => (Outcome::Ok, Verdict::Good),
            Answer::NotAccepted => (Outcome::Refused, Verdict::Nothing),
            Answer::Refused(_) => (Outcome::Refused, Verdict::Refused),
            // With its connection the instance is left anyway, and the next one is judged anew.
            Answer::Lost => (Outcome::Lost, Verdict::Nothing),
            // Nobody knows whether the answer would have come in time.
            Answer::Late if self.presence.was_away_since(pending.sent_at) => {
                (Outcome::Failed(Code::DeadlineExceeded), Verdict::Nothing)
            }
            Answer::Late => (Outcome::Failed(Code::DeadlineExceeded), Verdict::Failed),
        };
        self.finish_as(pending, answer, outcome, verdict);
    }

    fn finish_as(&self, pending: Pending, answer: Answer, outcome: Outcome, verdict: Verdict) {
        // The time of the read that brought the answer: no clock is asked for each of them.
        let ended_at = if matches!(answer, Answer::Late) { pending.deadline } else { self.heard_at.get() };
        let took = self.reports(&pending, verdict, ended_at);
        self.endpoint.stats.0.of(self.worker).ended(outcome);
        pending.slot.give(answer, took);
    }

    /// Gives a call whose reply was put together of parts: it is to get that.
    pub(super) fn on_event(&self, event: Event<'_>) -> Result<Option<Box<Pending>>, ProtocolError> {
        match event {
            Event::Reply { number, payload } => return self.on_reply(number, payload),
            Event::Failure { number, status } => {
                if let Some(pending) = self.answered(number)? {
                    let refused = status.not_executed && status.code == Code::Unavailable;
                    self.finish(
                        pending,
                        if refused { Answer::Refused(status) } else { Answer::Failed(status) },
                    );
                }
            }
            Event::TooLarge { number } => {
                self.outbound.borrow_mut().cancel(number);
                if let Some(pending) = self.answered(number)? {
                    let error = "the reply is larger than the gateway accepts".to_owned();
                    let outcome = Outcome::Failed(Code::Internal);
                    self.finish_as(pending, Answer::BadReply(error), outcome, Verdict::Good);
                }
            }
            Event::NoRoom { number } => {
                self.outbound.borrow_mut().cancel(number);
                if let Some(pending) = self.answered(number)? {
                    self.finish(pending, Answer::NoRoom);
                }
            }
            Event::Ping(token) => {
                let mut outbound = self.outbound.borrow_mut();
                // A peer that asks on and on and reads no answer must not fill our memory with them.
                if outbound.backlog() < MAX_BACKLOG {
                    outbound.pong(token);
                }
            }
            Event::Ready(ready) => self.set_ready(ready),
            Event::GoAway { last_call, reason } => self.on_go_away(last_call, reason),
            _ => {}
        }
        Ok(None)
    }

    fn on_reply(&self, number: u32, payload: &[u8]) -> Result<Option<Box<Pending>>, ProtocolError> {
        let Some(pending) = self.answered(number)? else {
            return Ok(None);
        };
        if payload.len() > MAX_FRAME as usize {
            return Ok(Some(Box::new(pending)));
        }
        // JSON is about twice as long as what it is made of.
        let mut json = Vec::with_capacity(payload.len() * 2 + 64);
        let response = &pending.transcoder.shared.response;
        let answer = match response.decode_within(payload, &mut json, MAX_AT_ONCE) {
            Ok(()) if response.is_empty() => Answer::Json(Json::Short(Vec::new())),
            Ok(()) => Answer::Json(Json::Short(json)),
            Err(DecodeError { reason: DecodeReason::TooLong, .. }) => {
                drop(json);
                self.hand_over(pending, payload.to_vec(), None);
                return Ok(None);
            }
            Err(error) => Answer::BadReply(error.to_string()),
        };
        self.finish(pending, answer);
        Ok(None)
    }

    /// Has the caller transcode its reply.
    pub(super) fn hand_over(&self, pending: Pending, payload: Vec<u8>, room: Option<Room>) {
        let Pending { slot, transcoder, sent_at, epoch, .. } = pending;
        let (monitor, endpoint, at) = (self.monitor.clone(), self.endpoint.clone(), self.heard_at.get());
        let took = at.saturating_duration_since(sent_at);
        // As in `reports`: what is not the instance's time is not told.
        let told = (!self.presence.was_away_since(sent_at)).then_some(took);
        let call =
            Unsettled { monitor, endpoint, worker: self.worker, epoch, took: told, at, settled: false };
        slot.give(Answer::Long(Box::new(LongReply { payload, room, transcoder, call })), took);
    }

    /// The call that an answer belongs to; `None` for one that nobody waits for any more.
    fn answered(&self, number: u32) -> Result<Option<Pending>, ProtocolError> {
        if number >= self.next_number.get() {
            return Err(ProtocolError::BadCallNumber(number));
        }
        // An answer to a call of which not all was sent yet: the rest is of no use to anybody.
        let mut outbound = self.outbound.borrow_mut();
        if outbound.abandon(number) {
            outbound.cancel(number);
        }
        drop(outbound);
        Ok(self.take_pending(number))
    }

    /// Ends the calls whose time is up, and finds the next deadline.
    pub(super) fn expire(&self, now: Instant) {
        self.presence.see(now);
        let late = |pending: &Pending| pending.deadline <= now;
        for number in self.numbers_where(|_, pending| late(pending)) {
            if let Some(pending) = self.take_pending(number) {
                self.outbound.borrow_mut().cancel(number);
                self.finish(pending, Answer::Late);
            }
        }
        self.first_deadline.set(self.pending.borrow().values().map(|pending| pending.deadline).min());
    }

    fn on_go_away(&self, last_call: u32, reason: &str) {
        tracing::info!(endpoint = %self.endpoint.addr, reason, "the instance goes away");
        self.stop_accepting();
        self.finish_where(|number, _| number > last_call, || Answer::NotAccepted);
    }

    pub(super) fn on_end(&self) {
        self.stop_accepting();
        let written = self.written.get();
        self.finish_where(|_, pending| written <= pending.position, || Answer::NotAccepted);
        self.finish_where(|_, _| true, || Answer::Lost);
    }

    fn finish_where(&self, of: impl Fn(u32, &Pending) -> bool, answer: impl Fn() -> Answer) {
        for number in self.numbers_where(of) {
            if let Some(pending) = self.take_pending(number) {
                self.finish(pending, answer());
            }
        }
    }

    fn numbers_where(&self, of: impl Fn(u32, &Pending) -> bool) -> Vec<u32> {
        let pending = self.pending.borrow();
        pending.iter().filter(|(number, pending)| of(**number, pending)).map(|(number, _)| *number).collect()
    }
}

/// What a failure says about the instance. Those of the canonical codes that are the caller's fault, or nobody's, say that it
/// works.
fn verdict(status: &Status) -> Verdict {
    match status.code {
        Code::Unavailable | Code::DeadlineExceeded | Code::Internal | Code::Unknown | Code::DataLoss => {
            Verdict::Failed
        }
        _ => Verdict::Good,
    }
}
