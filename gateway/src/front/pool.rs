//! What a worker's connections read requests into, kept from one request for the next: a connection that is idle holds none, and one
//! that has a request takes what another one has left.
//!
//! So many are kept, and of none more than a little memory: the rest goes back to the allocator.

use crate::fields::NAMES;
use callgate_http1::Request;
use std::cell::RefCell;

/// How many are kept.
const KEPT: usize = 64;

/// What a request's buffer has room for at first, in bytes: most requests come whole in one read.
pub(super) const READ: usize = 8 * 1024;

/// The largest buffer that is kept with a request, in bytes.
const LARGEST: usize = 32 * 1024;

/// What is kept.
#[derive(Default)]
pub(super) struct Pool {
    #[expect(clippy::vec_box, reason = "an exchange owns the box, which moves as one word")]
    requests: RefCell<Vec<Box<Request>>>,
}

impl Pool {
    /// A request of which nothing was read.
    pub(super) fn request(&self) -> Box<Request> {
        let mut request = self.empty_request();
        request.buffer().reserve(READ);
        request
    }

    /// One that need not have room: what is put into it is all that will be.
    pub(super) fn empty_request(&self) -> Box<Request> {
        let kept = self.requests.borrow_mut().pop();
        kept.unwrap_or_else(|| Box::new(Request::new(&NAMES)))
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let many: Vec<_> = (0..2 * KEPT).map(|_| pool.request()).collect();
        many.into_iter().for_each(|request| pool.take_request(request));
        assert_eq!(pool.requests.borrow().len(), KEPT);
    }
}
