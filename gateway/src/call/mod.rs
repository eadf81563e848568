//! One call's life: pick an instance, transcode for its schema, send, await; and after a failure go elsewhere, if that is
//! safe, wanted, and within the budget.
//!
//! ```text
//! retry    whether a call is sent again, and after which pause
//! budget   how many may be, so that retries do not make an outage worse
//! hold     waiting while no instance is there
//! hedge    a second try beside a slow first one
//! latency  what is slow
//! permit   admission to the backend, and what its limit learns from each try
//! copy     a call whose answer nobody hears
//! state    what a worker keeps of all this for a backend
//! ```

mod budget;
mod copy;
mod hedge;
mod hold;
mod latency;
mod permit;
mod retry;
mod state;

pub use copy::{copy_ended, send_copy};
pub(crate) use permit::shed;
pub use state::CallState;

use crate::backends::{Answer, Conn, InFlight, LocalBackend, Offer, Pick, Times, Tried, Unsent, Wanted};
use crate::overload::Permit;
use crate::routes::{Backend, PathParams, QueryPairs, Route};
use crate::telemetry::{BackendCounters, HoldOutcome, RetryReason, ShedReason};
use crate::worker::Worker;
use budget::Cost;
use callgate_protocol::{Metadata, Status};
use callgate_transcode::{RequestInput, Violation};
use hold::Held;
use retry::Pause;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// What a call is made of.
pub struct Request<'a> {
    /// The route that matched.
    pub route: &'a Route,
    /// Where the call goes, among the backends of the route.
    pub backend: &'a Backend,
    /// The hash of its key, where the backend spreads calls by that.
    pub key: Option<u64>,
    /// Only instances of this version, if any.
    pub version: Option<&'a str>,
    /// Whoever makes it knows somebody else to ask: it does not wait when no instance is there.
    pub has_fallback: bool,
    /// The values of the path's parameters.
    pub path: PathParams<'a>,
    /// The query's pairs.
    pub query: QueryPairs<'a>,
    /// The body.
    pub body: &'a [u8],
    /// What travels with the call.
    pub metadata: Metadata<'a>,
    /// When it came, and when the answer must be there.
    pub times: Times,
}

/// Why there is no result: what the front has to say to the client.
#[derive(Debug)]
pub enum Failure {
    /// The request does not fit the method: the client's fault.
    Invalid(Vec<Violation>),
    /// The request is larger than the instance accepts: the bound in bytes.
    TooLarge(u64),
    /// The method failed, or the instance refused the call.
    Status(Status),
    /// The time was up.
    Deadline,
    /// No instance is there; a retry may help. The call has not run, or may run again.
    NoInstance,
    /// Every instance is being drained; a retry may help once one is taken back.
    Draining,
    /// All instances are at their bound of calls in flight; a retry may help.
    Busy,
    /// There are too many calls; a retry may help.
    Shed(ShedReason),
    /// The connection was lost while the call ran; it may have run.
    Lost,
    /// No instance offers the method.
    NotOffered,
    /// The route and the method do not fit each other, or the reply is broken: nothing for the client to know.
    Internal(String),
}

impl Failure {
    /// Whether nobody is there to run the call: another backend, or another table, may help.
    pub fn is_absence(&self) -> bool {
        matches!(self, Failure::NoInstance | Failure::Draining | Failure::NotOffered)
    }
}

/// Whether a backend has instances that would take a route's call as one of their share.
pub fn takes(worker: &Worker, route: &Route, backend: &Backend, version: Option<&str>) -> bool {
    let local = worker.pool.backend(backend);
    local.is_some_and(|local| local.takes(&untried(route, version)))
}

/// What is known before a call is sent.
fn untried<'a>(route: &'a Route, version: Option<&'a str>) -> Tried<'a> {
    // Whether the method says that it may run twice is not known before an instance is chosen.
    let fragile = route.spec.idempotent != Some(true);
    Tried { fragile, wanted: Some(Wanted::new(route, version)), ..Tried::default() }
}

