//! The list of tools that a route gives to agents: of each what it takes and gives as JSON Schema, made of the schemas of living instances.
//!
//! A tool's arguments are those of its route's request that a client has a say in: parameters of the path, of the query, and what is in the
//! body. What comes by headers, cookies or who calls is no argument: it is that of the agent's own request. `front/tools/` makes a request of
//! arguments by the same rules.

use super::living::{Living, Version};
use super::shown::Shown;
use super::{replies, request, words};
use crate::config::{ActionSpec, CallMode, CallSpec, Matcher, ToolHints, ToolSpec};
use crate::method::Method as HttpMethod;
use crate::routes::{Route, Table, ToolList, Tools};
use bytes::Bytes;
use callgate_json_schema::{Components, Leaf, Method, Mode, description, summary};
use callgate_protocol::schema::Type;
use callgate_transcode::{Body, FieldSource, Response, UnknownFields};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Where the schemas of a tool stand in it.
const DEFS: &str = "#/$defs/";

/// Makes the list of a route anew, and keeps what is there if that is the same.
pub(super) fn publish(table: &Table, (route, own): (&Route, &Tools)) {
    let list = list(table, |other| route.shows(other, own.spec.all));
    if own.published.load().as_deref() != Some(&list) {
        own.published.store(Some(Arc::new(list)));
    }
}

fn list(table: &Table, shown: impl Fn(&Route) -> bool) -> ToolList {
    let living = Living::of(table);
    let methods: Vec<Method<'_>> = living.schemas.iter().map(|schema| Method::new(&schema.method)).collect();
    let (mut tools, mut wraps) = (Vec::new(), HashMap::new());
    for (place, route) in table.routes.iter().enumerate().filter(|(_, route)| shown(route)) {
        let action = route.action.spec();
        let ActionSpec::Call(spec) = &action else { continue };
        let Some(tool) = &spec.tool else { continue };
        let versions = living.versions(place, &methods);
        let one = Shown { matcher: &route.matcher, policy: &route.policy, action: &action, versions };
        let (shown, is_wrapped) = self::tool(&one, spec, tool);
        wraps.extend(is_wrapped.map(|is_wrapped| (tool.name.clone(), is_wrapped)));
        tools.push(shown);
    }
    ToolList { list: Bytes::from(Value::from(tools).to_string()), wraps }
}

/// A tool as agents see it, and whether its results are wrapped, where they are known.
fn tool(one: &Shown<'_>, spec: &CallSpec, tool: &ToolSpec) -> (Value, Option<bool>) {
    let doc = one.versions.first().map(|version| version.method.schema.doc.as_str()).unwrap_or_default();
    let mut shown = json!({
        "name": tool.name,
        "inputSchema": input(one.matcher, spec, &one.versions),
        "annotations": annotations(one, spec, tool.hints),
    });
    if let Some(title) = tool.title.clone().or_else(|| summary(doc)) {
        shown["title"] = title.into();
    }
    let text = tool.description.as_deref().unwrap_or(doc);
    if let Some(text) = description(text, &words::notes(one)) {
        shown["description"] = text.into();
    }
    let Some((output, wraps)) = output(spec, &one.versions) else { return (shown, None) };
    shown["outputSchema"] = output;
    (shown, Some(wraps))
}

/// What agents may expect, as the protocol calls it. What GET and DELETE mean, HTTP says.
fn annotations(one: &Shown<'_>, spec: &CallSpec, said: ToolHints) -> Value {
    let reads = one.matcher.method == HttpMethod::Get;
    let declared = one.versions.iter().any(|version| version.idempotent);
    let idempotent = reads || spec.idempotent.unwrap_or(declared);
    let removes = (one.matcher.method == HttpMethod::Delete).then_some(true);
    let all = [
        ("readOnlyHint", said.read_only.or(Some(reads))),
        ("destructiveHint", said.destructive.or(if reads { Some(false) } else { removes })),
        ("idempotentHint", said.idempotent.or(Some(idempotent))),
        ("openWorldHint", said.open_world),
    ];
    let said = all.into_iter().filter_map(|(name, hint)| Some((name.to_owned(), hint?.into())));
    Value::Object(said.collect())
}

