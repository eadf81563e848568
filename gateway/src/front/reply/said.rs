//! What a route says of the reply to its call beside the body: the status, headers, links.
//!
//! It is made of the result's fields, which the transport has noted, and of the request. A reply that has only begun has no result: of it
//! is said what needs none.

use super::render::{self, Values};
use super::{Content, Reply};
use crate::call::{self, Noted, Request};
use crate::config::{HeaderValue, ReplySpec, StatusSpec};

/// Statuses that have no body (RFC 9110, 15.3.5 and 15.3.6).
const WITHOUT_BODY: [u16; 2] = [204, 205];

/// The reply to a call, as its route wants it.
pub(in crate::front) fn reply(request: &Request<'_>, reply: call::Reply) -> Reply {
    match &request.call.spec.reply {
        None => Reply::of_call(reply),
        Some(spec) => say(spec, request, reply),
    }
}

#[inline(never)]
fn say(spec: &ReplySpec, request: &Request<'_>, mut reply: call::Reply) -> Reply {
    let noted = match &mut reply {
        call::Reply::Whole { replied, .. } => replied.noted.take(),
        call::Reply::Begun(_) => None,
    };
    let noted = noted.as_deref();
    let mut reply = Reply::of_call(reply);
    if let Some(status) = status(&spec.status, noted) {
        reply.status = status;
        if WITHOUT_BODY.contains(&status) {
            (reply.prepared, reply.content) = (b"", Content::Empty);
        }
    }
    let values =
        Values { picked: noted.map(|noted| &noted.picked), path: &request.path, query: &request.query };
    for header in &spec.headers {
        let value = match &header.value {
            HeaderValue::Text(template) => render::text(template, &values),
            HeaderValue::Uri(template) => render::uri(template, &values),
        };
        if let Some(value) = value {
            reply.field(&header.name, &value);
        }
    }
    let said = noted.map_or(&[][..], |noted| &noted.metadata);
    for (name, value) in spec.metadata.iter().zip(said) {
        if let Some(value) = value.as_deref().and_then(render::plain_text) {
            reply.field(name, &value);
        }
    }
    links(spec, &values, &mut reply);
    reply
}

/// The status, if it is another than the usual one.
fn status(spec: &StatusSpec, noted: Option<&Noted>) -> Option<u16> {
    match spec {
        StatusSpec::Usual => None,
        StatusSpec::Fixed(status) => Some(*status),
        StatusSpec::ByField { field, statuses } => {
            let value = noted?.picked.get(*field)?;
            statuses.iter().find(|(one, _)| one == value).map(|(_, status)| *status)
        }
    }
}

/// All links in one line (RFC 8288, 3).
fn links(spec: &ReplySpec, values: &Values<'_>, reply: &mut Reply) {
    let link = |link: &crate::config::LinkSpec| {
        render::uri(&link.target, values).map(|uri| format!("<{uri}>; rel=\"{}\"", link.relation))
    };
    let links: Vec<String> = spec.links.iter().filter_map(link).collect();
    if !links.is_empty() {
        reply.field("link", &links.join(", "));
    }
}
