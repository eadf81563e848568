//! What the admin port shows.

use super::asked::Asked;
use super::instances::instance;
use super::{auth, bound, certificates, limits, names, overview, settings, traffic};
use crate::backends::{Backend, Member};
use crate::config::{
    Balance, HashBy, LocalReply, OverloadSpec, Priority, RetryOn, RetrySpec, SecuritySpec, shown_host,
};
use crate::control::{Found, Kind, Plane, Unfit};
use crate::fields::FieldName;
use crate::routes::{Action, CallAction, Route};
use crate::steps::{InFlight, Steps};
use crate::telemetry::{ConnectFailure, EndpointScrape, HealthCounters, Scrape, TlsScrape, render};
use crate::transport::callgate::TlsInstance;
use callgate_rules::Rule;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The list of pages.
pub(super) const INDEX: &str = "\
GET  /            for a browser: a page that shows all of it
GET  /metrics     for Prometheus
GET  /healthz     the process lives
GET  /readyz      requests can be answered; ?strict: and every backend has an instance
GET  /overview    how everything is: totals, and problems with why; /overview/history: the totals of the last ten minutes
GET  /overview/routes, /overview/backends, /overview/instances  ?q=word&state=…&sort=-calls&offset=0&limit=50: rows
GET  /reasons     why requests fail: each reason with what it means
GET  /reloads     the last reloads, with what they changed
GET  /routes      the routes in force, and what they call; ?q=word&offset=0&limit=50 for some of them
GET  /backends    the backends, their instances, methods and schemas; ?backend=name&endpoint=host:port for some of them
GET  /certificates  the certificates in force, when they expire, and what is wrong with their files
GET  /failures    the last requests whose answers were no success, the newest first, each as the access log has it; ?offset=0&limit=50 for some of them
GET  /openapi.json  what clients can ask and are answered, as OpenAPI 3.1
GET  /explore     a page that shows it
GET  /exposure    who could call what: `callgate check --diff` compares tables with it
GET  /config      the settings and tables in force, and the last error
POST /-/reload    read the tables again
POST /-/drain     ?endpoint=host:port[&backend=name]: no new calls there; those in flight finish
POST /-/undrain   the same: calls go there again
POST /-/why       what would become of a request, or what has become of one: `callgate why` asks it
POST /-/plan      what tables would change that are not in force: `callgate plan` asks it
POST /-/log       ?successes=1%25&failures=true: which requests have lines in the access log, until the next such request
";

/// What was in force of who may call, as it is kept; nothing before the first tables.
pub(super) fn exposure(plane: &Plane) -> String {
    let record = plane.exposure.load_full();
    record.map(|record| String::from_utf8_lossy(&record.text()).into_owned()).unwrap_or_default()
}

