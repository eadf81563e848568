//! One call's life: pick an instance, transcode for its schema, send, await; and after a failure go elsewhere, if that is
//! safe, wanted, and within the budget.
//!
//! ```text
//! send     one try: an instance, and the call on its way to it
//! again    after a try: whether the call goes on
//! retry    whether that is safe and wanted, and after which pause
//! budget   how many may be, so that retries do not make an outage worse
//! hold     waiting while no instance is there
//! race     tries side by side, where the first is slow or its instance has fallen silent
//! hedge    when a first try is slow
//! latency  what is slow
//! long     an answer that is long: made in steps, within its bounds
//! permit   admission to the backend, and what its limit learns from each try
//! copy     a call whose answer nobody hears
//! state    what a worker keeps of all this for a backend
//! ```

mod again;
mod budget;
mod copy;
mod hedge;
mod hold;
mod latency;
mod long;
mod permit;
mod race;
mod retry;
mod send;
mod state;

pub use copy::{copy_ended, send_copy};
pub(crate) use permit::shed;
pub use state::CallState;

use crate::backends::{Backend, LocalBackend, Tried, Wanted};
use crate::failure::Failure;
use crate::overload::Permit;
use crate::routes::{CallAction, PathParams, QueryPairs, Route};
use crate::telemetry::{BackendCounters, RetryReason};
pub use crate::transport::callgate::Json;
use crate::transport::callgate::{Heard, InFlight, Times};
use crate::worker::Worker;
use callgate_protocol::Metadata;
use hold::Held;
use std::rc::Rc;
use tokio::time::Instant;

/// What a call is made of.
pub struct Request<'a> {
    /// The route that matched.
    pub route: &'a Route,
    /// Its call.
    pub call: &'a CallAction,
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
    /// Told each time that it is sent to an instance.
    pub on_sent: Option<&'a dyn Fn(&Request<'_>)>,
}

/// Whether a backend has instances that would take a route's call as one of their share.
pub fn takes(worker: &Worker, call: &CallAction, backend: &Backend, version: Option<&str>) -> bool {
    let local = worker.pool.backend(backend);
    local.is_some_and(|local| local.takes(&untried(call, version)))
}

/// What is known before a call is sent.
fn untried<'a>(call: &'a CallAction, version: Option<&'a str>) -> Tried<'a> {
    // Whether the method says that it may run twice is not known before an instance is chosen.
    let fragile = call.spec.idempotent != Some(true);
    Tried { fragile, wanted: Some(Wanted::new(call, version)), ..Tried::default() }
}

/// Runs a call. The JSON is empty for a method that returns nothing.
pub async fn run(worker: &Worker, request: &Request<'_>) -> Result<Json, Failure> {
    if request.times.deadline <= request.times.now {
        return Err(Failure::Deadline);
    }
    let mut call = Call::new(worker, request);
    call.admit().await?;
    loop {
        let mut sent = call.send().await?;
        let answer = match request.call.spec.retry.hedge {
            // On the heap, as all that few calls need: what lies in this future is moved for every request.
            Some(percent) if sent.idempotent && call.may_send_again() => {
                Box::pin(hedge::answer(&mut call, &mut sent, percent)).await
            }
            _ => match sent.in_flight.heard().await {
                Heard::Answer(answer) => answer,
                Heard::Doubt => Box::pin(race::answer(&mut call, &mut sent, None)).await,
            },
        };
        call.observe(&sent, &answer);
        let answer = match long::is_long(&answer) {
            false => answer,
            true => Box::pin(long::bounded(answer, worker, call.times.deadline)).await,
        };
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
    /// When its instance was asked whether it is there, if it was.
    asked: Option<Instant>,
}

impl<'a> Call<'a> {
    fn new(worker: &'a Worker, request: &'a Request<'a>) -> Call<'a> {
        Call {
            worker,
            request,
            times: request.times,
            permit: None,
            tried: Tried { key: request.key, ..untried(request.call, request.version) },
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

    fn state<T: Default>(&self, of: impl FnOnce(&CallState) -> T) -> T {
        self.backend.as_ref().map(|backend| of(&backend.calls)).unwrap_or_default()
    }
}
