//! What a worker's connections to an instance report of it, and what the pick reads: [`Health`] in a shared place.
//!
//! A pick must not think: what it needs is worked out by the health reviewer and lies in cells.

use super::peak_ewma::PeakEwma;
use crate::config::HealthSpec;
use crate::transport::{Evidence, ReviewRequest};
use callgate_health::{FULL, Health};
use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// After so long without a call that can be repeated an instance is probed with any.
const IMPATIENT_AFTER: Duration = Duration::from_secs(1);

/// An instance's health, shared by its connections and the pool.
pub(super) struct Monitor {
    health: RefCell<Health>,
    spec: Cell<HealthSpec>,
    weight: Cell<u8>,
    peak: Cell<PeakEwma>,
    /// What the backend's instances take, in seconds; 0 as long as nobody knows.
    typical: Cell<f32>,
    /// What one call to it costs, in seconds: worked out from the two.
    cost: Cell<f32>,
    /// It has waited long enough for a probe to take any call for one.
    impatient: Cell<bool>,
    review: Rc<ReviewRequest>,
}

impl Monitor {
    /// Of an instance of which nothing is known. `reviewer` is told when a review is due.
    pub(super) fn new(spec: HealthSpec, reviewer: Rc<Notify>) -> Monitor {
        let now = Instant::now();
        let peak = PeakEwma::new(now);
        Monitor {
            health: RefCell::new(Health::new(now.into_std())),
            spec: Cell::new(spec),
            weight: Cell::new(FULL),
            peak: Cell::new(peak),
            typical: Cell::new(0.0),
            cost: Cell::new(peak.cost(0.0)),
            impatient: Cell::new(false),
            review: Rc::new(ReviewRequest::new(reviewer)),
        }
    }

    /// Judges by these settings from now on.
    pub(super) fn set_spec(&self, spec: HealthSpec) {
        self.spec.set(spec);
    }

    /// There is a connection after there was none.
    pub(super) fn connected(&self, now: Instant) {
        self.health.borrow_mut().connected(now.into_std());
        self.forget_peak(now);
        self.settle(now);
    }

    /// A call is sent; gives what [`ended`](Self::ended) wants to know.
    #[inline]
    pub(super) fn sent(&self) -> u32 {
        self.health.borrow_mut().sent()
    }

    /// A call has ended, at `now` or a moment ago.
    #[inline]
    pub(super) fn ended(&self, epoch: u32, evidence: Evidence, took: Option<Duration>, now: Instant) {
        if let Some(took) = took {
            self.took(evidence, took.as_secs_f32(), now);
        }
        if self.health.borrow_mut().ended(epoch, evidence, took, &self.spec.get()) {
            self.review.raise();
        }
    }

    #[inline]
    fn took(&self, evidence: Evidence, took: f32, now: Instant) {
        let mut peak = self.peak.get();
        if evidence == Evidence::Good && peak.is_least(took) {
            return;
        }
        match evidence {
            Evidence::Good => peak.observe(took, self.typical.get(), now),
            // To fail quickly is no merit.
            Evidence::Failed | Evidence::GivenUp => peak.at_least(took),
            Evidence::Refused | Evidence::Nothing => return,
        }
        peak.cap(self.typical.get());
        self.peak.set(peak);
        self.cost.set(peak.cost(self.typical.get()));
    }

    /// Nothing is known of how long it takes.
    pub(super) fn forget_peak(&self, now: Instant) {
        self.peak.set(PeakEwma::new(now));
    }

    /// What is raised when a review is due.
    pub(super) fn review(&self) -> &Rc<ReviewRequest> {
        &self.review
    }

    /// Whether time changes nothing about it: it has its whole share, and nothing is known of it.
    pub(super) fn rests(&self) -> bool {
        self.weight.get() == FULL && self.health.borrow().is_unknown()
    }

    /// Whether the next call may be its probe. A `fragile` one only if others have not come for a while.
    pub(super) fn wants_probe(&self, fragile: bool) -> bool {
        (!fragile || self.impatient.get()) && self.health.borrow().wants_probe()
    }

    /// Whether it is probed, be a probe under way or not.
    pub(super) fn is_probing(&self) -> bool {
        self.health.borrow().probing_since().is_some()
    }

    /// Whether calls are to be given to it at all.
    #[inline]
    pub(super) fn is_in(&self) -> bool {
        self.weight.get() > 0
    }

    /// Whether it is the turn of an instance of its weight.
    #[inline]
    pub(super) fn has_turn(&self) -> bool {
        self.weight.get() == FULL || fastrand::u8(..) < self.weight.get()
    }

    /// Whether it is known to reply within a millisecond.
    #[inline]
    pub(super) fn is_quick(&self) -> bool {
        self.health.borrow().is_quick()
    }

    /// What one call to it costs, in seconds, beside the others that wait for it.
    #[inline]
    pub(super) fn cost(&self) -> f32 {
        self.cost.get()
    }

    /// Whether it is well, with all of its share or on the way there.
    pub(super) fn is_well(&self) -> bool {
        self.health.borrow().is_well()
    }

    /// How long its replies take on the average, in seconds; `None` as long as nobody knows.
    pub(super) fn latency(&self) -> Option<f32> {
        let latency = self.health.borrow().latency().as_secs_f32();
        (latency > 0.0).then_some(latency)
    }

    /// What the backend's instances take, in seconds.
    pub(super) fn set_typical(&self, typical: f32) {
        self.typical.set(typical);
    }

    /// For a review.
    pub(super) fn health(&self) -> RefMut<'_, Health> {
        self.health.borrow_mut()
    }

    /// Works out what a pick reads.
    pub(super) fn settle(&self, now: Instant) {
        let health = self.health.borrow();
        self.weight.set(health.weight(&self.spec.get(), now.into_std()));
        let mut peak = self.peak.get();
        peak.fade(now);
        peak.cap(self.typical.get());
        self.peak.set(peak);
        self.cost.set(peak.cost(self.typical.get()));
        let waited = |since| now.into_std().saturating_duration_since(since);
        let waited = health.probing_since().map_or(Duration::ZERO, waited);
        self.impatient.set(waited >= IMPATIENT_AFTER);
    }

    /// Its weight, of [`FULL`].
    pub(super) fn weight(&self) -> u8 {
        self.weight.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_another_process_at_an_endpoint_it_is_not_known_how_long_it_takes() {
        let (monitor, now) = (Monitor::new(HealthSpec::default(), Rc::default()), Instant::now());
        monitor.set_typical(0.01);
        for ms in [10, 100] {
            monitor.ended(monitor.sent(), Evidence::Good, Some(Duration::from_millis(ms)), now);
        }
        assert_eq!(monitor.cost(), 0.1);
        monitor.connected(now);
        assert_eq!(monitor.cost(), 0.01);
    }
}
