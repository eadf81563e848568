//! What the peer says, and what it means to the calls in flight: each gets its answer here, and the instance's health hears of
//! it.

use super::in_flight::Pending;
use super::{Answer, Conn, MAX_BACKLOG};
use crate::backends::health::Verdict;
use crate::telemetry::Outcome;
use callgate_protocol::{Code, Event, ProtocolError, Status};
use tokio::time::Instant;

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

    pub(super) fn on_event(&self, event: Event<'_>) -> Result<(), ProtocolError> {
        match event {
            Event::Reply { number, payload } => self.on_reply(number, payload)?,
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
        Ok(())
    }

    fn on_reply(&self, number: u32, payload: &[u8]) -> Result<(), ProtocolError> {
        let Some(pending) = self.answered(number)? else {
            return Ok(());
        };
        // JSON is about twice as long as what it is made of.
        let mut json = Vec::with_capacity(payload.len() * 2 + 64);
        let response = &pending.transcoder.shared.response;
        let answer = match response.decode(payload, &mut json) {
            Ok(()) if response.is_empty() => Answer::Json(Vec::new()),
            Ok(()) => Answer::Json(json),
            Err(error) => Answer::BadReply(error.to_string()),
        };
        self.finish(pending, answer);
        Ok(())
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
