//! What an exchange ends with: a head, and a body that is empty, in one piece as nearly all are, or a stream of pieces as long ones
//! are. How it goes on the wire is the protocol's affair.

use crate::call::{self, Json};
use crate::config::RespondSpec;
use bytes::Bytes;
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
    /// That of a route, with the lines that go with it.
    Fixed(Arc<RespondSpec>),
    /// Pieces, in order. Each of them holds its own room among all long replies, which is given back when that piece was sent.
    Stream(Vec<Bytes>),
}

impl Reply {
    /// One of that status without a body.
    pub(super) fn empty(status: u16) -> Reply {
        Reply { status, prepared: &[], lines: Vec::new(), content: Content::Empty, guards: None }
    }

    /// That of a call.
    pub(super) fn of_call(reply: call::Reply) -> Reply {
        Reply { guards: Some(reply.guards), ..Reply::of_result(reply.json) }
    }

    /// A result: 204 where the method returns nothing.
    fn of_result(json: Json) -> Reply {
        let content = match json {
            Json::Short(json) => Content::Full(json),
            Json::Long(pieces) => Content::Stream(pieces),
        };
        if content.length() == 0 {
            return Reply::empty(204);
        }
        Reply { prepared: JSON, content, ..Reply::empty(200) }
    }

    /// Adds a line to its head. The value is visible ASCII.
    pub(super) fn field(&mut self, name: &str, value: &str) {
        for part in [name, ": ", value, "\r\n"] {
            self.lines.extend_from_slice(part.as_bytes());
        }
    }
}

impl Content {
    /// How many bytes it has.
    pub(super) fn length(&self) -> u64 {
        match self {
            Content::Empty => 0,
            Content::Full(bytes) => bytes.len() as u64,
            Content::Fixed(spec) => spec.body.len() as u64,
            Content::Stream(pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_json_or_nothing() {
        for (json, status, length) in [
            (Json::Short(b"[1]".to_vec()), 200, 3),
            (Json::Long(vec![Bytes::from_static(b"[1"), Bytes::from_static(b"]")]), 200, 3),
            (Json::Short(Vec::new()), 204, 0),
            (Json::Long(Vec::new()), 204, 0),
        ] {
            let reply = Reply::of_result(json);
            assert_eq!((reply.status, reply.content.length()), (status, length));
            assert_eq!(reply.prepared.is_empty(), status == 204);
        }
    }
}
