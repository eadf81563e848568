//! What the admin port shows of who may call.

use super::bound;
use crate::auth::Authenticator;
use crate::control::Found;
use crate::routes::{Route, Table};
use crate::telemetry::AuthScrape;
use serde_json::{Value, json};
use std::sync::Arc;

/// The authenticators, for the scrape.
pub(super) fn scrape(table: &Table) -> Vec<AuthScrape<'_>> {
    table.authenticators.iter().map(|one| AuthScrape { name: &one.spec.name, stats: &one.stats }).collect()
}

/// The authenticators, what is wrong with their files, and with the calls by which they ask.
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
            "in_force": one.is_in_force(),
            "last_error": one.problem().as_deref(),
            "asks": asks(one),
        })
    };
    table.authenticators.iter().map(page).collect()
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
