//! How the replies are made that the gateway gives by itself, as `config/local_reply/` lists them.

use super::reply::{Content, Reply};
use crate::config::{LocalReply, RedirectSpec, RespondSpec};
use crate::failure::Failure;
use crate::routes::{Captured, RawParams, location};
use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue, LOCATION};

/// The reply of a route that calls nothing. `captured` is what its path has caught; the query is the request's.
pub(super) fn local(
    reply: &LocalReply,
    captured: &Captured<'_, '_>,
    query: Option<&str>,
) -> Result<Reply, Failure> {
    match reply {
        LocalReply::Respond(spec) => Ok(respond(spec)),
        LocalReply::Redirect(spec) => redirect(spec, &captured.raw(), query),
    }
}

/// The reply that the table says. What it cannot say was refused when the table was read.
pub(super) fn respond(spec: &RespondSpec) -> Reply {
    let mut reply = Reply::empty(StatusCode::from_u16(spec.status).unwrap_or_default());
    reply.content = Content::full(spec.body.clone());
    reply.content_type = spec.content_type.as_deref().and_then(|text| HeaderValue::from_str(text).ok());
    for (name, value) in &spec.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            reply.headers.insert(name, value);
        }
    }
    reply
}

/// Sends the client elsewhere: to the target, with the parameters that its path has.
fn redirect(spec: &RedirectSpec, params: &RawParams<'_>, query: Option<&str>) -> Result<Reply, Failure> {
    // A location is visible ASCII, so that the header always takes it.
    let location = location(&spec.to, params, query).and_then(|uri| HeaderValue::try_from(uri).ok());
    let location = location.ok_or(Failure::DotSegment)?;
    let status = StatusCode::from_u16(spec.status).unwrap_or(StatusCode::PERMANENT_REDIRECT);
    let mut reply = Reply::empty(status);
    reply.headers.insert(LOCATION, location);
    Ok(reply)
}
