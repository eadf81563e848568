//! What an exchange ends with: a head, and a body that is empty, in one piece as nearly all are, in several as long ones are, or has only
//! begun. How it goes on the wire is the protocol's affair.

use crate::call::{self, Json, ReplyStream};
use crate::config::RespondSpec;
use crate::reply_buffer::ReplyBuffer;
use bytes::Bytes;
use callgate_http1::ReplyHead;
use std::sync::Arc;

/// The line of what is JSON.
const JSON: &[u8] = b"content-type: application/json\r\n";

/// A reply, before the exchange has added what is its own.
pub(super) struct Reply {
    pub(super) status: u16,
    /// The lines of its head that are always the same, each with its end.
    pub(super) prepared: &'static [u8],
    /// Those that were made for it.
    pub(super) lines: Vec<u8>,
    pub(super) content: Content,
    /// What a call holds until its result was sent.
    pub(super) guards: Option<call::Guards>,
}

/// What a body has left to be sent.
pub(super) enum Content {
    /// Nothing.
    Empty,
    /// One piece.
    Full(Vec<u8>),
    /// One piece, with room for the head before it.
    Json(ReplyBuffer),
    /// That of a route, with the lines that go with it.
    Fixed(Arc<RespondSpec>),
    /// Pieces, in order. Each of them holds its own room among all long replies, which is given back when that piece was sent.
    Pieces(Vec<Bytes>),
    /// What is to come. It holds what its call holds.
    Begun(Box<ReplyStream>),
}

impl Reply {
    /// One of that status without a body.
    pub(super) fn empty(status: u16) -> Reply {
        Reply { status, prepared: &[], lines: Vec::new(), content: Content::Empty, guards: None }
    }

    /// That of a call.
    pub(super) fn of_call(reply: call::Reply) -> Reply {
        match reply {
            call::Reply::Whole { json, guards } => Reply { guards: Some(guards), ..Reply::of_result(json) },
            call::Reply::Begun(stream) => Reply::of_json(Content::Begun(stream)),
        }
    }

    /// A result: 204 where the method returns nothing.
    fn of_result(json: Json) -> Reply {
        let content = match json {
            Json::Short(json) => Content::Json(json),
            Json::Long(pieces) => Content::Pieces(pieces),
        };
        if content.length() == Some(0) { Reply::empty(204) } else { Reply::of_json(content) }
    }

    fn of_json(content: Content) -> Reply {
        Reply { prepared: JSON, content, ..Reply::empty(200) }
    }

    /// Begins its head behind what is in `out`, with the line of the date and the line of what becomes of the connection.
    pub(super) fn begin<'o>(&self, out: &'o mut Vec<u8>, date: &[u8], connection: &[u8]) -> ReplyHead<'o> {
        let mut head = ReplyHead::begin(out, self.status);
        head.prepared(date);
        head.prepared(connection);
        head.prepared(self.prepared);
        head.prepared(&self.lines);
        if let Content::Fixed(spec) = &self.content {
            head.prepared(&spec.lines);
        }
        head
    }

    /// Adds a line to its head. The value is visible ASCII.
    pub(super) fn field(&mut self, name: &str, value: &str) {
        for part in [name, ": ", value, "\r\n"] {
            self.lines.extend_from_slice(part.as_bytes());
        }
    }
}

impl Content {
    /// How many bytes it has, if that is known.
    pub(super) fn length(&self) -> Option<u64> {
        Some(match self {
            Content::Empty => 0,
            Content::Full(bytes) => bytes.len() as u64,
            Content::Json(buffer) => buffer.body().len() as u64,
            Content::Fixed(spec) => spec.body.len() as u64,
            Content::Pieces(pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
            Content::Begun(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_json_or_nothing() {
        for (json, status, length) in [
            (Json::Short(ReplyBuffer::of(b"[1]")), 200, 3),
            (Json::Long(vec![Bytes::from_static(b"[1"), Bytes::from_static(b"]")]), 200, 3),
            (Json::Short(ReplyBuffer::of(b"")), 204, 0),
            (Json::Long(Vec::new()), 204, 0),
        ] {
            let reply = Reply::of_result(json);
            assert_eq!((reply.status, reply.content.length()), (status, Some(length)));
            assert_eq!(reply.prepared.is_empty(), status == 204);
        }
    }
}
