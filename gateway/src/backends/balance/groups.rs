//! Who is asked at all: the instances that get calls, apart by their rank. The first are those of the gateway's own zone, and of
//! the lowest priority where a source has priorities.
//!
//! Those of the first rank at which anybody is get all calls as long as enough of them are well; of the calls beyond what they are
//! reckoned to bear, a part goes to the next rank. This is how Envoy does it: each is taken to bear [`OVERPROVISIONING`] of its load.

use crate::backends::instances::{Instances, Part};

/// So much more than its load a rank can bear, in percent: calls leave it when fewer than five in seven of its instances, by
/// weight, are well.
const OVERPROVISIONING: u64 = 140;

/// A share of the calls that is all of them.
const ALL: u64 = 256;

/// The instances that get calls.
#[derive(Debug, Default, PartialEq)]
pub(in crate::backends) struct Groups {
    /// Those of the first rank at which there are some.
    first: Group,
    /// Those of the next such rank.
    next: Group,
    /// How many calls of [`ALL`] go to the next though instances of the first could take them.
    spill: u64,
}

/// Instances that may be chosen among, by their places.
#[derive(Debug, Default)]
pub(in crate::backends) struct Group {
    rank: u16,
    places: Vec<usize>,
    /// The sum of the weights up to and with each; empty where all weigh the same.
    sums: Vec<u64>,
}

impl Groups {
    /// Those of the instances at these places, which get calls.
    pub(in crate::backends) fn of(instances: &Instances, live: &[usize]) -> Groups {
        let parts = &instances.parts;
        let mut ranks: Vec<u16> = live.iter().map(|place| parts[*place].rank).collect();
        ranks.sort_unstable();
        ranks.dedup();
        let of = |rank: Option<&u16>| {
            let places = live.iter().copied().filter(|place| Some(&parts[*place].rank) == rank);
            Group::of(rank.copied().unwrap_or_default(), places.collect(), parts)
        };
        let (first, next) = (of(ranks.first()), of(ranks.get(1)));
        let weight = |place: usize| u64::from(parts[place].weight);
        let all: u64 = (0..parts.len()).filter(|place| parts[*place].rank == first.rank).map(weight).sum();
        let well = first.places.iter().filter(|place| instances.all[**place].monitor.is_well());
        let well: u64 = well.map(|place| weight(*place)).sum();
        let stays = (ALL * well * OVERPROVISIONING / (100 * all).max(1)).min(ALL);
        Groups { spill: if next.is_empty() { 0 } else { ALL - stays }, first, next }
    }

    /// The group in which a call looks first, and the other one. Calls with one key all look in the same.
    #[inline]
    pub(in crate::backends) fn in_order(&self, key: Option<u64>) -> (&Group, &Group) {
        let spills = match self.spill {
            0 => false,
            // Other bits than an instance's ease-in is decided by.
            spill => key.map_or_else(|| fastrand::u64(..ALL), |key| (key >> 48) % ALL) < spill,
        };
        if spills { (&self.next, &self.first) } else { (&self.first, &self.next) }
    }
}

impl PartialEq for Group {
    // One by one: to compare two empty vectors as a whole, the C library may be given addresses where nothing is, which costs
    // it a thousand cycles.
    fn eq(&self, other: &Group) -> bool {
        self.rank == other.rank && self.places.iter().eq(&other.places) && self.sums.iter().eq(&other.sums)
    }
}

impl Group {
    fn of(rank: u16, places: Vec<usize>, parts: &[Part]) -> Group {
        let weights = || places.iter().map(|place| parts[*place].weight);
        let alike = weights().all(|weight| Some(weight) == weights().next());
        let mut sum = 0;
        let add = |weight| {
            sum += u64::from(weight);
            sum
        };
        let sums = if alike { Vec::new() } else { weights().map(add).collect() };
        Group { rank, places, sums }
    }

    /// Whether nobody is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether it is the one of that rank.
    pub(super) fn is_of(&self, rank: u16) -> bool {
        self.rank == rank
    }

    /// Whether the instance at that place is in it.
    pub(in crate::backends) fn has(&self, place: usize) -> bool {
        self.places.binary_search(&place).is_ok()
    }

