//! The form of a reply that its client gets: nothing, where it has the reply already; a part of the body; the body in a coding; or the body as
//! it is.
//!
//! Each form has an entity tag of its own, so what the client has is compared with the form that it would get. Parts are parts of the body
//! as it is: nobody puts a part together with a body in a coding, because only what is as it is says that there are parts.

use super::{Content, Reply, coded, etag, streamed};
use crate::coding::Coding;
use crate::config::CallSpec;
use crate::failure::Failure;
use crate::fields::{self, IF_RANGE, Lines, RANGE};
use crate::front::accept;
use callgate_http1::{Ranged, Request, range};
use callgate_protocol::Budget;
use std::sync::Arc;

/// What a reply is of which there is more than one form.
#[derive(Debug, Default)]
pub(in crate::front) struct Form {
    /// The entity tag of its body as it is.
    pub(super) tag: Option<String>,
    /// What it is, where only the result said it and the client has not been asked.
    pub(super) media_type: Option<String>,
    /// The lines of its head that say what its body is.
    pub(super) about: Vec<u8>,
    /// There are parts of it.
    pub(super) has_parts: bool,
}

/// What says in which form a client gets a reply.
#[derive(Clone, Copy)]
pub(in crate::front) struct Asked<'a> {
    /// Its request.
    pub(in crate::front) head: &'a Request,
    /// The call of its route, if it has met one that calls.
    pub(in crate::front) call: Option<&'a CallSpec>,
    /// Whether the route compresses its replies.
    pub(in crate::front) compresses: bool,
    /// What long answers take their room from.
    pub(in crate::front) answers: &'a Arc<Budget>,
}

/// The reply to a request in its form.
///
/// # Errors
/// Its client takes no such form, or asks for a part that is not there.
pub(in crate::front) async fn choose(asked: Asked<'_>, mut reply: Reply) -> Result<Reply, Failure> {
    if let Content::Begun(_) = reply.content {
        return in_items(asked, reply);
    }
    let Some(form) = reply.form.take() else { return Ok(compressed(asked, reply).await) };
    let (fields, method) = (asked.head.fields(), asked.head.method());
    let is_read = matches!(method, "GET" | "HEAD");
    if let Some(media_type) = form.media_type.as_deref().filter(|_| is_read) {
        accept::check_type(fields, media_type)?;
    }
    let begin = reply.lines.len();
    reply.lines.extend_from_slice(&form.about);
    let about = begin..reply.lines.len();
    let wanted = match fields::lines(fields, &RANGE) {
        Lines::One(value) if form.has_parts && method == "GET" && reply.status == 200 => Some(value),
        _ => None,
    };
    let not_modified = |mut reply: Reply, tag: &str| {
        reply.lines.drain(about);
        reply.field("etag", tag);
        (reply.status, reply.prepared, reply.content) = (304, b"", Content::Empty);
        Ok(reply)
    };
    let is_known = |tag: &&str| is_read && etag::is_known(fields, tag);
    if let Some(coding) = coding(asked, &mut reply).filter(|_| wanted.is_none()) {
        let tag = form.tag.as_deref().map(|tag| etag::coded(tag, coding));
        if let Some(tag) = tag.as_deref().filter(is_known) {
            return not_modified(reply, tag);
        }
        if encode(asked, &mut reply, coding, tag.as_deref()).await {
            return Ok(reply);
        }
    }
    if let Some(tag) = form.tag.as_deref() {
        if is_known(&tag) {
            return not_modified(reply, tag);
        }
        reply.field("etag", tag);
    }
    if form.has_parts && reply.status == 200 {
        reply.field("accept-ranges", "bytes");
    }
    match wanted.filter(|_| is_same(fields, form.tag.as_deref())) {
        Some(wanted) => part(reply, wanted),
        None => Ok(reply),
    }
}

