//! Which route a request meets: it is looked up, passes the route's steps, and is looked up again, once, where that rewrites it.

use super::handler::Answer;
use super::miss::miss;
use super::tally::Tally;
use crate::failure::Failure;
use crate::method::Method;
use crate::routes::{Action, Captured, Found, PathParams, Route, Table, rewritten};
use crate::steps::{Arrival, Passed};
use crate::worker::Worker;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;

/// The route that a request has come to, whose steps it has passed.
pub(super) struct Met<'t, 'p> {
    /// The route; none that rewrites.
    pub(super) route: &'t Route,
    /// What its path's parameters caught.
    pub(super) captured: Captured<'t, 'p>,
    /// The same decoded, if it calls.
    pub(super) params: PathParams<'p>,
    /// The path by which it was found.
    pub(super) path: &'p str,
    /// Counts the request there.
    pub(super) tally: Tally<'t>,
}

/// Looks a request up; the path of a rewrite is put into `room`. One that meets no route, or does not pass, gets its answer,
/// which is counted.
#[expect(clippy::result_large_err, reason = "it is the answer, and on its way already")]
pub(super) fn look_up<'t, 'p>(
    worker: &'t Worker,
    table: &'t Table,
    (parts, id): (&'p Parts, &HeaderValue),
    arrival: &Arrival<'_>,
    passed: &mut Passed,
    room: &'p mut String,
) -> Result<Met<'t, 'p>, Answer> {
    let method = match &parts.method {
        &hyper::Method::HEAD => Some(Method::Get),
        method => method.as_str().parse().ok(),
    };
    let unmatched = |result| {
        Tally::begin(worker, &worker.shared.front.unmatched, arrival.now).answered(result, id, "none")
    };
    let path = parts.uri.path();
    let (route, captured) = match table.find(method, path) {
        Found::Route(route, captured) => (route, captured),
        missed => return Err(unmatched(miss(missed, parts, table))),
    };
    let params = decoded(route, &captured).map_err(|failure| unmatched(Err(failure)))?;
    let tally = pass(worker, route, arrival, passed, id)?;
    let Action::Rewrite(rewrite) = &route.action else {
        return Ok(Met { route, captured, params, path, tally });
    };
    rewritten(&rewrite.target, &captured.raw(), room);
    let to: &'p str = room;
    let (next, captured) = match follow(table, method, (to, path)) {
        Ok(found) => found,
        Err(failure) => return Err(tally.answered(Err(failure), id, route.matcher.path.as_str())),
    };
    tally.void();
    let params = decoded(next, &captured).map_err(|failure| unmatched(Err(failure)))?;
    rewrite.rewritten.of(worker.id).increment();
    let tally = pass(worker, next, arrival, passed, id)?;
    Ok(Met { route: next, captured, params, path: to, tally })
}

/// What the parameters of a route that calls are: other actions take them as they were sent.
fn decoded<'p>(route: &Route, captured: &Captured<'_, 'p>) -> Result<PathParams<'p>, Failure> {
    let params = route.action.call().map(|_| captured.decoded()).transpose();
    params
        .map(Option::unwrap_or_default)
        .map_err(|_| Failure::NotUtf8("a path parameter is not UTF-8 after percent-decoding".into()))
}

/// The route to which a rewrite leads by that path; `asked` is the one that the client knows.
fn follow<'t, 'p>(
    table: &'t Table,
    method: Option<Method>,
    (to, asked): (&'p str, &str),
) -> Result<(&'t Route, Captured<'t, 'p>), Failure> {
    match table.find(method, to) {
        Found::Route(next, captured) if !matches!(next.action, Action::Rewrite(_)) => Ok((next, captured)),
        Found::Route(..) => Err(Failure::RewriteLoop(to.to_owned())),
        Found::OtherMethods(_) | Found::Nothing => Err(Failure::RewriteUnmatched(asked.to_owned())),
    }
}

/// Lets a request pass the steps of a route, where it is counted from here on.
#[expect(clippy::result_large_err, reason = "it is the answer, and on its way already")]
fn pass<'t>(
    worker: &'t Worker,
    route: &'t Route,
    arrival: &Arrival<'_>,
    passed: &mut Passed,
    id: &HeaderValue,
) -> Result<Tally<'t>, Answer> {
    let tally = Tally::begin(worker, &route.stats, arrival.now);
    let Err(failure) = route.steps.check(arrival, passed) else { return Ok(tally) };
    if let Failure::Shed(reason) = failure {
        route.stats.0.of(worker.id).shed.of(reason).increment();
    }
    Err(tally.answered(Err(failure), id, route.matcher.path.as_str()))
}
