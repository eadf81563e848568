//! A reply on the wire: its head and its body in one write, if both are there and the kernel takes them; long ones piece by piece, and
//! those that have only begun as they come.

use super::stream::stream;
use crate::failure::Failure;
use crate::front::exchange::Exchange;
use crate::front::reply::{Content, End, Reply};
use crate::front::request_id::RequestId;
use crate::front::wire::Wire;
use callgate_http1::{ReplyBody, Version};
use std::io;

/// A body up to this many bytes is copied behind its head: one plain write costs the kernel less than a vectored one, and more than the
/// copy.
const SMALL: usize = 4 * 1024;

/// What becomes of a connection after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Going {
    /// It goes on, as connections do.
    On,
    /// It goes on, which a client of HTTP/1.0 has to be told.
    OnTold,
    /// It ends.
    Ends,
}

impl Going {
    /// On, as a client of that version has to be told.
    pub(super) fn of(version: Version) -> Going {
        match version {
            Version::Http10 => Going::OnTold,
            Version::Http11 => Going::On,
        }
    }

    /// The line that says so.
    fn line(self) -> &'static [u8] {
        match self {
            Going::On => b"",
            Going::OnTold => b"connection: keep-alive\r\n",
            Going::Ends => b"connection: close\r\n",
        }
    }
}

/// Sends the reply of an exchange, whose guards are released with the last piece if all of its body has come. Says how it has ended: unless
/// it is whole, it is the connection's last one.
pub(super) async fn send(
    wire: &Wire,
    exchange: &mut Exchange,
    reply: Reply,
    going: Going,
    all_has_come: bool,
) -> io::Result<End> {
    let mut out = wire.connection.open.buffers.take();
    let body = body(&reply, exchange.head.version());
    let mut head = reply.begin(&mut out, &wire.connection.open.date.line(), going.line());
    exchange.put_fields(&mut head);
    head.end(body);
    let content = if exchange.head.method() == "HEAD" { Content::Empty } else { reply.content };
    let before_last = || {
        if all_has_come {
            exchange.guards.release();
        }
    };
    let sent = match content {
        Content::Begun(mut begun) => {
            let is_chunked = body == ReplyBody::Chunked;
            let cut = |failure: &Failure| exchange.cut(failure);
            // On the heap, as all that is rare.
            let sent = Box::pin(stream(wire, &mut out, &mut begun, is_chunked, &cut));
            // Its request may still come, as a stream.
            exchange.body.beside(&exchange.head, sent).await
        }
        content => write(wire, &mut out, content, before_last).await.map(|()| End::Whole),
    };
    wire.connection.open.buffers.give_back(out);
    sent
}

/// Sends a reply to what is no request, and so no exchange; only its head, if the method was HEAD. It is the last one.
pub(super) async fn send_problem(
    wire: &Wire,
    reply: Reply,
    id: &RequestId,
    only_head: bool,
) -> io::Result<()> {
    let mut out = Vec::new();
    let mut head = reply.begin(&mut out, &wire.connection.open.date.line(), Going::Ends.line());
    head.prepared(wire.connection.reply_lines());
    id.put(&mut head);
    head.end(body(&reply, Version::Http11));
    write(wire, &mut out, if only_head { Content::Empty } else { reply.content }, || ()).await
}

/// What follows the head, as that has to say it (RFC 9110, 8.6; RFC 9112, 6).
fn body(reply: &Reply, version: Version) -> ReplyBody {
    match (reply.status, reply.content.length(), version) {
        (101 | 204 | 304, _, _) => ReplyBody::None,
        (_, Some(length), _) => ReplyBody::Length(length),
        (_, None, Version::Http11) => ReplyBody::Chunked,
        (_, None, Version::Http10) => ReplyBody::UntilClose,
    }
}

/// Writes a head, which is in `out`, and the body behind it. Says when the last piece is about to be written.
async fn write(
    wire: &Wire,
    out: &mut Vec<u8>,
    content: Content,
    before_last: impl FnOnce(),
) -> io::Result<()> {
    if let Content::Pieces(pieces) = content {
        let mut pieces = pieces.into_iter();
        let last = pieces.next_back().unwrap_or_default();
        for piece in pieces {
            wire.write_all(out, &piece).await?;
            out.clear();
        }
        before_last();
        return wire.write_all(out, &last).await;
    }
    before_last();
    match content {
        Content::Json(mut buffer) => match buffer.put_head(out) {
            Some(all) => wire.write_all(all, &[]).await,
            None => wire.write_all(out, buffer.body()).await,
        },
        Content::Full(bytes) => write_with(wire, out, &bytes).await,
        Content::Fixed(_) => {
            let body = content.fixed().map_or(&[][..], |spec| &spec.body);
            write_with(wire, out, body).await
        }
        Content::Empty | Content::Pieces(_) | Content::Begun(_) | Content::WebSocket(_) => {
            wire.write_all(out, &[]).await
        }
    }
}

async fn write_with(wire: &Wire, head: &mut Vec<u8>, body: &[u8]) -> io::Result<()> {
    if body.len() > SMALL {
        return wire.write_all(head, body).await;
    }
    head.extend_from_slice(body);
    wire.write_all(head, &[]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_the_length_of_a_body_unless_there_can_be_none() {
        for (status, bytes, expected) in [
            (200, "ab", ReplyBody::Length(2)),
            (404, "", ReplyBody::Length(0)),
            (204, "", ReplyBody::None),
            (304, "", ReplyBody::None),
        ] {
            let reply = Reply { content: Content::Full(bytes.as_bytes().to_vec()), ..Reply::empty(status) };
            assert_eq!(body(&reply, Version::Http10), expected, "{status}");
        }
    }
}
