//! The buffers of a worker, kept from one request for the next: what is read of bodies, the heads of replies, and the JSON of results.
//!
//! So many are kept, and so many bytes. The rest of the memory goes back to the allocator.
//!
//! JSON has a buffer that leaves [`HEADROOM`] at its beginning. The head of a reply is known only after its body, and is put right before
//! it there: both leave with one write, and the JSON is copied nowhere.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem;
use std::rc::Rc;

/// What is left free for the head of a reply, in bytes. A head that is longer is sent apart from its body.
pub const HEADROOM: usize = 512;

/// Buffers that a worker keeps for later.
const MAX_KEPT: usize = 128;

/// A larger buffer is not kept, in bytes. A body or a reply of some 10 KB finds one that has its size: to grow to it costs a copy for each
/// doubling.
const MAX_SIZE: usize = 128 * 1024;

/// What all that are kept take together, in bytes.
const MAX_KEPT_BYTES: usize = 4 * 1024 * 1024;

/// The buffers of a worker that nobody uses.
#[derive(Default)]
pub struct Buffers {
    /// With what was last in them.
    kept: RefCell<Vec<Vec<u8>>>,
    /// What they take together, in bytes.
    size: Cell<usize>,
}

/// A body, and room for its head. Dropped, it goes back to its worker.
pub struct ReplyBuffer {
    /// The headroom, then the body.
    bytes: Vec<u8>,
    /// Where that begins which is to be sent: the head, once there is one, or else the body.
    begin: usize,
    buffers: Rc<Buffers>,
}

impl Buffers {
    /// An empty buffer. It is to be [given back](Self::give_back).
    #[inline]
    pub fn take(&self) -> Vec<u8> {
        let mut bytes = self.spare();
        bytes.clear();
        bytes
    }

    /// One that is kept, with what was last in it, or one without room.
    #[inline]
    fn spare(&self) -> Vec<u8> {
        let bytes = self.kept.borrow_mut().pop().unwrap_or_default();
        self.size.set(self.size.get() - bytes.capacity());
        bytes
    }

    /// An empty buffer with room for a body of that length, which may grow. Dropped, it goes back by itself.
    #[inline]
    pub fn for_reply(self: &Rc<Buffers>, length: usize) -> ReplyBuffer {
        let mut bytes = self.spare();
        bytes.reserve((HEADROOM + length).saturating_sub(bytes.len()));
        // What lies in the headroom does not matter, so most need not write it.
        bytes.resize(HEADROOM, 0);
        ReplyBuffer { bytes, begin: HEADROOM, buffers: self.clone() }
    }

    /// Takes a buffer back, whatever is in it.
    #[inline]
    pub fn give_back(&self, bytes: Vec<u8>) {
        let mut kept = self.kept.borrow_mut();
        let size = self.size.get() + bytes.capacity();
        let is_of_use = (1..=MAX_SIZE).contains(&bytes.capacity());
        if is_of_use && kept.len() < MAX_KEPT && size <= MAX_KEPT_BYTES {
            self.size.set(size);
            kept.push(bytes);
        }
    }
}

impl ReplyBuffer {
    /// Appends to the body what `write` appends to what it is given: the headroom and the body so far, of which it changes nothing.
    #[inline]
    pub fn append<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        write(&mut self.bytes)
    }

    /// The body.
    #[inline]
    pub fn body(&self) -> &[u8] {
        &self.bytes[HEADROOM..]
    }

    /// The body is empty again.
    pub fn clear(&mut self) {
        self.bytes.truncate(HEADROOM);
    }

    /// Puts a head right before the body, in the place of the one before. Both, in one piece; `None` where the head is too long.
    #[inline]
    pub fn put_head(&mut self, head: &[u8]) -> Option<&[u8]> {
        self.begin = HEADROOM.checked_sub(head.len())?;
        self.bytes[self.begin..HEADROOM].copy_from_slice(head);
        Some(self.bytes())
    }

    /// The head, if there is one, and the body.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.begin..]
    }

    /// What the body takes in memory, with its headroom, in bytes.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// The headroom and the body, which do not go back.
    #[inline]
    pub fn into_vec(mut self) -> Vec<u8> {
        mem::take(&mut self.bytes)
    }
}

impl Drop for ReplyBuffer {
    #[inline]
    fn drop(&mut self) {
        self.buffers.give_back(mem::take(&mut self.bytes));
    }
}

