//! One request: its way from the head to the answer.

use super::actions::{redirect, respond};
use super::body::{RequestBody, Unread};
use super::carried::{Carried, Clocks};
use super::connection::Connection;
use super::fields::{self, Lines};
use super::hash_key::hash_key;
use super::lookup::{self, Met};
use super::reply_body::ReplyBody;
use super::tally::Tally;
use super::traffic::{self, Matched};
use super::{metadata, request_id};
use crate::call::{self, Json};
use crate::failure::{Failure, ShedReason};
use crate::overload::is_bounded;
use crate::routes::{Action, CallAction, Route, query_pairs};
use crate::steps::{Arrival, Passed};
use crate::transport::Times;
use crate::worker::Worker;
use callgate_protocol::MetadataBuf;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::{Request, Response, StatusCode, Version, http::request::Parts};
use std::net::IpAddr;
use std::rc::Rc;
use tokio::time::Instant;

/// What a request is answered with.
pub(super) enum Answer {
    /// A call's result.
    Json(Json),
    /// Anything else.
    Other(Response<Full<Bytes>>),
}

impl Answer {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Answer::Json(_) => StatusCode::OK,
            Answer::Other(response) => response.status(),
        }
    }

    /// The answer as a response. That of a result is made in the request's own header map, which has room.
    fn into_response(self, mut headers: HeaderMap) -> Response<ReplyBody> {
        match self {
            Answer::Json(json) => {
                headers.clear();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                let mut response = Response::new(match json {
                    Json::Short(json) => ReplyBody::Full(Full::new(Bytes::from(json))),
                    Json::Long(pieces) => ReplyBody::pieces(pieces),
                });
                *response.headers_mut() = headers;
                response
            }
            Answer::Other(response) => response.map(ReplyBody::Full),
        }
    }
}

/// Answers a request and counts it.
pub(super) async fn handle(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let _exchange = connection.begin_exchange();
    let began = Instant::now();
    let _in_flight = InFlight::enter(worker);
    let id = request_id::take_or_make(&worker.ids, request.headers());
    let (parts, body) = request.into_parts();
    let mut body = RequestBody::new(body);
    let mut passed = Passed::default();
    let answer = answer(worker, connection.peer, &parts, &mut body, &id, began, &mut passed).await;
    let all_read = body.discard(&parts.headers, &worker.shared.settings.server).await;
    let mut response = answer.into_response(parts.headers);
    if !all_read {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response.headers_mut().insert(request_id::HEADER, id);
    passed.put_fields(response.headers_mut());
    response
}

/// Counts a request while it is open, however it ends.
struct InFlight<'a>(&'a Worker);

