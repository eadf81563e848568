//! One call's life: pick an instance, transcode for its schema, send, await; and after a failure go elsewhere, if that is
//! safe, wanted, and within the budget.
//!
//! ```text
//! road     the call on its way: admitted, sent, sent again; its children are attempts side by side, where the first is slow
//!          (hedge) or its instance has fallen silent (race), and the beginning of a reply in items (begin)
//! waiting  what it waits for: a permit, room, an instance, a pause
//! retry    whether that is safe and wanted, and after which pause
//! spending what it takes from the retry budget
//! hold     waiting while no instance is there
//! long     a reply that is long: made in steps, within its bounds
//! stream   a reply that has begun: its items, and how it ends
//! counted  what is counted of a call that streams
//! alone    a call on one instance that somebody has chosen, without all of this
//! copy     a copy of a call, whose reply nobody hears
//! trail    where a call has gone, for whoever tells of it
//! dry_run  what would become of a call that is not sent
//! ```
//!
//! **Streams**, as whoever makes calls sees them. A [`BodyStream`] is a queue of [`Piece`]s: each item is one JSON text, and the last piece
//! says that it was the end, or why there is none. A queue that is dropped before breaks the call off. The receiver of a queue that is
//! dropped says that nobody reads further items. A [`ReplyStream`] gives each item as JSON on one line. It has begun with its first item,
//! its end, or after a second. What fails before is a failure of the call as any other.

mod alone;
mod copy;
mod counted;
mod dry_run;
mod hold;
mod long;
mod retry;
mod road;
mod spending;
mod stream;
mod trail;
mod waiting;

pub use crate::transport::{Body, BodyStream, Json, Noted, Piece, Replied, SharedBody};
pub(crate) use alone::{Alone, Answer, Bounds};
pub use copy::{SentCopy, send_copy};
pub use stream::ReplyStream;
use trail::Wait;
pub use trail::{Trail, Try};

use crate::backends::{Backend, Endpoint, Tried, Wanted};
use crate::failure::{Failure, ShedReason};
use crate::overload::Permit;
use crate::routes::{BoundTexts, CallAction, PathParams, QueryPairs, Route};
use crate::transport::{Call, OnWritten, Progress, Times, Unsent};
use crate::worker::{RouteRef, Worker};
use callgate_auth::Identity;
use callgate_protocol::Metadata;
use counted::Counted;
use road::{Road, begin};
use std::rc::Rc;
use std::sync::Arc;

/// What a call is made of.
pub struct Request<'a> {
    /// The route that matched.
    pub route: &'a RouteRef,
    /// Its call.
    pub call: &'a CallAction,
    /// Where the call goes, among the backends of the route.
    pub backend: &'a Arc<Backend>,
    /// The hash of its key, where the backend spreads calls by that.
    pub key: Option<u64>,
    /// Only instances of this version, if any.
    pub version: Option<&'a str>,
    /// It has a key by which its method knows it: it may run twice, whatever the route and the method say.
    pub has_key: bool,
    /// Whoever makes it knows somebody else to ask: it does not wait when no instance is there.
    pub has_fallback: bool,
    /// The values of the path's parameters.
    pub path: PathParams<'a>,
    /// The query's pairs.
    pub query: QueryPairs<'a>,
    /// What headers, cookies and the connection give for the fields that the route binds.
    pub bound: BoundTexts<'a>,
    /// The body.
    pub body: Body<'a>,
    /// What travels with the call.
    pub metadata: Metadata<'a>,
    /// Who calls, where that is known.
    pub identity: Option<&'a Identity>,
    /// When it came, and when the reply must be there.
    pub times: Times,
    /// Where it is noted where it goes, if somebody wants to know.
    pub trail: Option<&'a Trail>,
    /// Told each time that it is sent to an instance.
    pub on_sent: Option<&'a dyn Fn(&Request<'_>)>,
    /// Of a call whose reply nobody hears: told when all of an attempt was written to its instance's connection.
    pub on_written: Option<&'a OnWritten>,
}

/// What a call has come to.
pub enum Reply {
    /// A result.
    Whole {
        /// The result, which is empty for a method that returns nothing, and what was noted of it.
        replied: Replied,
        /// What the call holds until its reply has been sent, or was dropped.
        guards: Guards,
    },
    /// The beginning of one. It holds what the call holds.
    Begun(Box<ReplyStream>),
}

/// What a call holds as long as it is under way: its permit. Dropped, it is given back. On the heap, because it is handed on with each
/// step of a reply.
pub struct Guards {
    permit: Option<Box<Permit>>,
}

