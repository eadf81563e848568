//! What an operation answers: results by their statuses, errors that the method declares, and problems of the gateway's own.

use super::context::Context;
use super::living::Version;
use super::{problem, streams};
use crate::config::{
    CallMode, CallSpec, ContentType, FallbackSpec, LocalReply, Matcher, ReplySpec, RespondSpec, StatusSpec,
    StreamForm,
};
use crate::failure::http_status;
use crate::method::Method as HttpMethod;
use callgate_json_schema::{Components, Mode};
use callgate_protocol::schema::Type;
use callgate_transcode::Response;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Replies of a call of one version of its method.
pub(super) fn of(
    context: &mut Context<'_>,
    matcher: &Matcher,
    spec: &CallSpec,
    version: &Version<'_>,
) -> Map<String, Value> {
    let mut replies = Map::new();
    let mode = Mode::Out(spec.response.int64, spec.response.decimal);
    if spec.mode == CallMode::Notify {
        replies.insert("202".to_owned(), json!({ "description": "The call is on its way." }));
    } else if spec.websocket.is_some() {
        replies.insert("101".to_owned(), websocket(&mut context.components, version, spec, mode));
    } else {
        put_results(&mut context.components, matcher, spec, version, (mode, &mut replies));
    }
    put_errors(context, spec, version, (mode, &mut replies));
    put_fallback(spec, &mut replies);
    replies
}

/// Adds the replies that are results.
fn put_results(
    components: &mut Components,
    matcher: &Matcher,
    spec: &CallSpec,
    version: &Version<'_>,
    (mode, replies): (Mode, &mut Map<String, Value>),
) {
    let schema = version.method.schema;
    let is_empty =
        schema.response == Type::Unit && spec.response.shape == Response::Whole && !version.streams.service;
    let content = if is_empty { None } else { Some(result(components, spec, version, mode)) };
    let reply = spec.reply.as_deref();
    let headers = headers(reply);
    for status in statuses(reply, if is_empty { 204 } else { 200 }) {
        let description = callgate_http1::phrase(status);
        let mut one = json!({ "description": description });
        if let Some(content) = content.as_ref().filter(|_| ![204, 205].contains(&status)) {
            one["content"] = content.clone().into();
        }
        if !headers.is_empty() {
            one["headers"] = headers.clone().into();
        }
        replies.insert(status.to_string(), one);
    }
    let reads = matcher.method == HttpMethod::Get;
    if reads && reply.is_some_and(|reply| reply.etag.is_some()) {
        replies.insert("304".to_owned(), json!({ "description": "The client has it already." }));
    }
    if reads && !version.streams.service && matches!(spec.response.shape, Response::Raw(_)) {
        let part = json!({ "description": "A part of it.", "content": content });
        replies.insert("206".to_owned(), part);
        let none = problem::response("There are no bytes in that range.", vec![problem::reference()]);
        replies.insert("416".to_owned(), none);
    }
}

pub(super) fn statuses(reply: Option<&ReplySpec>, usual: u16) -> Vec<u16> {
    match reply.map(|reply| &reply.status) {
        None | Some(StatusSpec::Usual) => vec![usual],
        Some(StatusSpec::Fixed(status)) => vec![*status],
        Some(StatusSpec::ByField { statuses, .. }) => {
            let named = statuses.iter().map(|(_, status)| *status);
            std::iter::once(usual).chain(named).collect()
        }
    }
}

/// The content of a result, by media type.
fn result(
    components: &mut Components,
    spec: &CallSpec,
    version: &Version<'_>,
    mode: Mode,
) -> Map<String, Value> {
    let Some(schema) = schema(components, spec, version, mode) else { return raw(spec) };
    if version.streams.service {
        let form = spec.reply.as_ref().and_then(|reply| reply.stream);
        let forms = form.map_or(StreamForm::ALL.to_vec(), |form| vec![form]);
        return streams::content(&forms, &schema);
    }
    Map::from_iter([("application/json".to_owned(), json!({ "schema": schema }))])
}

/// The schema of a result, or of an item of one; `None` where it is bytes.
pub(super) fn schema(
    components: &mut Components,
    spec: &CallSpec,
    version: &Version<'_>,
    mode: Mode,
) -> Option<Value> {
    let method = version.method;
    let response = &method.schema.response;
    Some(match &spec.response.shape {
        Response::Whole => method.ty(components, response, mode),
        Response::Wrap(name) => {
            let inner = method.ty(components, response, mode);
            json!({ "type": "object", "properties": { name: inner }, "required": [name] })
        }
        Response::Field(name) => match method.find_in_result(name) {
            Some(found) => {
                let field = method.field(components, found, mode);
                if found.required { field } else { json!({ "anyOf": [field, { "type": "null" }] }) }
            }
            None => json!({}),
        },
        Response::Raw(_) => return None,
    })
}

/// A body that is a field as it is.
fn raw(spec: &CallSpec) -> Map<String, Value> {
    let said = spec.reply.as_ref().and_then(|reply| reply.raw.as_ref()).map(|raw| &raw.content_type);
    let media = match said {
        Some(ContentType::Fixed(media)) => media.clone(),
        Some(ContentType::Field(_) | ContentType::Template(..)) => "*/*".to_owned(),
        None => "application/octet-stream".to_owned(),
    };
    if media.starts_with("text/") {
        return Map::from_iter([(media, json!({ "schema": { "type": "string" } }))]);
    }
    streams::bytes(&[media])
}

