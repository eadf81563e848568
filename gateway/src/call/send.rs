//! One try: an instance is found, waited for if need be, and the call is sent to it.

use super::retry::{self, Pause};
use super::{Call, Failure, Request, Try};
use crate::backends::Pick;
use crate::telemetry::HoldOutcome;
use crate::transport::callgate::{Conn, Offer, Times, Unsent};
use callgate_transcode::RequestInput;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

impl Call<'_> {
    /// Sends the call to an instance, when there is one.
    pub(super) async fn send(&mut self) -> Result<Try, Failure> {
        loop {
            let conn = self.instance().await?;
            if let Some(sent) = self.send_to(&conn)? {
                return Ok(sent);
            }
        }
    }

    /// Sends the call to an instance, unless that lacks the method.
    pub(super) fn send_to(&mut self, conn: &Rc<Conn>) -> Result<Option<Try>, Failure> {
        let Request { call, path, query, body, metadata, .. } = self.request;
        let Some(program) = conn.transcoder(call, self.worker.pool.transcoders()) else {
            self.tried.lacking.push(conn.endpoint.id);
            return Ok(None);
        };
        let transcoder = program.map_err(|error| Failure::Misfit(error.to_string()))?;
        let idempotent = call.spec.idempotent.unwrap_or(transcoder.idempotent);
        let limit = self.limit(idempotent);
        let times = Times { deadline: limit.unwrap_or(self.times.deadline), ..self.times };
        let input = RequestInput { path, query, body };
        let in_flight = match conn.call(&transcoder, times, *metadata, &input) {
            Ok(in_flight) => in_flight,
            Err(Unsent::Invalid(violations)) => return Err(Failure::Invalid(violations)),
            Err(Unsent::TooLarge(limit)) => return Err(Failure::MessageTooLarge(u64::from(limit))),
            // Another worker was faster.
            Err(Unsent::Full) => return Ok(None),
        };
        self.is_sent(in_flight.sent_at());
        self.sent += 1;
        if let Some(on_sent) = self.request.on_sent {
            on_sent(self.request);
        }
        if let Some(again) = self.again.take() {
            self.counters().retried(again.reason);
        }
        Ok(Some(Try { in_flight, idempotent, limited: limit.is_some(), asked: None }))
    }

    /// When a try must be answered, if that is before the call's deadline. The last one has all the time that is left.
    fn limit(&self, idempotent: bool) -> Option<Instant> {
        let retry = &self.request.call.spec.retry;
        let limit = self.times.now + retry.per_try_timeout?;
        let another_follows = idempotent && self.sent + 1 < retry.attempts;
        (another_follows && limit < self.times.deadline).then_some(limit)
    }

    /// A connection for the next try, other than to those that have failed if there is a choice.
    pub(super) async fn instance(&mut self) -> Result<Rc<Conn>, Failure> {
        loop {
            let found = self.found.take().or_else(|| self.worker.pool.backend(self.request.backend));
            let Some(backend) = found else {
                // A table without it is in force. If the call may go on, it may do so by that table.
                return Err(Failure::NoInstance);
            };
            let picked = backend.pick(&self.tried);
            if self.backend.replace(backend).is_none() {
                self.state(|state| state.budget.called(self.times.now));
            }
            match picked {
                Pick::Ready(conn) => {
                    self.end_hold(HoldOutcome::Served);
                    match self.pause_before(&conn)? {
                        None => return Ok(conn),
                        Some(time) => Box::pin(sleep(time)).await,
                    }
                }
                Pick::Busy => Box::pin(self.wait_for_room()).await?,
                Pick::None if self.nobody_offers() => {
                    return Err(self.give_up(Failure::NotOffered));
                }
                Pick::None if self.backend.as_ref().is_some_and(|backend| backend.drains()) => {
                    return Err(self.give_up(Failure::Draining));
                }
                Pick::None => Box::pin(self.hold()).await?,
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

    /// How long to wait before an instance is asked: only if it has failed the call, and no other is there.
    fn pause_before(&mut self, conn: &Conn) -> Result<Option<Duration>, Failure> {
        let Some(again) = &mut self.again else {
            return Ok(None);
        };
        if again.paused || !self.tried.refused.contains(&conn.endpoint.id) {
            return Ok(None);
        }
        again.paused = true;
        match retry::pause(&again.failure, self.sent) {
            Pause::No => Ok(None),
            Pause::For(time) if self.times.now + time < self.times.deadline => Ok(Some(time)),
            Pause::For(_) | Pause::TooLong => Err(self.give_up(Failure::Busy)),
        }
    }

    /// Whether connected instances lack the method, and none that is away offered it when it was last there: then a retry
    /// does not help.
    fn nobody_offers(&self) -> bool {
        let Request { call, backend, .. } = self.request;
        let mut lacking = self.backend.as_ref().map(|local| local.lacking(&self.tried)).unwrap_or_default();
        lacking.extend(&self.tried.lacking);
        let mut others = backend.endpoints.iter().filter(|endpoint| !lacking.contains(&endpoint.id));
        let offers = |offer: &Offer| offer.find(&call.spec.call).is_some();
        !lacking.is_empty() && !others.any(|other| other.offer.load().as_deref().is_some_and(offers))
    }
}
