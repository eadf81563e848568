//! One route as an operation.

use super::context::Context;
use super::living::Version;
use super::merge::{self, Part};
use super::shown::Shown;
use super::{body, common, replies, request, security, words};
use crate::config::{ActionSpec, CallRef, CallSpec, LocalReply};
use callgate_json_schema::{description, summary};
use serde_json::{Value, json};

/// Whether a route has an operation. What a rewrite takes is answered by other routes, and what agents ask by their protocol.
pub(super) fn is_shown(one: &Shown<'_>) -> bool {
    !matches!(one.action, ActionSpec::Rewrite(_) | ActionSpec::Local(LocalReply::Tools(_)))
}

/// The operation of a route, whose path's parameters have these names in the document.
pub(super) fn operation(context: &mut Context<'_>, one: &Shown<'_>, params: &[String]) -> Value {
    let part = match one.action {
        ActionSpec::Call(spec) => call(context, one, spec, params),
        ActionSpec::Local(reply) => local(one, reply, params),
        ActionSpec::Rewrite(_) => return json!({}),
    };
    let name = match (one.action, one.versions.first()) {
        (_, Some(version)) => Some(version.name.to_owned()),
        (ActionSpec::Call(spec), None) => name(&spec.call),
        _ => None,
    };
    let mut operation = json!({ "operationId": context.id(name.clone(), one.matcher) });
    if let Some((service, _)) = name.as_deref().and_then(|name| name.rsplit_once('.')) {
        operation["tags"] = json!([service]);
        context.tags.insert(service.to_owned());
    }
    say(&mut operation, one);
    let Part { parameters, body, responses, .. } = part;
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = body {
        operation["requestBody"] = body;
    }
    let mut responses = responses;
    common::put(&mut responses, one);
    operation["responses"] = responses.into();
    if let Some(security) = security::of_route(one.policy, &mut context.schemes) {
        operation["security"] = security;
    }
    let hosts = one.matcher.hosts.listed();
    if !hosts.is_empty() {
        operation["servers"] = hosts.iter().map(server).collect();
    }
    operation
}

/// Adds what people read, and which versions there are.
fn say(operation: &mut Value, one: &Shown<'_>) {
    let schema = one.versions.first().map(|version| version.method.schema);
    let doc = schema.map(|schema| schema.doc.as_str()).unwrap_or_default();
    if let Some(summary) = summary(doc) {
        operation["summary"] = summary.into();
    }
    let mut notes = words::notes(one);
    if let Some(why) = schema.and_then(|schema| schema.attributes.deprecated()) {
        operation["deprecated"] = true.into();
        notes.insert(0, format!("Deprecated. {why}").trim_end().to_owned());
    }
    if let Some(text) = description(doc, &notes) {
        operation["description"] = text.into();
    }
    if one.versions.len() > 1 {
        let versions = one.versions.iter();
        let of = |version: &Version<'_>| json!({ "version": version.version, "schema": version.fingerprint.to_string() });
        operation["x-callgate-versions"] = versions.map(of).collect();
    }
    if let (ActionSpec::Call(_), true) = (one.action, one.versions.is_empty()) {
        operation["x-callgate-unknown"] = true.into();
    }
}

fn call(context: &mut Context<'_>, one: &Shown<'_>, spec: &CallSpec, params: &[String]) -> Part {
    if one.versions.is_empty() {
        return Part {
            version: String::new(),
            parameters: request::open_parameters(one.matcher, spec, params),
            body: body::open(one.matcher, spec),
            responses: replies::open(spec),
        };
    }
    let part = |version: &Version<'_>| {
        let (parameters, body) = request::of(&mut context.components, one.matcher, spec, params, version);
        Part {
            version: version.version.to_owned(),
            parameters,
            body,
            responses: replies::of(context, one.matcher, spec, version),
        }
    };
    merge::merged(one.versions.iter().map(part).collect())
}

/// A route that calls nothing.
fn local(one: &Shown<'_>, reply: &LocalReply, params: &[String]) -> Part {
    let parameters = params.iter().zip(one.matcher.path.params());
    Part {
        version: String::new(),
        parameters: parameters.map(|(name, _)| request::open_path(name)).collect(),
        body: None,
        responses: replies::local(reply),
    }
}

fn name(call: &CallRef) -> Option<String> {
    match call {
        CallRef::Name { service, method } => Some(format!("{service}.{method}")),
        CallRef::Number(_) => None,
    }
}

/// The server of a host that a route names. One that stands for many has a variable.
fn server(host: &callgate_tls::Name) -> Value {
    let shown = crate::config::shown_host(host);
    match shown.strip_prefix("*.") {
        None => json!({ "url": format!("//{shown}") }),
        Some(rest) => json!({
            "url": format!("//{{label}}.{rest}"),
            "variables": { "label": { "default": "www", "description": "any label" } },
        }),
    }
}
