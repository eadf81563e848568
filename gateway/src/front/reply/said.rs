//! What a route says of the reply to its call beside the body: the status, headers, links, the entity tag.
//!
//! It is made of the result's fields, which the transport has noted, and of the request. A reply that has only begun has no result: of it
//! is said what needs none.

use super::render::{self, Values};
use super::{Content, Reply, etag};
use crate::call::{self, Noted, Request};
use crate::config::{EtagSpec, HeaderValue, LinkSpec, ReplySpec, StatusSpec};
use callgate_http1 as http1;

/// Statuses that have no body (RFC 9110, 15.3.5 and 15.3.6).
const WITHOUT_BODY: [u16; 2] = [204, 205];

/// The reply to a call, as its route wants it.
pub(in crate::front) async fn reply(
    head: &http1::Request,
    request: &Request<'_>,
    reply: call::Reply,
) -> Reply {
    let Some(spec) = &request.call.spec.reply else { return Reply::of_call(reply) };
    let (mut reply, noted) = say(spec, request, reply);
    if let Some(tag) = tag(spec.etag, noted.as_deref(), &reply).await {
        reply.field("etag", &tag);
        if matches!(head.method(), "GET" | "HEAD") && etag::is_known(head.fields(), &tag) {
            (reply.status, reply.prepared, reply.content) = (304, b"", Content::Empty);
        }
    }
    reply
}

/// The entity tag of a reply, if it has one: what is no result as clients ask for it has none.
async fn tag(spec: Option<EtagSpec>, noted: Option<&Noted>, reply: &Reply) -> Option<String> {
    if !(200..300).contains(&reply.status) {
        return None;
    }
    match spec? {
        EtagSpec::Hash if matches!(reply.content, Content::Empty | Content::Begun(_)) => None,
        EtagSpec::Hash => Some(etag::of_content(&reply.content).await),
        EtagSpec::Field(at) => noted?.picked.get(at).filter(|text| !text.is_empty()).map(etag::of_text),
    }
}

/// The reply without its entity tag, and what was noted of it.
fn say(spec: &ReplySpec, request: &Request<'_>, mut reply: call::Reply) -> (Reply, Option<Box<Noted>>) {
    let noted = match &mut reply {
        call::Reply::Whole { replied, .. } => replied.noted.take(),
        call::Reply::Begun(_) => None,
    };
    let mut reply = Reply::of_call(reply);
    let known = noted.as_deref();
    if let Some(status) = status(&spec.status, known) {
        reply.status = status;
        if WITHOUT_BODY.contains(&status) {
            (reply.prepared, reply.content) = (b"", Content::Empty);
        }
    }
    let values =
        Values { picked: known.map(|noted| &noted.picked), path: &request.path, query: &request.query };
    for header in &spec.headers {
        let value = match &header.value {
            HeaderValue::Text(template) => render::text(template, &values),
            HeaderValue::Uri(template) => render::uri(template, &values),
        };
        if let Some(value) = value {
            reply.field(&header.name, &value);
        }
    }
    let said = known.map_or(&[][..], |noted| &noted.metadata);
    for (name, value) in spec.metadata.iter().zip(said) {
        if let Some(value) = value.as_deref().and_then(render::plain_text) {
            reply.field(name, &value);
        }
    }
    links(spec, &values, &mut reply);
    (reply, noted)
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
    let link = |link: &LinkSpec| {
        render::uri(&link.target, values).map(|uri| format!("<{uri}>; rel=\"{}\"", link.relation))
    };
    let links: Vec<String> = spec.links.iter().filter_map(link).collect();
    if !links.is_empty() {
        reply.field("link", &links.join(", "));
    }
}
