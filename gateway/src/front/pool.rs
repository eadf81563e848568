//! Buffers of a worker's connections, kept from one request for the next: a connection that is idle holds none, and one that has a
//! request takes what another one has left.
//!
//! So many are kept, and none that has grown large: that memory goes back to the allocator.

use crate::fields::NAMES;
use callgate_http1::Request;
use std::cell::RefCell;

/// How many of each are kept.
const KEPT: usize = 64;

/// What a request's buffer has room for at first, in bytes: most requests come whole in one read.
pub(super) const READ: usize = 8 * 1024;

/// The largest buffers that are kept, in bytes.
const LARGEST: usize = 32 * 1024;

/// What is kept.
#[derive(Default)]
pub(super) struct Pool {
    #[expect(clippy::vec_box, reason = "an exchange owns the box, which moves as one word")]
    requests: RefCell<Vec<Box<Request>>>,
    buffers: RefCell<Vec<Vec<u8>>>,
}

impl Pool {
    /// A request of which nothing was read.
    pub(super) fn request(&self) -> Box<Request> {
        let kept = self.requests.borrow_mut().pop();
        let mut request = kept.unwrap_or_else(|| Box::new(Request::new(&NAMES)));
        request.buffer().reserve(READ);
        request
    }

    /// Takes a request back, whatever was read of it.
    pub(super) fn take_request(&self, mut request: Box<Request>) {
        let mut kept = self.requests.borrow_mut();
        if kept.len() < KEPT {
            request.clear();
            request.shrink(LARGEST);
            kept.push(request);
        }
    }

    /// An empty buffer.
    pub(super) fn buffer(&self) -> Vec<u8> {
        self.buffers.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes a buffer back, whatever is in it.
    pub(super) fn take_buffer(&self, mut buffer: Vec<u8>) {
        let mut kept = self.buffers.borrow_mut();
        if (1..=LARGEST).contains(&buffer.capacity()) && kept.len() < KEPT {
            buffer.clear();
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_buffers_are_kept_and_none_that_is_large() {
        let pool = Pool::default();
        for size in [0, 1, LARGEST, LARGEST + 1] {
            pool.take_buffer(Vec::with_capacity(size));
        }
        assert_eq!(pool.buffers.borrow().len(), 2);
        (0..2 * KEPT).for_each(|_| pool.take_buffer(vec![1]));
        assert_eq!(pool.buffers.borrow().len(), KEPT);
        assert!(pool.buffer().is_empty());
    }

    #[test]
    fn a_request_is_kept_empty_and_gives_large_memory_back() {
        let pool = Pool::default();
        let mut large = pool.request();
        large.buffer().extend_from_slice(&[b'G'; 4 * LARGEST]);
        pool.take_request(large);
        assert_eq!(pool.requests.borrow().len(), 1);
        let mut again = pool.request();
        assert!(again.buffer().is_empty());
        assert!((READ..=LARGEST).contains(&again.buffer().capacity()));
        assert!(pool.requests.borrow().is_empty());
    }
}