/// Runs a call. The JSON is empty for a method that returns nothing.
pub async fn run(worker: &Worker, request: &Request<'_>) -> Result<Vec<u8>, Failure> {
    if request.times.deadline <= request.times.now {
        return Err(Failure::Deadline);
    }
    let mut call = Call::new(worker, request);
    call.admit().await?;
    loop {
        let mut sent = call.send().await?;
        let answer = match request.route.spec.retry.hedge {
            // On the heap, as all that few calls need: what lies in this future is moved for every request.
            Some(percent) if sent.idempotent && call.may_send_again() => {
                Box::pin(hedge::answer(&mut call, &mut sent, percent)).await
            }
            _ => (&mut sent.in_flight).await,
        };
        call.observe(&sent, &answer);
        let reason = retry::reason(&answer, sent.limited);
        match retry::result(answer) {
            Ok(json) => {
                call.not_in_vain();
                return Ok(json);
            }
            Err(failure) => call.after(&sent, reason, failure)?,
        }
    }
}

/// A call on its way.
struct Call<'a> {
    worker: &'a Worker,
    request: &'a Request<'a>,
    /// The deadline is the call's; `now` is brought up to date whenever the call has waited.
    times: Times,
    permit: Option<Permit<'a>>,
    tried: Tried<'a>,
    /// How often it was sent, other than to instances that did not accept it.
    sent: u32,
    not_accepted: u32,
    backend: Option<Rc<LocalBackend>>,
    /// The backend as it was found a moment ago: until the call waits for something there is no other.
    found: Option<Rc<LocalBackend>>,
    /// The last failure, which the call goes on after.
    again: Option<Again>,
    /// What a result gives back to the budget, in halves of a try.
    returns: u64,
    held: Option<Held<'a>>,
}

/// A failure after which a call goes on.
struct Again {
    reason: RetryReason,
    /// What the client is told if nothing better comes.
    failure: Failure,
    /// The pause was made that an instance wants which is asked twice.
    paused: bool,
}

/// A call that was sent to an instance.
struct Try {
    in_flight: InFlight,
    /// It may run a second time.
    idempotent: bool,
    /// It has less time than the call.
    limited: bool,
}

impl<'a> Call<'a> {
    fn new(worker: &'a Worker, request: &'a Request<'a>) -> Call<'a> {
        Call {
            worker,
            request,
            times: request.times,
            permit: None,
            tried: Tried { key: request.key, ..untried(request.route, request.version) },
            sent: 0,
            not_accepted: 0,
            backend: None,
            found: None,
            again: None,
            returns: 0,
            held: None,
        }
    }

    fn counters(&self) -> &'a BackendCounters {
        self.request.backend.stats.0.of(self.worker.id)
    }

    /// Sends the call to an instance, when there is one.
    async fn send(&mut self) -> Result<Try, Failure> {
        loop {
            let conn = self.instance().await?;
            if let Some(sent) = self.send_to(&conn)? {
                return Ok(sent);
            }
        }
    }

    /// Sends the call to an instance, unless that lacks the method.
    fn send_to(&mut self, conn: &Rc<Conn>) -> Result<Option<Try>, Failure> {
        let Request { route, path, query, body, metadata, .. } = self.request;
        let Some(program) = conn.transcoder(route, self.worker.pool.catalog()) else {
            self.tried.lacking.push(conn.endpoint.id);
            return Ok(None);
        };
        let transcoder = program.map_err(|error| Failure::Internal(error.to_string()))?;
        let idempotent = route.spec.idempotent.unwrap_or(transcoder.idempotent);
        let limit = self.limit(idempotent);
        let times = Times { deadline: limit.unwrap_or(self.times.deadline), ..self.times };
        let input = RequestInput { path, query, body };
        let in_flight = match conn.call(&transcoder, times, *metadata, &input) {
            Ok(in_flight) => in_flight,
            Err(Unsent::Invalid(violations)) => return Err(Failure::Invalid(violations)),
            Err(Unsent::TooLarge(limit)) => return Err(Failure::TooLarge(u64::from(limit))),
            // Another worker was faster.
            Err(Unsent::Full) => return Ok(None),
        };
        self.is_sent(in_flight.sent_at());
        self.sent += 1;
        if let Some(again) = self.again.take() {
            self.counters().retried(again.reason);
        }
        Ok(Some(Try { in_flight, idempotent, limited: limit.is_some() }))
    }

