//! A piece of a reply's body, which the library sends as its client's windows allow. It lies where it has lain: nothing is copied for it.
//!
//! The library drops a piece when all of it was written, or when its stream has ended otherwise. By that its stream knows how much its
//! client has taken, and when there is nothing more to wait for; and what it has held is given back.

use crate::buffers::ReplyBuffer;
use crate::front::connection::{Hold, Stream};
use crate::front::reply::Content;
use bytes::{Buf, Bytes};
use callgate_protocol::Budget;
use std::rc::Rc;
use std::sync::Arc;

/// What a stream takes beside its reply, in bytes: its head, and its state.
const BESIDE: usize = 1024;

/// A piece, and how much of it was taken.
pub(super) struct Piece {
    held: Held,
    taken: usize,
    stream: Rc<Stream>,
    hold: Hold,
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
    /// One that is to be sent, if there is room for it.
    pub(super) fn new(held: Held, stream: &Rc<Stream>, budget: &Arc<Budget>) -> Option<Piece> {
        let hold = stream.connection.http2().unsent.hold(held.memory(), budget)?;
        stream.add_piece();
        Some(Piece { held, taken: 0, stream: stream.clone(), hold })
    }

    fn bytes(&self) -> &[u8] {
        match &self.held {
            Held::Content(content) => content.whole(),
            Held::Part(bytes) => bytes,
            Held::Begun(buffer) => buffer.body(),
        }
    }
}

impl Held {
    /// What it takes that has no room of its own, in bytes.
    fn memory(&self) -> usize {
        match self {
            Held::Content(Content::Full(bytes)) => BESIDE + bytes.capacity(),
            Held::Content(Content::Json(buffer)) | Held::Begun(buffer) => BESIDE + buffer.capacity(),
            // What is fixed lies in the table.
            Held::Content(_) => BESIDE,
            Held::Part(_) => 0,
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
        self.stream.connection.http2().unsent.give_back(&mut self.hold);
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
        let piece = |held| Piece::new(held, stream, &Budget::new(0)).expect("it is short");
        assert_eq!(stream.pieces(), 0);
        let mut one = piece(Held::Content(Content::Full(b"abc".to_vec())));
        let two = piece(Held::Part(Bytes::from_static(b"de")));
        assert_eq!(stream.awaited.get(), Awaited::Window);
        one.advance(1);
        assert_eq!((one.chunk(), one.remaining(), two.chunk()), (&b"bc"[..], 2, &b"de"[..]));
        drop(one);
        assert_eq!(stream.pieces(), 1);
        drop(two);
        assert_eq!(stream.pieces(), 0);
        assert_eq!(stream.awaited.get(), Awaited::Nothing);
        let begun = piece(Held::Begun(ReplyBuffer::of(b"[1]")));
        assert_eq!(begun.chunk(), b"[1]");
    }

    #[test]
    fn what_has_no_room_of_its_own_takes_some_until_it_has_gone() {
        let connection = testing::register(&testing::open(), HalfClose::Cancel);
        let open = connection.begin_stream();
        let budget = Budget::new(1 << 20);
        let piece = |held| Piece::new(held, &open.stream, &budget);
        let full = |length| Held::Content(Content::Full(vec![0; length]));
        let first = piece(full(100 * 1024));
        assert_eq!((first.is_some(), budget.used()), (true, 0));
        let second = piece(full(50 * 1024));
        assert_eq!((second.is_some(), budget.used()), (true, 51 * 1024));
        let long = piece(Held::Part(vec![0; 64 * 1024].into()));
        assert_eq!((long.is_some(), budget.used()), (true, 51 * 1024));
        assert!(piece(full(1 << 20)).is_none() && open.stream.pieces() == 3);
        drop((first, second));
        assert_eq!(budget.used(), 0);
        assert!(piece(full(100 * 1024)).is_some());
    }
}
