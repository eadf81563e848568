//! Rows of backends: how many instances are well, what their calls come to, and how long the routes take that call them.

use super::instances::is_well;
use super::rows::{Key, durations, part};
use crate::admin::asked::Asked;
use crate::backends::Backend;
use crate::config::Balance;
use crate::control::Plane;
use crate::routes::Table;
use crate::telemetry::Distribution;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Those that are asked for.
pub(in crate::admin) fn page(plane: &Plane, asked: &Asked) -> Result<Value, String> {
    let table = plane.shared.table.load();
    let unwell = match asked.state.as_deref() {
        None => false,
        Some("unwell") => true,
        Some(other) => return Err(format!("backends do not stand so: `{other}`; there is unwell")),
    };
    let is_meant = |backend: &Backend| {
        asked.finds(|| backend.spec.name.clone())
            && asked.backend.as_ref().is_none_or(|name| *name == backend.spec.name)
            && !(unwell && well(backend) == backend.members().len())
    };
    let rows: Vec<_> = table.backends.iter().filter(|backend| is_meant(backend)).collect();
    let took = took(&table);
    part(asked, "backends", table.backends.len(), rows, |row, by| key(row, by), |row| self::row(row, &took))
}

/// How long the routes take that call each backend.
fn took(table: &Table) -> HashMap<u64, Distribution> {
    let mut took = HashMap::<u64, Distribution>::new();
    for route in &table.routes {
        for backend in route.action.call().into_iter().flat_map(|call| call.backends()) {
            route.stats.durations(took.entry(backend.id).or_default());
        }
    }
    took
}

/// How many of its instances are well.
pub(super) fn well(backend: &Backend) -> usize {
    backend.members().iter().filter(|member| is_well(member)).count()
}

fn calls(backend: &Backend) -> BTreeMap<&'static str, u64> {
    let mut calls = BTreeMap::new();
    for member in backend.members().iter() {
        member.endpoint.stats.outcomes().for_each(|(outcome, n)| *calls.entry(outcome).or_default() += n);
    }
    calls
}

fn key(backend: &Arc<Backend>, by: &str) -> Option<Key> {
    let calls = || calls(backend);
    Some(match by {
        "name" => Key::Text(backend.spec.name.clone()),
        "instances" => Key::Number(backend.members().len() as f64),
        "unwell" => Key::Number((backend.members().len() - well(backend)) as f64),
        "calls" => Key::Number(calls().values().sum::<u64>() as f64),
        "failed" => {
            Key::Number(calls().iter().filter(|(name, _)| **name != "ok").map(|(_, n)| n).sum::<u64>() as f64)
        }
        _ => return None,
    })
}

fn row(backend: &Arc<Backend>, took: &HashMap<u64, Distribution>) -> Value {
    let stats = &backend.stats;
    let retries: Map<String, Value> =
        stats.retries().filter(|(_, n)| *n > 0).map(|(reason, n)| (reason.to_owned(), n.into())).collect();
    let balance = match &backend.spec.balance {
        Balance::Hash(hash) => format!("hash by {}", hash.by.text()),
        named => named.name().to_owned(),
    };
    let in_flight =
        backend.members().iter().map(|one| one.endpoint.stats.0.sum(|one| &one.in_flight)).sum::<u64>();
    let durations = took.get(&backend.id).map(durations);
    json!({
        "name": backend.spec.name,
        "balance": balance,
        "instances": backend.members().len(),
        "well": well(backend),
        "calls": calls(backend),
        "in_flight": in_flight,
        "held": stats.0.sum(|one| &one.held),
        "queued": stats.0.sum(|one| &one.overload.queued),
        "limit": backend.gauge.limit().most(),
        "retries": retries,
        "retry_budget_exhausted": stats.0.sum(|one| &one.budget_exhausted),
        "durations": durations,
        "errors": backend.security().problems().iter().map(|problem| problem.to_string()).collect::<Vec<_>>(),
    })
}
