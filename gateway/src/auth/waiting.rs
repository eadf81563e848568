//! Requests that wait until somebody has verified who calls: so many of each authenticator in each worker, and no more.

use crate::telemetry::Counter;

/// A place among those that wait.
pub(super) struct Waiting<'c>(&'c Counter);

impl Waiting<'_> {
    /// A place among as many as may wait, which are counted there; none when all are taken.
    pub(super) fn enter(counter: &Counter, most: u64) -> Option<Waiting<'_>> {
        (counter.get() < most).then(|| {
            counter.increment();
            Waiting(counter)
        })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.decrement();
    }
}
