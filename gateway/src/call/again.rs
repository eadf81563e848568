//! After a try: whether the call goes on, what that takes from the budget, and what the client is told if it does not.

use super::budget::Cost;
use super::{Again, Call, Failure, Try, retry, shed};
use crate::telemetry::RetryReason;
use crate::transport::callgate::Answer;
use tokio::time::Instant;

impl Call<'_> {
    /// Whether the call would be sent again after that answer, were there attempts and budget left.
    pub(super) fn would_go_on_after(&self, sent: &Try, answer: &Answer) -> bool {
        let retry = &self.request.call.spec.retry;
        retry::reason(answer, sent.limited)
            .is_some_and(|reason| retry::is_wanted(retry, reason, sent.idempotent))
    }

    pub(super) fn may_send_again(&self) -> bool {
        self.sent < self.request.call.spec.retry.attempts
    }

    /// After a try that has failed: whether the call goes on, or what the client is told.
    pub(super) fn after(
        &mut self,
        sent: &Try,
        reason: Option<RetryReason>,
        mut failure: Failure,
    ) -> Result<(), Failure> {
        let endpoint = sent.in_flight.endpoint();
        if let Failure::BadReply(error) = &mut failure {
            self.request.route.stats.0.of(self.worker.id).bad_replies.increment();
            *error = format!("the reply of {} is broken: {error}", endpoint.addr);
        }
        if let Failure::AnswerTooLong { call, instance, .. } = &mut failure {
            (*call, *instance) = (self.request.call.spec.call.to_string(), endpoint.addr.to_string());
        }
        if let Failure::Shed(reason) = failure {
            let _ = shed(self.worker, self.request.route, reason);
        }
        let retry = &self.request.call.spec.retry;
        let Some(reason) = reason.filter(|reason| retry::is_wanted(retry, *reason, sent.idempotent)) else {
            return Err(failure);
        };
        if reason == RetryReason::NotAccepted {
            self.sent -= 1;
            self.not_accepted += 1;
        }
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
        self.tried.refused.push(endpoint.id);
        self.again = Some(Again { reason, failure, paused: false });
        Ok(())
    }

    /// Takes what sending the call again for that reason costs from the budget.
    pub(super) fn pay_for(&mut self, reason: RetryReason) -> bool {
        let Some(cost) = retry::cost(reason) else {
            return true;
        };
        // An instance has worked on the try in vain: what led to it is lost, whatever comes of the next.
        if let Cost::Ran = cost {
            self.returns = 0;
        }
        let paid = self.pay(cost);
        self.returns += if paid { cost.halves() } else { 0 };
        paid
    }

    pub(super) fn pay(&self, cost: Cost) -> bool {
        let percent = self.request.backend.spec.retry_budget;
        let paid = self.state(|state| state.budget.spend(self.times.now, percent, cost));
        if !paid {
            self.counters().budget_exhausted.increment();
        }
        paid
    }

    /// The last try has brought a result.
    #[inline]
    pub(super) fn not_in_vain(&mut self) {
        if self.returns > 0 {
            self.state(|state| state.budget.refund(self.returns));
            self.returns = 0;
        }
    }

    /// The last failure, which says more than that there is nowhere to go after it; unless there is, because somebody else
    /// can be asked.
    pub(super) fn give_up(&mut self, otherwise: Failure) -> Failure {
        if self.request.has_fallback && otherwise.is_absence() {
            return otherwise;
        }
        self.again.take().map_or(otherwise, |again| again.failure)
    }
}
