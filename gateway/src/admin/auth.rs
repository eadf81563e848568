//! What the admin port shows of who may call.

use crate::routes::{Route, Table};
use crate::telemetry::AuthScrape;
use serde_json::{Value, json};

/// The authenticators, for the scrape.
pub(super) fn scrape(table: &Table) -> Vec<AuthScrape<'_>> {
    table.authenticators.iter().map(|one| AuthScrape { name: &one.spec.name, stats: &one.stats }).collect()
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
