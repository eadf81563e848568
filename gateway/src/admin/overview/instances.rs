//! Rows of instances: how each stands, and why.

use super::rows::{Key, part};
use crate::admin::asked::Asked;
use crate::backends::{Backend, Member};
use crate::control::Plane;
use crate::telemetry::{EjectionReason, EndpointStats, Standing};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A backend, and a member of it.
type Row<'t> = (&'t Arc<Backend>, Member);

/// Those that are asked for.
pub(in crate::admin) fn page(plane: &Plane, asked: &Asked) -> Result<Value, String> {
    let table = plane.shared.table.load();
    let is_meant = |(backend, member): &Row<'_>| {
        let stands = match asked.state.as_deref() {
            None => true,
            Some("unwell") => !is_well(member),
            Some(state) => self::state(member) == state,
        };
        let text = || format!("{} {} {}", backend.spec.name, member.endpoint.addr, identity(member));
        stands && asked.backend.as_ref().is_none_or(|name| *name == backend.spec.name) && asked.finds(text)
    };
    let all = table.backends.iter().flat_map(|backend| {
        let members = backend.members_now();
        members.iter().map(|member| (backend, member.clone())).collect::<Vec<_>>()
    });
    let (mut total, mut rows) = (0, Vec::new());
    all.for_each(|row| {
        total += 1;
        if is_meant(&row) {
            rows.push(row);
        }
    });
    part(asked, "instances", total, rows, key, row)
}

/// How it stands; one that drains is judged no further.
pub(super) fn state(member: &Member) -> &'static str {
    if member.drains() { "draining" } else { member.endpoint.stats.standing().name() }
}

/// Whether nothing is wrong with it: it is well, or new, or an operator drains it.
pub(super) fn is_well(member: &Member) -> bool {
    member.drains() || matches!(member.endpoint.stats.standing(), Standing::Well | Standing::SlowStart)
}

/// Why it stands as it does, where there is something to say.
pub(super) fn why(member: &Member) -> Option<String> {
    let stats = &member.endpoint.stats;
    if member.drains() {
        let by: Vec<&str> = member
            .drained_by()
            .iter()
            .map(|by| if *by == "admin" { "an operator" } else { "the table" })
            .collect();
        return Some(format!("drained by {}", by.join(" and ")));
    }
    let error = || member.endpoint.error.load_full().map(|error| error.to_string());
    Some(match stats.standing() {
        Standing::Well => return None,
        Standing::SlowStart => "new, or well again: its share of calls grows".to_owned(),
        Standing::Throttled => format!("it fails, but too many others are ejected; {}", failures(stats)),
        Standing::Probing => format!("ejected, and tried with single calls; {}", failures(stats)),
        Standing::Ejected => format!("gets no calls for a while; {}", failures(stats)),
        Standing::Silent => "it has not answered a ping".to_owned(),
        Standing::NotReady => "it says itself that it is not ready".to_owned(),
        Standing::Connecting => error().unwrap_or_else(|| "a connection is being made".to_owned()),
        Standing::Unreachable => {
            error().unwrap_or_else(|| "the last attempt to connect has failed".to_owned())
        }
    })
}

/// What the worker has seen that thinks worst of it, and why it was ejected so far.
fn failures(stats: &EndpointStats) -> String {
    let worst = stats.0.iter().map(|one| &one.health).max_by_key(|health| health.failures.get());
    let (failed, of) = worst.map_or((0, 0), |health| (health.failures.get(), health.of_calls.get()));
    let ejections = EjectionReason::ALL.iter().map(|reason| (reason.name(), stats.ejections(*reason)));
    let ejections: Vec<String> =
        ejections.filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name} {n}")).collect();
    let seen = format!("{failed} of its last {of} calls have failed");
    if ejections.is_empty() { seen } else { format!("{seen}; ejected for: {}", ejections.join(", ")) }
}

fn identity(member: &Member) -> String {
    member.endpoint.offer.load().as_ref().map(|offer| offer.identity.clone()).unwrap_or_default()
}

fn key((backend, member): &Row<'_>, by: &str) -> Option<Key> {
    let stats = &member.endpoint.stats;
    let calls =
        |ok: bool| stats.outcomes().filter(|(name, _)| ok || *name != "ok").map(|(_, n)| n).sum::<u64>();
    Some(match by {
        "backend" => Key::Text(backend.spec.name.clone()),
        "address" => Key::Text(member.endpoint.addr.to_string()),
        "state" => Key::Number(if is_well(member) { 0.0 } else { 1.0 + stats.standing() as usize as f64 }),
        "calls" => Key::Number(calls(true) as f64),
        "failed" => Key::Number(calls(false) as f64),
        "in_flight" => Key::Number(stats.0.sum(|one| &one.in_flight) as f64),
        "latency" => Key::Number(stats.latency().unwrap_or_default()),
        _ => return None,
    })
}

fn row((backend, member): Row<'_>) -> Value {
    let (stats, offer) = (&member.endpoint.stats, member.endpoint.offer.load_full());
    let services = offer.iter().flat_map(|offer| &offer.services);
    json!({
        "backend": backend.spec.name,
        "address": member.endpoint.addr.to_string(),
        "identity": offer.as_ref().map(|offer| &offer.identity),
        "services": services.map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>(),
        "zone": member.zone.as_deref(),
        "weight": member.weight,
        "state": state(&member),
        "well": is_well(&member),
        "why": why(&member),
        "connections": stats.0.sum(|one| &one.connections),
        "in_flight": stats.0.sum(|one| &one.in_flight),
        "calls": stats.outcomes().collect::<BTreeMap<_, _>>(),
        "latency_ms": stats.latency().map(|seconds| seconds * 1000.0),
    })
}
