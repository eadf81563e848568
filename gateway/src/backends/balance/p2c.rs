//! Power of two choices: of two random instances the one that costs less. The two are drawn by weight, and of idle equals the first
//! is taken.

use super::cost::Costs;
use super::groups::Group;
use crate::backends::instances::{Candidate, Instances};
use crate::backends::tried::Tried;

/// Where that many calls have piled up, another instance is not spared because it is new: this one may be gone.
const PILED: usize = 16;

/// The better one of two of a group.
#[inline]
pub(super) fn choose<'b>(
    costs: Costs,
    instances: &'b Instances,
    group: &Group,
    tried: &Tried<'_>,
) -> Option<Candidate<'b>> {
    let (first, second) = group.draw_two()?;
    let Some(second) = second else { return instances.eligible(first, tried) };
    match (instances.eligible(first, tried), instances.eligible(second, tried)) {
        (Some(a), Some(b)) => Some(match (a.at.monitor.has_turn(), b.at.monitor.has_turn()) {
            (true, true) if a.link.in_flight() + b.link.in_flight() == 0 => {
                cheaper(a, b, |one| costs.of_one(one))
            }
            (true, true) => cheaper(a, b, |one| costs.of_next(instances, one)),
            (true, false) if a.load() <= PILED => a,
            (false, true) if b.load() <= PILED => b,
            _ => cheaper(a, b, |one| costs.weighted(instances, one)),
        }),
        (Some(one), None) | (None, Some(one)) => one.at.monitor.has_turn().then_some(one),
        (None, None) => None,
    }
}

fn cheaper<'b>(a: Candidate<'b>, b: Candidate<'b>, cost: impl Fn(&Candidate<'b>) -> f32) -> Candidate<'b> {
    if cost(&b) < cost(&a) { b } else { a }
}
