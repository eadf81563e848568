//! One call's life: pick an instance, transcode for its schema, send, await, and go elsewhere when the instance had
//! not accepted it.

use crate::backends::{Answer, Conn, Offer, Pick, Times, Tried, Unsent};
use crate::routes::{PathParams, QueryPairs, Route};
use crate::worker::Worker;
use callgate_protocol::{Metadata, Status};
use callgate_transcode::{RequestInput, Violation};
use std::rc::Rc;
use tokio::time::{Instant, timeout_at};

/// How many instances a call is sent to before it is given up. Only calls that have certainly not run are sent again.
const MAX_ATTEMPTS: usize = 4;

/// What a call is made of.
pub struct Request<'a> {
    /// The route that matched.
    pub route: &'a Route,
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
    /// The method failed.
    Status(Status),
    /// The time was up.
    Deadline,
    /// No instance is there; a retry may help.
    NoInstance,
    /// Every instance is being drained; a retry may help once one is taken back.
    Draining,
    /// All instances are at their bound of calls in flight; a retry may help.
    Busy,
    /// The connection was lost while the call ran; it may have run.
    Lost,
    /// No instance offers the method.
    NotOffered,
    /// The route and the method do not fit each other, or the reply is broken: nothing for the client to know.
    Internal(String),
}

/// Runs a call. The JSON is empty for a method that returns nothing.
pub async fn run(worker: &Worker, request: &Request<'_>) -> Result<Vec<u8>, Failure> {
    let mut tried = Tried { fragile: !request.route.spec.method.is_idempotent(), ..Tried::default() };
    let mut times = request.times;
    loop {
        let conn = connection(worker, request, &tried, &mut times).await?;
        let Some(program) = conn.transcoder(request.route, worker.pool.catalog()) else {
            tried.lacking.push(conn.endpoint.id);
            continue;
        };
        let transcoder = program.map_err(|error| Failure::Internal(error.to_string()))?;
        let input = RequestInput { path: &request.path, query: &request.query, body: request.body };
        let in_flight =
            conn.call(&transcoder, times, request.metadata, &input).map_err(|unsent| match unsent {
                Unsent::Invalid(violations) => Failure::Invalid(violations),
                Unsent::TooLarge(limit) => Failure::TooLarge(u64::from(limit)),
            })?;
        match in_flight.await {
            Answer::Json(json) => return Ok(json),
            Answer::Failed(status) => return Err(Failure::Status(status)),
            Answer::BadReply(error) => {
                request.route.stats.0.of(worker.id).bad_replies.increment();
                return Err(Failure::Internal(format!(
                    "the reply of {} is broken: {error}",
                    conn.endpoint.addr
                )));
            }
            Answer::Lost => return Err(Failure::Lost),
            Answer::Late => return Err(Failure::Deadline),
            Answer::Refused => {
                times.now = Instant::now();
                if times.now >= times.deadline {
                    return Err(Failure::Deadline);
                }
                tried.refused.push(conn.endpoint.id);
                if tried.refused.len() >= MAX_ATTEMPTS {
                    return Err(Failure::NoInstance);
                }
            }
        }
    }
}

/// A connection for the next attempt, other than to those that refused if there is a choice. Waits while one is being
/// made, at most until the deadline.
async fn connection(
    worker: &Worker,
    request: &Request<'_>,
    tried: &Tried,
    times: &mut Times,
) -> Result<Rc<Conn>, Failure> {
    loop {
        let Some(backend) = worker.pool.backend(&request.route.backend) else {
            return Err(Failure::NoInstance);
        };
        match backend.pick(tried) {
            Pick::Ready(conn) => return Ok(conn),
            Pick::Busy => return Err(Failure::Busy),
            Pick::None if nobody_offers(request.route, tried) => return Err(Failure::NotOffered),
            Pick::None if backend.drains() => return Err(Failure::Draining),
            Pick::None => return Err(Failure::NoInstance),
            Pick::Wait => {
                // Nothing can have changed in between: this thread alone changes it.
                let changed = worker.pool.changed().notified();
                timeout_at(times.deadline, changed).await.map_err(|_| Failure::Deadline)?;
                times.now = Instant::now();
                // It may have changed in the very moment in which the time was up.
                if times.now >= times.deadline {
                    return Err(Failure::Deadline);
                }
            }
        }
    }
}

/// Whether connected instances lack the method, and none that is away offered it when it was last there: then a retry
/// does not help.
fn nobody_offers(route: &Route, tried: &Tried) -> bool {
    let mut others = route.backend.endpoints.iter().filter(|endpoint| !tried.lacking.contains(&endpoint.id));
    let offers = |offer: &Offer| offer.find(&route.spec.call).is_some();
    !tried.lacking.is_empty() && !others.any(|other| other.offer.load().as_deref().is_some_and(offers))
}
