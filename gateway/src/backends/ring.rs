//! Which instance is a key's: a consistent hash ring. When an instance comes, it takes its part of the keys from all others,
//! and those stay where they are otherwise; when one goes, the others share its keys.
//!
//! A ring is made with the members, holds all of them whether they are there or not, and is shared by all workers. Gateways
//! with the same endpoints and weights agree on every key.
//!
//! The points are those of ketama, as nginx and pingora have them. They are kept here because a ring of a thousand members
//! has 160,000 of them, and takes 10 ms to make: where a member comes or goes, the next ring takes the points of all others over,
//! sorted as they are.

use super::endpoint::Endpoint;
use crate::config::EndpointAddr;
use crate::number_map::NumberMap;
use crc32fast::Hasher;
use std::net::Ipv6Addr;
use std::sync::Arc;

/// More units than this, or [`UNITS_EACH`] an instance, are not given out: each has 160 points on the ring. So weights are
/// kept exactly where they are small, and nearly where they are not.
const UNITS: u32 = 256;
const UNITS_EACH: u32 = 8;

/// The port of every node. It says nothing.
const PORT: u16 = 1;

/// The place of a member that is gone.
const GONE: u32 = u32::MAX;

/// Points of one unit.
const POINTS: u32 = 160;

/// A member and its weight.
type Weighted = (Arc<Endpoint>, u32);

/// Endpoints on a ring.
pub struct Ring {
    /// With their weights.
    members: Vec<Weighted>,
    /// How many units of points each has.
    units: Vec<u32>,
    /// In the order of the ring. Where two members have a point of the same hash, the lower address comes first.
    points: Box<[Point]>,
}

/// A point on a ring, and the place of the member to which it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Point {
    hash: u32,
    place: u32,
}

impl Ring {
    /// A ring of these endpoints with their weights, none of which is 0.
    pub(super) fn new(members: Vec<Weighted>) -> Ring {
        let units = units(&members);
        let points = sorted_points(&members, &units, 0..members.len()).into();
        Ring { members, units, points }
    }

    /// The same, with what can be taken over of the ring before: all of it, or the points of members that are still there.
    pub(super) fn after(before: Option<&Arc<Ring>>, members: Vec<Weighted>) -> Arc<Ring> {
        match before {
            Some(before) if before.is_of(&members) => before.clone(),
            Some(before) => Arc::new(before.next(members)),
            None => Arc::new(Ring::new(members)),
        }
    }

    /// Whether it is the ring of these. An endpoint has the same points whatever its connection settings.
    fn is_of(&self, members: &[Weighted]) -> bool {
        let same = |((a, of_a), (b, of_b)): (&Weighted, &Weighted)| {
            of_a == of_b && (Arc::ptr_eq(a, b) || a.addr == b.addr)
        };
        self.members.len() == members.len() && self.members.iter().zip(members).all(same)
    }

    fn next(&self, members: Vec<Weighted>) -> Ring {
        let units = units(&members);
        let known: NumberMap<u64, usize> =
            self.members.iter().enumerate().map(|(place, (endpoint, _))| (endpoint.id, place)).collect();
        // For each place of this ring the one in the next, if the member has the same points there.
        let mut moved = vec![GONE; self.members.len()];
        let mut new = Vec::new();
        for (place, (endpoint, _)) in members.iter().enumerate() {
            match known.get(&endpoint.id) {
                Some(old) if self.units[*old] == units[place] => moved[*old] = place as u32,
                _ => new.push(place),
            }
        }
        let gone = (0..moved.len()).filter(|place| moved[*place] == GONE);
        let gone = sorted_points(&self.members, &self.units, gone);
        let new = sorted_points(&members, &units, new);
        let mut points = Vec::with_capacity(self.points.len() + new.len() - gone.len());
        let keep = |point: &Point| Point { place: moved[point.place as usize], ..*point };
        let (mut from, mut gone) = (0, gone.iter().peekable());
        // Between two points that come or go, all others are taken over as they are.
        for point in &new {
            let end = self.position(from, key(point, &members));
            while let Some(left) = gone.next_if(|left| key(left, &self.members) < key(point, &members)) {
                let at = self.position(from, key(left, &self.members));
                points.extend(self.points[from..at].iter().map(keep));
                from = at + 1;
            }
            points.extend(self.points[from..end].iter().map(keep));
            points.push(*point);
            from = end;
        }
        for left in gone {
            let at = self.position(from, key(left, &self.members));
            points.extend(self.points[from..at].iter().map(keep));
            from = at + 1;
        }
        points.extend(self.points[from..].iter().map(keep));
        Ring { members, units, points: points.into() }
    }

    /// The first place from `from` on whose point is not before that one.
    fn position(&self, from: usize, of: (u32, &EndpointAddr)) -> usize {
        from + self.points[from..].partition_point(|point| key(point, &self.members) < of)
    }

