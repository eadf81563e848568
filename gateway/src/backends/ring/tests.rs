//! Whose a key is, and what stays where it is when members come and go.

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
    let rounds: [&[usize]; 8] = [&[0, 39], &[3], &[], &[7, 7, 8], &[38, 1], &[0, 1, 2, 3, 4, 5], &[20], &[5]];
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
    let same =
        before.members.iter().map(|(one, weight)| (Arc::new(Endpoint::new(one.addr.clone(), 1)), *weight));
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

#[test]
fn gateways_of_all_versions_agree_on_the_hash_of_a_key_and_on_the_name_of_an_endpoint() {
    for (seed, bytes, expected) in [
        (0, "", 0xefd0_1f60_ba99_2926),
        (0, "shop", 0xbd4a_b545_86fb_fbcb),
        (1, "shop", 0xe04e_b81e_0229_aba7),
    ] {
        assert_eq!(hash(seed, bytes.as_bytes()), expected, "{seed}, {bytes}");
    }
    let addr = EndpointAddr::Tcp { host: "10.0.0.1".to_owned(), port: 8001 };
    assert_eq!(node(&addr), "2d7a:a2d8:6cd8:77c:5bff:2dbe:b042:be51\x001");
}

#[test]
fn weights_that_stand_to_each_other_alike_are_the_same_ring() {
    for (weights, expected) in
        [(&[1, 2, 3][..], &[1, 2, 3][..]), (&[10, 20, 30], &[1, 2, 3]), (&[1000; 4], &[1; 4])]
    {
        assert_eq!(units(&members(weights)), expected, "{weights:?}");
    }
}
