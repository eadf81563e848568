//! A client connection's socket, and what was read of it ahead.
//!
//! It belongs to one task. An exchange reads its body from it, and the connection looks beside that whether the client is still there.
//! So it is shared within the task, and borrowed only for as long as one read or write takes.

use super::connection::{Connection, Phase};
use crate::config::HalfClose;
use crate::stream::AsyncStream;
use bytes::BufMut;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// What is read of a client that sends on while its request has no reply, in bytes. Whoever sends more waits for the reply.
const AHEAD: usize = 16 * 1024;

/// What a buffer has room for when it is read into, in bytes. One that has more in it doubles.
const ROOM: usize = 8 * 1024;

/// A connection's socket.
pub(super) struct Wire {
    pub(super) connection: Rc<Connection>,
    stream: RefCell<AsyncStream>,
    /// What was read behind the request whose exchange is open.
    ahead: RefCell<Vec<u8>>,
    /// The client has said that it sends nothing more.
    has_ended: Cell<bool>,
    /// A body is read beside what is written. Whoever reads it sees whether the client leaves.
    has_reader: Cell<bool>,
    /// It has seen that.
    has_left: Cell<bool>,
    /// An empty line has come before the next request.
    pub(super) had_line: Cell<bool>,
}

impl Wire {
    pub(super) fn new(stream: AsyncStream, connection: Rc<Connection>) -> Wire {
        Wire {
            connection,
            stream: RefCell::new(stream),
            ahead: RefCell::default(),
            has_ended: Cell::new(false),
            has_reader: Cell::new(false),
            has_left: Cell::new(false),
            had_line: Cell::new(false),
        }
    }

