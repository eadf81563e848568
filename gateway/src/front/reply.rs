//! What an exchange ends with: a head, and a body that is empty, in one piece as nearly all are, in several as long ones are, or has only
//! begun. What a route says of it beside is in `said.rs`; its templates are filled in by `render.rs`, and `etag.rs` has its entity tag. Where there
//! are several forms of it, `form.rs` chooses the one that its client gets; `coded.rs` makes those in a coding. How it goes on the wire is the
//! protocol's affair. A reply in items is led by `streamed.rs`.

mod coded;
mod disposition;
mod etag;
mod form;
mod render;
mod said;
mod streamed;

pub(super) use etag::without_coding;
pub(super) use form::{Asked, choose as in_form, compressed};
pub use render::headers_of_request;
pub(super) use said::reply as of_call;
pub use streamed::event;
pub(super) use streamed::{End, Gathered, Streamed};

use crate::buffers::ReplyBuffer;
use crate::call::{self, Json};
use crate::config::{CallSpec, RespondSpec};
use crate::front::opened::Opened;
use crate::worker::RouteRef;
use bytes::Bytes;
use callgate_http1::ReplyHead;
use form::Form;
use std::borrow::Cow;

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
    /// What decides between its forms; nothing as a rule. On the heap, because it is rare.
    pub(super) form: Option<Box<Form>>,
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
    /// The [fixed reply](crate::routes::Action::fixed_reply) of a route, with the lines that go with it. The route is counted within the
    /// worker: so workers that give the same reply do not meet in a reference count.
    Fixed(RouteRef),
    /// Pieces, in order. Each of them holds its own room among all long replies, which is given back when that piece was sent.
    Pieces(Vec<Bytes>),
    /// What is to come. It holds what its call holds.
    Begun(Box<Streamed>),
    /// Nothing: what follows the head is a WebSocket.
    WebSocket(Box<Opened>),
}

impl Reply {
    /// One of that status without a body.
    pub(super) fn empty(status: u16) -> Reply {
        Reply { status, prepared: &[], lines: Vec::new(), content: Content::Empty, form: None, guards: None }
    }

    /// The one that the table has for a route.
    pub(super) fn fixed(route: &RouteRef, spec: &RespondSpec) -> Reply {
        Reply { content: Content::Fixed(route.clone()), ..Reply::empty(spec.status) }
    }

    /// A document that has that entity tag.
    pub(super) fn document(body: Bytes, tag: String) -> Reply {
        let mut reply = Reply::of_json(Content::Pieces(vec![body]));
        reply.field("cache-control", "no-cache");
        reply.form = Some(Box::new(Form { tag: Some(tag), ..Form::default() }));
        reply
    }

    /// That of a call, without what its route says of it.
    pub(super) fn of_call(spec: &CallSpec, reply: call::Reply) -> Reply {
        match reply {
            call::Reply::Whole { replied, guards } => {
                Reply { guards: Some(guards), ..Reply::of_result(replied.json) }
            }
            call::Reply::Begun(stream) => {
                Reply::of_json(Content::Begun(Box::new(Streamed::new(*stream, spec))))
            }
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
        if let Some(spec) = self.content.fixed() {
            head.prepared(&spec.lines);
        }
        head
    }

    /// The name and the value of each line of its head, as they were made.
    pub(super) fn each_field(&self, mut put: impl FnMut(&[u8], &[u8])) {
        let fixed = self.content.fixed().map_or(&[][..], |spec| &spec.lines);
        for lines in [self.prepared, &self.lines, fixed] {
            each_field(lines, &mut put);
        }
    }

    /// Whether its head has a line of that name, which is in lower case.
    pub(super) fn has_field(&self, name: &str) -> bool {
        let mut has = false;
        self.each_field(|own, _| has |= own == name.as_bytes());
        has
    }

    /// Whether its body has only begun.
    #[inline]
    pub(super) fn has_begun(&self) -> bool {
        matches!(self.content, Content::Begun(_))
    }

    /// Adds a line to its head. The value is visible ASCII.
    pub(super) fn field(&mut self, name: &str, value: &str) {
        put_field(&mut self.lines, name, value);
    }
}

/// Adds a line to those of a head, likewise.
fn put_field(lines: &mut Vec<u8>, name: &str, value: &str) {
    for part in [name, ": ", value, "\r\n"] {
        lines.extend_from_slice(part.as_bytes());
    }
}

/// The name and the value of each of the lines of a head.
pub(super) fn each_field(lines: &[u8], mut put: impl FnMut(&[u8], &[u8])) {
    for line in lines.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end) {
        if let Some(colon) = line.iter().position(|byte| *byte == b':') {
            put(&line[..colon], line[colon + 1..].trim_ascii_start());
        }
    }
}

impl Content {
    /// The body, if it is in one piece.
    pub(super) fn whole(&self) -> &[u8] {
        match self {
            Content::Full(bytes) => bytes,
            Content::Json(buffer) => buffer.body(),
            Content::Fixed(_) => self.fixed().map_or(&[], |spec| &spec.body),
            Content::Empty | Content::Pieces(_) | Content::Begun(_) | Content::WebSocket(_) => &[],
        }
    }

