//! What a call costs at an instance: what the calls in flight there make it wait, times what the instance lately took at most; less
//! where it leaves with a write that waits anyway.
//!
//! Calls in flight count by weight, as seats go to parties by the method of Sainte-Laguë: so shares are by weight whether there is
//! much to do or little.

use crate::backends::instances::{Candidate, Instances};
use callgate_health::FULL;

/// The calls that a link may be ahead by and still be given the next one, if a write is about to leave on it anyway: one more call
/// in a write costs a tenth of a call that has a write, and a backend that wakes up for it, to itself.
const JOINING: usize = 32;

/// By what calls cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backends) enum Costs {
    /// By what the instance lately took.
    ByLatency,
    /// Wherever they go they take alike.
    Alike,
}

impl Candidate<'_> {
    /// What weighs against giving it the next call: the calls in flight, and less where that call saves a write. Only an instance
    /// that replies quickly is ahead of others for that: where replies take longer, an even share is worth more.
    #[inline]
    pub(super) fn load(&self) -> usize {
        let joins = self.link.is_about_to_write() && self.at.monitor.is_quick();
        if joins { self.link.in_flight().saturating_sub(JOINING) } else { self.link.in_flight() + 1 }
    }
}

impl Costs {
    /// What one call costs there, beside the others and whatever its weight.
    #[inline]
    pub(super) fn of_one(self, one: &Candidate<'_>) -> f32 {
        match self {
            Costs::ByLatency => one.at.monitor.cost(),
            Costs::Alike => 1.0,
        }
    }

    /// What a further call there costs.
    #[inline]
    pub(super) fn of_next(self, instances: &Instances, one: &Candidate<'_>) -> f32 {
        let load = one.load();
        let (base, in_flight) = (1 + load.min(1), load - load.min(1));
        let seats = (in_flight as f32 + 0.5) * instances.parts[one.place].per_call - 0.5;
        (base as f32 + seats) * self.of_one(one)
    }

    /// The same where its health's weight is to count as well.
    pub(in crate::backends) fn weighted(self, instances: &Instances, one: &Candidate<'_>) -> f32 {
        self.of_next(instances, one) * f32::from(FULL) / f32::from(one.at.monitor.weight().max(1))
    }
}
