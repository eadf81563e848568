//! How the replies are made that the gateway gives by itself, as `config/local_reply/` lists them.

use super::reply::Reply;
use crate::config::{LocalReply, RedirectSpec};
use crate::failure::Failure;
use crate::routes::{Captured, Document, RawParams, location};
use crate::worker::RouteRef;

/// The reply of a route that calls nothing. `captured` is what its path has caught; the query is the request's.
pub(super) fn local(
    route: &RouteRef,
    reply: &LocalReply,
    captured: &Captured<'_, '_>,
    query: Option<&str>,
) -> Result<Reply, Failure> {
    match reply {
        LocalReply::Respond(spec) => Ok(Reply::fixed(route, spec)),
        LocalReply::Explore(spec) => Ok(Reply::fixed(route, &spec.page)),
        LocalReply::Redirect(spec) => redirect(spec, &captured.raw(), query),
        // They are actions of their own, because they change.
        LocalReply::OpenApi(_) | LocalReply::Tools(_) => Err(Failure::NoInstance),
    }
}

/// The document of what can be asked, as it was made last. Before the first time there is none.
pub(super) fn document(document: &Document) -> Result<Reply, Failure> {
    let published = document.published.load();
    let published = published.as_ref().ok_or(Failure::NoInstance)?;
    Ok(Reply::document(published.body.clone(), published.tag.clone()))
}

/// Sends the client elsewhere: to the target, with the parameters that its path has.
fn redirect(spec: &RedirectSpec, params: &RawParams<'_>, query: Option<&str>) -> Result<Reply, Failure> {
    let location = location(&spec.to, params, query).ok_or(Failure::DotSegment)?;
    let mut reply = Reply::empty(spec.status);
    // It is visible ASCII.
    reply.field("location", &location);
    Ok(reply)
}
