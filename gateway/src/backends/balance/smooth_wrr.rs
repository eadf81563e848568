//! One after the other, by weight: nginx's smooth weighted round robin. In each turn everybody gains its weight, whoever has
//! most is chosen, and pays what all have gained. So the calls of a heavy instance are spread among those of the others.
//!
//! It looks at every instance for each call.

use super::groups::Group;
use crate::backends::instances::{Candidate, Instances, Part};
use crate::backends::tried::Tried;
use std::cell::RefCell;

/// What each instance has gained and not yet paid.
pub(in crate::backends) struct SmoothWrr(RefCell<Vec<i64>>);

impl SmoothWrr {
    /// They begin anywhere: or all workers of all gateways would begin with the same one.
    pub(super) fn of(parts: &[Part]) -> SmoothWrr {
        SmoothWrr(RefCell::new(
            parts.iter().map(|part| fastrand::i64(0..gain(part.weight, u8::MAX))).collect(),
        ))
    }

    /// The one of a group whose turn it is.
    pub(super) fn choose<'b>(
        &self,
        instances: &'b Instances,
        group: &Group,
        tried: &Tried<'_>,
    ) -> Option<Candidate<'b>> {
        let mut gained = self.0.borrow_mut();
        let mut total = 0;
        let mut best: Option<(i64, Candidate<'b>)> = None;
        for place in group.places() {
            let Some(candidate) = instances.eligible(place, tried) else { continue };
            let gain = gain(instances.parts[place].weight, candidate.at.monitor.weight());
            total += gain;
            gained[place] += gain;
            if best.as_ref().is_none_or(|(most, _)| gained[place] > *most) {
                best = Some((gained[place], candidate));
            }
        }
        let (_, chosen) = best?;
        gained[chosen.place] -= total;
        Some(chosen)
    }
}

/// What an instance of that weight gains, where its health has that weight.
fn gain(weight: u32, health: u8) -> i64 {
    i64::from(weight) * i64::from(health)
}
