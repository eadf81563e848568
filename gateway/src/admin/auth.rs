//! What the admin port shows of who may call.

use crate::auth::Authenticator;
use crate::routes::{Route, Table};
use crate::telemetry::AuthScrape;
use serde_json::{Value, json};
use std::sync::Arc;

/// The authenticators, for the scrape.
pub(super) fn scrape(table: &Table) -> Vec<AuthScrape<'_>> {
    table.authenticators.iter().map(|one| AuthScrape { name: &one.spec.name, stats: &one.stats }).collect()
}

/// The authenticators, and what is wrong with their files.
pub(super) fn page(table: &Table) -> Vec<Value> {
    let page = |one: &Arc<Authenticator>| {
        json!({
            "name": &*one.spec.name,
            "type": one.spec.kind.name(),
            "defined": one.spec.defined(),
            "files": one.spec.files().map(|file| file.display().to_string()).collect::<Vec<_>>(),
            "in_force": one.is_in_force(),
            "last_error": one.problem().as_deref(),
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
