//! The instance that is a key's, and the next ones on the ring after it where that cannot take the call.
//!
//! With a load factor an instance takes no more than so many times the average of the calls in flight (consistent hashing with
//! bounded loads, Mirrokni, Thorup and Zadimoghaddam): a key that everybody asks for does not bury the instance that has it.

use super::{Candidate, Group, LocalBackend, Tried};
use crate::backends::health::FULL;
use crate::backends::ring::Ring;
use crate::config::HashSpec;
use crate::telemetry::Diverted;
use std::sync::Arc;

/// So many points of the ring are looked at for each instance that there is: of ten, one that could take the call is
/// overlooked once in 30,000 times. The ring has 160 points and more for each.
const POINTS_EACH: usize = 10;

/// How calls go to instances by their keys.
pub(super) struct ByKey {
    ring: Option<Arc<Ring>>,
    load_factor: Option<u32>,
}

impl ByKey {
    /// By that ring, which is there with every backend that hashes.
    pub(super) fn new(spec: &HashSpec, ring: Option<Arc<Ring>>) -> ByKey {
        ByKey { ring, load_factor: spec.load_factor }
    }
}

/// The calls in flight to a group, and its weight.
struct Load {
    calls: usize,
    weight: u64,
}

impl LocalBackend {
    /// The first one on the ring that belongs to the group and can take the call.
    pub(super) fn by_key(
        &self,
        by: &ByKey,
        key: u64,
        group: &Group,
        tried: &Tried<'_>,
    ) -> Option<Candidate<'_>> {
        if group.is_empty() {
            return None;
        }
        let points = by.ring.as_deref()?.walk(key).take(POINTS_EACH * self.peers.len());
        let (mut owner, mut spare, mut load) = (None, None, None);
        let mut chosen = None;
        for place in points.filter(|place| group.is_of(self.parts.get(*place).is_some_and(|part| part.away)))
        {
            owner.get_or_insert(place);
            let Some(candidate) = self.eligible(place, tried) else { continue };
            // While an instance eases in, its keys come to it one by one, and those that have come stay.
            let weight = candidate.peer.monitor.weight();
            let has_turn = weight == FULL || ((key >> 56) as u8) < weight;
            if has_turn && self.is_within(by, &candidate, group, &mut load) {
                chosen = Some(candidate);
                break;
            }
            spare.get_or_insert(candidate);
        }
        let chosen = chosen.or(spare)?;
        if owner != Some(chosen.place) {
            self.divert(chosen.peer, Diverted::Moved);
        }
        Some(chosen)
    }

    /// Whether an instance stays within its part of the load with one more call.
    fn is_within(&self, by: &ByKey, one: &Candidate<'_>, group: &Group, load: &mut Option<Load>) -> bool {
        let Some(factor) = by.load_factor else { return true };
        let calls = one.conn.in_flight();
        // Nobody's part is less than one.
        if calls == 0 {
            return true;
        }
        let load = load.get_or_insert_with(|| self.load(group));
        let part = u64::from(factor) * (load.calls as u64 + 1) * u64::from(self.parts[one.place].weight);
        (calls as u64) < part.div_ceil(100 * load.weight.max(1))
    }

    fn load(&self, group: &Group) -> Load {
        let mut load = Load { calls: 0, weight: 0 };
        for place in group.places() {
            load.calls += self.peers[place].conn().map_or(0, |conn| conn.in_flight());
            load.weight += u64::from(self.parts[place].weight);
        }
        load
    }
}
