//! A call's permit: asked for before an instance is chosen, given back with the answer; and what the backend's limit learns
//! from each try.

use super::{Call, Failure, Try};
use crate::failure::ShedReason;
use crate::overload::{Ending, Observed, Permit, Place};
use crate::routes::{CallAction, Route};
use crate::transport::callgate::Answer;
use crate::worker::Worker;
use callgate_protocol::Code;
use tokio::time::Instant;

impl Call<'_> {
    /// Lets the call in, at once or after a moment in the queue; or sheds it.
    #[inline]
    pub(super) async fn admit(&mut self) -> Result<(), Failure> {
        let (worker, request) = (self.worker, self.request);
        let Some(local) = worker.pool.backend(request.backend) else {
            return Err(Failure::NoInstance);
        };
        let priority = request.call.spec.policy.priority;
        let place = Place { worker: worker.id, backend: request.backend, priority };
        let permit = self.permit.insert(Permit::new(place, local.clone(), self.times.now));
        match permit.take() {
            Ok(()) => {
                self.found = Some(local);
                Ok(())
            }
            // On the heap: hardly any call waits.
            Err(reason) => Box::pin(self.wait_for_permit(reason)).await,
        }
    }

    async fn wait_for_permit(&mut self, reason: ShedReason) -> Result<(), Failure> {
        let (deadline, room) = (self.times.deadline, self.worker.pool.changed());
        let waited = match &mut self.permit {
            Some(permit) => permit.wait(deadline, reason, room).await,
            None => Err(reason),
        };
        self.times.now = Instant::now();
        match waited {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::Deadline),
            Err(reason) => Err(shed(self.worker, self.request.route, reason)),
        }
    }

    /// No instance has room for the call: it waits until one may have.
    pub(super) async fn wait_for_room(&mut self) -> Result<(), Failure> {
        let (deadline, room) = (self.times.deadline, self.worker.pool.changed());
        let waited = match &mut self.permit {
            Some(permit) => permit.exchange(deadline, room).await,
            None => Err(ShedReason::Instance),
        };
        match waited {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::Deadline),
            Err(_) => {
                let _ = shed(self.worker, self.request.route, ShedReason::Instance);
                Err(self.give_up(Failure::Busy))
            }
        }
    }

    /// Notes that a try was sent.
    #[inline]
    pub(super) fn is_sent(&self, at: Instant) {
        if let Some(permit) = &self.permit {
            permit.is_sent(route_of(self.request.call), at);
        }
    }

    /// Tells the limit how long a try has taken.
    #[inline]
    pub(super) fn observe(&self, sent: &Try, answer: &Answer) {
        let Some(permit) = &self.permit else { return };
        let ending = match answer {
            _ if sent.in_flight.is_disturbed() => Ending::Other,
            Answer::Json(_) | Answer::BadReply(_) => Ending::Answered,
            Answer::Long(_) | Answer::TooLong(_) | Answer::NoRoom => Ending::Answered,
            Answer::Late => Ending::Late,
            Answer::Refused(_) => Ending::Refused,
            Answer::Failed(status) => match status.code {
                Code::DeadlineExceeded => Ending::Late,
                // These often come without any work.
                Code::Unavailable | Code::Internal | Code::Unknown | Code::ResourceExhausted => Ending::Other,
                _ => Ending::Answered,
            },
            Answer::NotAccepted | Answer::Lost => Ending::Other,
        };
        permit.observe(&Observed {
            route: route_of(self.request.call),
            sent: sent.in_flight.sent_at(),
            took: sent.in_flight.took(),
            ending,
        });
    }
}

fn route_of(call: &CallAction) -> (u64, u64) {
    (call.slot as u64, call.route)
}

/// Counts a call that is turned away.
pub(crate) fn shed(worker: &Worker, route: &Route, reason: ShedReason) -> Failure {
    route.stats.0.of(worker.id).shed.of(reason).increment();
    Failure::Shed(reason)
}