/// A reply in items: there are no parts of it, nothing that it could be compared by, and it is not compressed.
fn in_items(asked: Asked<'_>, mut reply: Reply) -> Result<Reply, Failure> {
    if let Some(form) = reply.form.take() {
        let is_read = matches!(asked.head.method(), "GET" | "HEAD");
        if let Some(media_type) = form.media_type.as_deref().filter(|_| is_read) {
            accept::check_type(asked.head.fields(), media_type)?;
        }
        reply.lines.extend_from_slice(&form.about);
    }
    if let Some(call) = asked.call {
        streamed::choose(call, asked.head.fields(), &mut reply)?;
    }
    Ok(reply)
}

/// A reply of which there are no other forms, compressed if it can be.
pub(in crate::front) async fn compressed(asked: Asked<'_>, mut reply: Reply) -> Reply {
    if let Some(coding) = coding(asked, &mut reply) {
        encode(asked, &mut reply, coding, None).await;
    }
    reply
}

/// The coding that its client gets it in. Where that depends on the client, the reply says so.
fn coding(asked: Asked<'_>, reply: &mut Reply) -> Option<Coding> {
    if !asked.compresses {
        return None;
    }
    reply.field("vary", "accept-encoding");
    coded::wanted(asked.head.fields(), reply)
}

/// Puts a reply into a coding, in which it has that tag. Says whether it could be done.
async fn encode(asked: Asked<'_>, reply: &mut Reply, coding: Coding, tag: Option<&str>) -> bool {
    let made = coded::encode(&reply.content, coding, asked.answers).await;
    let Some(content) = made else { return false };
    reply.content = content;
    reply.field("content-encoding", coding.name());
    if let Some(tag) = tag {
        reply.field("etag", tag);
    }
    true
}

/// Whether the client wants a part of what has that tag: what it has begun to read is the same (RFC 9110, 13.1.5). Dates never are.
fn is_same(fields: callgate_http1::Fields<'_>, tag: Option<&str>) -> bool {
    match fields::lines(fields, &IF_RANGE) {
        Lines::None => true,
        Lines::One(value) => tag.is_some_and(|tag| tag.as_bytes() == value),
        Lines::Several => false,
    }
}

/// The part that the client wants (RFC 9110, 14.2).
fn part(mut reply: Reply, wanted: &[u8]) -> Result<Reply, Failure> {
    let Some(length) = reply.content.length() else { return Ok(reply) };
    match range(wanted, length) {
        Ranged::Whole => {}
        Ranged::Unsatisfiable => return Err(Failure::RangeNotSatisfiable(length)),
        Ranged::Part { first, last } => {
            reply.field("content-range", &format!("bytes {first}-{last}/{length}"));
            reply.status = 206;
            reply.content = reply.content.part(first, last);
        }
    }
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::request;

    #[test]
    fn a_part_is_one_of_the_same_body() {
        for (lines, tag, same) in [
            (&[][..], None, true),
            (&["\"a\""], Some("\"a\""), true),
            (&["\"a\""], Some("\"b\""), false),
            (&["\"a\""], None, false),
            (&["W/\"a\""], Some("\"a\""), false),
            (&["Sun, 29 Nov 2026 21:00:00 GMT"], Some("\"a\""), false),
            (&["\"a\"", "\"a\""], Some("\"a\""), false),
        ] {
            let lines: Vec<(&str, &str)> = lines.iter().map(|line| ("If-Range", *line)).collect();
            assert_eq!(is_same(request(&lines).fields(), tag), same, "{lines:?}");
        }
    }

    #[test]
    fn a_part_says_where_it_was() {
        let reply = || Reply { content: Content::Full(b"0123456789".to_vec()), ..Reply::empty(200) };
        let seen = part(reply(), b"bytes=2-4").expect("it is there");
        assert_eq!((seen.status, seen.content.whole()), (206, &b"234"[..]));
        assert_eq!(seen.lines, b"content-range: bytes 2-4/10\r\n");
        let seen = part(reply(), b"bytes=0-1,3-4").expect("all of it");
        assert_eq!((seen.status, seen.content.whole().len(), seen.lines.len()), (200, 10, 0));
        let Err(failure) = part(reply(), b"bytes=10-") else { panic!("nothing is there") };
        assert!(matches!(failure, Failure::RangeNotSatisfiable(10)));
    }
}
