//! A client connection's socket, which notes what goes over it.

use super::connection::{Connection, Phase};
use crate::stream::AsyncStream;
use hyper::body::Bytes;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, ReadBuf};

/// How much of what a client sends on is read past after its last answer, in bytes.
const MAX_LINGER: usize = 1024 * 1024;

/// Head and body of an answer up to this many bytes are copied together: one plain write costs the kernel less than a
/// vectored one, and more than the copy.
const SMALL_ANSWER: usize = 1024;

/// A connection's socket, which notes what goes over it.
pub(super) struct ConnectionIo {
    stream: TokioIo<AsyncStream>,
    /// What was read before the connection rested and not yet taken.
    pub(super) unread: Bytes,
    pub(super) connection: Rc<Connection>,
    /// Bytes read past since the end of the last answer.
    lingered: usize,
}

impl ConnectionIo {
    pub(super) fn new(stream: AsyncStream, connection: Rc<Connection>) -> ConnectionIo {
        ConnectionIo { stream: TokioIo::new(stream), unread: Bytes::new(), connection, lingered: 0 }
    }

    /// Waits until something can be read, if only the end.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.unread.is_empty() {
            return Poll::Ready(());
        }
        // An error is found by whoever reads.
        self.stream.inner().poll_read_ready(cx).map(drop)
    }

    /// Whether bytes have come, of which the runtime may not have heard yet.
    pub(super) fn has_come(&self) -> bool {
        let mut one = [MaybeUninit::uninit()];
        !self.unread.is_empty()
            || SockRef::from(self.stream.inner()).peek(&mut one).is_ok_and(|read| read > 0)
    }

    /// Closing with bytes unread would reset the connection, and the last answer with it (RFC 9112, 9.6). A connection that is
    /// still sending, a head that is too long as a rule, is read past until it ends, within a head's time.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [0; 4096];
        while self.lingered < MAX_LINGER {
            let mut space = ReadBuf::new(&mut scratch);
            match Pin::new(self.stream.inner_mut()).poll_read(cx, &mut space) {
                Poll::Ready(Ok(())) if !space.filled().is_empty() => {
                    if self.lingered == 0 {
                        self.connection.enter(Phase::Lingering);
                    }
                    self.lingered += space.filled().len();
                }
                Poll::Pending if self.lingered > 0 && !self.connection.expired.get() => return Poll::Pending,
                _ => break,
            }
        }
        Poll::Ready(())
    }

    /// A connection that takes its answer slowly is not idle.
    fn progress(&self, written: &Poll<io::Result<usize>>) {
        let was_blocked = self.connection.pace.is_blocked();
        self.connection.pace.wrote(written);
        match self.connection.phase.get() {
            Phase::Idle if written.is_ready() => self.connection.enter(Phase::Idle),
            Phase::Idle if !was_blocked => self.connection.list(),
            // The body of an open exchange is being sent.
            Phase::Busy if written.is_ready() => self.connection.since.set(self.connection.open.sweeps.get()),
            _ => {}
        }
    }
}

impl Drop for ConnectionIo {
    fn drop(&mut self) {
        if self.connection.slow.get() {
            // Closed so, the connection is reset and the kernel's memory is free at once.
            self.stream.inner().reset_at_close();
        }
    }
}

impl Read for ConnectionIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.unread.is_empty() {
            let length = self.unread.len().min(buf.remaining());
            buf.put_slice(&self.unread.split_to(length));
            self.connection.enter(Phase::Head);
            return Poll::Ready(Ok(()));
        }
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        // The limit runs from a head's first byte: a byte now and then does not prolong it.
        if read.is_ready() && self.connection.phase.get() == Phase::Idle {
            self.connection.enter(Phase::Head);
        }
        read
    }
}

impl Write for ConnectionIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.progress(&written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.connection.resting.get() {
            return Poll::Ready(Ok(()));
        }
        ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        self.poll_linger(cx).map(Ok)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut whole = [0; SMALL_ANSWER];
        let written = match joined(bufs, &mut whole) {
            Some(whole) => Pin::new(&mut self.stream).poll_write(cx, whole),
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
        };
        self.progress(&written);
        written
    }
}

/// The buffers in one, if they fit.
fn joined<'a>(bufs: &[io::IoSlice<'_>], whole: &'a mut [u8; SMALL_ANSWER]) -> Option<&'a [u8]> {
    let mut length = 0;
    for buf in bufs {
        whole.get_mut(length..length + buf.len())?.copy_from_slice(buf);
        length += buf.len();
    }
    Some(&whole[..length])
}
