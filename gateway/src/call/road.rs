//! A call on its way: admitted to its backend, sent to an instance, and after an attempt that has failed sent again, or told what
//! the client hears. What it waits for on its way is in [`waiting`](super::waiting).

pub(super) mod begin;
mod hedge;
mod race;

use super::counted::Counted;
use super::hold::Hold;
use super::retry::{self, Repeat};
use super::spending::{Purse, Spending};
use super::stream::ReplyStream;
use super::{Guards, Request, told};
use crate::backends::{Attempt, Chosen, LocalBackend, Tried};
use crate::failure::Failure;
use crate::overload::{Observed, Permit};
use crate::telemetry::{BackendCounters, RetryReason};
use crate::transport::{Begun, Ended, Heard, Progress, Times, Unsent};
use crate::worker::Worker;
use std::rc::Rc;
use tokio::time::Instant;

/// A call on its way.
pub(super) struct Road<'a> {
    pub(super) worker: &'a Rc<Worker>,
    pub(super) request: &'a Request<'a>,
    /// The deadline is the call's; `now` is brought up to date whenever the call has waited.
    pub(super) times: Times,
    pub(super) permit: Option<Box<Permit>>,
    pub(super) tried: Tried<'a>,
    /// How often it was sent, other than to instances that did not accept it.
    pub(super) sent: u32,
    not_accepted: u32,
    pub(super) backend: Option<Rc<LocalBackend>>,
    /// The backend as it was found a moment ago: until the call waits for something there is no other.
    pub(super) found: Option<Rc<LocalBackend>>,
    /// The last failure, which the call goes on after.
    pub(super) again: Option<Again>,
    spending: Spending,
    pub(super) hold: Hold,
}

/// A failure after which a call goes on.
pub(super) struct Again {
    reason: RetryReason,
    /// What the client is told if nothing better comes.
    pub(super) failure: Failure,
    /// The pause was made that an instance wants which is asked twice.
    pub(super) paused: bool,
}

/// A call that was sent to an instance.
pub(super) struct Sent {
    pub(super) attempt: Attempt,
    /// It may run a second time.
    pub(super) idempotent: bool,
    /// It has less time than the call.
    pub(super) limited: bool,
    /// When its instance was asked whether it is there, if it was.
    pub(super) asked: Option<Instant>,
    /// Its number in the request's trail.
    number: usize,
}

impl<'a> Road<'a> {
    /// Of a call that was not sent yet.
    pub(super) fn new(worker: &'a Rc<Worker>, request: &'a Request<'a>) -> Road<'a> {
        Road {
            worker,
            request,
            times: request.times,
            permit: None,
            tried: request.untried(),
            sent: 0,
            not_accepted: 0,
            backend: None,
            found: None,
            again: None,
            spending: Spending::default(),
            hold: Hold::default(),
        }
    }

    /// Lets the call in, at once or after a moment in the queue; or sheds it.
    #[inline]
    pub(super) async fn admit(&mut self) -> Result<(), Failure> {
        let Some(local) = self.worker.pool.backend(self.request.backend) else {
            return Err(Failure::NoInstance);
        };
        let priority = self.request.call.spec.policy.priority;
        let permit = Permit::new(local.admission.clone(), priority, self.times.now);
        match self.permit.insert(Box::new(permit)).take() {
            Ok(()) => {
                self.found = Some(local);
                Ok(())
            }
            // On the heap: hardly any call waits.
            Err(reason) => Box::pin(self.wait_for_permit(reason)).await,
        }
    }

    /// Sends the call to an instance, when there is one.
    pub(super) async fn send(&mut self) -> Result<Sent, Failure> {
        loop {
            let chosen = self.instance().await?;
            if let Some(sent) = self.send_to(&chosen)? {
                return Ok(sent);
            }
        }
    }

    /// Awaits what comes of an attempt, and of those that are sent beside it. `sent` is then the one that it has come of.
    #[inline]
    pub(super) async fn progress(&mut self, sent: &mut Sent) -> Progress {
        match self.request.call.spec.retry.hedge {
            // On the heap, as all that few calls need: what lies in this future is moved for every request.
            Some(percent) if self.repeat(sent.idempotent) == Repeat::Always && self.may_send_again() => {
                Box::pin(hedge::progress(self, sent, percent)).await
            }
            _ => match sent.attempt.heard().await {
                Heard::Progress(progress) => progress,
                Heard::Silent => Box::pin(race::progress(self, sent, None)).await,
            },
        }
    }

    /// Tells the limit how long an attempt has taken.
    #[inline]
    pub(super) fn observe(&self, sent: &Sent, ended: &Ended) {
        if let Some(permit) = &self.permit {
            permit.observe(&Observed {
                route: self.route(),
                sent: sent.attempt.sent_at(),
                took: ended.took,
                feedback: ended.outcome.feedback(ended.disturbed),
            });
        }
    }

    /// Notes what an attempt has come to, where somebody wants to know.
    #[inline]
    pub(super) fn note(&self, sent: &Sent, progress: &Progress) {
        let Some(trail) = self.request.trail else { return };
        match progress {
            Progress::Ended(ended) => trail.ends(sent.number, ended.took, ended.outcome.label().name()),
            Progress::Begun(begun) => trail.ends(sent.number, begun.took, "begun"),
        }
    }

    /// The call's reply has begun. From here on nothing can send it again: its road ends, and the attempt is the reply's.
    pub(super) fn begins(mut self, sent: Sent, begun: Begun, counted: Option<Box<Counted>>) -> ReplyStream {
        let (worker, request) = (self.worker.clone(), self.request);
        ReplyStream::new(worker, request, sent.attempt, begun, self.arrives(), counted)
    }

    /// The call has a result. What it holds is held until that was sent.
    #[inline]
    pub(super) fn arrives(&mut self) -> Guards {
        self.spending.not_in_vain(self.backend.as_ref().map(|backend| &*backend.calls));
        Guards { permit: self.permit.take() }
    }

    /// After an attempt that has failed: whether the call goes on, or what the client is told.
    pub(super) fn after(
        &mut self,
        sent: &Sent,
        reason: Option<RetryReason>,
        failure: Failure,
    ) -> Result<(), Failure> {
        let failure = told(failure, self.worker, self.request.route, sent.attempt.endpoint());
        let Some(reason) = reason.filter(|reason| self.wants(*reason, sent.idempotent)) else {
            return Err(failure);
        };
        self.fails(reason);
        if !self.may_send_again() || self.not_accepted > retry::MAX_NOT_ACCEPTED {
            return Err(failure);
        }
        self.times.now = Instant::now();
        if self.times.now >= self.times.deadline {
            return Err(Failure::Deadline);
        }
        if !self.pay_for(reason) {
            return Err(failure);
        }
        self.tried.refused.push(sent.attempt.endpoint().id);
        self.again = Some(Again { reason, failure, paused: false });
        Ok(())
    }

    /// An attempt has failed while another one is under way: it counts as one that has failed alone.
    pub(super) fn fails_beside(&mut self, sent: &Sent, progress: &Progress) {
        self.note(sent, progress);
        if let Progress::Ended(ended) = progress {
            self.observe(sent, ended);
            ended.outcome.retry_reason(sent.limited).into_iter().for_each(|reason| self.fails(reason));
        }
        self.tried.refused.push(sent.attempt.endpoint().id);
    }

    /// Counts an attempt that has failed.
    fn fails(&mut self, reason: RetryReason) {
        if reason == RetryReason::NotAccepted {
            self.sent -= 1;
            self.not_accepted += 1;
        }
    }

    /// Whether the call would be sent again after that, were there attempts and budget left.
    pub(super) fn would_go_on_after(&self, sent: &Sent, progress: &Progress) -> bool {
        let Progress::Ended(ended) = progress else { return false };
        ended.outcome.retry_reason(sent.limited).is_some_and(|reason| self.wants(reason, sent.idempotent))
    }

    /// Whether the route wants the call to be sent again for that reason, and it is safe.
    pub(super) fn wants(&self, reason: RetryReason, idempotent: bool) -> bool {
        retry::is_wanted(&self.request.call.spec.retry, reason, self.repeat(idempotent))
    }

    fn repeat(&self, idempotent: bool) -> Repeat {
        Repeat::of(&self.request.body, idempotent)
    }

    /// Whether there are attempts left.
    pub(super) fn may_send_again(&self) -> bool {
        self.sent < self.request.call.spec.retry.attempts
    }

    /// What the backend counts.
    pub(super) fn counters(&self) -> &'a BackendCounters {
        self.request.backend.stats.0.of(self.worker.id)
    }

