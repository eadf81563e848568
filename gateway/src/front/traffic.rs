//! Where a request's call goes, if that is not just its route's backend: by a target of the route's split, with a copy beside it,
//! and to the route's fallback when no instance is there.

use super::exchange::Exchange;
use super::hash_key::{hash_key, lot};
use super::notify;
use super::reply::{self, Reply};
use super::shadow;
use super::tally::Taken;
use crate::call;
use crate::config::{CallMode, HeaderMatch};
use crate::dry_run::Verdict;
use crate::failure::Failure;
use crate::fields;
use crate::routes::{Destination, FallbackTo, Traffic};
use crate::worker::RouteRef;
use callgate_http1::Fields;
use std::cell::Cell;
use tokio::time::Instant;

/// Runs a request's call by its route's `traffic`, and has it copied. The backend that the request names so far is of no
/// account.
pub(super) async fn run<'a>(
    exchange: &Exchange,
    route: &RouteRef,
    traffic: &'a Traffic,
    mut request: call::Request<'a>,
) -> Result<Reply, Failure> {
    let Some(shadow) = traffic.shadow.as_ref().filter(|_| exchange.told().is_none()) else {
        return serve(exchange, route, traffic, &mut request).await;
    };
    let copied = Cell::new(false);
    let copy = |request: &call::Request<'_>| {
        if !copied.replace(true) {
            shadow::copy(exchange, route, shadow, request);
        }
    };
    // As soon as it is sent, and not before: a call that is turned away makes the shadow no work either.
    let mut request = call::Request { on_sent: Some(&copy), ..request };
    let result = serve(exchange, route, traffic, &mut request).await;
    if !result.as_ref().is_err_and(Failure::is_excess) {
        copy(&request);
    }
    result
}

/// Runs a request's call.
async fn serve<'a>(
    exchange: &Exchange,
    route: &RouteRef,
    traffic: &'a Traffic,
    request: &mut call::Request<'a>,
) -> Result<Reply, Failure> {
    let worker = &exchange.worker;
    let bears = |header: &HeaderMatch| bears(exchange.head.fields(), header);
    let takes = |to: &Destination| call::takes(worker, request.call, &to.backend, to.version.as_deref());
    let (by, fields) = (request.call.spec.policy.split.by.as_ref(), exchange.head.fields());
    let lot = lot(by, request.route, &request.path, fields, exchange.who())?;
    let (at, reason) = traffic.choose(bears, takes, lot);
    let target = &traffic.targets[at];
    // There are at most 32.
    exchange.tally.takes(Taken::Target(at as u8, reason));
    direct(request, &target.to, exchange)?;
    match exchange.told() {
        None => target.stats.0.of(worker.id).taken(reason),
        Some(told) => {
            let all: Vec<String> =
                traffic.targets.iter().map(|one| format!("{} (weight {})", one.to, one.weight)).collect();
            let detail = format!("{} by {}, of {}", target.to, reason.name(), all.join(", "));
            told.note("split", Verdict::Passed, detail);
        }
    }
    request.has_fallback = traffic.fallback.is_some();
    let result = made(exchange, request).await;
    let absent = result.as_ref().is_err_and(Failure::is_absence);
    let Some(fallback) = traffic.fallback.as_ref().filter(|_| absent) else {
        return result;
    };
    // By another table the call may have an instance: there it is looked up first.
    if worker.table().generation != route.table().generation {
        return result;
    }
    exchange.tally.takes(Taken::Fallback);
    match exchange.told() {
        None => fallback.stats.0.of(worker.id).increment(),
        Some(told) => told.note("fallback", Verdict::Passed, fallback.to.to_string()),
    }
    match &fallback.to {
        FallbackTo::Reply(reply) => Ok(Reply::fixed(route, reply)),
        FallbackTo::Call(to) => {
            direct(request, to, exchange)?;
            request.has_fallback = false;
            request.times.now = Instant::now();
            made(exchange, request).await
        }
    }
}

/// Makes the call.
async fn made(exchange: &Exchange, request: &call::Request<'_>) -> Result<Reply, Failure> {
    match request.call.spec.mode {
        _ if exchange.told().is_some() => call::run(&exchange.worker, request).await.map(|_| Reply::empty(0)),
        CallMode::Answer | CallMode::Own => {
            Ok(reply::of_call(request, call::run(&exchange.worker, request).await?).await)
        }
        CallMode::Notify => notify::run(exchange, request).await,
    }
}

fn direct<'a>(
    request: &mut call::Request<'a>,
    to: &'a Destination,
    exchange: &Exchange,
) -> Result<(), Failure> {
    let fields = exchange.head.fields();
    request.key = hash_key(&to.backend, request.route, &request.path, fields, exchange.who())?;
    request.backend = &to.backend;
    request.version = to.version.as_deref();
    Ok(())
}

/// Whether a request's headers have it. Several lines are a list: one that says it is enough, whatever the others say. Nobody is
/// kept out by that: whoever can add a line could as well send it alone.
fn bears(fields: Fields<'_>, wanted: &HeaderMatch) -> bool {
    let mut lines = fields::each(fields, &wanted.name);
    match &wanted.value {
        None => lines.next().is_some(),
        Some(value) => lines.any(|line| line.trim_ascii() == value.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_borne_with_its_value_whatever_the_case_of_its_name() {
        let request = fields::request(&[("X-Canary", "no"), ("X-Canary", " yes "), ("X-Empty", "")]);
        for (name, value, expected) in [
            ("x-canary", Some("no"), true),
            ("x-canary", Some("n"), false),
            ("x-canary", Some("yes"), true),
            ("x-canary", Some("Yes"), false),
            ("x-canary", None, true),
            ("x-empty", None, true),
            ("x-other", None, false),
        ] {
            let wanted = HeaderMatch { name: name.into(), value: value.map(str::to_owned) };
            assert_eq!(bears(request.fields(), &wanted), expected, "{name} {value:?}");
        }
    }
}