/// The scrape.
pub(super) fn metrics(plane: &Plane) -> String {
    let shared = &plane.shared;
    let table = shared.table.load();
    let rewrites = table.routes.iter().filter_map(|route| match &route.action {
        Action::Rewrite(rewrite) => Some((route, rewrite.rewritten.sum(|one| one))),
        _ => None,
    });
    let priority = |route: &Arc<Route>| {
        let call = route.action.call();
        call.map_or(Priority::Default, |call| call.spec.policy.priority).name()
    };
    let backends = table.backends.iter();
    let members: Vec<_> =
        table.backends.iter().map(|backend| (&backend.spec.name, backend.members_now())).collect();
    let endpoints = members.iter().flat_map(|(backend, members)| {
        members.iter().map(move |member| EndpointScrape {
            backend,
            address: member.endpoint.addr.to_string(),
            draining: member.drains(),
            stats: &member.endpoint.stats,
        })
    });
    let names = plane.names.all();
    let fits = plane.fits.found();
    let [certificates, backend_certificates, revoked] = certificates::scrape(shared);
    let access_log = shared.access_log.stats();
    render(&Scrape {
        unfit: Kind::ALL.map(|kind| (kind.name(), fits.count(kind))),
        front: &shared.front,
        listeners: shared.listeners.iter().map(|one| one.scrape()).collect(),
        tls: shared
            .listeners
            .iter()
            .filter_map(|one| Some(TlsScrape { listener: &one.id, stats: &one.tls.as_ref()?.stats }))
            .collect(),
        max_connections: shared.room.bound(),
        refused_connections: shared.room.refused(),
        answer_memory: shared.answers.used(),
        certificates,
        backend_certificates,
        revoked,
        certificate_stats: &shared.certificates.stats,
        reloads: &plane.reloads,
        upgrades: &plane.upgrades,
        log: &plane.log,
        access_log: access_log.as_deref(),
        spans: shared.traces.as_ref().map_or_else(Vec::new, |traces| traces.fates().collect()),
        panics: shared.supervisor.panics().map(|(task, n)| (task.name(), n)).collect(),
        table_hash: &table.hash,
        traffic: table.routes.iter().filter_map(|route| traffic::scrape(route)).collect(),
        routes: table
            .routes
            .iter()
            .map(|route| (route.matcher.name(), route.matcher.method.as_str(), route.stats.as_ref()))
            .collect(),
        rewrites: rewrites
            .map(|(route, n)| (route.matcher.name(), route.matcher.method.as_str(), n))
            .collect(),
        limits: limits::scrape(&table),
        authenticators: auth::scrape(&table),
        fetches: auth::fetches(&table),
        priorities: table.routes.iter().map(priority).collect(),
        concurrency_limits: backends.clone().map(|backend| backend.gauge.limit().most()).collect(),
        backends: backends.map(|backend| (backend.spec.name.as_str(), backend.stats.as_ref())).collect(),
        endpoints: endpoints.collect(),
        names: names.iter().map(|name| name.scrape()).collect(),
    })
}

/// The routes in force, or those that are asked for.
pub(super) fn routes(plane: &Plane, asked: &Asked) -> Value {
    let table = plane.shared.table.load();
    let found = plane.fits.found();
    let meant = table.routes.iter().filter(|route| asked.finds(|| overview::text_of_route(route)));
    let routes: Vec<Value> = asked.part_or_all(meant).map(|route| route_page(route, &found)).collect();
    json!({ "hash": table.hash, "routes": routes })
}