impl fmt::Debug for ReplyBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyBuffer").field("body", &self.body().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
impl ReplyBuffer {
    /// One with that body, of a pool of its own.
    pub(crate) fn of(body: &[u8]) -> ReplyBuffer {
        let mut buffer = Rc::<Buffers>::default().for_reply(body.len());
        buffer.append(|out| out.extend_from_slice(body));
        buffer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(buffers: &Buffers) -> Vec<usize> {
        let kept: Vec<usize> = buffers.kept.borrow().iter().map(Vec::capacity).collect();
        assert_eq!(buffers.size.get(), kept.iter().sum::<usize>());
        kept
    }

    #[test]
    fn a_head_stands_right_before_its_body_if_it_fits() {
        for (length, fits) in [(0, true), (1, true), (HEADROOM, true), (HEADROOM + 1, false)] {
            let mut buffer = ReplyBuffer::of(b"[1]");
            let head = vec![b'h'; length];
            let both = [&head[..], b"[1]"].concat();
            assert_eq!(buffer.put_head(&head), fits.then_some(&both[..]), "{length}");
            assert_eq!(buffer.body(), b"[1]");
        }
        let mut buffer = ReplyBuffer::of(b"[1]");
        assert_eq!(buffer.bytes(), b"[1]", "there is no head yet");
        assert_eq!(buffer.put_head(b"longer: "), Some(&b"longer: [1]"[..]));
        assert_eq!(buffer.put_head(b"short: "), Some(&b"short: [1]"[..]));
        buffer.append(|out| out.push(b'\n'));
        assert_eq!(buffer.bytes(), b"short: [1]\n");
        assert_eq!(buffer.into_vec()[HEADROOM..], b"[1]\n"[..]);
    }

    #[test]
    fn a_buffer_goes_back_empty_and_is_taken_again_without_another_allocation() {
        let buffers = Rc::<Buffers>::default();
        let mut first = buffers.for_reply(100);
        assert!(first.capacity() >= HEADROOM + 100);
        first.append(|out| out.extend_from_slice(&[1; 300]));
        let (capacity, at) = (first.capacity(), first.bytes.as_ptr());
        first.put_head(b"head");
        drop(first);
        let second = buffers.for_reply(200);
        assert_eq!((second.bytes.as_ptr(), second.capacity()), (at, capacity));
        assert_eq!((second.body(), second.bytes()), (&b""[..], &b""[..]));
        assert_eq!(kept(&buffers).len(), 0, "it is in use");
    }

    #[test]
    fn one_buffer_serves_for_both_and_comes_empty() {
        let buffers = Rc::<Buffers>::default();
        let mut reply = buffers.for_reply(100);
        reply.append(|out| out.extend_from_slice(b"{}"));
        let at = reply.bytes.as_ptr();
        drop(reply);
        let mut plain = buffers.take();
        assert_eq!((plain.as_ptr(), plain.len()), (at, 0));
        plain.extend_from_slice(&[b'x'; HEADROOM + 50]);
        buffers.give_back(plain);
        let mut reply = buffers.for_reply(100);
        assert_eq!((reply.bytes.as_ptr(), reply.bytes()), (at, &b""[..]));
        assert_eq!(reply.put_head(b"head"), Some(&b"head"[..]));
        // A short one has no headroom yet.
        buffers.give_back(b"short".to_vec());
        let mut reply = buffers.for_reply(1);
        assert_eq!(reply.put_head(&[b'h'; HEADROOM]).map(<[u8]>::len), Some(HEADROOM));
        assert!(reply.capacity() > HEADROOM);
    }

    #[test]
    fn a_body_that_was_cleared_is_empty() {
        let mut buffer = ReplyBuffer::of(b"null");
        buffer.clear();
        assert_eq!(buffer.body(), b"");
    }

    #[test]
    fn what_is_kept_is_bounded_in_size_and_number() {
        for (length, keeps) in [(0, true), (MAX_SIZE - HEADROOM, true), (MAX_SIZE - HEADROOM + 1, false)] {
            let buffers = Rc::<Buffers>::default();
            drop(buffers.for_reply(length));
            assert_eq!(kept(&buffers).len(), usize::from(keeps), "{length}");
        }
        for (size, keeps) in [(0, false), (1, true), (MAX_SIZE, true), (MAX_SIZE + 1, false)] {
            let buffers = Rc::<Buffers>::default();
            buffers.give_back(Vec::with_capacity(size));
            assert_eq!(kept(&buffers).len(), usize::from(keeps), "{size}");
        }
        let buffers = Rc::<Buffers>::default();
        let large: Vec<_> = (0..40).map(|_| buffers.for_reply(MAX_SIZE - HEADROOM)).collect();
        drop(large);
        assert_eq!(kept(&buffers).len(), MAX_KEPT_BYTES / MAX_SIZE);
        let buffers = Rc::<Buffers>::default();
        let many: Vec<_> = (0..MAX_KEPT + 5).map(|_| buffers.for_reply(1)).collect();
        drop(many);
        assert_eq!(kept(&buffers).len(), MAX_KEPT);
    }

    #[test]
    fn what_goes_to_another_thread_does_not_come_back() {
        let buffers = Rc::<Buffers>::default();
        let mut buffer = buffers.for_reply(1);
        buffer.append(|out| out.extend_from_slice(b"{}"));
        let bytes = buffer.into_vec().split_off(HEADROOM);
        assert_eq!((&bytes[..], kept(&buffers).len()), (&b"{}"[..], 0));
    }
}