impl<'a> InFlight<'a> {
    fn enter(worker: &'a Worker) -> InFlight<'a> {
        worker.shared.front.workers.of(worker.id).in_flight.increment();
        InFlight(worker)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.shared.front.workers.of(self.0.id).in_flight.decrement();
    }
}

async fn answer(
    worker: &Rc<Worker>,
    peer: Option<IpAddr>,
    parts: &Parts,
    body: &mut RequestBody,
    id: &HeaderValue,
    began: Instant,
    passed: &mut Passed,
) -> Answer {
    let unmatched = &worker.shared.front.unmatched;
    if !names_one_host(parts) {
        return Tally::begin(worker, unmatched, began).answered(Err(Failure::BadHost), id, "none");
    }
    // A table may be swapped while the body arrives or the call waits. A call that then finds its instances gone has
    // not run, or may run again: it is looked up again.
    let mut came = None;
    loop {
        let table = worker.table();
        let arrival = Arrival { worker: worker.id, peer, headers: &parts.headers, now: began };
        let mut room = String::new();
        let met = lookup::look_up(worker, &table, (parts, id), &arrival, passed, &mut room);
        let Met { route, captured, params, path, tally } = match met {
            Ok(met) => met,
            Err(answer) => return answer,
        };
        let route_path = route.matcher.path.as_str();
        let action = match &route.action {
            Action::Call(action) => action,
            Action::Respond(spec) => {
                return tally.answered(Ok(Answer::Other(respond(spec))), id, route_path);
            }
            Action::Redirect(spec) => {
                let redirected = redirect(spec, &captured.raw(), parts.uri.query());
                return tally.answered(redirected.map(Answer::Other), id, route_path);
            }
            Action::Rewrite(_) => {
                return tally.answered(Err(Failure::RewriteLoop(path.to_owned())), id, route_path);
            }
        };
        let metadata = match metadata::of(action.spec.policy.metadata.names(), &parts.headers, id) {
            Ok(metadata) => metadata,
            Err(failure) => return tally.answered(Err(failure), id, route_path),
        };
        if let Err(reason) = early(worker, action, body, began) {
            return tally.answered(Err(call::shed(worker, route, reason)), id, route_path);
        }
        let read = match body.read(&parts.headers, &worker.shared).await {
            Err(Unread::NoRoom) => Err(call::shed(worker, route, ShedReason::Memory)),
            Err(Unread::Failed(failure)) => Err(failure),
            Ok(bytes) => Ok(bytes),
        };
        let read = match read {
            Ok(bytes) => bytes,
            Err(failure) => return tally.answered(Err(failure), id, route_path),
        };
        let now = if body.waited() || came.is_some() { Instant::now() } else { began };
        let clocks = Clocks { began, came: *came.get_or_insert(now), now };
        let query = parts.uri.query().unwrap_or_default();
        let matched = Matched { table: &table, peer, path, query, headers: &parts.headers, body: &read };
        let result = call(worker, (route, action), params, matched, metadata, clocks).await;
        if result.as_ref().is_err_and(Failure::is_absence) && worker.table().generation != table.generation {
            tally.void();
            passed.leave();
            continue;
        }
        if let Err(Failure::Invalid(_)) = &result {
            route.stats.0.of(worker.id).bad_requests.increment();
        }
        return tally.answered(result, id, route_path);
    }
}

/// Whether a request can be turned away before its body is read; one that is there already is no reason to hurry.
fn early(worker: &Worker, action: &CallAction, body: &RequestBody, now: Instant) -> Result<(), ShedReason> {
    let CallAction { backend, traffic, spec, .. } = action;
    // Which backend a split takes is not known yet.
    if !is_bounded(&backend.spec.overload, &backend.gauge) || body.is_there() || traffic.is_some() {
        return Ok(());
    }
    let Some(local) = worker.pool.backend(backend) else {
        return Ok(());
    };
    local.admission.shed_early(spec.policy.priority, now).map_or(Ok(()), Err)
}

/// RFC 9112, 3.2: whoever takes another of two hosts, or guesses a missing one, sees another request.
fn names_one_host(parts: &Parts) -> bool {
    match fields::lines(&parts.headers, HOST) {
        Lines::None => parts.version < Version::HTTP_11,
        lines => lines.single("Host").is_ok(),
    }
}

pub(super) fn success(json: Json) -> Answer {
    if matches!(&json, Json::Short(json) if json.is_empty()) {
        let mut answer = Response::new(Full::default());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        return Answer::Other(answer);
    }
    Answer::Json(json)
}

async fn call(
    worker: &Rc<Worker>,
    (route, action): (&Route, &CallAction),
    path: crate::routes::PathParams<'_>,
    matched: Matched<'_>,
    mut metadata: MetadataBuf,
    clocks: Clocks,
) -> Result<Answer, Failure> {
    let query = query_pairs(matched.query).map_err(|_| Failure::query_not_utf8())?;
    let carried = Carried::by(matched.headers);
    let deadline = carried.deadline(clocks, action.spec.timeout)?;
    carried.go_along(&mut metadata);
    // A split has a backend of its own, and that a key of its own.
    let key = match &action.traffic {
        None => hash_key(&action.backend, route, &path, matched.headers, matched.peer)?,
        Some(_) => None,
    };
    let request = call::Request {
        route,
        call: action,
        backend: &action.backend,
        key,
        version: None,
        has_fallback: false,
        path,
        query,
        body: matched.body,
        metadata: metadata.as_metadata(),
        times: Times { now: clocks.now, deadline },
        on_sent: None,
    };
    match &action.traffic {
        None => call::run(worker, &request).await.map(|reply| success(reply.json)),
        // On the heap: it is large, and most routes have none.
        Some(traffic) => Box::pin(traffic::run(worker, traffic, matched, request)).await,
    }
}