    /// All of them.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> + '_ {
        self.places.iter().copied()
    }

    /// A random one, by weight.
    #[inline]
    pub(super) fn draw(&self) -> Option<usize> {
        let at = match (self.places.len(), self.sums.last()) {
            (0, _) => return None,
            (1, _) => 0,
            (n, None) => fastrand::usize(..n),
            (_, Some(all)) => self.at(fastrand::u64(..*all)),
        };
        self.places.get(at).copied()
    }

    /// Two random ones, by weight; only one where there is no other.
    #[inline]
    pub(super) fn draw_two(&self) -> Option<(usize, Option<usize>)> {
        let n = self.places.len();
        let (first, second) = match (n, self.sums.last()) {
            (0, _) => return None,
            (1, _) => return Some((self.places[0], None)),
            (_, None) => {
                let first = fastrand::usize(..n);
                (first, (first + 1 + fastrand::usize(..n - 1)) % n)
            }
            (_, Some(all)) => {
                let first = self.at(fastrand::u64(..*all));
                let before = if first == 0 { 0 } else { self.sums[first - 1] };
                let own = self.sums[first] - before;
                let drawn = fastrand::u64(..*all - own);
                (first, self.at(if drawn < before { drawn } else { drawn + own }))
            }
        };
        Some((self.places[first], Some(self.places[second])))
    }

    /// The one in whose part of the weights that lies.
    fn at(&self, drawn: u64) -> usize {
        self.sums.partition_point(|sum| *sum <= drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::testing::{instance_at, local_of};
    use crate::config::{Balance, HealthSpec, Placement};

    const DRAWS: usize = 10_000;

    /// All instances of a backend of those weights.
    fn group(weights: &[u32]) -> Group {
        let spec = HealthSpec::default();
        let all = (1..).zip(weights).map(|(port, _)| instance_at(spec, port)).collect();
        let placements: Vec<_> =
            weights.iter().map(|weight| Placement { weight: *weight, zone: None }).collect();
        let backend = local_of(Balance::default(), spec, &placements, all);
        let live: Vec<usize> = (0..weights.len()).collect();
        Groups::of(&backend.instances, &live).first
    }

    #[test]
    fn two_that_are_drawn_are_never_the_same_and_come_by_their_weights() {
        for weights in [&[1, 1, 1][..], &[1, 2, 5], &[6, 1, 1]] {
            let (group, mut drawn) = (group(weights), vec![[0; 2]; weights.len()]);
            for _ in 0..DRAWS {
                let (first, second) = group.draw_two().expect("there are some");
                let second = second.expect("there are others");
                assert_ne!(first, second, "{weights:?}");
                drawn[first][0] += 1;
                drawn[second][1] += 1;
            }
            let all: u32 = weights.iter().sum();
            for (place, weight) in weights.iter().enumerate() {
                let share = |of: u32, n: u32| of as f32 / n as f32;
                let first = share(*weight, all);
                let after = |(other, one): (usize, &u32)| {
                    if other == place { 0.0 } else { share(*one, all) * share(*weight, all - one) }
                };
                let second: f32 = weights.iter().enumerate().map(after).sum();
                let seen = drawn[place].map(|n| n as f32 / DRAWS as f32);
                assert!((seen[0] - first).abs() < 0.03, "{weights:?}, {place}: {seen:?}, not {first}");
                assert!((seen[1] - second).abs() < 0.03, "{weights:?}, {place}: {seen:?}, not {second}");
            }
        }
    }

    #[test]
    fn groups_are_the_same_whose_members_and_weights_are() {
        let is_same = |a: &[u32], b: &[u32]| group(a) == group(b);
        assert!(is_same(&[1, 2], &[1, 2]) && is_same(&[], &[]) && is_same(&[3, 3], &[1, 1]));
        assert!(!is_same(&[1, 2], &[1, 3]) && !is_same(&[1, 1], &[1, 1, 1]) && !is_same(&[1, 1], &[1, 2]));
    }

    #[test]
    fn a_group_has_its_members_only() {
        let group = group(&[1, 1]);
        assert_eq!([0, 1, 2].map(|place| group.has(place)), [true, true, false]);
    }
}
