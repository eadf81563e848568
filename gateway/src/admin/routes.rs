//! `/routes`: the routes in force, each with all that its table says of it, and what its instances make of that.

use super::asked::Asked;
use super::{auth, bound, limits, overview, traffic};
use crate::backends::Member;
use crate::config::{HashBy, LocalReply, RetryOn, RetrySpec, shown_host};
use crate::control::{Found, Kind, Plane, Unfit};
use crate::fields::FieldName;
use crate::routes::{Action, CallAction, Route};
use crate::steps::{InFlight, Steps};
use callgate_rules::Rule;
use serde_json::{Value, json};

/// Those that are asked for.
pub(super) fn page(plane: &Plane, asked: &Asked) -> Value {
    let table = plane.shared.table.load();
    let found = plane.fits.found();
    let meant = table.routes.iter().filter(|route| asked.finds(|| overview::text_of_route(route)));
    let routes: Vec<Value> = asked.part_or_all(meant).map(|route| self::route(route, &found)).collect();
    json!({ "hash": table.hash, "routes": routes })
}

/// One of them.
pub(super) fn route(route: &Route, found: &Found) -> Value {
    let mut shown = match &route.action {
        Action::Call(call) => self::call(call, &found.of(call)),
        Action::Local(reply) => reply.shown(),
        Action::Document(document) => LocalReply::OpenApi(document.spec.clone()).shown(),
        Action::Tools(tools) => LocalReply::Tools(tools.spec.clone()).shown(),
        Action::Rewrite(rewrite) => json!({
            "rewrite": rewrite.target.path.as_str(),
            "rewritten": rewrite.rewritten.sum(|one| one),
        }),
    };
    shown["match"] = route.matcher.to_string().into();
    let hosts = route.matcher.hosts.listed().iter().map(shown_host);
    shown["hosts"] = hosts.collect::<Vec<_>>().into();
    shown["defined"] = route.place.to_string().into();
    shown["steps"] = Steps::shown(&route.policy).into();
    shown["auth"] = auth::of_route(route);
    shown["cors"] = route.policy.cors.spec().map(|spec| spec.page()).into();
    shown["security_headers"] = route.policy.security_headers.name().into();
    shown["trailing_slash"] = route.policy.trailing_slash.name().into();
    shown["rate_limits"] = limits::page(route).into();
    shown["compress"] = route.compresses.into();
    shown["max_in_flight"] = route.policy.max_in_flight.into();
    shown["in_flight"] = route.steps.in_flight().map(InFlight::now).into();
    shown
}

fn call(call: &CallAction, unfit: &[Unfit]) -> Value {
    let spec = &call.spec;
    // The first instance that is known speaks for all; those that differ show under /backends.
    let offered = |member: &Member| {
        let offer = member.endpoint.offer.load_full()?;
        let entry = offer.find(&spec.call)?;
        Some((entry.call_id, entry.idempotent, entry.streams()))
    };
    let method = call.backends().find_map(|backend| backend.members().iter().find_map(offered));
    let offered = method.is_some();
    let (call_id, by_method, streams) = method.unwrap_or((spec.call.call_id(), false, None));
    let problem = unfit.iter().find(|one| one.kind == Kind::Fields).map(|one| &*one.why);
    let unfit = unfit.iter().map(|one| {
        json!({ "kind": one.kind.name(), "backend": one.backend, "why": &*one.why, "instances": one.instances })
    });
    let idempotent = spec.idempotent.unwrap_or(by_method);
    json!({
        "call": spec.call.to_string(),
        "call_id": call_id.to_string(),
        "backend": spec.backend,
        "version": spec.policy.split.version,
        "split": traffic::split(call),
        "split_by": spec.policy.split.by.as_ref().map(HashBy::text),
        "shadow": traffic::shadow(call),
        "fallback": traffic::fallback(call),
        "timeout_ms": spec.timeout.as_millis() as u64,
        "streams": streams,
        "max_stream": {
            "time_ms": spec.stream.time.as_millis() as u64,
            "bytes": spec.stream.bytes,
        },
        "stream_idle_ms": spec.stream.idle.map(|time| time.as_millis() as u64),
        "mode": spec.mode.name(),
        "idempotent": idempotent,
        "idempotency_key": spec.idempotency_key,
        "body": spec.body.page(&spec.request.body),
        "ignore_query": spec.policy.ignore_query.texts(),
        "websocket": spec.websocket.as_ref().map(|websocket| websocket.page()),
        "tool": spec.tool.as_ref().map(|tool| tool.page()),
        "bind": bound::page(&spec.request.bound),
        "reply": spec.reply.as_ref().map(|reply| reply.page(&spec.response.picks)),
        "retry": retry(&spec.retry),
        "metadata": spec.policy.metadata.names().iter().map(FieldName::as_str).collect::<Vec<_>>(),
        "forward_claims": spec.policy.forward_claims.names(),
        "rules": spec.policy.rules.all().map(Rule::text).collect::<Vec<_>>(),
        "priority": spec.policy.priority.name(),
        "offered": offered,
        "problem": problem,
        "unfit": unfit.collect::<Vec<_>>(),
    })
}

fn retry(retry: &RetrySpec) -> Value {
    let RetryOn { refused, lost, unavailable } = retry.on;
    let on = [("refused", refused), ("lost", lost), ("unavailable", unavailable)];
    json!({
        "attempts": retry.attempts,
        "on": on.iter().filter(|(_, on)| *on).map(|(word, _)| *word).collect::<Vec<_>>(),
        "per_try_timeout_ms": retry.per_try_timeout.map(|time| time.as_millis() as u64),
        "hedge": retry.hedge.map(|percentile| format!("p{percentile}")),
    })
}
