//! Requests for routes that call nothing, from the route to the answer; and those that are looked up again.

use super::handler::Answer;
use crate::config::{FixedAnswer, Method, RedirectSpec, RespondSpec};
use crate::failure::Failure;
use crate::routes::{FixedRoute, Found, PathParams, RawParams, Route, Table, location, rewritten};
use crate::telemetry::RouteStats;
use crate::worker::Worker;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use hyper::{Response, StatusCode, Uri};

/// Where a request has come to.
pub(super) enum Way<'t, 'p> {
    /// To a call; by that path.
    Call(&'t Route, PathParams<'p>, &'p str),
    /// To its answer, which the route of that path counts.
    Answer(&'t RouteStats, &'t str, Result<Answer, Failure>),
    /// To no route.
    Missed(Found<'t, 'p>),
}

/// Looks a request up, and again if its route says so: the second path is put into `room`.
pub(super) fn way<'t, 'p>(
    worker: &Worker,
    table: &'t Table,
    (method, uri): (Option<Method>, &'p Uri),
    room: &'p mut String,
) -> Way<'t, 'p> {
    let (route, params) = match table.find(method, uri.path()) {
        Found::Route(route, params) => return Way::Call(route, params, uri.path()),
        Found::Fixed(route, params) => (route, params),
        missed => return Way::Missed(missed),
    };
    let FixedAnswer::Rewrite(target) = &route.spec.answer else {
        return Way::Answer(&route.stats, route.spec.path.as_str(), answer(route, &params, uri.query()));
    };
    rewritten(target, &params, room);
    let to: &'p str = room;
    match table.find(method, to) {
        Found::Route(next, params) => {
            route.rewritten.of(worker.id).increment();
            Way::Call(next, params, to)
        }
        Found::Fixed(next, params) if !matches!(next.spec.answer, FixedAnswer::Rewrite(_)) => {
            route.rewritten.of(worker.id).increment();
            Way::Answer(&next.stats, next.spec.path.as_str(), answer(next, &params, uri.query()))
        }
        Found::Fixed(..) => {
            Way::Answer(&route.stats, route.spec.path.as_str(), Err(Failure::RewriteLoop(to.to_owned())))
        }
        Found::NotUtf8 => Way::Missed(Found::NotUtf8),
        Found::OtherMethods(_) | Found::Nothing => {
            let failure = Failure::RewriteUnmatched(uri.path().to_owned());
            Way::Answer(&route.stats, route.spec.path.as_str(), Err(failure))
        }
    }
}

fn answer(route: &FixedRoute, params: &RawParams<'_>, query: Option<&str>) -> Result<Answer, Failure> {
    match &route.spec.answer {
        FixedAnswer::Respond(spec) => Ok(Answer::Other(respond(spec))),
        FixedAnswer::Redirect(spec) => redirect(spec, params, query).map(Answer::Other),
        FixedAnswer::Rewrite(_) => Err(Failure::NoRoute(route.spec.path.as_str().to_owned())),
    }
}

/// The answer that the table says. What it cannot say was refused when the table was read.
pub(super) fn respond(spec: &RespondSpec) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(spec.body.clone()));
    *response.status_mut() = StatusCode::from_u16(spec.status).unwrap_or_default();
    let headers = response.headers_mut();
    if let Some(value) = spec.content_type.as_deref().and_then(|text| HeaderValue::from_str(text).ok()) {
        headers.insert(CONTENT_TYPE, value);
    }
    for (name, value) in &spec.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            headers.insert(name, value);
        }
    }
    response
}

fn redirect(
    spec: &RedirectSpec,
    params: &RawParams<'_>,
    query: Option<&str>,
) -> Result<Response<Full<Bytes>>, Failure> {
    // A location is visible ASCII, so that the header always takes it.
    let location = location(&spec.to, params, query).and_then(|uri| HeaderValue::try_from(uri).ok());
    let Some(location) = location else {
        return Err(Failure::DotSegment);
    };
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::from_u16(spec.status).unwrap_or(StatusCode::PERMANENT_REDIRECT);
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}
