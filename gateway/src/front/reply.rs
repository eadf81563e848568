//! What an exchange ends with: a head, and a body that is empty, in one piece as nearly all are, a stream of pieces as long ones are, or
//! a call's reply that has only begun.
//!
//! The body that goes on the wire holds the exchange's guards: they are released when the last piece was taken to be sent, or when
//! the body is dropped because its client has gone. Each piece of a stream holds its own room among all long replies besides, which is
//! given back when that piece was sent.

use crate::call::{self, Json, ReplyStream};
use hyper::StatusCode;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{HeaderMap, HeaderValue};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec::IntoIter;

/// A reply, before the exchange has added what is its own.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) content_type: Option<HeaderValue>,
    /// Further header fields; none of a call's result.
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
    /// What a call holds until its result was sent.
    pub(super) guards: Option<call::Guards>,
}

/// What a body has left to be sent.
pub(super) enum Content {
    /// Nothing.
    Empty,
    /// One piece, which is not empty.
    Full(Bytes),
    /// The pieces that are left, in order; none is empty.
    Stream(IntoIter<Bytes>),
    /// What is to come.
    Begun(Box<ReplyStream>),
}

/// A call's reply has broken off, so that the body has no end.
#[derive(Debug)]
pub(super) struct BrokenOff;

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reply has broken off")
    }
}

impl std::error::Error for BrokenOff {}

/// A body on the wire, and the guards that live as long as it does.
pub(super) struct ReplyBody<G> {
    content: Content,
    _guards: G,
}

impl Reply {
    /// One of that status without a body.
    pub(super) fn empty(status: StatusCode) -> Reply {
        Reply { status, content_type: None, headers: HeaderMap::new(), content: Content::Empty, guards: None }
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
            Json::Short(json) if json.body().is_empty() => Content::Empty,
            Json::Short(json) => Content::Full(json.into_bytes()),
            Json::Long(pieces) => Content::stream(pieces),
        };
        if let Content::Empty = content {
            return Reply::empty(StatusCode::NO_CONTENT);
        }
        Reply::of_json(content)
    }

    fn of_json(content: Content) -> Reply {
        let content_type = Some(HeaderValue::from_static("application/json"));
        Reply { content_type, content, ..Reply::empty(StatusCode::OK) }
    }
}

impl Content {
    /// One piece, which may be empty.
    pub(super) fn full(bytes: Bytes) -> Content {
        if bytes.is_empty() { Content::Empty } else { Content::Full(bytes) }
    }

    /// Pieces, which may be empty.
    pub(super) fn stream(mut pieces: Vec<Bytes>) -> Content {
        pieces.retain(|piece| !piece.is_empty());
        Content::Stream(pieces.into_iter())
    }
}

impl<G> ReplyBody<G> {
    /// That content, with the guards of its exchange.
    pub(super) fn new(content: Content, guards: G) -> ReplyBody<G> {
        ReplyBody { content, _guards: guards }
    }
}

