//! What the admin port shows of who may call.

use super::bound;
use crate::auth::{Authenticator, KeySet};
use crate::control::Found;
use crate::routes::{Route, Table};
use crate::telemetry::{AuthScrape, FetchScrape};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The authenticators, for the scrape.
pub(super) fn scrape(table: &Table) -> Vec<AuthScrape<'_>> {
    table.authenticators.iter().map(|one| AuthScrape { name: &one.spec.name, stats: &one.stats }).collect()
}

/// The keys that they fetch, for the scrape.
pub(super) fn fetches(table: &Table) -> Vec<FetchScrape<'_>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let fetches = table.authenticators.iter().filter_map(|one| {
        let set = one.fetched()?;
        let age = set.told_at().map(|at| now.saturating_sub(at));
        Some(FetchScrape { authenticator: &one.spec.name, age, stats: &set.stats })
    });
    fetches.collect()
}

/// The authenticators, what is wrong with their files, with the keys that they fetch, and with the calls by which they ask.
pub(super) fn page(table: &Table, found: &Found) -> Vec<Value> {
    let asks = |one: &Arc<Authenticator>| {
        let call = &table.own_call(one.id)?.call;
        let unfit = found.of(call);
        let unfit = unfit
            .iter()
            .map(|one| json!({ "kind": one.kind.name(), "why": &*one.why, "instances": one.instances }));
        Some(json!({
            "call": call.spec.call.to_string(),
            "backend": call.spec.backend,
            "bind": bound::page(&call.spec.request.bound),
            "timeout_ms": call.spec.timeout.as_millis() as u64,
            "unfit": unfit.collect::<Vec<_>>(),
        }))
    };
    let page = |one: &Arc<Authenticator>| {
        json!({
            "name": &*one.spec.name,
            "type": one.spec.kind.name(),
            "defined": one.spec.defined(),
            "files": one.spec.files().map(|file| file.display().to_string()).collect::<Vec<_>>(),
            "url": one.spec.target().map(|target| target.url.to_string()),
            "in_force": one.is_in_force() && one.fetched().is_none_or(KeySet::is_known),
            "fetched_at": one.fetched().and_then(KeySet::told_at),
            "last_error": problem(one),
            "asks": asks(one),
        })
    };
    table.authenticators.iter().map(page).collect()
}

/// What is wrong with its files, or else with the keys that it fetches.
fn problem(one: &Authenticator) -> Option<String> {
    let of_files = one.problem().map(|problem| problem.to_string());
    of_files.or_else(|| one.fetched()?.problem().map(|problem| problem.to_string()))
}

/// Who may call a route; null where it is not said.
pub(super) fn of_route(route: &Route) -> Value {
    let auth = &route.policy.auth;
    if !auth.is_said() {
        return Value::Null;
    }
    let require = route.policy.require.lists().iter().map(ToString::to_string);
    json!({
        "authenticators": auth.specs().iter().map(|spec| &*spec.name).collect::<Vec<_>>(),
        "anonymous": auth.admits_anonymous(),
        "require": require.collect::<Vec<_>>(),
    })
}