    /// Waits until something can be read, if only the end.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        // An error is found by whoever reads.
        self.stream.borrow().poll_read_ready(cx).map(drop)
    }

    /// Whether bytes have come, of which the runtime may not have heard yet.
    pub(super) fn has_come(&self) -> bool {
        self.stream.borrow().has_come()
    }

    /// Whether the client has chosen HTTP/2 in the TLS handshake.
    pub(super) fn has_agreed_on_http2(&self) -> bool {
        self.stream.borrow().alpn() == Some(b"h2")
    }

    /// Whether the client has said that it sends nothing more.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.get()
    }

    /// Reads, at most so many bytes, which are not 0; 0 at the end.
    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        out: &mut Vec<u8>,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        if out.capacity() - out.len() < most.min(ROOM / 4) {
            out.reserve(most.min(ROOM.max(out.len())));
        }
        let mut stream = self.stream.borrow_mut();
        let mut space = out.limit(most);
        let read = ready!(pin!(stream.read_buf(&mut space)).poll(cx))?;
        if read == 0 {
            self.has_ended.set(true);
        }
        Poll::Ready(Ok(read))
    }

    /// Reads into a buffer of its owner: first what was read ahead. Nothing at the end.
    pub(super) fn poll_fill(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut ahead = self.ahead.borrow_mut();
        if !ahead.is_empty() {
            let read = ahead.len().min(buffer.remaining());
            buffer.put_slice(&ahead[..read]);
            ahead.drain(..read);
            if ahead.is_empty() {
                self.connection.open.buffers.give_back(std::mem::take(&mut ahead));
            }
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut *self.stream.borrow_mut()).poll_read(cx, buffer))?;
        if buffer.filled().len() == before {
            self.has_ended.set(true);
        }
        Poll::Ready(Ok(()))
    }

    /// Whether the client has left, which ends its request. What it sends on is read within a bound, so that its end is seen.
    pub(super) fn poll_left(&self, cx: &mut Context<'_>) -> bool {
        if self.has_reader.get() || self.has_left.get() {
            return self.has_left.get();
        }
        while !self.has_ended.get() {
            let held = self.ahead.borrow().len();
            if held >= AHEAD || self.poll_readable(cx).is_pending() {
                return false;
            }
            let mut ahead = self.ahead.borrow_mut();
            if ahead.capacity() == 0 {
                *ahead = self.connection.open.buffers.take();
            }
            match self.poll_read(cx, &mut ahead, AHEAD - held) {
                Poll::Pending => return false,
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return true,
            }
        }
        // Half of a connection is closed by whoever has gone as well.
        self.connection.listener.half_close == HalfClose::Cancel
    }

    /// The same for whoever reads the body, while nothing is read of it: what the client has sent may be in the way of its end.
    pub(super) fn look_whether_left(&self) -> bool {
        let (sends_no_more, has_gone) = self.stream.borrow().has_closed();
        if has_gone || (sends_no_more && self.connection.listener.half_close == HalfClose::Cancel) {
            self.has_left.set(true);
        }
        self.has_left.get()
    }

    /// From now on a body is read beside what is written, or no longer.
    pub(super) fn set_reader(&self, reads: bool) {
        self.has_reader.set(reads);
    }

    /// Reads ahead for whoever reads the body, at most so many bytes. Says whether something has come; if not, the client has left.
    pub(super) fn poll_ahead(&self, cx: &mut Context<'_>, most: usize) -> Poll<bool> {
        // What waits keeps no buffer.
        ready!(self.poll_readable(cx));
        let mut ahead = self.ahead.borrow_mut();
        // Whoever reads takes it with all that is in it.
        let room = most.saturating_sub(ahead.len());
        ahead.reserve(room);
        let read = ready!(self.poll_read(cx, &mut ahead, most));
        let has_come = matches!(read, Ok(1..));
        if !has_come {
            self.has_left.set(true);
        }
        Poll::Ready(has_come)
    }

    /// Gives the buffer back if nothing was read ahead.
    pub(super) fn spare_ahead(&self) {
        let mut ahead = self.ahead.borrow_mut();
        if ahead.is_empty() {
            self.connection.open.buffers.give_back(std::mem::take(&mut ahead));
        }
    }

    /// What was read ahead, to be looked at and taken from.
    pub(super) fn ahead(&self) -> &RefCell<Vec<u8>> {
        &self.ahead
    }

    /// Puts bytes where what was read ahead is.
    pub(super) fn put_ahead(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut ahead = self.ahead.borrow_mut();
        if ahead.capacity() == 0 {
            *ahead = self.connection.open.buffers.take();
        }
        ahead.extend_from_slice(bytes);
    }

    /// Whether something was read ahead.
    pub(super) fn has_ahead(&self) -> bool {
        !self.ahead.borrow().is_empty()
    }

    /// Puts what was read ahead behind what is in `out`, and gives its buffer back.
    pub(super) fn take_ahead(&self, out: &mut Vec<u8>) {
        let mut ahead = self.ahead.borrow_mut();
        if ahead.capacity() > 0 {
            out.extend_from_slice(&ahead);
            self.connection.open.buffers.give_back(std::mem::take(&mut ahead));
        }
    }

    /// Writes some of the first bytes and those behind them.
    pub(super) fn poll_write(
        &self,
        cx: &mut Context<'_>,
        first: &[u8],
        behind: &[u8],
    ) -> Poll<io::Result<usize>> {
        // Set by the sweep, which says why.
        if self.connection.expired.get() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let mut stream = self.stream.borrow_mut();
        let stream = Pin::new(&mut *stream);
        let written = match (first, behind) {
            (one, []) | ([], one) => stream.poll_write(cx, one),
            _ => stream.poll_write_vectored(cx, &[IoSlice::new(first), IoSlice::new(behind)]),
        };
        self.connection.pace.moved(&written);
        // A client that takes its reply slowly is not idle.
        if written.is_ready() && self.connection.phase.get() == Phase::Busy {
            self.connection.since.set(self.connection.open.sweeps.get());
        }
        written
    }

    /// Writes all of the first bytes, and all of those behind them.
    pub(super) async fn write_all(&self, mut first: &[u8], mut behind: &[u8]) -> io::Result<()> {
        while !(first.is_empty() && behind.is_empty()) {
            let written = poll_fn(|cx| self.poll_write(cx, first, behind)).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            let of_first = written.min(first.len());
            (first, behind) = (&first[of_first..], &behind[written - of_first..]);
        }
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Has all leave that was written: TLS takes more than the kernel has room for.
    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut *self.stream.borrow_mut()).poll_flush(cx);
        let Connection { expired, pace, .. } = &*self.connection;
        match flushed {
            // Set by the sweep, which says why.
            Poll::Pending if expired.get() => return Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => pace.moved(&Poll::Pending),
            Poll::Ready(_) if pace.is_blocked() => pace.moved(&Poll::Ready(Ok(0))),
            Poll::Ready(_) => {}
        }
        flushed
    }

    /// Says that nothing more will be written. Over TLS that is a word of its own, which a client can keep from leaving by taking nothing.
    pub(super) async fn end_writing(&self) -> io::Result<()> {
        poll_fn(|cx| match Pin::new(&mut *self.stream.borrow_mut()).poll_shutdown(cx) {
            // Set by the sweep, which says why.
            Poll::Pending if self.connection.expired.get() => {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            ended => ended,
        })
        .await
    }

    /// The connection ends here, in order and between two requests: says so where that has to be said.
    pub(super) fn say_the_end(&self) {
        self.stream.borrow_mut().say_the_end();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.connection.slow.get() {
            // Closed so, the connection is reset and the kernel's memory is free at once.
            self.stream.get_mut().reset_at_close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front::connection::testing;
    use tokio::io::AsyncWriteExt;
    use tokio::net::UnixStream;

    fn wire(half_close: HalfClose) -> (UnixStream, Wire) {
        let (client, stream) = UnixStream::pair().expect("two sockets");
        let connection = testing::register(&testing::open(), half_close);
        (client, Wire::new(AsyncStream::Unix(stream), connection))
    }

    /// Waits until the wire has that much, while its client has not left.
    async fn holds(wire: &Wire, bytes: usize) {
        let read = poll_fn(|cx| {
            assert!(!wire.poll_left(cx));
            if wire.ahead().borrow().len() >= bytes { Poll::Ready(()) } else { Poll::Pending }
        });
        read.await;
        assert_eq!(wire.ahead().borrow().len(), bytes);
    }

    #[tokio::test]
    async fn what_a_client_sends_ahead_is_read_within_a_bound_and_its_end_is_seen() {
        let (mut client, wire) = wire(HalfClose::Cancel);
        client.write_all(&[b'x'; AHEAD + 7]).await.expect("the socket takes it");
        client.shutdown().await.expect("it is open");
        holds(&wire, AHEAD).await;
        // The end lies behind what is not read yet.
        let mut taken = vec![b'a'];
        wire.take_ahead(&mut taken);
        assert_eq!(taken.len(), 1 + AHEAD);
        assert!(!wire.has_ahead() && !wire.has_ended());
        let left = poll_fn(|cx| if wire.poll_left(cx) { Poll::Ready(()) } else { Poll::Pending });
        left.await;
        assert_eq!((wire.ahead().borrow().len(), wire.has_ended()), (7, true));
    }

    #[tokio::test]
    async fn a_listener_may_take_a_clients_end_for_less() {
        let (mut client, wire) = wire(HalfClose::Answer);
        client.write_all(b"x").await.expect("the socket takes it");
        client.shutdown().await.expect("it is open");
        holds(&wire, 1).await;
        let ended = poll_fn(|cx| {
            assert!(!wire.poll_left(cx));
            if wire.has_ended() { Poll::Ready(()) } else { Poll::Pending }
        });
        ended.await;
    }

    #[tokio::test]
    async fn what_is_written_arrives_in_its_order_and_moves_the_pace() {
        let (mut client, wire) = wire(HalfClose::Cancel);
        let (first, behind) = (vec![b'a'; 700_000], vec![b'b'; 300_000]);
        let read = async {
            let mut all = Vec::new();
            client.read_to_end(&mut all).await.expect("it can be read");
            all
        };
        let write = async {
            wire.write_all(&first, &behind).await.expect("it can be written");
            wire.end_writing().await.expect("it is open");
        };
        let (all, ()) = tokio::join!(read, write);
        assert_eq!(all, [first.clone(), behind.clone()].concat());
        assert!(!wire.connection.pace.is_blocked());
        wire.connection.expired.set(true);
        assert!(wire.write_all(b"x", &[]).await.is_err(), "there is no more time");
    }
}
