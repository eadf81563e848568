//! Instances of the gateway's own zone before others, as long as they are enough.

use super::*;

/// Two instances without, in each of the zones, of that weight each.
fn zoned(balance: Balance, zones: &[&str]) -> LocalBackend {
    let placements: Vec<Placement> = zones
        .iter()
        .map(|zone| Placement { weight: 1, zone: (!zone.is_empty()).then(|| Arc::from(*zone)) })
        .collect();
    let backend = local(balance, at_once(), &placements);
    backend.review(later(1));
    backend
}

fn diverted(backend: &LocalBackend) -> u64 {
    diverted_by(backend, "other_zone")
}

fn diverted_by(backend: &LocalBackend, reason: &str) -> u64 {
    backend.shared.stats.diverted().find(|(why, _)| *why == reason).map_or(0, |(_, n)| n)
}

/// Calls of many keys and of none.
fn of_all_kinds(backend: &LocalBackend) -> Vec<usize> {
    let mut all = vec![0; backend.instances.all.len()];
    for call in 0..PICKS as u64 {
        let key = (call % 2 == 0).then(|| crate::backends::hash(0, &call.to_le_bytes()));
        picked(backend, &Tried { key, ..Tried::default() }).into_iter().for_each(|place| all[place] += 1);
    }
    all.iter().map(|n| n * 100 / PICKS).collect()
}

#[test]
fn a_zone_that_is_well_gets_all_calls_of_its_gateways() {
    for balance in strategies() {
        let backend = zoned(balance.clone(), &["a", "b", "a", ""]);
        let shares = of_all_kinds(&backend);
        assert!(
            shares[1] == 0 && shares[3] == 0 && shares[0] > 30 && shares[2] > 30,
            "{balance:?}: {shares:?}"
        );
        assert_eq!(diverted(&backend), 0);
    }
}

#[test]
fn where_no_instance_is_in_the_gateways_zone_all_zones_are_alike() {
    for balance in strategies() {
        let backend = zoned(balance.clone(), &["b", "c", ""]);
        let shares = of_all_kinds(&backend);
        assert!(shares.iter().all(|share| (22..45).contains(share)), "{balance:?}: {shares:?}");
        assert_eq!(diverted(&backend), 0);
    }
}

#[test]
fn calls_leave_a_zone_in_proportion_to_what_it_lacks() {
    // Of four at home so many are well: they are taken to bear 1.4 times their part.
    for (well, stays) in [(4, 100), (3, 100), (2, 70), (1, 35), (0, 0)] {
        for balance in strategies() {
            let backend = zoned(balance.clone(), &["a", "a", "a", "a", "b", "b"]);
            for at in well..4 {
                testing::link(&backend.instances.all[at]).set_ready(false);
            }
            backend.review(later(1));
            let shares = of_all_kinds(&backend);
            let home: usize = shares[..4].iter().sum();
            assert!(home.abs_diff(stays) <= 4, "{well} well, {balance:?}: {shares:?}");
            let left = diverted(&backend) as usize * 100 / PICKS;
            assert!(left.abs_diff(100 - stays) <= 4, "{left}");
        }
    }
}

#[test]
fn one_that_is_throttled_is_not_well_and_no_other_zone_means_no_other_choice() {
    let backend = zoned(Balance::Random, &["a", "a", "b"]);
    calls(&backend, 1, 32, Evidence::Good, Duration::from_millis(1));
    calls(&backend, 0, 16, Evidence::Refused, Duration::from_millis(1));
    backend.review(later(1));
    assert!((25..36).contains(&of_all_kinds(&backend)[2]), "half of the zone is well");
    testing::link(&backend.instances.all[2]).set_ready(false);
    backend.review(later(1));
    let shares = of_all_kinds(&backend);
    assert!(shares[2] == 0 && shares[1] > 80, "{shares:?}");
}

#[test]
fn when_those_of_the_zone_are_full_or_have_failed_the_call_others_take_it_by_the_same_order() {
    for balance in strategies() {
        let backend = zoned(balance.clone(), &["a", "a", "b", "b"]);
        let id = |at: usize| backend.instances.all[at].endpoint.id;
        let tried = Tried { refused: vec![id(0)], ..Tried::default() };
        assert_eq!(shares(&backend, &tried), [0, 100, 0, 0], "as long as one is left");
        let tried = Tried { refused: vec![id(0), id(1)], ..Tried::default() };
        let left = shares(&backend, &tried);
        assert!(left[2] > 30 && left[3] > 30, "{balance:?}: {left:?}");
        let full = |at: usize| testing::occupy(&backend.instances.all[at], 1024);
        let _full = [full(0), full(1)];
        let left = of_all_kinds(&backend);
        assert!(left[2] > 30 && left[3] > 30, "{balance:?}: {left:?}");
    }
}

#[test]
fn those_of_a_higher_priority_value_stand_by_one_value_after_the_other() {
    for balance in strategies() {
        let backend = testing::local_by_priority(balance.clone(), at_once(), &[10, 10, 20, 30]);
        backend.review(later(1));
        let shares = of_all_kinds(&backend);
        assert!(shares[0] > 30 && shares[1] > 30 && shares[2] + shares[3] == 0, "{balance:?}: {shares:?}");
        assert_eq!(diverted_by(&backend, "standby"), 0);
        let away = |at: usize| testing::link(&backend.instances.all[at]).set_ready(false);
        away(0);
        backend.review(later(1));
        let shares = of_all_kinds(&backend);
        assert!(shares[2].abs_diff(30) <= 4 && shares[3] == 0, "{balance:?}: {shares:?}");
        away(1);
        backend.review(later(1));
        assert_eq!(of_all_kinds(&backend), [0, 0, 100, 0], "{balance:?}");
        away(2);
        backend.review(later(1));
        assert_eq!(of_all_kinds(&backend), [0, 0, 0, 100], "{balance:?}");
        assert!(diverted_by(&backend, "standby") > PICKS as u64 * 2);
        assert_eq!(diverted(&backend), 0);
    }
}
