//! What an operation takes beside its body: parameters of path, query, headers and cookies.

use super::body;
use super::living::Version;
use crate::config::{BodyTypes, CallSpec, Matcher};
use crate::fields::FieldName;
use crate::method::Method as HttpMethod;
use callgate_json_schema::{Components, Leaf, Method};
use callgate_transcode::{Body, BoundField, FieldSource};
use serde_json::{Value, json};

/// Headers that OpenAPI says in other places.
const SAID_ELSEWHERE: [&str; 3] = ["accept", "authorization", "content-type"];

/// Headers that have an entity tag.
const ENTITY_TAGS: [&str; 2] = ["if-match", "if-none-match"];

/// The parameters and the body of a call of one version of its method.
pub(super) fn of(
    components: &mut Components,
    matcher: &Matcher,
    spec: &CallSpec,
    params: &[String],
    version: &Version<'_>,
) -> (Vec<Value>, Option<Value>) {
    let method = version.method;
    let mut all: Vec<Value> = params
        .iter()
        .zip(matcher.path.params())
        .enumerate()
        .map(|(at, (name, field))| {
            let is_tail = at + 1 == params.len() && matcher.path.has_tail();
            path(components, method, (name, field), is_tail)
        })
        .collect();
    for bound in &spec.request.bound {
        all.extend(self::bound(components, method, bound));
    }
    all.extend(headers(spec));
    let mut taken = taken(matcher, spec);
    if let Body::Field(name) | Body::Raw(name) = &spec.request.body {
        taken.push(name);
    }
    let mut needs_body = true;
    if takes_queries(matcher, spec) {
        let (leaves, left) = method.leaves(components, &taken);
        let is_whole = spec.request.body == Body::Whole;
        needs_body = left || !is_whole;
        // What a body says too need not be in the query.
        // A name of the query that fills a field of another name fills none of its own.
        let free = leaves.iter().filter(|leaf| !spec.binds_query(&leaf.name));
        all.extend(free.map(|leaf| query(leaf, leaf.required && !(left && is_whole))));
    }
    let body = if needs_body { body::of(components, spec, version, &taken) } else { None };
    (all, body)
}

/// Whether what nothing else fills comes by the query. A body of an object takes it where bodies are usual.
fn takes_queries(matcher: &Matcher, spec: &CallSpec) -> bool {
    let without_bodies = matches!(matcher.method, HttpMethod::Get | HttpMethod::Delete);
    match (&spec.body, &spec.request.body) {
        (BodyTypes::FormItems(_), _) => false,
        (_, Body::Whole) => without_bodies || spec.websocket.is_some(),
        _ => true,
    }
}

/// The fields that path and bindings fill.
pub(super) fn taken<'a>(matcher: &'a Matcher, spec: &'a CallSpec) -> Vec<&'a str> {
    let path = matcher.path.params().iter().map(String::as_str);
    path.chain(spec.request.bound.iter().map(|bound| bound.field.as_str())).collect()
}

fn path(
    components: &mut Components,
    method: &Method<'_>,
    (name, field): (&str, &str),
    is_tail: bool,
) -> Value {
    let leaf = method.find(field).and_then(|found| method.leaf(components, found, field));
    let Some(leaf) = leaf else { return open_path(name) };
    let mut param = parameter("path", name, &leaf);
    param["required"] = true.into();
    if is_tail {
        param["description"] = match &leaf.description {
            Some(text) => format!("{text}\n\nIt may have slashes."),
            None => "It may have slashes.".to_owned(),
        }
        .into();
    }
    param
}

/// A parameter of a path of which no more is known.
pub(super) fn open_path(name: &str) -> Value {
    json!({ "in": "path", "name": name, "required": true, "schema": { "type": "string" } })
}

fn query(leaf: &Leaf, required: bool) -> Value {
    let mut param = parameter("query", &leaf.name, leaf);
    if required {
        param["required"] = true.into();
    }
    param
}

