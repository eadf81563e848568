//! Copies of calls to a route's shadow: of all but those that were turned away. Each is a task of its own that nobody waits for, and
//! that is not even begun while the call which it is a copy of is being sent. So the call is neither slowed nor failed by it.
//!
//! What copies may take is bounded: so many are under way in a worker, each at most as long as the call's own deadline. A body
//! is shared with the call until the copy is sent, which is at once or not at all.

use super::exchange::Exchange;
use super::hash_key::hash_key;
use super::owned_call::{Course, OwnedCall};
use super::traced::TracedCall;
use crate::call;
use crate::routes::Shadow;
use crate::supervise::Task;
use crate::telemetry::ShadowOutcome;
use crate::transport::Times;
use crate::worker::{RouteRef, UnderWay, Worker};
use std::rc::Rc;
use tokio::time::Instant;

/// Copies under way in one worker.
const MAX_COPIES: usize = 128;

/// The entry of a copy's metadata by which its handler can know it.
const MARK: &str = "callgate-shadow";

/// What a copy is made of.
struct Copy {
    call: OwnedCall,
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
    let Exchange { worker, head, .. } = exchange;
    let counters = shadow.stats.0.of(worker.id);
    let Some(under_way) = worker.copies.begin(MAX_COPIES) else {
        return counters.ended(ShadowOutcome::Dropped);
    };
    let key = hash_key(&shadow.to.backend, route, &request.path, head.fields(), exchange.who());
    let Ok(key) = key else {
        return counters.ended(ShadowOutcome::Unfit);
    };
    let mut call = OwnedCall::of(exchange, request);
    if !call.metadata.push_named(MARK, b"1") {
        return counters.ended(ShadowOutcome::Unfit);
    }
    let traced = exchange.guards.traced.as_deref().map(|traced| traced.copy(route));
    let copy = (Copy { call, key, deadline: request.times.deadline }, traced);
    let worker = worker.clone();
    tokio::task::spawn_local(async move {
        worker.shared.supervisor.guard(Task::ShadowCall, run(&worker, under_way, copy)).await;
    });
}

/// Sends a copy and hears what becomes of it.
async fn run(worker: &Rc<Worker>, _under_way: UnderWay, (copy, traced): (Copy, Option<TracedCall>)) {
    let route = copy.call.route.clone();
    let traffic = route.action.call().and_then(|call| call.traffic.as_ref());
    let Some(shadow) = traffic.and_then(|traffic| traffic.shadow.as_ref()) else { return };
    let trail = traced.as_ref().map(|traced| &*traced.trail);
    let outcome = match copy.send(worker, shadow, trail) {
        Ok(sent) => sent.ended(trail).await,
        Err(outcome) => outcome,
    };
    shadow.stats.0.of(worker.id).ended(outcome);
}

impl Copy {
    /// Sends it; nothing of it is kept.
    fn send(
        self,
        worker: &Worker,
        shadow: &Shadow,
        trail: Option<&call::Trail>,
    ) -> Result<call::SentCopy, ShadowOutcome> {
        let Copy { call, key, deadline } = self;
        let action = call.route.action.call().ok_or(ShadowOutcome::Unfit)?;
        // It has its call's time, also where it streams.
        let now = Instant::now();
        let times = Times { now, deadline, stream: deadline.saturating_duration_since(now) };
        let form = call.form().map_err(|_| ShadowOutcome::Unfit)?;
        let (backend, version) = (&shadow.to.backend, shadow.to.version.as_deref());
        let request = call.request(form.as_ref(), action, Course { backend, version, key, times, trail });
        call::send_copy(worker, &request)
    }
}
