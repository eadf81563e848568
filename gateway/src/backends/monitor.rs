//! What a worker's connections to an instance report of it, and what the pick reads: [`Health`] in a shared place.
//!
//! A pick must not think: what it needs is worked out by the keeper's reviews and lies in cells.

use super::health::{FULL, Health, Verdict};
use super::peak_ewma::PeakEwma;
use crate::config::HealthSpec;
use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// After so long without a call that can be repeated an instance is probed with any.
const IMPATIENT_AFTER: Duration = Duration::from_secs(1);

/// An instance's health, shared by its connections and the pool.
pub(crate) struct Monitor {
    health: RefCell<Health>,
    spec: Cell<HealthSpec>,
    weight: Cell<u8>,
    peak: Cell<PeakEwma>,
    /// What the backend's instances take, in seconds; 0 as long as nobody knows.
    typical: Cell<f32>,
    /// What one call to it costs, in seconds: worked out from the two.
    price: Cell<f32>,
    /// It has waited long enough for a probe to take any call for one.
    impatient: Cell<bool>,
    /// A review is due, of which the keeper is told.
    due: Cell<bool>,
    keeper: Rc<Notify>,
}

impl Monitor {
    pub(crate) fn new(spec: HealthSpec, keeper: Rc<Notify>) -> Monitor {
        let now = Instant::now();
        let peak = PeakEwma::new(now);
        Monitor {
            health: RefCell::new(Health::new(now)),
            spec: Cell::new(spec),
            weight: Cell::new(FULL),
            peak: Cell::new(peak),
            typical: Cell::new(0.0),
            price: Cell::new(peak.price(0.0)),
            impatient: Cell::new(false),
            due: Cell::new(false),
            keeper,
        }
    }

    /// Judges by these settings from now on.
    pub(crate) fn set_spec(&self, spec: HealthSpec) {
        self.spec.set(spec);
    }

    /// There is a connection after there was none.
    pub(crate) fn connected(&self, now: Instant) {
        self.health.borrow_mut().connected(now);
        self.forget_peak(now);
        self.settle(now);
    }

    /// A call is sent; gives what [`ended`](Self::ended) wants to know.
    #[inline]
    pub(crate) fn sent(&self) -> u32 {
        self.health.borrow_mut().sent()
    }

    /// A call has ended, at `now` or a moment ago.
    #[inline]
    pub(crate) fn ended(&self, epoch: u32, verdict: Verdict, took: Option<Duration>, now: Instant) {
        if let Some(took) = took {
            self.took(verdict, took.as_secs_f32(), now);
        }
        if self.health.borrow_mut().ended(epoch, verdict, took, &self.spec.get()) {
            self.ask_for_review();
        }
    }

    #[inline]
    fn took(&self, verdict: Verdict, took: f32, now: Instant) {
        let mut peak = self.peak.get();
        if verdict == Verdict::Good && peak.is_least(took) {
            return;
        }
        match verdict {
            Verdict::Good => peak.observe(took, self.typical.get(), now),
            // To fail quickly is no merit.
            Verdict::Failed | Verdict::GivenUp => peak.at_least(took),
            Verdict::Refused | Verdict::Nothing => return,
        }
        peak.cap(self.typical.get());
        self.peak.set(peak);
        self.price.set(peak.price(self.typical.get()));
    }

    /// Nothing is known of how long it takes.
    pub(crate) fn forget_peak(&self, now: Instant) {
        self.peak.set(PeakEwma::new(now));
    }

    /// Whether it can be called has changed, or something else that the keeper has to see.
    pub(crate) fn ask_for_review(&self) {
        if !self.due.replace(true) {
            self.keeper.notify_one();
        }
    }

    /// Whether a review was asked for.
    pub(crate) fn is_due(&self) -> bool {
        self.due.get()
    }

    /// Whether time changes nothing about it: it has its whole share, and nothing is known of it.
    pub(crate) fn rests(&self) -> bool {
        self.weight.get() == FULL && self.health.borrow().is_unknown()
    }

    /// A review begins.
    pub(crate) fn reviewed(&self) {
        self.due.set(false);
    }

    /// Whether the next call may be its probe. A `fragile` one only if others have not come for a while.
    pub(crate) fn wants_probe(&self, fragile: bool) -> bool {
        (!fragile || self.impatient.get()) && self.health.borrow().wants_probe()
    }

    /// Whether it is probed, be a probe under way or not.
    pub(crate) fn is_probing(&self) -> bool {
        self.health.borrow().probing_since().is_some()
    }

    /// Whether calls are to be given to it at all.
    #[inline]
    pub(crate) fn is_in(&self) -> bool {
        self.weight.get() > 0
    }

    /// Whether it is the turn of an instance of its weight.
    #[inline]
    pub(crate) fn has_turn(&self) -> bool {
        self.weight.get() == FULL || fastrand::u8(..) < self.weight.get()
    }

    /// Whether it is known to answer within a millisecond.
    #[inline]
    pub(crate) fn is_quick(&self) -> bool {
        self.health.borrow().is_quick()
    }

    /// What one call to it costs, in seconds, beside the others that wait for it.
    #[inline]
    pub(crate) fn price(&self) -> f32 {
        self.price.get()
    }

    /// Whether it is well, with all of its share or on the way there.
    pub(crate) fn is_well(&self) -> bool {
        self.health.borrow().is_well()
    }

    /// How long its answers take on the average, in seconds; `None` as long as nobody knows.
    pub(crate) fn usual(&self) -> Option<f32> {
        let latency = self.health.borrow().latency().as_secs_f32();
        (latency > 0.0).then_some(latency)
    }

    /// What the backend's instances take, in seconds.
    pub(crate) fn set_typical(&self, typical: f32) {
        self.typical.set(typical);
    }

    /// For a review.
    pub(crate) fn health(&self) -> RefMut<'_, Health> {
        self.health.borrow_mut()
    }

    /// Works out what a pick reads.
    pub(crate) fn settle(&self, now: Instant) {
        let health = self.health.borrow();
        self.weight.set(health.weight(&self.spec.get(), now));
        let mut peak = self.peak.get();
        peak.fade(now);
        peak.cap(self.typical.get());
        self.peak.set(peak);
        self.price.set(peak.price(self.typical.get()));
        let waited =
            health.probing_since().map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.impatient.set(waited >= IMPATIENT_AFTER);
    }

    /// Its weight, of [`FULL`].
    pub(crate) fn weight(&self) -> u8 {
        self.weight.get()
    }
}
