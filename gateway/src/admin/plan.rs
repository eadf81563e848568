//! `POST /-/plan`: what tables would change that are not in force, in the words in which the other pages show what is.

use super::asked::Asked as Part;
use super::{backends, replayed, routes};
use crate::backends::Backend;
use crate::config::{Source, Tables};
use crate::control::{Found, Plan, Plane, plan};
use crate::routes::{Difference, Route, Table, diff};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// How long tables may be, as JSON, in bytes.
pub(super) const MAX_TABLES: usize = 24 << 20;

/// What of a page says how things stand, and not what the tables say.
const STANDING: [&str; 20] = [
    "calls",
    "call_id",
    "calls_diverted",
    "calls_held",
    "calls_queued",
    "defined",
    "errors",
    "idempotent",
    "in_flight",
    "limit",
    "names",
    "offered",
    "problem",
    "rate_limits",
    "retries",
    "retry_budget_exhausted",
    "rewritten",
    "streams",
    "taken",
    "unfit",
];

/// Lines of changes of one kind that are told; the rest is counted.
const MOST_TOLD: usize = 1000;

/// What is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    tables: Vec<File>,
}

/// A file of tables.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    path: String,
    text: String,
}

/// What the tables would change, of which these were the last requests; or what is wrong with them.
pub(super) fn page(plane: &Plane, asked: &[u8], requests: &[Vec<u8>]) -> Result<Value, String> {
    let asked: Asked = serde_json::from_slice(asked).map_err(|error| format!("{error}\n"))?;
    let sources = asked.tables.into_iter().map(|file| Source::new(file.path, file.text)).collect();
    let tables = Tables::parse(sources).map_err(|mistakes| mistakes.render(false))?;
    let plan = plan(plane, tables);
    Ok(shown(plane, &plan, requests))
}

fn shown(plane: &Plane, plan: &Plan, requests: &[Vec<u8>]) -> Value {
    let Plan { before, next, opens, accepted, closes, leaves, unfit } = plan;
    let leaves: Vec<Value> = leaves
        .iter()
        .map(|one| {
            let stats = &one.endpoint.stats.0;
            json!({
                "backend": one.backend,
                "endpoint": one.endpoint.addr.to_string(),
                "connections": stats.sum(|one| &one.connections),
                "calls_in_flight": stats.sum(|one| &one.in_flight),
                "comes_again": one.comes_again,
            })
        })
        .collect();
    let unfit: Vec<Value> = unfit
        .iter()
        .map(|one| {
            json!({
                "defined": one.place, "call": one.call, "why": one.why, "instances": one.instances, "known": one.is_known,
            })
        })
        .collect();
    let replay = replayed::outcomes(before, next, requests);
    let routes = routes(before, next);
    let backends = backends(plane, before, next);
    let breaks = !accepted
        || unfit.iter().any(|one| one["known"] == false)
        || replay.iter().any(|outcome| outcome.breaks);
    let replay: Vec<Value> = replay
        .into_iter()
        .map(|one| json!({ "requests": one.requests, "what": one.what, "example": one.example, "breaks": one.breaks }))
        .collect();
    json!({
        "breaks": breaks,
        "hash": { "before": before.hash, "after": next.hash },
        "routes": routes,
        "backends": backends,
        "leaves": leaves,
        "opens": opens.iter().flat_map(|opens| opens.opened()).map(ToString::to_string).collect::<Vec<_>>(),
        "accept_exposure": opens.as_ref().map(|opens| opens.hash()),
        "accepted": accepted,
        "closes": closes,
        "unfit": unfit,
        "replay": { "requests": requests.len(), "keep": plane.shared.settings.replay.keep, "changes": replay },
    })
}

fn routes(before: &Table, next: &Table) -> Value {
    let mut told = Told::default();
    let page = |route: &Route| routes::route(route, &Found::default());
    let named = |route: &Route| format!("{} ({})", route.matcher, route.place);
    for one in diff::routes(before, next) {
        match one {
            Difference::Added(route) => told.added.push(named(route)),
            Difference::Removed(route) => told.removed.push(named(route)),
            // What it calls may have changed; that is said there.
            Difference::Changed(old, route) => told.changed.push(json!({
                "match": route.matcher.to_string(), "defined": route.place.to_string(),
                "changes": changes(&page(old), &page(route)),
            })),
        }
    }
    told.shown()
}

