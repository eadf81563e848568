//! `/backends`: the backends in force, their instances, and how each of these stands.

use super::asked::Asked;
use super::instances::instance;
use super::names;
use crate::backends::{Backend, Member};
use crate::config::{Balance, OverloadSpec, SecuritySpec};
use crate::control::Plane;
use crate::telemetry::{ConnectFailure, HealthCounters};
use crate::transport::callgate::TlsInstance;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Those that are asked for; with all instances, or with one.
pub(super) fn page(plane: &Plane, asked: &Asked) -> Value {
    let table = plane.shared.table.load();
    let is_meant = |backend: &&Arc<Backend>| {
        asked.backend.as_ref().is_none_or(|name| *name == backend.spec.name)
            && asked.finds(|| backend.spec.name.clone())
    };
    let meant = asked.part_or_all(table.backends.iter().filter(is_meant));
    let backends: Vec<Value> = meant.map(|backend| self::backend(plane, backend, asked)).collect();
    json!({ "hash": table.hash, "zone": plane.shared.settings.server.zone, "backends": backends })
}

/// One of them.
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