impl<G: Unpin> Body for ReplyBody<G> {
    type Data = Bytes;
    type Error = BrokenOff;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let content = &mut self.get_mut().content;
        let piece = match content {
            Content::Empty => None,
            Content::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *content = Content::Empty;
                Some(bytes)
            }
            Content::Stream(pieces) => pieces.next(),
            Content::Begun(stream) => match ready!(stream.poll_next(cx)) {
                Some(Err(_)) => return Poll::Ready(Some(Err(BrokenOff))),
                item => item.and_then(Result::ok),
            },
        };
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Empty => true,
            Content::Full(_) => false,
            Content::Stream(pieces) => pieces.as_slice().is_empty(),
            Content::Begun(stream) => stream.has_ended(),
        }
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match &self.content {
            Content::Empty => 0,
            Content::Full(bytes) => bytes.len() as u64,
            Content::Stream(pieces) => pieces.as_slice().iter().map(|piece| piece.len() as u64).sum(),
            Content::Begun(_) => return SizeHint::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply_buffer::ReplyBuffer;
    use crate::transport::Outcome;
    use http_body_util::BodyExt;
    use std::rc::Rc;

    #[tokio::test]
    async fn guards_are_released_with_the_last_piece_or_when_the_body_is_dropped() {
        let pieces = || Content::stream(["ab", "", "cde"].map(Bytes::from).to_vec());
        let cases = [
            (Content::full(Bytes::new()), &[][..]),
            (Content::full(Bytes::from_static(b"ab")), &["ab"]),
            (Content::stream(Vec::new()), &[]),
            (pieces(), &["ab", "cde"]),
        ];
        for (content, expected) in cases {
            let guard = Rc::new(());
            let mut body = ReplyBody::new(content, guard.clone());
            for (at, piece) in expected.iter().enumerate() {
                let left = expected[at..].concat().len() as u64;
                assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(left), false));
                let frame = body.frame().await.expect("a frame").expect("it cannot fail");
                assert_eq!(frame.into_data().ok().as_deref(), Some(piece.as_bytes()));
                assert_eq!(
                    Rc::strong_count(&guard),
                    2,
                    "whoever sends has the body until it says that it has ended"
                );
            }
            // Whoever sends drops it when it says so, and asks for nothing more.
            assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(0), true));
            assert!(body.frame().await.is_none());
            drop(body);
            assert_eq!(Rc::strong_count(&guard), 1);
        }
        let guard = Rc::new(());
        let mut body = ReplyBody::new(pieces(), guard.clone());
        assert!(body.frame().await.is_some());
        drop(body);
        assert_eq!(Rc::strong_count(&guard), 1, "the client has gone before the last piece");
    }

    #[tokio::test]
    async fn each_piece_gives_its_room_back_when_it_was_taken() {
        let budget = callgate_protocol::Budget::new(10);
        struct Held(&'static [u8], #[allow(dead_code)] callgate_protocol::Room);
        impl AsRef<[u8]> for Held {
            fn as_ref(&self) -> &[u8] {
                self.0
            }
        }
        let piece = |text: &'static [u8]| {
            Bytes::from_owner(Held(text, budget.take(text.len()).expect("there is room")))
        };
        let mut body = ReplyBody::new(Content::stream(vec![piece(b"ab"), piece(b"cde")]), ());
        assert_eq!(budget.used(), 5);
        let first = body.frame().await.expect("a frame").expect("it cannot fail");
        assert_eq!(budget.used(), 5);
        drop(first);
        assert_eq!(budget.used(), 3);
        drop(body);
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_that_has_begun_is_sent_as_it_comes_and_breaks_off_where_it_fails() {
        for (outcome, breaks_off) in [(Outcome::Complete, false), (Outcome::Lost, true)] {
            call::tests::with_begun_reply(async |reply, sending| {
                let Reply { status, content_type, content, guards, .. } = Reply::of_call(reply);
                assert_eq!((status, content_type.is_some(), guards.is_some()), (StatusCode::OK, true, false));
                let guard = Rc::new(());
                let mut body = ReplyBody::new(content, guard.clone());
                assert_eq!((body.size_hint().exact(), body.is_end_stream()), (None, false));
                assert!(sending.send("[1,").await && sending.send("2]").await);
                for piece in ["[1,", "2]"] {
                    let frame = body.frame().await.expect("a frame").expect("it has come");
                    assert_eq!(frame.into_data().ok().as_deref(), Some(piece.as_bytes()));
                    assert!(!body.is_end_stream());
                }
                sending.ends(outcome);
                assert_eq!(body.frame().await.map(|frame| frame.is_err()), breaks_off.then_some(true));
                assert!(body.is_end_stream());
                drop(body);
                assert_eq!(Rc::strong_count(&guard), 1);
            })
            .await;
        }
    }

    #[test]
    fn a_result_is_json_or_nothing() {
        let reply = Reply::of_result(Json::Short(ReplyBuffer::of(b"[1]")));
        assert_eq!((reply.status, reply.content_type.is_some()), (StatusCode::OK, true));
        let reply = Reply::of_result(Json::Short(ReplyBuffer::of(b"")));
        assert_eq!((reply.status, reply.content_type.is_some()), (StatusCode::NO_CONTENT, false));
        let reply = Reply::of_result(Json::Long(vec![Bytes::from_static(b"[1]")]));
        assert_eq!((reply.status, reply.content_type.is_some()), (StatusCode::OK, true));
    }
}
