//! The instance that is a key's, and the next ones on the ring after it where that cannot take the call.
//!
//! With a load factor an instance takes no more than so many times the average of the calls in flight (consistent hashing with
//! bounded loads, Mirrokni, Thorup and Zadimoghaddam): a key that everybody asks for does not bury the instance that has it.

use super::groups::Group;
use crate::backends::instances::{Candidate, Instances};
use crate::backends::ring::Ring;
use crate::backends::tried::Tried;
use crate::config::HashSpec;
use crate::telemetry::Diverted;
use callgate_health::FULL;
use std::sync::Arc;

/// So many points of the ring are looked at for each instance that there is: of ten, one that could take the call is
/// overlooked once in 30,000 times. The ring has 160 points and more for each.
const POINTS_EACH: usize = 10;

/// How calls go to instances by their keys.
pub(in crate::backends) struct RingHash {
    ring: Option<Arc<Ring>>,
    load_factor: Option<u32>,
}

impl RingHash {
    /// By that ring, which is there with every backend that hashes.
    pub(super) fn new(spec: &HashSpec, ring: Option<Arc<Ring>>) -> RingHash {
        RingHash { ring, load_factor: spec.load_factor }
    }

    /// The first one on the ring that belongs to the group and can take the call.
    pub(super) fn choose<'b>(
        &self,
        key: u64,
        instances: &'b Instances,
        group: &Group,
        tried: &Tried<'_>,
    ) -> Option<Candidate<'b>> {
        if group.is_empty() {
            return None;
        }
        let points = self.ring.as_deref()?.walk(key).take(POINTS_EACH * instances.all.len());
        let in_group = |place: &usize| instances.parts.get(*place).is_some_and(|part| group.is_of(part.rank));
        let (mut owner, mut spare, mut load) = (None, None, None);
        let mut chosen = None;
        for place in points.filter(in_group) {
            owner.get_or_insert(place);
            let Some(candidate) = instances.eligible(place, tried) else { continue };
            // While an instance eases in, its keys come to it one by one, and those that have come stay.
            let weight = candidate.at.monitor.weight();
            let has_turn = weight == FULL || ((key >> 56) as u8) < weight;
            if has_turn && self.is_within(instances, &candidate, group, &mut load) {
                chosen = Some(candidate);
                break;
            }
            spare.get_or_insert(candidate);
        }
        let chosen = chosen.or(spare)?;
        if owner != Some(chosen.place) {
            instances.divert(chosen.at, Diverted::Moved);
        }
        Some(chosen)
    }

    /// Whether an instance stays within its part of the load with one more call.
    fn is_within(
        &self,
        instances: &Instances,
        one: &Candidate<'_>,
        group: &Group,
        load: &mut Option<Load>,
    ) -> bool {
        let Some(factor) = self.load_factor else { return true };
        let calls = one.link.in_flight();
        // Nobody's part is less than one.
        if calls == 0 {
            return true;
        }
        let load = load.get_or_insert_with(|| Load::of(instances, group));
        let weight = u64::from(instances.parts[one.place].weight);
        let part = u64::from(factor) * (load.calls as u64 + 1) * weight;
        (calls as u64) < part.div_ceil(100 * load.weight.max(1))
    }
}

/// The calls in flight to a group, and its weight.
struct Load {
    calls: usize,
    weight: u64,
}

impl Load {
    fn of(instances: &Instances, group: &Group) -> Load {
        let mut load = Load { calls: 0, weight: 0 };
        for place in group.places() {
            load.calls += instances.all[place].link().map_or(0, |link| link.in_flight());
            load.weight += u64::from(instances.parts[place].weight);
        }
        load
    }
}
