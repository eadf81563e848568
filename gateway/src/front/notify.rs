//! Calls of routes with `mode = "notify"`: whoever asks is told that the call is on its way, and not what comes of it.
//!
//! The answer is 202 as soon as all of the call was handed to the socket of a connection to an instance. What fails before is told as
//! the failure of any call. What fails later is counted and logged, because nobody is there to hear it. The call has a task of its own
//! from the beginning on. So it does not end with its exchange, and goes by the same road as any other: it is admitted, sent again where
//! that is safe, and ends by its deadline at the latest.
//!
//! It holds what a call holds until it has ended: its permit, its places in the bounds of its route, and the room of its body. There are so
//! many in a worker, which waits for them when it drains.

use super::body::LONG_OF_MANY;
use super::exchange::Exchange;
use super::owned_call::{Course, OwnedCall};
use super::reply::Reply;
use super::traced::TracedCall;
use crate::backends::Backend;
use crate::call;
use crate::failure::{Failure, ShedReason};
use crate::routes::CallAction;
use crate::steps::{Passed, Places};
use crate::supervise::Task;
use crate::telemetry::NotifiedCounters;
use crate::transport::{OnWritten, Times};
use crate::worker::{RouteRef, UnderWay, Worker};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Calls under way in one worker.
const MAX_NOTIFIED: usize = 1024;

/// The status of what is on its way.
const ACCEPTED: u16 = 202;

/// A call that is under way by itself.
struct Notified {
    call: OwnedCall,
    backend: Arc<Backend>,
    version: Option<Box<str>>,
    key: Option<u64>,
    has_key: bool,
    times: Times,
    request_id: Box<str>,
    told: Rc<Told>,
    trail: Rc<call::Trail>,
    /// Its spans, if its request has some, which end with it.
    _traced: Option<TracedCall>,
    _under_way: UnderWay,
}

/// What a call and the exchange that waits for it have together.
#[derive(Default)]
struct Told {
    /// Whom it is told that the call was written, or why not; none when it was told.
    waiting: Cell<Option<oneshot::Sender<Result<(), Failure>>>>,
    /// The places of the request, when the exchange has ended.
    places: Cell<Places>,
}

/// Makes a call of an exchange, and waits until it was written.
pub(super) async fn run(exchange: &Exchange, request: &call::Request<'_>) -> Result<Reply, Failure> {
    let Exchange { worker, context, guards, .. } = exchange;
    let under_way = worker.notified.begin(MAX_NOTIFIED);
    let under_way = under_way.ok_or_else(|| call::shed(worker, request.route, ShedReason::Memory))?;
    let mut call = OwnedCall::of(exchange, request);
    if !call.body.hold(&worker.shared.bodies, LONG_OF_MANY) {
        return Err(call::shed(worker, request.route, ShedReason::Memory));
    }
    let (teller, hears) = oneshot::channel();
    let told = Rc::new(Told { waiting: Cell::new(Some(teller)), ..Told::default() });
    let notified = Notified {
        call,
        backend: request.backend.clone(),
        version: request.version.map(Box::from),
        key: request.key,
        has_key: request.has_key,
        times: request.times,
        request_id: context.id.as_str().into(),
        told: told.clone(),
        trail: exchange.trail.beside(),
        _traced: exchange.traced_call(request.route, "notify"),
        _under_way: under_way,
    };
    let mut leaving = Leaving { passed: &guards.passed, call: Some(told) };
    let worker = worker.clone();
    tokio::task::spawn_local(async move {
        worker.shared.supervisor.guard(Task::NotifiedCall, notified.run(&worker)).await;
    });
    match hears.await {
        Ok(Ok(())) => Ok(Reply::empty(ACCEPTED)),
        Ok(Err(failure)) => {
            leaving.call = None;
            Err(failure)
        }
        Err(_) => Err(Failure::Internal("a call ended without a word".to_owned())),
    }
}

/// Gives a call the places of its request, when that has its answer or its client has gone.
struct Leaving<'a> {
    passed: &'a Passed,
    /// None when it has ended.
    call: Option<Rc<Told>>,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        // If the call has ended meanwhile, nobody else has them, and they are free.
        if let Some(call) = self.call.take() {
            call.places.set(self.passed.take_places());
        }
    }
}

impl Notified {
    /// The whole of it.
    async fn run(self, worker: &Rc<Worker>) {
        let route = self.call.route.clone();
        let Some(action) = route.action.call() else { return };
        let _open = Open::begin(worker, &route);
        let result = self.make(worker, action).await;
        if result.is_ok() {
            counters(worker, &route).ok.increment();
        }
        if let Err(Err(failure)) = self.told.tell(result) {
            counters(worker, &route).failed(failure.reason()).increment();
            failure.log_unheard(&self.request_id, route.matcher.name());
        }
    }

    async fn make(&self, worker: &Rc<Worker>, action: &CallAction) -> Result<(), Failure> {
        let form = self.call.form()?;
        let (backend, version) = (&self.backend, self.version.as_deref());
        // Its task may have waited for its turn.
        let times = Times { now: Instant::now(), ..self.times };
        let course = Course { backend, version, key: self.key, times, trail: Some(&self.trail) };
        let told = self.told.clone();
        let on_written: OnWritten = Rc::new(move || drop(told.tell(Ok(()))));
        let request = call::Request {
            has_key: self.has_key,
            on_written: Some(&on_written),
            ..self.call.request(form.as_ref(), action, course)
        };
        call::run(worker, &request).await.map(drop)
    }
}

impl Told {
    /// Tells whoever waits what has come of the call. Gives it back if nobody does.
    fn tell(&self, result: Result<(), Failure>) -> Result<(), Result<(), Failure>> {
        match self.waiting.take() {
            Some(waiting) => waiting.send(result),
            None => Err(result),
        }
    }
}

/// A call that is counted as under way.
struct Open<'a> {
    worker: &'a Worker,
    route: &'a RouteRef,
}

impl Open<'_> {
    fn begin<'a>(worker: &'a Worker, route: &'a RouteRef) -> Open<'a> {
        counters(worker, route).open.increment();
        Open { worker, route }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        counters(self.worker, self.route).open.decrement();
    }
}

fn counters<'a>(worker: &Worker, route: &'a RouteRef) -> &'a NotifiedCounters {
    route.stats.0.of(worker.id).notified()
}
