//! What a call waits for on its way: a permit of its backend, room at an instance, an instance at all, and the pause that an
//! instance wants which is asked twice.

use super::retry::{self, Pause};
use super::road::Road;
use super::{Request, shed};
use crate::backends::{Chosen, Pick};
use crate::failure::{Failure, ShedReason};
use crate::telemetry::HoldOutcome;
use crate::transport::callgate::Offer;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

impl Road<'_> {
    /// An instance for the next attempt, other than those that have failed if there is a choice.
    pub(super) async fn instance(&mut self) -> Result<Chosen, Failure> {
        loop {
            let found = self.found.take().or_else(|| self.worker.pool.backend(self.request.backend));
            let Some(backend) = found else {
                // A table without it is in force. If the call may go on, it may do so by that table.
                return Err(Failure::NoInstance);
            };
            let picked = backend.pick(&self.tried);
            if self.backend.is_none() {
                backend.calls.retry_budget.called(self.times.now);
            }
            self.backend = Some(backend);
            match picked {
                Pick::Ready(chosen) => {
                    self.hold.end(HoldOutcome::Served);
                    match self.pause_before(&chosen)? {
                        None => return Ok(chosen),
                        Some(time) => Box::pin(sleep(time)).await,
                    }
                }
                Pick::Busy => Box::pin(self.wait_for_room()).await?,
                Pick::None => {
                    if let Some(failure) = self.lasting_absence() {
                        return Err(self.give_up(failure));
                    }
                    Box::pin(self.wait_for_instance()).await?;
                }
                Pick::Wait => {
                    // Nothing can have changed in between: this thread alone changes it.
                    let changed = self.worker.pool.changed().notified();
                    Box::pin(timeout_at(self.times.deadline, changed))
                        .await
                        .map_err(|_| Failure::Deadline)?;
                }
            }
            self.times.now = Instant::now();
            // An instance may have come in the very moment in which the time was up.
            if self.times.now >= self.times.deadline {
                return Err(Failure::Deadline);
            }
        }
    }

    /// Why no instance will come for which it would be worth to wait, if that is so.
    pub(super) fn lasting_absence(&self) -> Option<Failure> {
        if self.nobody_offers() {
            return Some(self.why_nobody_offers());
        }
        self.backend.as_ref().is_some_and(|backend| backend.drains()).then_some(Failure::Draining)
    }

    /// How long to wait before an instance is asked: only if it has failed the call, and no other is there.
    fn pause_before(&mut self, chosen: &Chosen) -> Result<Option<Duration>, Failure> {
        let Some(again) = &mut self.again else {
            return Ok(None);
        };
        if again.paused || !self.tried.refused.contains(&chosen.endpoint().id) {
            return Ok(None);
        }
        again.paused = true;
        match retry::pause(&again.failure, self.sent) {
            Pause::No => Ok(None),
            Pause::For(time) if self.times.now + time < self.times.deadline => Ok(Some(time)),
            Pause::For(_) | Pause::TooLong => Err(self.give_up(Failure::Busy)),
        }
    }

    /// There was no permit at once, for that reason: waits for one.
    pub(super) async fn wait_for_permit(&mut self, reason: ShedReason) -> Result<(), Failure> {
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
    async fn wait_for_room(&mut self) -> Result<(), Failure> {
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

    /// No instance is there: it waits until one may be, if it may wait. An error when none came in time.
    async fn wait_for_instance(&mut self) -> Result<(), Failure> {
        // Nothing can have changed since an instance was looked for: this thread alone changes it.
        let changed = self.worker.pool.changed().notified();
        let Request { backend, has_fallback, .. } = self.request;
        let local = self.backend.as_ref().filter(|_| !has_fallback);
        let Some(until) = local.and_then(|local| self.hold.begin(local, backend.spec.hold)) else {
            return Err(self.give_up(Failure::NoInstance));
        };
        if timeout_at(until.min(self.times.deadline), changed).await.is_ok() {
            return Ok(());
        }
        self.hold.end(HoldOutcome::GivenUp);
        let late = self.times.deadline <= until;
        Err(if late { Failure::Deadline } else { self.give_up(Failure::NoInstance) })
    }

    /// Whether connected instances lack the method or the route does not fit them, and none that is away offered it when it was last there: then a retry
    /// does not help.
    fn nobody_offers(&self) -> bool {
        let Request { call, backend, .. } = self.request;
        let mut lacking = self.backend.as_ref().map(|local| local.lacking(&self.tried)).unwrap_or_default();
        lacking.extend(&self.tried.lacking);
        let members = backend.members();
        let mut others = members.iter().filter(|other| !lacking.contains(&other.endpoint.id));
        let offers = |offer: &Offer| offer.find(&call.spec.call).is_some();
        !lacking.is_empty() && !others.any(|other| other.endpoint.offer.load().as_deref().is_some_and(offers))
    }

    /// That the route does not fit those who offer the method, or that nobody does.
    fn why_nobody_offers(&self) -> Failure {
        let misfit = self.backend.as_ref().and_then(|local| local.misfit(&self.tried));
        match misfit {
            Some(why) => Failure::Misfit(why.to_string()),
            None => Failure::NotOffered { unusable: self.why_unusable() },
        }
    }

    /// What is wrong with the method's schema at an instance that names it.
    fn why_unusable(&self) -> Option<Arc<str>> {
        let Request { call, backend, .. } = self.request;
        let why = |offer: &Offer| offer.why_unusable(&call.spec.call).cloned();
        backend.members().iter().find_map(|member| member.endpoint.offer.load().as_deref().and_then(why))
    }

    /// The last failure, which says more than that there is nowhere to go after it; unless there is, because somebody else
    /// can be asked.
    fn give_up(&mut self, otherwise: Failure) -> Failure {
        if self.request.has_fallback && otherwise.is_absence() {
            return otherwise;
        }
        self.again.take().map_or(otherwise, |again| again.failure)
    }
}
