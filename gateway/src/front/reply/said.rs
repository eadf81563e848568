//! What a route says of the reply to its call beside the body: the status, headers, links, the entity tag.
//!
//! It is made of the result's fields, which the transport has noted, and of the request. A reply that has only begun has no result: of it
//! is said what needs none.

use super::disposition::disposition;
use super::render::{self, Values};
use super::{Content, Form, Reply, etag, put_field};
use crate::call::{self, Noted, Request};
use crate::config::{ContentType, EtagSpec, HeaderValue, LinkSpec, RawSpec, ReplySpec, StatusSpec};
use crate::content_type;
use crate::fields;
use std::borrow::Cow;

/// Statuses that have no body (RFC 9110, 15.3.5 and 15.3.6).
const WITHOUT_BODY: [u16; 2] = [204, 205];

/// The type of a raw body of which its field says none.
const UNKNOWN: &str = "application/octet-stream";
/// The header by which browsers do not guess what a body is.
const NOSNIFF: &str = "x-content-type-options";

/// The reply to a call, as its route wants it.
pub(in crate::front) async fn reply(request: &Request<'_>, reply: call::Reply) -> Reply {
    let of_call = &request.call.spec;
    let Some(spec) = &of_call.reply else { return Reply::of_call(of_call, reply) };
    let (mut reply, noted) = say(spec, request, reply);
    if let Some(tag) = tag(spec.etag, noted.as_deref(), &reply).await {
        reply.form.get_or_insert_default().tag = Some(tag);
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
    let mut reply = Reply::of_call(&request.call.spec, reply);
    let known = noted.as_deref();
    let values =
        Values { picked: known.map(|noted| &noted.picked), path: &request.path, query: &request.query };
    if let Some(raw) = &spec.raw {
        (reply.status, reply.prepared) = (200, b"");
        if let Content::Empty = reply.content {
            // A file without a byte is a file.
            reply.content = Content::Full(Vec::new());
        }
        let has_parts = reply.content.length().is_some();
        reply.form = Some(Box::new(Form { has_parts, ..raw_form(raw, spec, &values) }));
    }
    if let Some(status) = status(&spec.status, known) {
        reply.status = status;
        if WITHOUT_BODY.contains(&status) {
            (reply.prepared, reply.content, reply.form) = (b"", Content::Empty, None);
        }
    }
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

/// What is said of a raw body: what it is, and which file. Browsers do not guess.
fn raw_form(raw: &RawSpec, spec: &ReplySpec, values: &Values<'_>) -> Form {
    let is_type =
        |text: &&str| content_type::parts(text).is_some() && fields::text(text.as_bytes()).is_some();
    let said = match &raw.content_type {
        ContentType::Fixed(media_type) => Some(Cow::Borrowed(media_type.as_str())),
        ContentType::Field(at) => values.picked.and_then(|picked| picked.get(*at)).map(Cow::Borrowed),
        ContentType::Template(template, _) => render::text(template, values).map(Cow::Owned),
    };
    let media_type = said.filter(|said| is_type(&&**said)).unwrap_or(Cow::Borrowed(UNKNOWN));
    let is_new = !matches!(raw.content_type, ContentType::Fixed(_));
    let mut about = Vec::new();
    put_field(&mut about, "content-type", &media_type);
    if !spec.header_names().any(|name| name == NOSNIFF) {
        put_field(&mut about, NOSNIFF, "nosniff");
    }
    if let Some(file) = &raw.file {
        let name = render::name(&file.name, values);
        put_field(&mut about, "content-disposition", &disposition(file.inline, name.as_deref()));
    }
    Form { media_type: is_new.then(|| media_type.into_owned()), about, ..Form::default() }
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
