//! Whole frames that wait to be written, and their place in the stream of all bytes of this side.
//!
//! They lie in one piece, but for the bytes of a few long messages that stay where they are (aside), and are written from there. So
//! what is long is not copied, and what is short needs no second piece.

use super::chunk::{Aside, Chunk};
use crate::frame::{HEADER, Header, kind};
use bytes::{Buf, Bytes};

/// A buffer that grew past this many bytes is given back once it is empty.
pub(super) const KEEP_CAPACITY: usize = 256 * 1024;

/// As many pieces lie aside at once. What is long beyond that is copied.
pub(super) const MOST_ASIDE: usize = 4;

/// Fewer bytes are copied: that costs less than a piece of their own.
const WORTH_A_PIECE: usize = 4 * 1024;

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
    /// Bytes that are not in `bytes`, and belong there, in order. None of what is behind the first was written.
    asides: Vec<Aside>,
}

impl Buffer {
    pub(super) fn new(bytes: Vec<u8>) -> Buffer {
        Buffer { bytes, written: 0, before: 0, asked: 0, answers: 0, asides: Vec::new() }
    }

    /// Begins a frame. Its body is appended to `bytes`. Gives its place.
    #[inline]
    pub(super) fn begin(&mut self) -> usize {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; HEADER]);
        start
    }

    /// The length of the body of the frame that begins there, without what is aside.
    #[inline]
    pub(super) fn body(&self, start: usize) -> usize {
        self.bytes.len() - start - HEADER
    }

    /// Ends the frame that begins there, whose body has that length. Gives its size.
    #[inline]
    pub(super) fn finish(&mut self, start: usize, length: usize, kind: u8, flags: u8, call: u32) -> usize {
        let header = Header { length: length as u32, kind, flags, call };
        self.bytes[start..start + HEADER].copy_from_slice(&header.encode());
        self.answers += usize::from(matches!(kind, kind::REPLY | kind::FAILURE | kind::END));
        HEADER + length
    }

    /// Has bytes stand at that place of `bytes`, behind those that were put before. They stay where they are, unless they are few or
    /// enough others do.
    pub(super) fn put_aside(&mut self, aside: Aside) {
        if !self.has_room_aside() || aside.bytes.len() < WORTH_A_PIECE {
            let behind = self.bytes.split_off(aside.at);
            self.bytes.extend_from_slice(&aside.bytes);
            self.bytes.extend_from_slice(&behind);
        } else {
            self.asides.push(aside);
        }
    }

    /// Whether another piece may lie aside.
    fn has_room_aside(&self) -> bool {
        self.asides.len() < MOST_ASIDE
    }

    /// Whether some piece lies aside, and another one may.
    pub(super) fn can_gather(&self) -> bool {
        !self.asides.is_empty() && self.has_room_aside()
    }

    /// Takes what stands from that place of `bytes` on, behind all that is aside. A long piece is not copied, but what stands before it.
    pub(super) fn split_off(&mut self, at: usize) -> Bytes {
        let (taken, capacity) = (self.bytes.len() - at, self.bytes.capacity());
        if taken < at || capacity - at > 2 * taken {
            return self.bytes.split_off(at).into();
        }
        let before = self.bytes[..at].to_vec();
        Bytes::from(std::mem::replace(&mut self.bytes, before)).slice(at..)
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
        self.written == self.bytes.len() && self.asides.is_empty()
    }

    #[inline]
    pub(super) fn queued(&self) -> usize {
        self.chunk().len()
    }

    /// Where the next frame begins.
    #[inline]
    pub(super) fn position(&self) -> u64 {
        self.departed() + self.queued() as u64
    }

    #[inline]
    pub(super) fn departed(&self) -> u64 {
        self.before + self.written as u64
    }

    #[inline]
    pub(super) fn chunk(&self) -> Chunk<'_> {
        Chunk { bytes: &self.bytes[self.written..], written: self.written, asides: &self.asides }
    }

    #[inline]
    pub(super) fn advance(&mut self, n: usize) {
        let n = if self.asides.is_empty() { n } else { self.advance_asides(n) };
        self.written = (self.written + n).min(self.bytes.len());
        if self.is_empty() {
            self.clear();
        } else if self.asides.is_empty()
            && self.written >= KEEP_CAPACITY
            && self.written >= self.bytes.len() / 2
        {
            // A buffer that never runs empty must not keep all that ever went through it. What is moved is less than
            // what was written since the last time.
            self.bytes.drain(..self.written);
            self.before += self.written as u64;
            self.written = 0;
            self.asked = self.asked.min(self.bytes.len());
        }
    }

    /// The same for what is aside and before it. Gives how many are left of the bytes that were written.
    fn advance_asides(&mut self, mut n: usize) -> usize {
        let mut sent = 0;
        for aside in &mut self.asides {
            let before = n.min(aside.at - self.written);
            let of_it = (n - before).min(aside.bytes.len());
            self.written += before;
            self.before += of_it as u64;
            aside.bytes.advance(of_it);
            n -= before + of_it;
            if !aside.bytes.is_empty() {
                break;
            }
            sent += 1;
        }
        self.asides.drain(..sent);
        n
    }

    /// Drops what stands from that [position](Self::position) on, unless it has left. A frame begins there.
    pub(super) fn cut(&mut self, position: u64) {
        let mut kept = position.saturating_sub(self.before) as usize;
        let mut asides = 0;
        while let Some(aside) = self.asides.get(asides)
            && kept > aside.at
        {
            kept = kept.saturating_sub(aside.bytes.len()).max(aside.at);
            asides += 1;
        }
        self.asides.truncate(asides);
        self.bytes.truncate(kept.max(self.written));
    }

    /// Moves what is not written into `buffer`, whose contents are dropped.
    #[inline]
    pub(super) fn take(&mut self, buffer: &mut Vec<u8>) {
        let left = self.queued() as u64;
        if self.written == 0 && self.asides.is_empty() {
            std::mem::swap(&mut self.bytes, buffer);
        } else {
            buffer.clear();
            self.chunk().pieces().for_each(|piece| buffer.extend_from_slice(piece));
        }
        self.before += self.written as u64 + left;
        self.asides.clear();
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