pub(super) fn route_page(route: &Route, found: &Found) -> Value {
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

/// The backends in force, or those that are asked for; with all instances, or with one.
pub(super) fn backends(plane: &Plane, asked: &Asked) -> Value {
    let table = plane.shared.table.load();
    let is_meant = |backend: &&Arc<Backend>| {
        asked.backend.as_ref().is_none_or(|name| *name == backend.spec.name)
            && asked.finds(|| backend.spec.name.clone())
    };
    let meant = asked.part_or_all(table.backends.iter().filter(is_meant));
    let backends: Vec<Value> = meant.map(|backend| self::backend(plane, backend, asked)).collect();
    json!({ "hash": table.hash, "zone": plane.shared.settings.server.zone, "backends": backends })
}

pub(super) fn backend(plane: &Plane, backend: &Backend, asked: &Asked) -> Value {
    let is_meant = |member: &&Member| {
        asked.endpoint.as_ref().is_none_or(|addr| *addr == member.endpoint.addr.to_string())
    };
    let endpoints: Vec<Value> =
        backend.members().iter().filter(is_meant).map(|member| self::member(backend, member)).collect();
    let stats = &backend.stats;
    let retries: serde_json::Map<String, Value> =
        stats.retries().map(|(reason, n)| (reason.to_owned(), n.into())).collect();
    json!({
        "name": backend.spec.name,
        "names": names::of(&plane.names, backend),
        "balance": balance(&backend.spec.balance),
        "calls_diverted": backend.stats.diverted().collect::<BTreeMap<_, _>>(),
        "endpoints": endpoints,
        "retries": retries,
        "retry_budget_percent": backend.spec.retry_budget,
        "retry_budget_exhausted": stats.0.sum(|one| &one.budget_exhausted),
        "hold_ms": backend.spec.hold.as_millis() as u64,
        "calls_held": stats.0.sum(|one| &one.held),
        "overload": overload(backend),
        "security": security(backend),
    })
}

/// How a backend's instances and the gateway know each other, and what is wrong with the files of that.
fn security(backend: &Backend) -> Value {
    let SecuritySpec { tls, token } = &backend.spec.security;
    let problems = backend.security().problems();
    json!({
        "tls": tls.is_some(),
        "server_name": tls.as_ref().and_then(|tls| tls.server_name.as_deref()),
        "token": token.is_some(),
        "errors": problems.iter().map(|problem| &**problem).collect::<Vec<_>>(),
    })
}

/// How many calls a backend gets at once, and how many wait.
fn overload(backend: &Backend) -> Value {
    let OverloadSpec { max_in_flight, max_per_instance, adaptive, queue } = &backend.spec.overload;
    json!({
        "max_in_flight": max_in_flight,
        "in_flight": max_in_flight.map(|_| backend.gauge.count().get()),
        "max_in_flight_per_instance": max_per_instance,
        "adaptive": adaptive.when.name(),
        "limit": backend.gauge.limit().most(),
        "queue_size": queue.size,
        "queue_timeout_ms": queue.timeout.as_millis() as u64,
        "calls_queued": backend.stats.0.sum(|one| &one.overload.queued),
    })
}

fn balance(balance: &Balance) -> Value {
    match balance {
        Balance::Hash(hash) => json!({ "hash": hash.by.text(), "load_factor_percent": hash.load_factor }),
        named => named.name().into(),
    }
}

fn member(backend: &Backend, member: &Member) -> Value {
    let (endpoint, stats) = (&member.endpoint, &member.endpoint.stats.0);
    let outcomes: serde_json::Map<String, Value> =
        endpoint.stats.outcomes().map(|(outcome, n)| (outcome.to_owned(), n.into())).collect();
    let offer = endpoint.offer.load_full();
    json!({
        "address": endpoint.addr.to_string(),
        "name": names::found_by(backend, member),
        "weight": member.weight,
        "priority": member.priority,
        "zone": member.zone.as_deref(),
        "draining": member.drains(),
        "drained_by": member.drained_by(),
        "state": endpoint.stats.standing().name(),
        "health": stats.iter().map(|one| health(&one.health)).collect::<Vec<_>>(),
        "connections": stats.sum(|one| &one.connections),
        "calls_in_flight": stats.sum(|one| &one.in_flight),
        "calls": outcomes,
        "connects": stats.sum(|one| &one.connects),
        "connect_failures": ConnectFailure::ALL.iter().map(|why| endpoint.stats.connect_failures(*why)).sum::<u64>(),
        "tls": endpoint.tls.load_full().as_deref().map(tls),
        "error": endpoint.error.load_full().map(|error| error.as_ref().clone()),
        "instance": offer.as_deref().map(instance),
    })
}

/// Who an instance is by its certificate.
fn tls(instance: &TlsInstance) -> Value {
    let TlsInstance { version, identity } = instance;
    json!({
        "version": version,
        "subject": identity.subject(),
        "dns_names": identity.dns_names(),
        "uris": identity.uris(),
        "sha256": identity.fingerprint().to_string(),
    })
}

/// What one worker thinks of an instance.
fn health(health: &HealthCounters) -> Value {
    let latency = health.latency_us.get();
    json!({
        "state": health.standing().name(),
        "ejected_for_ms": Some(health.ejected_for_ms.get()).filter(|ms| *ms > 0),
        "share_percent": health.share.get(),
        "failures": health.failures.get(),
        "of_calls": health.of_calls.get(),
        "latency_ms": (latency > 0).then(|| latency as f64 / 1000.0),
    })
}

/// Settings and tables in force.
pub(super) fn config(plane: &Plane) -> Value {
    let table = plane.shared.table.load();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "tables": {
            "hash": table.hash,
            "taken_at": plane.reloads.taken_at.get(),
            "routes": table.routes.len(),
            "backends": table.backends.len(),
            "waiting": plane.waiting.load_full().map(|why| why.as_ref().clone()),
            "authenticators": auth::page(&table, &plane.fits.found()),
            "last_error": plane.last_error.load_full().map(|error| error.as_ref().clone()),
        },
        "settings": settings::of(&plane.shared.settings),
    })
}
