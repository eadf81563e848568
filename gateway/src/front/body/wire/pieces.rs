//! A body of HTTP/1.1 that is read piece by piece as it comes, while others write to its client. The time of the client is its reader's affair.

use super::{WireBody, next_piece};
use crate::failure::Failure;
use crate::front::connection::Phase;
use bytes::Bytes;
use callgate_http1::Request;
use std::ops::Range;
use std::task::{Context, Poll, ready};

/// What is read at a time, in bytes.
const PIECE: usize = 32 * 1024;

impl WireBody {
    /// From now on it is read piece by piece, while others write to its client.
    pub(in crate::front::body) async fn begin_pieces(&mut self, head: &Request) {
        if self.was_read() {
            return;
        }
        self.tell_to_send(head).await;
        self.wire.connection.enter(Phase::Busy);
        self.wire.set_reader(true);
    }

    /// The next piece of it that comes; none at its end.
    pub(in crate::front::body) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
        head: &Request,
    ) -> Poll<Result<Option<Bytes>, Failure>> {
        loop {
            let piece = self.piece(head).inspect_err(|_| self.is_broken = true)?;
            if !piece.is_empty() {
                return Poll::Ready(Ok(Some(piece)));
            }
            if self.was_read() {
                self.end_pieces();
                return Poll::Ready(Ok(None));
            }
            if !ready!(self.wire.poll_ahead(cx, PIECE)) {
                self.is_broken = true;
                return Poll::Ready(Err(Failure::ClientGone));
            }
        }
    }

    /// What has come of it, in the buffer that it has come in.
    fn piece(&mut self, head: &Request) -> Result<Bytes, Failure> {
        let mut with_head = Vec::new();
        while let Some(part) = next_piece(&mut self.decoder, head.rest(), &mut self.used)? {
            with_head.extend_from_slice(&head.rest()[part]);
        }
        if !with_head.is_empty() {
            return Ok(with_head.into());
        }
        let mut ahead = self.wire.ahead().take();
        let (mut used, mut whole) = (0, 0..0);
        while let Some(part) = next_piece(&mut self.decoder, &ahead, &mut used)? {
            if whole.is_empty() {
                whole = part;
            } else {
                // What stands between two chunks goes.
                let end = whole.end + part.len();
                ahead.copy_within(part, whole.end);
                whole.end = end;
            }
        }
        if whole.is_empty() {
            ahead.drain(..used);
            self.wire.ahead().replace(ahead);
            self.wire.spare_ahead();
            return Ok(Bytes::new());
        }
        self.wire.put_ahead(&ahead[used..]);
        Ok(alone(ahead, whole))
    }

    /// Whether the client has left, though nothing is read.
    pub(in crate::front::body) fn has_left(&self) -> bool {
        self.wire.look_whether_left()
    }

    /// It is not read piece by piece any more.
    pub(in crate::front::body) fn end_pieces(&self) {
        self.wire.set_reader(false);
    }

    /// It is read no further.
    pub(in crate::front::body) fn breaks(&mut self) {
        self.is_broken = true;
    }
}

/// A part of a buffer, without the rest where that is much.
fn alone(buffer: Vec<u8>, part: Range<usize>) -> Bytes {
    if part.len() < buffer.capacity() / 2 {
        Bytes::copy_from_slice(&buffer[part])
    } else {
        Bytes::from(buffer).slice(part)
    }
}
