//! Which instance is a key's: a consistent hash ring. When an instance comes, it takes its part of the keys from all others,
//! and those stay where they are otherwise; when one goes, the others share its keys.
//!
//! A ring is made with the table, holds all endpoints whether they are there or not, and is shared by all workers. Gateways
//! with the same endpoints and weights agree on every key.

use crate::config::EndpointAddr;
use pingora_ketama::{Bucket, Continuum};
use std::collections::HashMap;
use std::net::{Ipv6Addr, SocketAddr};

/// More units than this, or [`UNITS_EACH`] an instance, are not given out: each has 160 points on the ring. So weights are
/// kept exactly where they are small, and nearly where they are not.
const UNITS: u32 = 256;
const UNITS_EACH: u32 = 8;

/// Endpoints on a ring.
pub struct Ring {
    members: Vec<(EndpointAddr, u32)>,
    continuum: Continuum,
    /// For each point of the ring the place of its member.
    places: Box<[u32]>,
}

impl Ring {
    /// A ring of these endpoints with their weights, none of which is 0.
    pub fn new(members: Vec<(EndpointAddr, u32)>) -> Ring {
        let units = units(&members);
        let nodes: Vec<SocketAddr> = members.iter().map(|(addr, _)| node(addr)).collect();
        let buckets: Vec<Bucket> =
            nodes.iter().zip(units).map(|(node, units)| Bucket::new(*node, units)).collect();
        let continuum = Continuum::new(&buckets);
        let by_node: HashMap<SocketAddr, u32> = nodes.into_iter().zip(0..).collect();
        let mut places = Vec::new();
        let mut point = 0;
        while let Some(node) = continuum.get_addr(&mut point) {
            places.extend(by_node.get(node));
            // It goes round.
            if point == 0 {
                break;
            }
        }
        Ring { members, continuum, places: places.into() }
    }

    /// Whether it is the ring of these.
    pub fn is_of(&self, members: &[(EndpointAddr, u32)]) -> bool {
        self.members == members
    }

    /// The places of the members in the order in which a key comes to them, the first one being its own. Each comes often;
    /// it goes round once.
    pub(super) fn walk(&self, key: u64) -> impl Iterator<Item = usize> + '_ {
        let (before, from) = match self.places.len() {
            0 => (&[][..], &[][..]),
            _ => self.places.split_at(self.continuum.node_idx(&key.to_le_bytes())),
        };
        from.iter().chain(before).map(|place| *place as usize)
    }
}

/// How many units of points each member gets.
fn units(members: &[(EndpointAddr, u32)]) -> Vec<u32> {
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

/// The address under which the ring knows an endpoint: it knows IP addresses only, and there are names and paths.
fn node(addr: &EndpointAddr) -> SocketAddr {
    let text = addr.to_string();
    let halves = [hash(0, text.as_bytes()), hash(1, text.as_bytes())];
    let address = (u128::from(halves[0]) << 64) | u128::from(halves[1]);
    SocketAddr::from((Ipv6Addr::from_bits(address), 1))
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

    const KEYS: usize = 100_000;

    fn members(weights: &[u32]) -> Vec<(EndpointAddr, u32)> {
        let addr = |at: usize| EndpointAddr::Tcp { host: format!("10.0.0.{at}"), port: 7101 };
        weights.iter().enumerate().map(|(at, weight)| (addr(at), *weight)).collect()
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
    fn a_ring_is_bounded_whatever_the_weights() {
        let ring = Ring::new(members(&[1000, 997, 1, 1000]));
        assert!(ring.places.len() <= (UNITS * 160) as usize, "{}", ring.places.len());
        let many: Vec<u32> = (0..500).map(|n| 501 + n).collect();
        let ring = Ring::new(members(&many));
        assert!(ring.places.len() <= (500 * UNITS_EACH * 160) as usize, "{}", ring.places.len());
    }

    #[test]
    fn a_ring_without_members_leads_nowhere_and_every_walk_meets_every_member() {
        assert_eq!(Ring::new(Vec::new()).walk(7).next(), None);
        let ring = Ring::new(members(&[1, 2, 3]));
        for key in 0..100 {
            let mut met: Vec<usize> = ring.walk(key).collect();
            assert_eq!(met.len(), ring.places.len());
            met.sort_unstable();
            met.dedup();
            assert_eq!(met, [0, 1, 2]);
        }
    }

    #[test]
    fn names_and_paths_have_places_of_their_own_and_a_key_is_everywhere_the_same() {
        let unix = EndpointAddr::Unix("/run/shop.sock".into());
        let named = EndpointAddr::Tcp { host: "shop".into(), port: 1 };
        let ring = Ring::new(vec![(unix, 1), (named, 1)]);
        let shares = shares(&ring, 2);
        assert!(shares.iter().all(|share| *share > 0.3), "{shares:?}");
        assert_eq!(
            hash(0, b"user-1"),
            4_729_620_347_622_785_477,
            "written down: gateways of two versions must agree"
        );
    }
}