    /// Takes what sending the call again for that reason costs from the budget.
    pub(super) fn pay_for(&mut self, reason: RetryReason) -> bool {
        let Some(backend) = self.backend.clone() else { return false };
        let purse = self.purse(&backend);
        self.spending.pay_for(reason, purse)
    }

    /// Whose budget its attempts are paid from.
    pub(super) fn purse<'b>(&self, backend: &'b LocalBackend) -> Purse<'b> {
        let percent = self.request.backend.spec.retry_budget;
        Purse { calls: &backend.calls, percent, counters: backend.counters(), now: self.times.now }
    }

    /// Sends the call to an instance, unless that lacks the method, or the route does not fit it.
    pub(super) fn send_to(&mut self, chosen: &Chosen) -> Result<Option<Sent>, Failure> {
        let request = self.request;
        let (mut idempotent, mut limit) = (false, None);
        let along = request.trail.and_then(|trail| trail.along(request.metadata));
        let mut call = request.for_links();
        if let Some(along) = &along {
            call.metadata = along.as_metadata();
        }
        let sent = chosen.send(&call, |says_so| {
            idempotent = request.has_key || request.call.spec.idempotent.unwrap_or(says_so);
            limit = self.limit(idempotent);
            Times { deadline: limit.unwrap_or(self.times.deadline), ..self.times }
        });
        let attempt = match sent {
            Ok(attempt) => attempt,
            Err(Unsent::NotOffered) => {
                self.tried.lacking.push(chosen.endpoint().id);
                return Ok(None);
            }
            Err(unsent) => return request.refused_by(unsent).map_or(Ok(None), Err),
        };
        if let Some(permit) = &self.permit {
            permit.is_sent(self.route(), attempt.sent_at());
        }
        self.sent += 1;
        if let Some(on_sent) = request.on_sent {
            on_sent(request);
        }
        if let Some(again) = self.again.take() {
            self.counters().retried(again.reason);
        }
        let number = request.trail.map_or(0, |trail| trail.sends(&attempt, self.backend.as_ref()));
        Ok(Some(Sent { attempt, idempotent, limited: limit.is_some(), asked: None, number }))
    }

    /// When an attempt must be answered, if that is before the call's deadline. The last one has all the time that is left.
    fn limit(&self, idempotent: bool) -> Option<Instant> {
        let retry = &self.request.call.spec.retry;
        let limit = self.times.now + retry.per_try_timeout?;
        let another_follows = idempotent && self.request.body.is_whole() && self.sent + 1 < retry.attempts;
        (another_follows && limit < self.times.deadline).then_some(limit)
    }

    fn route(&self) -> (u64, u64) {
        (self.request.call.slot as u64, self.request.call.route)
    }
}
