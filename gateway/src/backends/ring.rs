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
use callgate_protocol::connection::NumberMap;
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
mod tests;