    /// All of it, in one piece.
    pub(super) fn gathered(&self) -> Cow<'_, [u8]> {
        match self {
            Content::Pieces(pieces) => Cow::Owned(pieces.concat()),
            content => Cow::Borrowed(content.whole()),
        }
    }

    /// How many bytes it has, if that is known.
    pub(super) fn length(&self) -> Option<u64> {
        Some(match self {
            Content::Empty | Content::WebSocket(_) => 0,
            Content::Full(bytes) => bytes.len() as u64,
            Content::Json(buffer) => buffer.body().len() as u64,
            Content::Fixed(_) => self.fixed().map_or(0, |spec| spec.body.len() as u64),
            Content::Pieces(pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
            Content::Begun(_) => return None,
        })
    }

    /// From the first to the last byte, both of which it has.
    pub(super) fn part(self, first: u64, last: u64) -> Content {
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let (mut begin, mut length) = (place(first), place(last - first).saturating_add(1));
        let Content::Pieces(pieces) = self else {
            let part = self.whole().get(begin..begin.saturating_add(length));
            return Content::Full(part.unwrap_or_default().to_vec());
        };
        let mut part = Vec::new();
        for piece in pieces {
            let from = begin.min(piece.len());
            let to = from.saturating_add(length).min(piece.len());
            begin -= from;
            length -= to - from;
            if to > from {
                part.push(piece.slice(from..to));
            }
        }
        Content::Pieces(part)
    }

    /// What the table says, if it is that.
    pub(super) fn fixed(&self) -> Option<&RespondSpec> {
        match self {
            Content::Fixed(route) => route.action.fixed_reply(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{LocalReply, Settings, Source, Tables};
    use crate::discovery::Lists;
    use crate::routes::{Action, CallAction, Fallback, FallbackTo, Table};
    use crate::worker::{Shared, Worker};
    use std::sync::Arc;

    #[tokio::test(flavor = "local")]
    async fn a_reply_of_the_table_is_given_without_a_count_that_workers_share() {
        let text = "[backends.b]\nendpoints = ['x:1']\n\
                    [[routes]]\nmatch = 'GET /a'\nrespond = { body = 'text' }\n\
                    [[routes]]\nmatch = 'GET /b'\ncall = 's.m'\nfallback = { status = 503 }\n\
                    [[routes]]\nmatch = 'GET /c'\ncall = 's.m'\n";
        let settings = Settings::parse(Source::new("gateway.toml", ""), None).expect("defaults");
        let shared = Shared::new(settings, Arc::default(), None);
        let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
        shared.table.store(Arc::new(Table::next(&Table::empty(), tables, &Lists::default(), 1)));
        let table = Worker::new(0, Arc::new(shared)).table();
        let all: Vec<RouteRef> = (0..3).map(|at| RouteRef::new(table.clone(), at)).collect();
        let holders = || match (&all[0].action, &all[1].action) {
            (
                Action::Local(LocalReply::Respond(own)),
                Action::Call(CallAction { traffic: Some(traffic), .. }),
            ) => {
                let Some(Fallback { to: FallbackTo::Reply(fallback), .. }) = &traffic.fallback else {
                    panic!("the fallback is a reply");
                };
                (Arc::strong_count(own), Arc::strong_count(fallback))
            }
            _ => panic!("a reply, and a call with a fallback"),
        };
        let before = holders();
        let replies: Vec<_> = all
            .iter()
            .map(|route| route.action.fixed_reply().map(|spec| Reply::fixed(route, spec)))
            .map(|reply| reply.map(|reply| (reply.status, reply.content.length(), reply)))
            .collect();
        let seen: Vec<_> = replies
            .iter()
            .map(|reply| reply.as_ref().map(|(status, length, _)| (*status, *length)))
            .collect();
        assert_eq!(seen, [Some((200, Some(4))), Some((503, Some(0))), None]);
        assert_eq!(holders(), before);
    }

    #[test]
    fn a_part_is_the_same_however_the_body_is_cut() {
        let body = b"0123456789";
        for (first, last) in [(0, 0), (0, 9), (3, 3), (2, 7), (9, 9)] {
            let expected = &body[first as usize..=last as usize];
            let full = Content::Full(body.to_vec()).part(first, last);
            assert_eq!(full.whole(), expected);
            let json = Content::Json(ReplyBuffer::of(body)).part(first, last);
            assert_eq!(json.whole(), expected);
            for size in 1..11 {
                let pieces = body.chunks(size).map(Bytes::copy_from_slice).collect();
                let Content::Pieces(part) = Content::Pieces(pieces).part(first, last) else {
                    panic!("pieces")
                };
                assert_eq!(part.concat(), expected, "{first}-{last} by {size}");
                assert!(part.iter().all(|piece| !piece.is_empty()));
            }
        }
    }

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