/// The headers that results have. Each of them may be missing.
fn headers(reply: Option<&ReplySpec>) -> Map<String, Value> {
    let Some(reply) = reply else { return Map::new() };
    let text = || json!({ "schema": { "type": "string" } });
    let mut headers: Map<String, Value> =
        reply.header_names().map(|name| (name.to_owned(), text())).collect();
    if reply.etag.is_some() {
        headers.insert("etag".to_owned(), text());
    }
    if !reply.links.is_empty() {
        let relations: Vec<&str> = reply.links.iter().map(|link| link.relation.as_str()).collect();
        let mut link = text();
        link["description"] = format!("Links to other pages: {}.", relations.join(", ")).into();
        headers.insert("link".to_owned(), link);
    }
    headers
}

fn websocket(components: &mut Components, version: &Version<'_>, spec: &CallSpec, mode: Mode) -> Value {
    let method = version.method;
    let item = method.ty(components, &method.schema.response, mode);
    let mut reply = json!({
        "description": "A WebSocket begins. Each message is an item.",
        streams::ITEM: item,
    });
    if let Some(items) = &method.schema.request_items {
        reply[streams::REQUEST_ITEM] = method.ty(components, items, Mode::In(spec.request.unknown_fields));
    }
    reply
}

/// Adds the errors that a method declares, by their statuses.
fn put_errors(
    context: &mut Context<'_>,
    spec: &CallSpec,
    version: &Version<'_>,
    (mode, replies): (Mode, &mut Map<String, Value>),
) {
    let mut by_status: BTreeMap<u16, (Vec<String>, Vec<Value>)> = BTreeMap::new();
    let own = spec.reply.as_ref().map(|reply| &reply.errors);
    for (name, status) in own.into_iter().flat_map(|errors| errors.all()) {
        let words = &mut by_status.entry(status).or_default().0;
        if callgate_protocol::Code::from_name(name).is_some() {
            words.push(format!("`{name}`"));
        }
    }
    for error in version.method.errors(&mut context.components, mode) {
        let status = own.and_then(|errors| errors.of(Some(&error.name), error.code));
        let status = status.unwrap_or(http_status(error.code));
        let (words, schemas) = by_status.entry(status).or_default();
        let doc = error.doc.split_whitespace().collect::<Vec<_>>().join(" ");
        words.push(if doc.is_empty() {
            format!("`{}`", error.name)
        } else {
            format!("`{}`: {doc}", error.name)
        });
        let uri = context.error_types.uri(version.name, &error.name);
        schemas.push(problem::declared(&uri, error.details));
    }
    for (status, (words, mut schemas)) in by_status {
        // The gateway's own of that status, and undeclared ones.
        schemas.push(problem::reference());
        let description = format!("{}. {}", callgate_http1::phrase(status), words.join(" "));
        replies.insert(status.to_string(), problem::response(description.trim(), schemas));
    }
}

/// Replies of a call of which no instance is known.
pub(super) fn open(spec: &CallSpec) -> Map<String, Value> {
    let mut replies = Map::new();
    for status in statuses(spec.reply.as_deref(), 200) {
        replies.insert(status.to_string(), json!({ "description": callgate_http1::phrase(status) }));
    }
    replies.entry("2XX").or_insert_with(|| json!({ "description": "The result." }));
    replies
}

/// Replies of a route that calls nothing.
pub(super) fn local(reply: &LocalReply) -> Map<String, Value> {
    let (status, one) = match reply {
        LocalReply::Respond(spec) => fixed(spec),
        LocalReply::Redirect(spec) => {
            let to = format!("The client is sent to `{}`.", spec.to.text);
            let location = json!({ "location": { "schema": { "type": "string" } } });
            (spec.status, json!({ "description": to, "headers": location }))
        }
        LocalReply::OpenApi(_) => (200, json!({ "description": "The document of what can be asked." })),
        LocalReply::Explore(spec) => fixed(&spec.page),
        LocalReply::Tools(_) => (200, json!({ "description": "The answer to an agent." })),
    };
    Map::from_iter([(status.to_string(), one)])
}

fn fixed(spec: &RespondSpec) -> (u16, Value) {
    let mut one =
        json!({ "description": format!("{}, always the same.", callgate_http1::phrase(spec.status)) });
    if let Some(media) = &spec.content_type {
        let is_json = media.starts_with("application/json");
        let schema = if is_json { json!({}) } else { json!({ "type": "string" }) };
        one["content"] = json!({ media: { "schema": schema } });
    }
    (spec.status, one)
}

/// Adds the reply of a fallback, where it has a status of its own.
fn put_fallback(spec: &CallSpec, replies: &mut Map<String, Value>) {
    if let Some(FallbackSpec::Reply(reply)) = &spec.policy.fallback {
        let (status, one) = fixed(reply);
        replies.entry(status.to_string()).or_insert(one);
    }
}
