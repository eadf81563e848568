//! What clients can ask and what they are answered, as an OpenAPI 3.1 document: made of the routes in force and of the schemas that living
//! instances have sent.
//!
//! It promises nothing that is not so. Where instances of one method differ, what each of them takes and gives is told side by
//! side; where none is known, the operation says so and leaves its bodies open. It is no work of a worker: it takes some time for each
//! route, and is made where it is asked for.
//!
//! `living` finds the schemas, `paths` groups routes, `operation` is one route, of which `request`, `body`, `replies`, `common` and `security` are parts;
//! `merge` puts versions together. `tools` makes the lists that agents get. What JSON a type is, the crate `callgate-json-schema` says.

mod body;
mod common;
mod context;
mod living;
mod merge;
mod operation;
mod paths;
mod problem;
mod publish;
mod replies;
mod request;
mod security;
mod shown;
mod streams;
mod tools;
mod words;

pub use publish::publish;
pub(crate) use publish::tag;

use crate::config::{ErrorTypes, Matcher};
use crate::routes::{Route, Table};
use callgate_json_schema::{Components, Method};
use context::Context;
use living::Living;
use paths::Paths;
use serde_json::{Value, json};
use shown::Shown;
use std::fmt::Write;

/// Where schemas stand in a document.
const SCHEMAS: &str = "#/components/schemas/";

/// What a document says of itself.
pub struct About<'a> {
    /// What it is called.
    pub title: &'a str,
    /// What people are told of it first, if there is something.
    pub description: Option<&'a str>,
    /// The URLs of the API, as far as they are known.
    pub servers: Vec<String>,
    /// What the `type` of errors begins with.
    pub error_types: &'a ErrorTypes,
}

/// The document of those routes of a table that are `shown`, as JSON.
pub fn document(table: &Table, about: &About<'_>, shown: impl Fn(&Route) -> bool) -> String {
    let living = Living::of(table);
    let methods: Vec<Method<'_>> = living.schemas.iter().map(|schema| Method::new(&schema.method)).collect();
    let mut context = Context::new(about.error_types);
    let mut paths = Paths::default();
    for (place, route) in table.routes.iter().enumerate().filter(|(_, route)| shown(route)) {
        let one = Shown {
            matcher: &route.matcher,
            policy: &route.policy,
            action: &route.action.spec(),
            versions: living.versions(place, &methods),
        };
        add(&mut paths, &mut context, &one);
    }
    written(about, &table.hash, paths, context)
}

/// Adds a route.
fn add(paths: &mut Paths, context: &mut Context<'_>, one: &Shown<'_>) {
    if !operation::is_shown(one) {
        return;
    }
    let Matcher { method, .. } = one.matcher;
    match paths.place(one.matcher) {
        Some(place) => {
            let operation = operation::operation(context, one, &place.params);
            paths.put(place, method.as_str(), operation);
        }
        None => paths.leave_out(one.matcher.to_string()),
    }
}

/// The text, with the members in the order in which people read them. Of ten thousand routes it is some megabytes, so there are no blanks in it.
fn written(about: &About<'_>, version: &str, paths: Paths, context: Context<'_>) -> String {
    let mut info = json!({ "title": about.title, "version": version });
    if let Some(text) = about.description {
        info["description"] = text.into();
    }
    let (paths, omitted) = paths.finish();
    let servers: Vec<Value> = about.servers.iter().map(|url| json!({ "url": url })).collect();
    let parts = [
        ("openapi", Some(json!("3.1.0"))),
        ("info", Some(info)),
        ("servers", Some(servers.into()).filter(|_| !about.servers.is_empty())),
        ("tags", Some(context.tags()).filter(|tags| tags != &json!([]))),
        ("paths", Some(paths)),
        ("components", Some(context.components())),
        ("x-callgate-omitted", Some(omitted).filter(|omitted| omitted != &json!([]))),
    ];
    let mut text = String::from("{");
    for (name, value) in parts.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        let comma = if text.len() > 1 { "," } else { "" };
        // Writing to a string does not fail.
        let _ = write!(text, "{comma}\n\"{name}\": {value}");
    }
    text.push_str("\n}\n");
    text
}

/// The components of a document, none yet.
fn components() -> Components {
    Components::new(SCHEMAS)
}

#[cfg(test)]
mod tests;
