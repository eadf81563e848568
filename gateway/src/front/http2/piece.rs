//! A piece of a reply's body, which the library sends as its client's windows allow. It lies where it has lain: nothing is copied for it.
//!
//! The library drops a piece when all of it was written, or when its stream has ended otherwise. By that its stream knows how much its
//! client has taken, and when there is nothing more to wait for.

use crate::buffers::ReplyBuffer;
use crate::front::connection::Stream;
use crate::front::reply::Content;
use bytes::{Buf, Bytes};
use std::rc::Rc;

/// A piece, and how much of it was taken.
pub(super) struct Piece {
    held: Held,
    taken: usize,
    stream: Rc<Stream>,
}

/// Where its bytes lie.
pub(super) enum Held {
    /// All of a body.
    Content(Content),
    /// A part of a long one.
    Part(Bytes),
    /// What has come of one that has only begun.
    Begun(ReplyBuffer),
}

impl Piece {
    /// One that is to be sent.
    pub(super) fn new(held: Held, stream: &Rc<Stream>) -> Piece {
        stream.add_piece();
        Piece { held, taken: 0, stream: stream.clone() }
    }

    fn bytes(&self) -> &[u8] {
        match &self.held {
            Held::Content(content) => content.whole(),
            Held::Part(bytes) => bytes,
            Held::Begun(buffer) => buffer.body(),
        }
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes().len() - self.taken
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes()[self.taken..]
    }

    fn advance(&mut self, count: usize) {
        assert!(count <= self.remaining(), "no more is taken than there is");
        self.taken += count;
        self.stream.moved(count);
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.stream.drop_piece();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HalfClose;
    use crate::front::connection::{Awaited, testing};

    #[test]
    fn a_stream_waits_until_its_last_piece_has_gone() {
        let connection = testing::register(&testing::open(), HalfClose::Cancel);
        let open = connection.begin_stream();
        let stream = &open.stream;
        assert_eq!(stream.pieces(), 0);
        let mut one = Piece::new(Held::Content(Content::Full(b"abc".to_vec())), stream);
        let two = Piece::new(Held::Part(Bytes::from_static(b"de")), stream);
        assert_eq!(stream.awaited.get(), Awaited::Window);
        one.advance(1);
        assert_eq!((one.chunk(), one.remaining(), two.chunk()), (&b"bc"[..], 2, &b"de"[..]));
        drop(one);
        assert_eq!(stream.pieces(), 1);
        drop(two);
        assert_eq!(stream.pieces(), 0);
        assert_eq!(stream.awaited.get(), Awaited::Nothing);
        let begun = Piece::new(Held::Begun(ReplyBuffer::of(b"[1]")), stream);
        assert_eq!(begun.chunk(), b"[1]");
    }
}