/// The schema of the arguments: an object, whatever the versions differ in.
fn input(matcher: &Matcher, spec: &CallSpec, versions: &[Version<'_>]) -> Value {
    let mut components = Components::new(DEFS);
    let mut all: Vec<Value> = Vec::new();
    for version in versions {
        let one = arguments(&mut components, matcher, spec, version);
        if !all.contains(&one) {
            all.push(one);
        }
    }
    let schema = match all.len() {
        0 => open(matcher),
        1 => all.remove(0),
        _ => json!({ "type": "object", "anyOf": all }),
    };
    with_defs(schema, components)
}

/// The arguments by one version of the method.
fn arguments(
    components: &mut Components,
    matcher: &Matcher,
    spec: &CallSpec,
    version: &Version<'_>,
) -> Value {
    let (method, mode) = (version.method, Mode::In(spec.request.unknown_fields));
    let mut taken = request::taken(matcher, spec);
    let mut schema = match &spec.request.body {
        Body::Whole => method.request(components, &taken, mode).schema(mode),
        _ => closed(mode),
    };
    if let Body::Field(name) = &spec.request.body
        && let Some(found) = method.find(name)
    {
        let field = method.field(components, found, mode);
        put(&mut schema, name, field, found.required);
        taken.push(name);
    }
    if spec.request.body != Body::Whole {
        let (leaves, _) = method.leaves(components, &taken);
        leaves.into_iter().filter(|leaf| !spec.binds_query(&leaf.name)).for_each(|leaf| {
            let (name, required) = (leaf.name.clone(), leaf.required);
            put(&mut schema, &name, of_leaf(leaf), required);
        });
    }
    for field in matcher.path.params() {
        let leaf = method.find(field).and_then(|found| method.leaf(components, found, field));
        put(&mut schema, field, leaf.map_or(json!({ "type": "string" }), of_leaf), true);
    }
    for bound in &spec.request.bound {
        let FieldSource::Query(name) = &bound.source else { continue };
        let leaf = method.find(&bound.field).and_then(|found| method.leaf(components, found, &bound.field));
        let Some(leaf) = leaf else { continue };
        let required = leaf.required && bound.default.is_none();
        let mut leaf = of_leaf(leaf);
        if let Some(default) = &bound.default {
            leaf["default"] = request::of_text(&leaf, default);
        }
        put(&mut schema, name, leaf, required);
    }
    schema
}

/// An object without members.
fn closed(mode: Mode) -> Value {
    match mode {
        Mode::In(UnknownFields::Reject) => json!({ "type": "object", "additionalProperties": false }),
        _ => json!({ "type": "object" }),
    }
}

/// The arguments of a method of which no instance is known: those of the path at least.
fn open(matcher: &Matcher) -> Value {
    let mut schema = json!({ "type": "object" });
    matcher.path.params().iter().for_each(|name| put(&mut schema, name, json!({ "type": "string" }), true));
    schema
}

fn of_leaf(leaf: Leaf) -> Value {
    let mut schema = leaf.schema;
    if let Some(text) = leaf.description {
        schema["description"] = text.into();
    }
    schema
}

/// Adds a member to an object's schema, in the place of one of that name.
fn put(schema: &mut Value, name: &str, member: Value, required: bool) {
    schema["properties"][name] = member;
    let all = schema["required"].as_array().cloned().unwrap_or_default();
    let mut all: Vec<Value> = all.into_iter().filter(|own| own != name).collect();
    if required {
        all.push(name.into());
    }
    match (all.is_empty(), schema.as_object_mut()) {
        (true, Some(schema)) => drop(schema.remove("required")),
        _ => schema["required"] = all.into(),
    }
}

/// The schema of the results, and whether they are wrapped so that each is an object; `None` where there is nothing to say.
fn output(spec: &CallSpec, versions: &[Version<'_>]) -> Option<(Value, bool)> {
    let empty = |version: &Version<'_>| {
        version.method.schema.response == Type::Unit
            && spec.response.shape == Response::Whole
            && !version.streams.service
    };
    let without_body = [204, 205];
    let is_empty = versions.iter().any(empty)
        || spec.mode == CallMode::Notify
        || replies::statuses(spec.reply.as_deref(), 200).iter().any(|status| without_body.contains(status));
    if versions.is_empty() || is_empty {
        return None;
    }
    let mut components = Components::new(DEFS);
    let mode = Mode::Out(spec.response.int64, spec.response.decimal);
    let mut all: Vec<Value> = Vec::new();
    for version in versions {
        let schema = replies::schema(&mut components, spec, version, mode)?;
        let schema = if version.streams.service { items(&schema) } else { schema };
        if !all.contains(&schema) {
            all.push(schema);
        }
    }
    let defs = components.into_schemas();
    let all: Vec<Value> = all.into_iter().map(|schema| inlined(schema, &defs)).collect();
    let are_objects = all.iter().all(|schema| schema["type"] == "object");
    let schema = match <[Value; 1]>::try_from(all) {
        Ok([one]) => one,
        Err(all) if are_objects => json!({ "type": "object", "anyOf": all }),
        Err(all) => json!({ "anyOf": all }),
    };
    let schema = if are_objects { schema } else { wrapped(&schema) };
    Some((put_defs(schema, defs), !are_objects))
}

/// All items of a stream together.
fn items(item: &Value) -> Value {
    json!({ "type": "object", "properties": { "items": { "type": "array", "items": item } }, "required": ["items"] })
}

fn wrapped(schema: &Value) -> Value {
    json!({ "type": "object", "properties": { "result": schema }, "required": ["result"] })
}

/// The schema itself in the place of a reference to it: what is asked of clients, that it is an object, stands at its top.
fn inlined(schema: Value, defs: &Map<String, Value>) -> Value {
    let only = schema.as_object().is_some_and(|schema| schema.len() == 1);
    let name = schema["$ref"].as_str().filter(|_| only).and_then(|name| name.strip_prefix(DEFS));
    name.and_then(|name| defs.get(name)).filter(|found| found["type"] == "object").cloned().unwrap_or(schema)
}

fn with_defs(schema: Value, components: Components) -> Value {
    put_defs(schema, components.into_schemas())
}

fn put_defs(mut schema: Value, defs: Map<String, Value>) -> Value {
    if !defs.is_empty() {
        schema["$defs"] = defs.into();
    }
    schema
}
