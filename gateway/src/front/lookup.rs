//! Which route a request meets: it is looked up, passes the route's steps, and is looked up again, once, where that rewrites it.

use super::asked_host::asked_host;
use super::asked_path::asked_path;
use super::miss::missed;
use super::reply::Reply;
use super::slash::{self, Taken};
use super::tally::Tally;
use crate::dry_run::Verdict;
use crate::failure::Failure;
use crate::method::Method;
use crate::paths;
use crate::routes::{Action, Captured, PathParams, Route, Table, rewritten};
use crate::steps::{Arrival, Passed};
use crate::worker::{LocalTable, RouteRef};
use callgate_http1::Request;
use std::rc::Rc;

/// The route that a request has come to, whose steps it has passed.
pub(super) struct Met<'t, 'p> {
    /// The route; none that rewrites.
    pub(super) route: RouteRef,
    /// What its path's parameters caught.
    pub(super) captured: Captured<'t, 'p>,
    /// The same decoded, if it calls.
    pub(super) params: PathParams<'p>,
}

/// Where a request has come to.
pub(super) enum Lookup<'t, 'p> {
    /// A route.
    Met(Met<'t, 'p>),
    /// Its client is sent to the path as a route has it.
    Elsewhere(Reply),
    /// To that route, whose authenticator cannot say at once who calls.
    Waits(RouteRef),
}

/// Paths that are made while a request is looked up.
#[derive(Default)]
pub(super) struct Room {
    asked: String,
    slashed: String,
    rewritten: String,
    read: String,
}

/// Looks a request up. From the route that it meets on it is counted there.
pub(super) fn look_up<'t, 'p>(
    table: &'t Rc<LocalTable>,
    head: &'p Request,
    arrival: &Arrival<'_>,
    passed: &mut Passed,
    tally: &mut Tally,
    room: &'p mut Room,
) -> Result<Lookup<'t, 'p>, Failure> {
    let method = method(head);
    let Room { asked, slashed, rewritten: room, read } = room;
    let (host, path) = (asked_host(table, head), asked_path(head, asked)?);
    let Taken { at, captured, redirect } = first(table, head, (method, host, path), slashed)?;
    if let Some(to) = redirect {
        tally.counts_for(Some(RouteRef::new(table.clone(), at)));
        return Ok(Lookup::Elsewhere(slash::redirect(to, head.query())));
    }
    let route = RouteRef::new(table.clone(), at);
    tell(&route, passed);
    let params = decoded(&route, &captured)?;
    pass(&route, arrival, passed, tally)?;
    if passed.waits() {
        return Ok(Lookup::Waits(route));
    }
    let Action::Rewrite(rewrite) = &route.action else {
        return Ok(Lookup::Met(Met { route, captured, params }));
    };
    rewritten(&rewrite.target, &captured.raw(), room);
    let to: &'p str = paths::normal(room, read);
    let found = method.and_then(|method| table.find(method, host, to));
    let (at, captured) = found.ok_or_else(|| Failure::RewriteUnmatched(path.to_owned()))?;
    unambiguous(table, method, host, to, at)?;
    let next = RouteRef::new(table.clone(), at);
    if let Action::Rewrite(_) = &next.action {
        return Err(Failure::RewriteLoop(to.to_owned()));
    }
    tally.counts_for(None);
    let params = decoded(&next, &captured)?;
    match passed.told() {
        None => rewrite.rewritten.of(arrival.worker).increment(),
        Some(told) => told.note("rewrite", Verdict::Passed, format!("to {to}")),
    }
    tell(&next, passed);
    pass(&next, arrival, passed, tally)?;
    if passed.waits() {
        return Ok(Lookup::Waits(next));
    }
    Ok(Lookup::Met(Met { route: next, captured, params }))
}

/// The first route that a request meets, or to which its client is sent.
#[inline]
fn first<'t, 'p>(
    table: &'t Table,
    head: &Request,
    (method, host, path): (Option<Method>, Option<&str>, &'p str),
    room: &'p mut String,
) -> Result<Taken<'t, 'p>, Failure> {
    let found = method.and_then(|method| table.find(method, host, path));
    let taken = match found {
        Some((at, captured)) => Taken { at, captured, redirect: None },
        None => slash::take(table, method, host, path, room).ok_or_else(|| missed(table, head, path))?,
    };
    if taken.redirect.is_none() {
        unambiguous(table, method, host, path, taken.at)?;
    }
    Ok(taken)
}

/// The place of the first route that a request would meet by a table; nothing if its client would be sent to another path.
///
/// # Errors
/// It would meet none.
pub fn route_of(table: &Table, head: &Request) -> Result<Option<usize>, Failure> {
    let (mut asked, mut slashed) = (String::new(), String::new());
    let (host, path) = (asked_host(table, head), asked_path(head, &mut asked)?);
    let taken = first(table, head, (method(head), host, path), &mut slashed)?;
    Ok(taken.redirect.is_none().then_some(taken.at))
}

/// The method by which routes are found; nothing if none can have it.
fn method(head: &Request) -> Option<Method> {
    match head.method() {
        "HEAD" => Some(Method::Get),
        method => method.parse().ok(),
    }
}

/// Says which route it is, where somebody wants to know.
fn tell(route: &Route, passed: &Passed) {
    if let Some(told) = passed.told() {
        told.note("route", Verdict::Passed, format!("{} ({})", route.matcher, route.place));
    }
}

/// Refuses a path that can be read as that of another route, which asks something else of its clients.
#[inline]
fn unambiguous(
    table: &Table,
    method: Option<Method>,
    host: Option<&str>,
    path: &str,
    at: usize,
) -> Result<(), Failure> {
    match method.is_some_and(|method| table.is_ambiguous(method, host, path, at)) {
        true => Err(Failure::AmbiguousPath),
        false => Ok(()),
    }
}

/// What the parameters of a route that calls are: other actions take them as they were sent.
fn decoded<'p>(route: &Route, captured: &Captured<'_, 'p>) -> Result<PathParams<'p>, Failure> {
    let params = route.action.call().map(|_| captured.decoded()).transpose();
    params
        .map(Option::unwrap_or_default)
        .map_err(|_| Failure::NotUtf8("a path parameter is not UTF-8 after percent-decoding".into()))
}

/// Lets a request pass the steps of a route, where it is counted from here on.
fn pass(
    route: &RouteRef,
    arrival: &Arrival<'_>,
    passed: &mut Passed,
    tally: &mut Tally,
) -> Result<(), Failure> {
    tally.counts_for(Some(route.clone()));
    route.steps.check(arrival, passed).inspect_err(|failure| tally.turned_away(failure))
}

#[cfg(test)]
mod tests;
