//! The buffer between a socket and [`Inbound`]: grows with what has really arrived, never with what a header claims.

use super::Stream;
use callgate_protocol::Inbound;
use std::io;
use std::task::{Context, Poll, ready};

/// The size to start with, in bytes.
const USUAL: usize = 16 * 1024;

/// The size up to which a busy connection's buffer grows and which it keeps, in bytes: fewer, larger reads.
const BUSY: usize = 128 * 1024;

/// Bytes that were read and not yet understood: `bytes[start..end]`.
#[derive(Debug)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    pub(crate) fn new() -> Input {
        Input { bytes: vec![0; USUAL], start: 0, end: 0 }
    }

    /// What was read and not yet consumed.
    #[inline]
    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Says that the first `n` bytes of [`unread`](Self::unread) were understood.
    #[inline]
    pub(crate) fn consume(&mut self, n: usize) {
        self.start += n;
        if self.start == self.end {
            self.clear();
        }
    }

    /// Reads once; 0 at the end of the stream.
    pub(crate) fn poll_fill(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.make_room();
        let n = ready!(stream.poll_read(cx, &mut self.bytes[self.end..]))?;
        self.end += n;
        if self.end == self.bytes.len() && self.end < BUSY {
            self.bytes.resize(self.end * 2, 0);
        }
        Poll::Ready(Ok(n))
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
        if self.bytes.len() > BUSY {
            self.bytes = vec![0; USUAL];
        }
    }

    fn make_room(&mut self) {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.bytes.len() {
            // Full of one frame that goes on. Twice of what is here is paid for by what has arrived.
            let frame = Inbound::frame_size(&self.bytes).unwrap_or(0);
            let size = (self.bytes.len() * 2).min(frame.max(USUAL)).max(self.end + 1);
            self.bytes.resize(size, 0);
        }
    }
}