fn backends(plane: &Plane, before: &Table, next: &Table) -> Value {
    let mut told = Told::default();
    for one in diff::backends(before, next) {
        match one {
            Difference::Added(backend) => told.added.push(backend.spec.name.clone()),
            Difference::Removed(backend) => told.removed.push(backend.spec.name.clone()),
            Difference::Changed(old, backend) => {
                let changes = changes(&backend_page(plane, old), &backend_page(plane, backend));
                told.changed.push(json!({ "name": backend.spec.name, "changes": changes }));
            }
        }
    }
    told.shown()
}

/// The page of a backend, with of its instances what its table says of them.
fn backend_page(plane: &Plane, backend: &Backend) -> Value {
    let mut page = backends::backend(plane, backend, &Part::default());
    let members = backend.members_now();
    let endpoints = members.iter().map(|member| {
        let drains = if member.drain { ", draining" } else { "" };
        format!("{} (weight {}{drains})", member.endpoint.addr, member.weight)
    });
    page["endpoints"] = endpoints.collect::<Vec<_>>().into();
    page
}

/// What differs of one kind of things.
#[derive(Default)]
struct Told {
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<Value>,
}

impl Told {
    fn shown(self) -> Value {
        let Told { mut added, mut removed, mut changed } = self;
        let counts = [added.len(), removed.len(), changed.len()];
        added.truncate(MOST_TOLD);
        removed.truncate(MOST_TOLD);
        changed.truncate(MOST_TOLD);
        json!({
            "added": added, "removed": removed, "changed": changed,
            "counts": { "added": counts[0], "removed": counts[1], "changed": counts[2] },
        })
    }
}

/// What differs between two pages of one thing, in words.
fn changes(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    if found.is_empty() {
        // Not everything that the tables say is on the page.
        found.push("something that the pages do not show".to_owned());
    }
    found
}

/// Pages are as deep as the code that makes them.
fn compare(at: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
            for name in names.filter(|name| !STANDING.contains(&name.as_str())) {
                let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                compare(&at, of(old, name), of(new, name), found);
            }
        }
        (Value::Array(old), Value::Array(new)) if all_texts(old) && all_texts(new) => {
            found.extend(
                old.iter().filter(|one| !new.contains(one)).map(|one| format!("{at}: no more {}", text(one))),
            );
            found.extend(
                new.iter().filter(|one| !old.contains(one)).map(|one| format!("{at}: now {}", text(one))),
            );
            if old.len() == new.len() && old.iter().all(|one| new.contains(one)) {
                found.push(format!("{at}: another order"));
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (n, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&format!("{at}.{n}"), old, new, found);
            }
        }
        _ => found.push(format!("{at}: {} is now {}", text(before), text(after))),
    }
}

fn all_texts(list: &[Value]) -> bool {
    list.iter().all(Value::is_string)
}

fn of<'v>(object: &'v Map<String, Value>, name: &str) -> &'v Value {
    object.get(name).unwrap_or(&Value::Null)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_said_by_its_name_and_how_things_stand_is_no_change() {
        let before = json!({
            "timeout_ms": 5000, "steps": ["auth staff", "rate_limit route:1/s"], "auth": { "anonymous": false },
            "in_flight": 3, "split": [{ "weight": 9, "calls": { "weight": 7 } }], "version": null,
        });
        let after = json!({
            "timeout_ms": 1000, "steps": ["auth staff"], "auth": { "anonymous": true },
            "in_flight": 4, "split": [{ "weight": 8, "calls": { "weight": 9 } }], "version": "2",
        });
        let expected = [
            "auth.anonymous: false is now true",
            "split.0.weight: 9 is now 8",
            "steps: no more rate_limit route:1/s",
            "timeout_ms: 5000 is now 1000",
            "version: nothing is now 2",
        ];
        let mut found = changes(&before, &after);
        found.sort();
        assert_eq!(found, expected);
        assert_eq!(
            changes(&json!({ "taken": 1 }), &json!({ "taken": 2 })),
            ["something that the pages do not show"]
        );
    }
}
