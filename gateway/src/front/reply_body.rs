//! A reply's body: in one piece, as nearly all are, or in the pieces that a long answer was made in. Each of those holds its room
//! among all long answers, which is given back when it was sent or dropped.

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec::IntoIter;

/// The body of a reply.
pub(super) enum ReplyBody {
    /// In one piece.
    Full(Full<Bytes>),
    /// The pieces that are left, in order; none is empty.
    Pieces(IntoIter<Bytes>),
}

impl ReplyBody {
    /// A body in pieces.
    pub(super) fn pieces(mut pieces: Vec<Bytes>) -> ReplyBody {
        pieces.retain(|piece| !piece.is_empty());
        ReplyBody::Pieces(pieces.into_iter())
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            ReplyBody::Full(full) => Pin::new(full).poll_frame(cx),
            ReplyBody::Pieces(pieces) => Poll::Ready(pieces.next().map(|piece| Ok(Frame::data(piece)))),
        }
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        match self {
            ReplyBody::Full(full) => full.is_end_stream(),
            ReplyBody::Pieces(pieces) => pieces.as_slice().is_empty(),
        }
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        match self {
            ReplyBody::Full(full) => full.size_hint(),
            ReplyBody::Pieces(pieces) => {
                SizeHint::with_exact(pieces.as_slice().iter().map(|piece| piece.len() as u64).sum())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn pieces_are_one_body_of_known_length_and_each_is_given_back_when_it_was_taken() {
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
        let mut body = ReplyBody::pieces(vec![piece(b"ab"), Bytes::new(), piece(b"cde")]);
        assert_eq!((body.size_hint().exact(), budget.used()), (Some(5), 5));
        let first = body.frame().await.expect("a frame").expect("it cannot fail");
        assert_eq!(first.data_ref().map(|data| &data[..]), Some(&b"ab"[..]));
        drop(first);
        assert_eq!((body.size_hint().exact(), budget.used()), (Some(3), 3));
        assert!(!body.is_end_stream());
        drop(body);
        assert_eq!(budget.used(), 0);
    }
}