    /// The places of the members in the order in which a key comes to them, the first one being its own. Each comes often;
    /// it goes round once.
    pub(super) fn walk(&self, key: u64) -> impl Iterator<Item = usize> + '_ {
        let key = crc32fast::hash(&key.to_le_bytes());
        let (before, from) = self.points.split_at(self.points.partition_point(|point| point.hash < key));
        from.iter().chain(before).map(|point| point.place as usize)
    }
}

/// The points of the members at these places.
fn sorted_points(members: &[Weighted], units: &[u32], places: impl IntoIterator<Item = usize>) -> Vec<Point> {
    let mut points = Vec::new();
    for place in places {
        let mut hasher = Hasher::new();
        hasher.update(node(&members[place].0.addr).as_bytes());
        let mut hash = 0;
        for _ in 0..units[place] * POINTS {
            let mut next = hasher.clone();
            next.update(&u32::to_le_bytes(hash));
            hash = next.finalize();
            points.push(Point { hash, place: place as u32 });
        }
    }
    points.sort_unstable_by(|a, b| key(a, members).cmp(&key(b, members)));
    points
}

/// By what points are sorted.
fn key<'m>(point: &Point, members: &'m [Weighted]) -> (u32, &'m EndpointAddr) {
    (point.hash, &members[point.place as usize].0.addr)
}