    /// When a try must be answered, if that is before the call's deadline. The last one has all the time that is left.
    fn limit(&self, idempotent: bool) -> Option<Instant> {
        let retry = &self.request.route.spec.retry;
        let limit = self.times.now + retry.per_try_timeout?;
        let another_follows = idempotent && self.sent + 1 < retry.attempts;
        (another_follows && limit < self.times.deadline).then_some(limit)
    }

    /// Whether the call would be sent again after that answer, were there attempts and budget left.
    fn would_go_on_after(&self, sent: &Try, answer: &Answer) -> bool {
        let retry = &self.request.route.spec.retry;
        retry::reason(answer, sent.limited)
            .is_some_and(|reason| retry::is_wanted(retry, reason, sent.idempotent))
    }

    fn may_send_again(&self) -> bool {
        self.sent < self.request.route.spec.retry.attempts
    }

    /// A connection for the next try, other than to those that have failed if there is a choice.
    async fn instance(&mut self) -> Result<Rc<Conn>, Failure> {
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

    fn state<T: Default>(&self, of: impl FnOnce(&CallState) -> T) -> T {
        self.backend.as_ref().map(|backend| of(&backend.calls)).unwrap_or_default()
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

    /// After a try that has failed: whether the call goes on, or what the client is told.
    fn after(
        &mut self,
        sent: &Try,
        reason: Option<RetryReason>,
        mut failure: Failure,
    ) -> Result<(), Failure> {
        let endpoint = sent.in_flight.endpoint();
        if let Failure::Internal(error) = &mut failure {
            self.request.route.stats.0.of(self.worker.id).bad_replies.increment();
            *error = format!("the reply of {} is broken: {error}", endpoint.addr);
        }
        let retry = &self.request.route.spec.retry;
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
    fn pay_for(&mut self, reason: RetryReason) -> bool {
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

    fn pay(&self, cost: Cost) -> bool {
        let percent = self.request.backend.spec.retry_budget;
        let paid = self.state(|state| state.budget.spend(self.times.now, percent, cost));
        if !paid {
            self.counters().budget_exhausted.increment();
        }
        paid
    }

    /// The last try has brought a result.
    #[inline]
    fn not_in_vain(&mut self) {
        if self.returns > 0 {
            self.state(|state| state.budget.refund(self.returns));
            self.returns = 0;
        }
    }

    /// The last failure, which says more than that there is nowhere to go after it; unless there is, because somebody else
    /// can be asked.
    fn give_up(&mut self, otherwise: Failure) -> Failure {
        if self.request.has_fallback && otherwise.is_absence() {
            return otherwise;
        }
        self.again.take().map_or(otherwise, |again| again.failure)
    }
    /// Whether connected instances lack the method, and none that is away offered it when it was last there: then a retry
    /// does not help.
    fn nobody_offers(&self) -> bool {
        let Request { route, backend, .. } = self.request;
        let mut lacking = self.backend.as_ref().map(|local| local.lacking(&self.tried)).unwrap_or_default();
        lacking.extend(&self.tried.lacking);
        let mut others = backend.endpoints.iter().filter(|endpoint| !lacking.contains(&endpoint.id));
        let offers = |offer: &Offer| offer.find(&route.spec.call).is_some();
        !lacking.is_empty() && !others.any(|other| other.offer.load().as_deref().is_some_and(offers))
    }
}