fn parameter(place: &str, name: &str, leaf: &Leaf) -> Value {
    let mut param = json!({ "in": place, "name": name });
    if leaf.is_json {
        param["content"] = json!({ "application/json": { "schema": leaf.schema } });
    } else {
        param["schema"] = leaf.schema.clone();
    }
    if let Some(text) = &leaf.description {
        param["description"] = text.as_str().into();
    }
    if leaf.deprecated {
        param["deprecated"] = true.into();
    }
    param
}

/// The parameter that a route names for a field; `None` where the request has no such thing.
fn bound(components: &mut Components, method: &Method<'_>, bound: &BoundField) -> Option<Value> {
    let (place, name) = match &bound.source {
        FieldSource::Query(name) => ("query", name),
        FieldSource::Header(name) if !SAID_ELSEWHERE.contains(&name.as_str()) => ("header", name),
        FieldSource::Cookie(name) => ("cookie", name),
        _ => return None,
    };
    let found = method.find(&bound.field)?;
    let leaf = method.leaf(components, found, &bound.field)?;
    let mut param = parameter(place, name, &leaf);
    if place == "header" && ENTITY_TAGS.contains(&name.as_str()) {
        // Whatever the field is: what comes is the tag that the route makes of it.
        param["schema"] = json!({ "type": "string" });
    }
    if leaf.required && bound.default.is_none() {
        param["required"] = true.into();
    }
    if let Some(default) = bound.default.as_ref().filter(|_| !leaf.is_json) {
        param["schema"]["default"] = of_text(&leaf.schema, default);
    }
    if let Some(split) = bound.split {
        match (split, place) {
            (',', "query") => {
                param["style"] = "form".into();
                param["explode"] = false.into();
            }
            (',', "header") => {}
            (' ' | '|', "query") => {
                param["style"] = if split == ' ' { "spaceDelimited" } else { "pipeDelimited" }.into();
                param["explode"] = false.into();
            }
            _ => {
                param["schema"] =
                    json!({ "type": "string", "description": format!("Items with `{split}` between them.") });
            }
        }
    }
    Some(param)
}

/// A text as a value of that schema.
pub(super) fn of_text(schema: &Value, text: &str) -> Value {
    let is = |ty: &str| {
        schema["type"] == ty || schema["type"].as_array().is_some_and(|all| all.contains(&ty.into()))
    };
    let parsed = || serde_json::from_str(text).ok();
    if is("integer") || is("number") || is("boolean") { parsed() } else { None }
        .unwrap_or_else(|| text.into())
}

/// The headers that a route reads besides.
fn headers(spec: &CallSpec) -> Vec<Value> {
    let of_metadata = spec.policy.metadata.names().iter().map(FieldName::as_str);
    let bound = |name: &str| {
        spec.request
            .bound
            .iter()
            .any(|bound| matches!(&bound.source, FieldSource::Header(own) if own == name))
    };
    let header = |name: &str, description: &str| json!({ "in": "header", "name": name, "schema": { "type": "string" }, "description": description });
    let mut all: Vec<Value> = of_metadata
        .filter(|name| !SAID_ELSEWHERE.contains(name) && *name != "cookie" && !bound(name))
        .map(|name| header(name, "It goes along with the call."))
        .collect();
    if spec.idempotency_key && !bound("idempotency-key") {
        all.push(header("idempotency-key", "With it the request may be sent again, and is run once."));
    }
    all
}

/// The parameters of a call of which no instance is known.
pub(super) fn open_parameters(matcher: &Matcher, spec: &CallSpec, params: &[String]) -> Vec<Value> {
    let path = params.iter().zip(matcher.path.params()).map(|(name, _)| open_path(name));
    let bound = spec.request.bound.iter().filter_map(|bound| {
        let (place, name) = match &bound.source {
            FieldSource::Query(name) => ("query", name),
            FieldSource::Header(name) if !SAID_ELSEWHERE.contains(&name.as_str()) => ("header", name),
            FieldSource::Cookie(name) => ("cookie", name),
            _ => return None,
        };
        Some(json!({ "in": place, "name": name, "schema": {} }))
    });
    path.chain(bound).chain(headers(spec)).collect()
}