/// How many units of points each member gets.
fn units(members: &[Weighted]) -> Vec<u32> {
    let divisor = members.iter().fold(0, |divisor, (_, weight)| gcd(divisor, *weight)).max(1);
    let total: u64 = members.iter().map(|(_, weight)| u64::from(weight / divisor)).sum();
    let count = u32::try_from(members.len()).unwrap_or(u32::MAX);
    let most = u64::from(UNITS.max(count.saturating_mul(UNITS_EACH)));
    let unit = |weight: u32| match u64::from(weight / divisor) {
        units if total <= most => units,
        units => (units * most / total).max(1),
    };
    members.iter().map(|(_, weight)| u32::try_from(unit(*weight)).unwrap_or(1)).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The name by which the ring knows an endpoint: an IPv6 address and a port, as ketama would write them.
fn node(addr: &EndpointAddr) -> String {
    let text = addr.to_string();
    let halves = [hash(0, text.as_bytes()), hash(1, text.as_bytes())];
    let address = Ipv6Addr::from_bits((u128::from(halves[0]) << 64) | u128::from(halves[1]));
    format!("{address}\0{PORT}")
}

/// FNV-1a, 64 bits, mixed so that every bit of the result depends on every byte. The same in every process, whatever its
/// version: all gateways must agree.
pub fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let begin = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash =
        bytes.iter().fold(begin, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pingora_ketama::{Bucket, Continuum};

    const KEYS: usize = 100_000;

    fn endpoint(host: &str) -> Arc<Endpoint> {
        Arc::new(Endpoint::new(EndpointAddr::Tcp { host: host.to_owned(), port: 7101 }, 1))
    }

    fn members(weights: &[u32]) -> Vec<Weighted> {
        let at = |at: usize| endpoint(&format!("10.0.0.{at}"));
        weights.iter().enumerate().map(|(place, weight)| (at(place), *weight)).collect()
    }

    /// Where each of many keys belongs.
    fn owners(ring: &Ring) -> Vec<usize> {
        let key = |n: usize| hash(0, format!("user-{n}").as_bytes());
        (0..KEYS).map(|n| ring.walk(key(n)).next().expect("it has points")).collect()
    }

    fn shares(ring: &Ring, n: usize) -> Vec<f64> {
        let owners = owners(ring);
        let count = |place| owners.iter().filter(|owner| **owner == place).count();
        (0..n).map(|place| count(place) as f64 / KEYS as f64).collect()
    }

    #[test]
    fn one_more_beside_ten_takes_about_a_tenth_of_the_keys_and_moves_no_other() {
        let (ten, eleven) = (Ring::new(members(&[1; 10])), Ring::new(members(&[1; 11])));
        let (before, after) = (owners(&ten), owners(&eleven));
        let moved = before.iter().zip(&after).filter(|(before, after)| before != after);
        assert!(moved.clone().all(|(_, after)| *after == 10), "to the new one only");
        let share = moved.count() as f64 / KEYS as f64;
        assert!((0.06..0.13).contains(&share), "{share}");
    }

    #[test]
    fn one_that_goes_leaves_its_keys_to_all_others() {
        let ring = Ring::new(members(&[1; 10]));
        let key = |n: usize| hash(0, format!("user-{n}").as_bytes());
        let mut heirs = [0; 10];
        for n in 0..KEYS {
            let mut walk = ring.walk(key(n));
            if walk.next() == Some(3) {
                heirs[walk.find(|place| *place != 3).expect("there are others")] += 1;
            }
        }
        assert_eq!(heirs[3], 0);
        let least = heirs.iter().enumerate().filter(|(place, _)| *place != 3).map(|(_, n)| *n).min();
        assert!(least > Some(KEYS / 10 / 40), "{heirs:?}");
    }

    #[test]
    fn keys_are_shared_by_weight() {
        for (weights, expected) in [
            (&[1, 1, 1, 1][..], &[0.25, 0.25, 0.25, 0.25][..]),
            (&[1, 3], &[0.25, 0.75]),
            (&[100, 300], &[0.25, 0.75]),
            (&[1000, 999, 1], &[0.5, 0.5, 0.002]),
            (&[7], &[1.0]),
        ] {
            let shares = shares(&Ring::new(members(weights)), weights.len());
            for (share, expected) in shares.iter().zip(expected) {
                assert!((share - expected).abs() < expected * 0.25 + 0.005, "{weights:?}: {shares:?}");
            }
        }
    }

    #[test]
    fn every_key_has_the_instance_that_it_has_on_pingoras_ring() {
        for weights in [&[1; 50][..], &[1, 3, 2], &[1000, 999, 1], &[7]] {
            let members = members(weights);
            let ring = Ring::new(members.clone());
            let nodes = members.iter().map(|(addr, _)| {
                let text = node(&addr.addr);
                let (host, port) = text.split_once('\0').expect("a host and a port");
                std::net::SocketAddr::new(host.parse().expect("an address"), port.parse().expect("a port"))
            });
            let nodes: Vec<std::net::SocketAddr> = nodes.collect();
            let buckets = nodes.iter().zip(&ring.units).map(|(node, units)| Bucket::new(*node, *units));
            let continuum = Continuum::new(&buckets.collect::<Vec<_>>());
            for key in 0..10_000 {
                let key = hash(0, format!("user-{key}").as_bytes());
                let mine = ring.walk(key).next().map(|place| nodes[place]);
                assert_eq!(mine, continuum.node(&key.to_le_bytes()), "{weights:?}");
            }
        }
    }

    #[test]
    fn a_ring_after_another_is_the_ring_of_its_members() {
        let mut before = Arc::new(Ring::new(members(&[1; 40])));
        let rounds: [&[usize]; 8] =
            [&[0, 39], &[3], &[], &[7, 7, 8], &[38, 1], &[0, 1, 2, 3, 4, 5], &[20], &[5]];
        for (round, removed) in rounds.into_iter().enumerate() {
            let mut members = before.members.clone();
            removed.iter().for_each(|at| drop(members.remove((*at).min(members.len() - 1))));
            for weight in 0..round as u32 {
                members.insert(round, (endpoint(&format!("10.1.{round}.{weight}")), 1 + weight / 3));
            }
            let (next, anew) = (before.next(members.clone()), Ring::new(members));
            assert_eq!((&next.units, &next.points), (&anew.units, &anew.points), "round {round}");
            before = Arc::new(next);
        }
        let same = before
            .members
            .iter()
            .map(|(one, weight)| (Arc::new(Endpoint::new(one.addr.clone(), 1)), *weight));
        assert!(Arc::ptr_eq(&Ring::after(Some(&before), same.collect()), &before));
    }

    #[test]
    fn points_of_one_hash_are_in_the_order_of_addresses_whatever_the_order_of_members() {
        let members = members(&[1, 1]);
        let point = |place| Point { hash: 7, place };
        assert!(key(&point(0), &members) < key(&point(1), &members));
        let turned: Vec<_> = members.into_iter().rev().collect();
        assert!(key(&point(0), &turned) > key(&point(1), &turned));
    }

    #[test]
    fn a_ring_is_bounded_whatever_the_weights() {
        let ring = Ring::new(members(&[1000, 997, 1, 1000]));
        assert!(ring.points.len() <= (UNITS * 160) as usize, "{}", ring.points.len());
        let many: Vec<u32> = (0..500).map(|n| 501 + n).collect();
        let ring = Ring::new(members(&many));
        assert!(ring.points.len() <= (500 * UNITS_EACH * 160) as usize, "{}", ring.points.len());
    }

    #[test]
    fn a_ring_without_members_leads_nowhere_and_every_walk_meets_every_member() {
        assert_eq!(Ring::new(Vec::new()).walk(7).next(), None);
        let ring = Ring::new(members(&[1, 2, 3]));
        for key in 0..100 {
            let mut met: Vec<usize> = ring.walk(key).collect();
            assert_eq!(met.len(), ring.points.len());
            met.sort_unstable();
            met.dedup();
            assert_eq!(met, [0, 1, 2]);
        }
    }

    #[test]
    fn names_and_paths_have_places_of_their_own_and_a_key_is_everywhere_the_same() {
        let unix = Arc::new(Endpoint::new(EndpointAddr::Unix("/run/shop.sock".into()), 1));
        let ring = Ring::new(vec![(unix, 1), (endpoint("shop"), 1)]);
        let shares = shares(&ring, 2);
        assert!(shares.iter().all(|share| *share > 0.3), "{shares:?}");
        assert_eq!(
            hash(0, b"user-1"),
            4_729_620_347_622_785_477,
            "written down: gateways of two versions must agree"
        );
    }
}
