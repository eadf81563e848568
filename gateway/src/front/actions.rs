//! What routes do that call nothing: fixed replies and redirects.

use super::reply::{Content, Reply};
use crate::config::{RedirectSpec, RespondSpec};
use crate::failure::Failure;
use crate::routes::{RawParams, location};
use std::sync::Arc;

/// The reply that the table says.
pub(super) fn respond(spec: &Arc<RespondSpec>) -> Reply {
    Reply { content: Content::Fixed(spec.clone()), ..Reply::empty(spec.status) }
}

/// Sends the client elsewhere: to the target, with the parameters that its path has.
pub(super) fn redirect(
    spec: &RedirectSpec,
    params: &RawParams<'_>,
    query: Option<&str>,
) -> Result<Reply, Failure> {
    let location = location(&spec.to, params, query).ok_or(Failure::DotSegment)?;
    let mut reply = Reply::empty(spec.status);
    // It is visible ASCII.
    reply.field("location", &location);
    Ok(reply)
}
