//! Whole frames that wait to be written, in one piece, and their place in the stream of all bytes of this side.

use crate::frame::{HEADER, Header, kind};

/// A buffer that grew past this many bytes is given back once it is empty.
pub(super) const KEEP_CAPACITY: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Buffer {
    pub(super) bytes: Vec<u8>,
    pub(super) written: usize,
    /// Bytes that have left before those in `bytes`.
    before: u64,
    /// Bytes of what a peer can ask for without end.
    asked: usize,
    /// Whole answers.
    answers: usize,
}

impl Buffer {
    pub(super) fn new(bytes: Vec<u8>) -> Buffer {
        Buffer { bytes, written: 0, before: 0, asked: 0, answers: 0 }
    }

    /// Begins a frame. Its body is appended to `bytes`. Gives its place.
    #[inline]
    pub(super) fn begin(&mut self) -> usize {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; HEADER]);
        start
    }

    /// The length of the body of the frame that begins there.
    #[inline]
    pub(super) fn body(&self, start: usize) -> usize {
        self.bytes.len() - start - HEADER
    }

    /// Ends the frame that begins there. Gives its size.
    #[inline]
    pub(super) fn finish(&mut self, start: usize, kind: u8, flags: u8, call: u32) -> usize {
        let length = self.body(start) as u32;
        self.bytes[start..start + HEADER].copy_from_slice(&Header { length, kind, flags, call }.encode());
        self.answers += usize::from(matches!(kind, kind::REPLY | kind::FAILURE | kind::END));
        HEADER + length as usize
    }

    /// The last frame was one that a peer can ask for without end.
    pub(super) fn count_asked(&mut self, size: usize, is_answer: bool) {
        self.asked += size;
        self.answers = self.answers.saturating_sub(usize::from(is_answer));
    }

    pub(super) fn unread(&self) -> usize {
        self.asked.min(self.queued())
    }

    #[inline]
    pub(super) fn answers(&self) -> usize {
        self.answers
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.written == self.bytes.len()
    }

    #[inline]
    pub(super) fn queued(&self) -> usize {
        self.bytes.len() - self.written
    }

    /// Where the next frame begins.
    #[inline]
    pub(super) fn position(&self) -> u64 {
        self.before + self.bytes.len() as u64
    }

    #[inline]
    pub(super) fn departed(&self) -> u64 {
        self.before + self.written as u64
    }

    #[inline]
    pub(super) fn chunk(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    #[inline]
    pub(super) fn advance(&mut self, n: usize) {
        self.written = (self.written + n).min(self.bytes.len());
        if self.is_empty() {
            self.clear();
        } else if self.written >= KEEP_CAPACITY && self.written >= self.bytes.len() / 2 {
            // A buffer that never runs empty must not keep all that ever went through it. What is moved is less than
            // what was written since the last time.
            self.bytes.drain(..self.written);
            self.before += self.written as u64;
            self.written = 0;
            self.asked = self.asked.min(self.bytes.len());
        }
    }

    /// Drops what stands from that [position](Self::position) on, unless it has left.
    pub(super) fn cut(&mut self, position: u64) {
        let kept = position.saturating_sub(self.before) as usize;
        self.bytes.truncate(kept.max(self.written));
    }

    /// Moves what is not written into `buffer`, whose contents are dropped.
    #[inline]
    pub(super) fn take(&mut self, buffer: &mut Vec<u8>) {
        self.before += self.bytes.len() as u64;
        if self.written == 0 {
            std::mem::swap(&mut self.bytes, buffer);
        } else {
            buffer.clear();
            buffer.extend_from_slice(&self.bytes[self.written..]);
        }
        self.bytes.clear();
        self.clear();
    }

    pub(super) fn clear(&mut self) {
        self.before += self.bytes.len() as u64;
        (self.asked, self.answers) = (0, 0);
        self.written = 0;
        if self.bytes.capacity() > KEEP_CAPACITY {
            self.bytes = Vec::new();
        } else {
            self.bytes.clear();
        }
    }
}
