//! Copies of calls to a route's shadow: of all but those that were turned away. Each is a task of its own that nobody waits for, and
//! that is not even begun while the call which it is a copy of is being sent. So the call is neither slowed nor failed by it.
//!
//! What copies may take is bounded: so many are under way in a worker, each at most as long as the call's own deadline. A body
//! is shared with the call until the copy is sent, which is at once or not at all.

use super::exchange::Exchange;
use super::forms;
use super::hash_key::hash_key;
use super::media_type::Media;
use crate::backends::Attempt;
use crate::call;
use crate::routes::{BoundTexts, PathParams, Shadow, query_pairs};
use crate::supervise::Task;
use crate::telemetry::ShadowOutcome;
use crate::transport::Times;
use crate::worker::{RouteRef, Worker};
use callgate_protocol::MetadataBuf;
use std::borrow::Cow;
use std::rc::Rc;
use tokio::time::Instant;

/// Copies under way in one worker.
const MAX_COPIES: usize = 128;

/// The entry of a copy's metadata by which its handler can know it.
const MARK: &str = "callgate-shadow";

/// What a copy is made of.
struct Copy {
    route: RouteRef,
    path: PathParams<'static>,
    query: String,
    bound: BoundTexts<'static>,
    body: Rc<Vec<u8>>,
    media: Media,
    metadata: MetadataBuf,
    /// The hash of its key, where the shadow's backend spreads calls by that.
    key: Option<u64>,
    deadline: Instant,
}

/// Copies a call, if chance has it.
pub(super) fn copy(exchange: &Exchange, route: &RouteRef, shadow: &Shadow, request: &call::Request<'_>) {
    // Its table has said that a stream has no shadow.
    if !request.body.is_whole() || !shadow.share.draw() {
        return;
    }
    let Exchange { worker, context, head, body, .. } = exchange;
    let counters = shadow.stats.0.of(worker.id);
    let Some(under_way) = UnderWay::begin(worker) else {
        return counters.ended(ShadowOutcome::Dropped);
    };
    let mut metadata = MetadataBuf::from(request.metadata);
    if !metadata.push_named(MARK, b"1") {
        return counters.ended(ShadowOutcome::Unfit);
    }
    let key = hash_key(&shadow.to.backend, route, &request.path, head.fields(), context.client);
    let Ok(key) = key else {
        return counters.ended(ShadowOutcome::Unfit);
    };
    let copy = Copy {
        route: route.clone(),
        path: request.path.iter().map(|value| Cow::Owned(value.clone().into_owned())).collect(),
        query: head.query().unwrap_or_default().to_owned(),
        bound: request
            .bound
            .iter()
            .map(|text| text.clone().map(|text| Cow::Owned(text.into_owned())))
            .collect(),
        body: body.shared(head),
        media: body.media().clone(),
        metadata,
        key,
        deadline: request.times.deadline,
    };
    let worker = worker.clone();
    tokio::task::spawn_local(async move {
        worker.shared.supervisor.guard(Task::ShadowCall, run(under_way, copy)).await;
    });
}

/// Sends a copy and hears what becomes of it.
async fn run(under_way: UnderWay, copy: Copy) {
    let (worker, route) = (&under_way.0, copy.route.clone());
    let traffic = route.action.call().and_then(|call| call.traffic.as_ref());
    let Some(shadow) = traffic.and_then(|traffic| traffic.shadow.as_ref()) else { return };
    let outcome = match copy.send(worker, shadow) {
        Ok(attempt) => attempt.await.outcome.of_copy(),
        Err(outcome) => outcome,
    };
    shadow.stats.0.of(worker.id).ended(outcome);
}

impl Copy {
    /// Sends it; nothing of it is kept.
    fn send(self, worker: &Worker, shadow: &Shadow) -> Result<Attempt, ShadowOutcome> {
        let call = self.route.action.call().ok_or(ShadowOutcome::Unfit)?;
        // It has its call's time, also where it streams.
        let now = Instant::now();
        let times =
            Times { now, deadline: self.deadline, stream: self.deadline.saturating_duration_since(now) };
        let form = forms::read(&self.media, &self.body).map_err(|_| ShadowOutcome::Unfit)?;
        let request = call::Request {
            route: &self.route,
            call,
            backend: &shadow.to.backend,
            version: shadow.to.version.as_deref(),
            key: self.key,
            has_key: false,
            has_fallback: false,
            path: self.path,
            query: query_pairs(&self.query).map_err(|_| ShadowOutcome::Unfit)?,
            bound: self.bound,
            body: form.as_ref().map_or(call::Body::Whole(&self.body), |form| call::Body::Form(&form.fields)),
            metadata: self.metadata.as_metadata(),
            times,
            on_sent: None,
        };
        call::send_copy(worker, &request)
    }
}

/// A copy that is under way, counted until it has ended.
struct UnderWay(Rc<Worker>);

impl UnderWay {
    /// One more, unless there are enough.
    fn begin(worker: &Rc<Worker>) -> Option<UnderWay> {
        let copies = worker.copies.get();
        (copies < MAX_COPIES).then(|| {
            worker.copies.set(copies + 1);
            UnderWay(worker.clone())
        })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.copies.set(self.0.copies.get() - 1);
    }
}