/// Why a call fails that was not sent to an instance, by the text of the rule that denies it; nothing where another one may take it.
fn refusal(unsent: Unsent, rule: impl FnOnce(usize) -> Box<str>) -> Option<Failure> {
    Some(match unsent {
        // Another worker was faster, where it is full.
        Unsent::NotOffered | Unsent::Full => return None,
        Unsent::Spent => Failure::Lost,
        Unsent::Invalid(violations) => Failure::Invalid(violations),
        Unsent::Denied(denied) => Failure::Denied(Box::new((rule(denied.rule), denied.why))),
        Unsent::TooLarge(limit) => Failure::MessageTooLarge(u64::from(limit)),
    })
}

impl Request<'_> {
    /// What links are given.
    fn for_links(&self) -> Call<'_> {
        let Request { call, path, query, bound, body, metadata, identity, on_written, .. } = self;
        let (binding, identity, on_written) = (call.binding(), *identity, *on_written);
        Call { binding, path, query, bound, body: *body, metadata: *metadata, identity, on_written }
    }

    /// Why it fails that was not sent to an instance; nothing where another one may take it.
    fn refused_by(&self, unsent: Unsent) -> Option<Failure> {
        let rules = &self.call.spec.policy.rules;
        refusal(unsent, |number| rules.get(number).map(|rule| rule.text()).unwrap_or_default().into())
    }

    /// It waits for that.
    fn waits(&self, wait: Wait) {
        if let Some(trail) = self.trail {
            trail.waits(wait);
        }
    }

    /// What is known of where it may go before it is sent.
    fn untried(&self) -> Tried<'_> {
        let untried = untried(self.call, self.version);
        Tried { key: self.key, fragile: untried.fragile && !self.has_key, ..untried }
    }
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
    Tried { fragile, wanted: Some(Wanted { binding: call.binding(), version }), ..Tried::default() }
}

/// Runs a call.
///
/// # Errors
/// Why there is no reply.
pub async fn run(worker: &Rc<Worker>, request: &Request<'_>) -> Result<Reply, Failure> {
    if request.times.deadline <= request.times.now {
        return Err(Failure::Deadline);
    }
    if let Some(told) = request.trail.and_then(Trail::told) {
        return dry_run::run(worker, request, told);
    }
    let mut road = Road::new(worker, request);
    road.admit().await?;
    if let Body::Stream(body, _) = request.body {
        counted::count_items(worker, request.route, body);
    }
    let mut streams: Option<Box<Counted>> = None;
    loop {
        let mut sent = road.send().await?;
        if sent.attempt.streams() {
            let counted = || Box::new(Counted::begin(worker, request.route, sent.attempt.sent_at()));
            streams.get_or_insert_with(counted).goes_on();
        }
        let progress = if sent.attempt.is_in_items() {
            Box::pin(begin::progress(&mut road, &mut sent)).await
        } else {
            road.progress(&mut sent).await
        };
        road.note(&sent, &progress);
        let mut ended = match progress {
            Progress::Ended(ended) => ended,
            Progress::Begun(begun) => return Ok(Reply::Begun(Box::new(road.begins(sent, begun, streams)))),
        };
        road.observe(&sent, &ended);
        if let Some(streams) = &mut streams {
            streams.ends(&ended.outcome);
        }
        if request.on_written.is_some() && ended.outcome.has_replied() {
            // Of a reply that nobody hears nothing is made.
            sent.attempt.was_read(&ended.outcome);
            let replied = Replied::from(Json::Long(Vec::new()));
            return Ok(Reply::Whole { replied, guards: road.arrives() });
        }
        if long::is_long(&ended.outcome) {
            let bounded = long::bounded(ended.outcome, worker, request.times.deadline);
            ended.outcome = Box::pin(bounded).await;
            sent.attempt.was_read(&ended.outcome);
        }
        let reason = ended.outcome.retry_reason(sent.limited);
        match retry::result(ended.outcome) {
            Ok(replied) => return Ok(Reply::Whole { replied, guards: road.arrives() }),
            Err(failure) => road.after(&sent, reason, failure)?,
        }
    }
}

/// Counts a call that is turned away.
pub(crate) fn shed(worker: &Worker, route: &Route, reason: ShedReason) -> Failure {
    route.stats.0.of(worker.id).shed.of(reason).increment();
    Failure::Shed(reason)
}

/// A failure at that instance, with all that the client and the counters are to be told of it.
fn told(mut failure: Failure, worker: &Worker, route: &Route, endpoint: &Endpoint) -> Failure {
    match &mut failure {
        Failure::BadReply(error) => {
            route.stats.0.of(worker.id).bad_replies.increment();
            *error = format!("the reply of {} is broken: {error}", endpoint.addr);
        }
        Failure::AnswerTooLong { call, instance, .. } => {
            let method = route.action.call().map(|action| action.spec.call.to_string());
            (*call, *instance) = (method.unwrap_or_default(), endpoint.addr.to_string());
        }
        Failure::Shed(reason) => drop(shed(worker, route, *reason)),
        _ => {}
    }
    failure
}

#[cfg(test)]
pub(crate) mod tests;
