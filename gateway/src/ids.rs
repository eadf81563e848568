//! Numbers that tell things apart which may carry the same name one after another.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A number that nothing has had in this process; never 0.
pub(crate) fn next_id() -> u64 {
    NEXT.fetch_add(1, Relaxed)
}
