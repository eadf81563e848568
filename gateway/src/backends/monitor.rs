//! What a worker's connections to an instance report of it, and what the pick reads: [`Health`] in a shared place.
//!
//! A pick must not think: what it needs is worked out by the keeper's reviews and lies in cells.

use super::health::{FULL, Health, Verdict};
use crate::config::HealthSpec;
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
    slowness: Cell<u32>,
    /// It has waited long enough for a probe to take any call for one.
    impatient: Cell<bool>,
    /// The keeper: told when a review is due.
    due: Rc<Notify>,
}

impl Monitor {
    pub(super) fn new(spec: HealthSpec, due: Rc<Notify>) -> Monitor {
        let health = RefCell::new(Health::new(Instant::now()));
        let (weight, slowness, impatient) = (Cell::new(FULL), Cell::new(1), Cell::new(false));
        Monitor { health, spec: Cell::new(spec), weight, slowness, impatient, due }
    }

    /// Judges by these settings from now on.
    pub(super) fn set_spec(&self, spec: HealthSpec) {
        self.spec.set(spec);
    }

    /// There is a connection after there was none.
    pub(super) fn connected(&self, now: Instant) {
        self.health.borrow_mut().connected(now);
        self.settle(now);
    }

    /// A call is sent; gives what [`ended`](Self::ended) wants to know.
    #[inline]
    pub(super) fn sent(&self) -> u32 {
        self.health.borrow_mut().sent()
    }

    /// A call has ended.
    #[inline]
    pub(super) fn ended(&self, epoch: u32, verdict: Verdict, took: Option<Duration>) {
        if self.health.borrow_mut().ended(epoch, verdict, took, &self.spec.get()) {
            self.ask_for_review();
        }
    }

    /// Whether it can be called has changed, or something else that the keeper has to see.
    pub(super) fn ask_for_review(&self) {
        self.due.notify_one();
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

    /// Whether it is known to answer within a millisecond.
    #[inline]
    pub(super) fn is_quick(&self) -> bool {
        self.health.borrow().is_quick()
    }

    /// What a further call to it costs, as others wait for it already.
    #[inline]
    pub(super) fn cost(&self, in_flight: usize) -> u64 {
        (in_flight as u64 + 1) * u64::from(self.slowness.get())
    }

    /// The same where its weight is to count as well.
    pub(super) fn weighted_cost(&self, in_flight: usize) -> u64 {
        self.cost(in_flight) * u64::from(FULL) / u64::from(self.weight.get().max(1))
    }

    /// For a review.
    pub(super) fn health(&self) -> RefMut<'_, Health> {
        self.health.borrow_mut()
    }

    /// Works out what a pick reads.
    pub(super) fn settle(&self, now: Instant) {
        let health = self.health.borrow();
        self.weight.set(health.weight(&self.spec.get(), now));
        self.slowness.set(health.slowness());
        let waited =
            health.probing_since().map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.impatient.set(waited >= IMPATIENT_AFTER);
    }

    /// Its weight, of [`FULL`].
    pub(super) fn weight(&self) -> u8 {
        self.weight.get()
    }
}
