//! Copies of calls to a route's shadow: of all but those that were turned away. Each is a task of its own that nobody waits for, and that is not even begun while the
//! call which it is a copy of is being sent. So the call is neither slowed nor failed by it.
//!
//! What copies may take is bounded: so many are under way in a worker, each at most as long as the call's own deadline. A body
//! is shared with the call until the copy is sent, which is at once or not at all.

use super::hash_key::hash_key;
use super::traffic::Matched;
use crate::backends::Attempt;
use crate::call;
use crate::method::Method;
use crate::routes::{CallAction, Found, PathParams, Route, Shadow, query_pairs};
use crate::supervise::Task;
use crate::telemetry::ShadowOutcome;
use crate::transport::Times;
use crate::worker::{LocalTable, Worker};
use callgate_protocol::MetadataBuf;
use hyper::body::Bytes;
use std::rc::Rc;
use tokio::time::Instant;

/// Copies under way in one worker.
const MAX_COPIES: usize = 128;

/// The entry of a copy's metadata by which its handler can know it.
const MARK: &str = "callgate-shadow";

/// What a copy is made of.
struct Copy {
    method: Method,
    path: String,
    query: String,
    body: Bytes,
    metadata: MetadataBuf,
    /// The hash of its key, where the shadow's backend spreads calls by that.
    key: Option<u64>,
    deadline: Instant,
}

/// Copies a call, if chance has it.
pub(super) fn copy(worker: &Rc<Worker>, shadow: &Shadow, matched: Matched<'_>, request: &call::Request<'_>) {
    if !shadow.share.draw() {
        return;
    }
    let counters = shadow.stats.0.of(worker.id);
    let Some(under_way) = UnderWay::begin(worker) else {
        return counters.ended(ShadowOutcome::Dropped);
    };
    let mut metadata = MetadataBuf::from(request.metadata);
    if !metadata.push_named(MARK, b"1") {
        return counters.ended(ShadowOutcome::Unfit);
    }
    let Ok(key) =
        hash_key(&shadow.place.backend, request.route, &request.path, matched.headers, matched.peer)
    else {
        return counters.ended(ShadowOutcome::Unfit);
    };
    let copy = Copy {
        method: request.route.matcher.method,
        path: matched.path.to_owned(),
        query: matched.query.to_owned(),
        body: matched.body.clone(),
        metadata,
        key,
        deadline: request.times.deadline,
    };
    let (worker, table) = (worker.clone(), matched.table.clone());
    tokio::task::spawn_local(async move {
        worker.shared.supervisor.guard(Task::ShadowCall, run(under_way, table, copy)).await;
    });
}

/// Sends a copy and hears what becomes of it.
async fn run(under_way: UnderWay, table: Rc<LocalTable>, copy: Copy) {
    let worker = &under_way.0;
    // The same table finds the same route.
    let Found::Route(route, captured) = table.find(Some(copy.method), &copy.path) else { return };
    let (Some(call), Ok(path)) = (route.action.call(), captured.decoded()) else { return };
    let Some(shadow) = call.traffic.as_ref().and_then(|traffic| traffic.shadow.as_ref()) else { return };
    let sent = copy.send(worker, (route, call), shadow, path);
    drop(copy);
    let outcome = match sent {
        Ok(attempt) => attempt.await.outcome.of_copy(),
        Err(outcome) => outcome,
    };
    shadow.stats.0.of(worker.id).ended(outcome);
}

impl Copy {
    fn send(
        &self,
        worker: &Worker,
        (route, call): (&Route, &CallAction),
        shadow: &Shadow,
        path: PathParams<'_>,
    ) -> Result<Attempt, ShadowOutcome> {
        let request = call::Request {
            route,
            call,
            backend: &shadow.place.backend,
            version: shadow.place.version.as_deref(),
            key: self.key,
            has_fallback: false,
            path,
            query: query_pairs(&self.query).map_err(|_| ShadowOutcome::Unfit)?,
            body: &self.body,
            metadata: self.metadata.as_metadata(),
            times: Times { now: Instant::now(), deadline: self.deadline },
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
