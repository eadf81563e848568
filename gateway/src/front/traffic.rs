//! Where a request's call goes, if that is not just its route's backend: by an arm of the route's split, with a copy beside it,
//! and to the route's fallback when no instance is there.

use super::actions::respond;
use super::fields;
use super::handler::{Answer, success};
use super::hash_key::hash_key;
use super::shadow;
use crate::call;
use crate::config::HeaderMatch;
use crate::failure::Failure;
use crate::routes::{FallbackTo, Place, Traffic};
use crate::worker::{LocalTable, Worker};
use hyper::body::Bytes;
use hyper::header::HeaderMap;
use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;
use tokio::time::Instant;

/// What was matched, for whoever has to match it again.
#[derive(Clone, Copy)]
pub(super) struct Matched<'a> {
    /// By which table.
    pub(super) table: &'a Rc<LocalTable>,
    /// Who has sent it.
    pub(super) peer: Option<IpAddr>,
    /// The path, not decoded.
    pub(super) path: &'a str,
    /// The query, not decoded.
    pub(super) query: &'a str,
    /// The request's headers.
    pub(super) headers: &'a HeaderMap,
    /// Its body.
    pub(super) body: &'a Bytes,
}

/// Runs a request's call by its route's `traffic`, and has it copied. The backend that the request names so far is of no
/// account.
pub(super) async fn run<'a>(
    worker: &Rc<Worker>,
    traffic: &'a Traffic,
    matched: Matched<'_>,
    mut request: call::Request<'a>,
) -> Result<Answer, Failure> {
    let Some(shadow) = &traffic.shadow else {
        return serve(worker, traffic, matched, &mut request).await;
    };
    let copied = Cell::new(false);
    let copy = |request: &call::Request<'_>| {
        if !copied.replace(true) {
            shadow::copy(worker, shadow, matched, request);
        }
    };
    // As soon as it is sent, and not before: a call that is turned away makes the shadow no work either.
    let mut request = call::Request { on_sent: Some(&copy), ..request };
    let result = serve(worker, traffic, matched, &mut request).await;
    if !result.as_ref().is_err_and(Failure::is_excess) {
        copy(&request);
    }
    result
}

/// Runs a request's call.
async fn serve<'a>(
    worker: &Rc<Worker>,
    traffic: &'a Traffic,
    matched: Matched<'_>,
    request: &mut call::Request<'a>,
) -> Result<Answer, Failure> {
    let bears = |header: &HeaderMatch| bears(matched.headers, header);
    let takes = |place: &Place| call::takes(worker, request.call, &place.backend, place.version.as_deref());
    let (arm, reason) = traffic.choose(bears, takes);
    direct(request, &arm.place, matched)?;
    arm.stats.0.of(worker.id).taken(reason);
    request.has_fallback = traffic.fallback.is_some();
    let result = call::run(worker, request).await;
    let absent = result.as_ref().is_err_and(Failure::is_absence);
    let Some(fallback) = traffic.fallback.as_ref().filter(|_| absent) else {
        return result.map(|reply| success(reply.json));
    };
    // By another table the call may have an instance: there it is looked up first.
    if worker.table().generation != matched.table.generation {
        return result.map(|reply| success(reply.json));
    }
    fallback.stats.0.of(worker.id).increment();
    match &fallback.to {
        FallbackTo::Answer(answer) => Ok(Answer::Other(respond(answer))),
        FallbackTo::Call(place) => {
            direct(request, place, matched)?;
            request.has_fallback = false;
            request.times.now = Instant::now();
            call::run(worker, request).await.map(|reply| success(reply.json))
        }
    }
}

fn direct<'a>(
    request: &mut call::Request<'a>,
    place: &'a Place,
    matched: Matched<'_>,
) -> Result<(), Failure> {
    let Matched { headers, peer, .. } = matched;
    request.key = hash_key(&place.backend, request.route, &request.path, headers, peer)?;
    request.backend = &place.backend;
    request.version = place.version.as_deref();
    Ok(())
}

/// Whether a request's headers have it. Several lines are a list: one that says it is enough, whatever the others say. Nobody is
/// kept out by that: whoever can add a line could as well send it alone.
fn bears(headers: &HeaderMap, wanted: &HeaderMatch) -> bool {
    let mut lines = fields::each(headers, wanted.name.as_str());
    match &wanted.value {
        None => lines.next().is_some(),
        Some(value) => lines.any(|line| line.trim_ascii() == value.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::{HeaderName, HeaderValue};

    #[test]
    fn a_header_is_borne_with_its_value_whatever_the_case_of_its_name() {
        let headers = [("X-Canary", "no"), ("X-Canary", " yes "), ("X-Empty", "")];
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (name.parse::<HeaderName>().expect("a name"), HeaderValue::from_static(value))
            })
            .collect();
        for (name, value, expected) in [
            ("x-canary", Some("no"), true),
            ("x-canary", Some("n"), false),
            ("x-canary", Some("yes"), true),
            ("x-canary", Some("Yes"), false),
            ("x-canary", None, true),
            ("x-empty", None, true),
            ("x-other", None, false),
        ] {
            let wanted = HeaderMatch { name: name.to_owned(), value: value.map(str::to_owned) };
            assert_eq!(bears(&headers, &wanted), expected, "{name} {value:?}");
        }
    }
}
