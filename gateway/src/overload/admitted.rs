//! A call that was let in: counted as long as this lives.

use super::Gauge;
use std::rc::Rc;
use std::sync::Arc;

/// Where a worker counts its calls to a backend.
pub(super) struct Counts {
    /// The backend's, of all workers.
    pub(super) gauge: Arc<Gauge>,
    /// The worker's number.
    pub(super) worker: usize,
}

/// A call that was let in.
pub(super) struct Admitted {
    counts: Rc<Counts>,
    /// It was counted exactly too, because there is a bound.
    exactly: bool,
}

impl Admitted {
    /// Counts a call in; `exactly`: it was taken from the exact count.
    #[inline]
    pub(super) fn count(counts: &Rc<Counts>, exactly: bool) -> Admitted {
        counts.gauge.limit().counts_in(counts.worker);
        Admitted { counts: counts.clone(), exactly }
    }
}

impl Drop for Admitted {
    #[inline]
    fn drop(&mut self) {
        let Counts { gauge, worker } = &*self.counts;
        gauge.limit().counts_out(*worker);
        if self.exactly {
            gauge.count().give_back();
        }
    }
}
