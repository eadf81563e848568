//! A place for a call on a connection: how many there are is what its peer accepts.

use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::SemaphorePermit;

/// A call's place among those that the peer accepts at once.
pub(crate) struct Slot<'a> {
    _permit: SemaphorePermit<'a>,
    _load: Load<'a>,
}

impl<'a> Slot<'a> {
    pub(crate) fn new(permit: SemaphorePermit<'a>, load: Load<'a>) -> Slot<'a> {
        Slot { _permit: permit, _load: load }
    }
}

/// Counts a call while it is there.
pub(crate) struct Load<'a>(&'a AtomicUsize);

impl<'a> Load<'a> {
    pub(crate) fn add(load: &'a AtomicUsize) -> Load<'a> {
        load.fetch_add(1, Ordering::Relaxed);
        Load(load)
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
