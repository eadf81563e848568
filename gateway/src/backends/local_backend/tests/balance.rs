//! What each strategy does with calls: shares, weights, and where the calls of a key go.

use super::*;
use crate::backends::attempt::Attempt;
use crate::config::{HashBy, HashSpec};
use proptest::prelude::*;

/// By keys, with that load factor.
pub(super) fn by_key(load_factor: Option<u32>) -> Balance {
    Balance::Hash(HashSpec { by: HashBy::Client, load_factor })
}

fn weights(balance: Balance, weights: &[u32]) -> LocalBackend {
    let placements: Vec<Placement> =
        weights.iter().map(|weight| Placement { weight: *weight, zone: None }).collect();
    let backend = local(balance, at_once(), &placements);
    backend.review(later(1));
    backend
}

fn keyed(key: u64) -> Tried<'static> {
    Tried { key: Some(crate::backends::hash(0, &key.to_le_bytes())), ..Tried::default() }
}

/// How many of so many calls, each with a key of its own, an instance gets, in percent.
fn shares_by_key(backend: &LocalBackend, keys: u64) -> Vec<usize> {
    let mut all = vec![0; backend.instances.all.len()];
    (0..keys).filter_map(|key| picked(backend, &keyed(key))).for_each(|place| all[place] += 1);
    all.iter().map(|n| n * 100 / keys as usize).collect()
}

/// Makes so many calls that stay in flight.
fn pile_up(backend: &LocalBackend, calls: usize, tried: impl Fn(usize) -> Tried<'static>) -> Vec<Attempt> {
    let mut all = Vec::new();
    for call in 0..calls {
        if let Pick::Ready(chosen) = backend.pick(&tried(call)) {
            all.append(&mut testing::occupy(&chosen.at, 1));
        }
    }
    all
}

fn in_flight(backend: &LocalBackend) -> Vec<usize> {
    backend.instances.all.iter().map(|at| at.link().map_or(0, |link| link.in_flight())).collect()
}

#[test]
fn every_strategy_gives_equal_instances_equal_shares() {
    for balance in strategies() {
        let backend = of(balance.clone(), 4);
        let shares = shares(&backend, &Tried::default());
        assert!(shares.iter().all(|share| (20..30).contains(share)), "{balance:?}: {shares:?}");
    }
    let by_key = shares_by_key(&of(by_key(None), 4), 10_000);
    assert!(by_key.iter().all(|share| (18..33).contains(share)), "{by_key:?}");
}

#[test]
fn every_strategy_shares_calls_by_weight_whether_they_stay_in_flight_or_not() {
    let near = |share: usize, expected: usize| share.abs_diff(expected) <= 5;
    for balance in strategies() {
        let backend = weights(balance.clone(), &[1, 6, 3]);
        let keyless = shares(&backend, &Tried::default());
        let expected = [10, 60, 30];
        assert!(keyless.iter().zip(expected).all(|(a, b)| near(*a, b)), "{balance:?}: {keyless:?}");
        let Balance::Hash(_) = balance else { continue };
        let keyed = shares_by_key(&backend, 10_000);
        assert!(keyed.iter().zip(expected).all(|(a, b)| near(*a, b)), "{balance:?}: {keyed:?}");
    }
    for balance in [Balance::PeakEwma, Balance::LeastRequest] {
        let backend = weights(balance, &[1, 6, 3]);
        let _calls = pile_up(&backend, 1000, |_| Tried::default());
        let piles = in_flight(&backend);
        assert!(piles.iter().zip([100, 600, 300]).all(|(n, part)| n.abs_diff(part) < 60), "{piles:?}");
    }
}

#[test]
fn a_few_calls_in_flight_are_shared_by_weight_as_nearly_as_whole_calls_can_be() {
    const ROUNDS: usize = 200;
    for balance in [Balance::PeakEwma, Balance::LeastRequest] {
        for few in 1..=8 {
            let heavy = (0..ROUNDS).map(|_| {
                let backend = weights(balance.clone(), &[1, 4]);
                let _calls = pile_up(&backend, few, |_| Tried::default());
                in_flight(&backend)[1]
            });
            let share = heavy.sum::<usize>() * 100 / (few * ROUNDS);
            assert!((60..95).contains(&share), "{balance:?}, {few}: {share} %");
        }
    }
}

#[test]
fn turns_are_exact_and_spread_out() {
    let backend = weights(Balance::RoundRobin, &[5, 1, 1]);
    let turns: Vec<usize> =
        (0..700).map(|_| picked(&backend, &Tried::default()).expect("one of them")).collect();
    for seven in turns.windows(7) {
        let count = |place| seven.iter().filter(|one| **one == place).count();
        assert_eq!((count(0), count(1), count(2)), (5, 1, 1), "{seven:?}");
    }
    assert!(!turns.windows(5).any(|five| five.iter().all(|place| *place == 0)), "never all of five at once");
}

#[test]
fn by_latency_a_slow_instance_has_a_small_share_even_where_calls_wait() {
    let backend = of(Balance::PeakEwma, 3);
    for at in 0..3 {
        let took = Duration::from_millis(if at == 1 { 50 } else { 2 });
        calls(&backend, at, 32, Evidence::Good, took);
    }
    backend.review(later(1));
    assert_eq!(shares(&backend, &Tried::default())[1], 0);
    let _calls = pile_up(&backend, 330, |_| Tried::default());
    let piles = in_flight(&backend);
    assert!((1..30).contains(&piles[1]), "{piles:?}");
}

#[test]
fn one_peak_turns_calls_away_at_once_and_is_forgotten_with_time() {
    let backend = of(Balance::PeakEwma, 2);
    for at in 0..2 {
        calls(&backend, at, 32, Evidence::Good, Duration::from_millis(10));
    }
    backend.review(later(1));
    calls(&backend, 0, 1, Evidence::Good, Duration::from_millis(60));
    assert_eq!(shares(&backend, &Tried::default()), [0, 100], "before any review");
    for tenth in 0..600 {
        backend.review(Instant::now() + Duration::from_millis(tenth * 100));
    }
    let shares = shares(&backend, &Tried::default());
    assert!(shares.iter().all(|share| (40..60).contains(share)), "{shares:?}");
}

#[test]
fn a_failure_is_no_sign_of_quickness_and_giving_up_late_is_one_of_slowness() {
    let backend = of(Balance::PeakEwma, 2);
    for at in 0..2 {
        calls(&backend, at, 32, Evidence::Good, Duration::from_millis(10));
    }
    backend.review(later(1));
    calls(&backend, 0, 1, Evidence::Failed, Duration::from_micros(1));
    let even = shares(&backend, &Tried::default());
    assert!(even.iter().all(|share| (40..60).contains(share)), "{even:?}");
    calls(&backend, 1, 1, Evidence::GivenUp, Duration::from_millis(100));
    assert_eq!(shares(&backend, &Tried::default()), [100, 0]);
}

#[test]
fn a_call_joins_a_write_to_an_instance_that_is_quick() {
    for (took, joins) in [(Duration::from_micros(300), true), (Duration::from_millis(2), false)] {
        let backend = of(Balance::PeakEwma, 2);
        for at in 0..2 {
            calls(&backend, at, 32, Evidence::Good, took);
        }
        backend.review(later(1));
        testing::link(&backend.instances.all[0]).about_to_write.set(true);
        let _written_soon = testing::occupy(&backend.instances.all[0], 8);
        assert_eq!(shares(&backend, &Tried::default()), if joins { [100, 0] } else { [0, 100] });
    }
}

#[test]
fn a_key_stays_where_it_is_and_goes_on_along_the_ring_while_that_is_away() {
    for balance in [by_key(None), by_key(Some(150))] {
        let backend = of(balance, 5);
        let at = |key: u64| picked(&backend, &keyed(key)).expect("one of them");
        let homes: Vec<usize> = (0..500).map(at).collect();
        assert_eq!((0..500).map(at).collect::<Vec<_>>(), homes);
        calls(&backend, 2, 5, Evidence::Failed, Duration::from_millis(1));
        backend.review(later(1));
        let mut heirs = [0; 5];
        for (key, home) in (0..500).zip(&homes) {
            let now = at(key);
            if *home == 2 {
                heirs[now] += 1;
            } else {
                assert_eq!(now, *home, "others' keys stay");
            }
        }
        assert!(heirs[2] == 0 && heirs.iter().filter(|n| **n > 0).count() == 4, "{heirs:?}");
    }
}

#[test]
fn keys_come_one_by_one_to_an_instance_that_is_new_and_those_that_have_come_stay() {
    let health = HealthSpec { slow_start: Duration::from_secs(10), ..HealthSpec::default() };
    let backend = local(by_key(None), health, &vec![Placement::default(); 4]);
    let began = Instant::now();
    backend.review(began + Duration::from_secs(20));
    let at = |key: u64| picked(&backend, &keyed(key)).expect("one of them");
    let homes: Vec<usize> = (0..2000).map(at).collect();
    backend.instances.all[0].monitor.connected(began + Duration::from_secs(20));
    let mut come = vec![false; homes.len()];
    let mut before = 0;
    for second in 20..=30 {
        backend.review(began + Duration::from_secs(second));
        for (key, home) in homes.iter().enumerate() {
            let here = at(key as u64) == 0;
            assert!(!here || *home == 0, "it gets no keys of others");
            assert!(here || !come[key], "it keeps what has come");
            come[key] = here;
        }
        let now = come.iter().filter(|here| **here).count();
        assert!(now >= before && (second > 20 || now < 150), "{now} after {before}");
        before = now;
    }
    assert_eq!(before, homes.iter().filter(|home| **home == 0).count());
}

#[test]
fn calls_without_a_key_go_anywhere_and_are_counted() {
    let backend = of(by_key(None), 2);
    let diverted = |why: &str| {
        let mut all = backend.shared.stats.diverted();
        all.find(|(name, _)| *name == why).map(|(_, n)| n).expect("it is counted")
    };
    shares(&backend, &Tried::default());
    assert_eq!((diverted("no_key"), diverted("moved")), (PICKS as u64, 0));
    shares(&backend, &keyed(1));
    assert_eq!((diverted("no_key"), diverted("moved")), (PICKS as u64, 0));
    let home = picked(&backend, &keyed(1)).expect("one of them");
    let tried = Tried { refused: vec![backend.instances.all[home].endpoint.id], ..keyed(1) };
    shares(&backend, &tried);
    assert_eq!(diverted("moved"), PICKS as u64);
}

proptest! {
    #[test]
    fn no_instance_bears_more_than_its_part_however_the_keys_fall(
        weights_of in prop::collection::vec(1u32..6, 1..8),
        factor in 101u32..300,
        keys in prop::collection::vec(0u64..4, 1..200),
    ) {
        let backend = weights(by_key(Some(factor)), &weights_of);
        let _calls = pile_up(&backend, keys.len(), |call| keyed(keys[call]));
        let all: u64 = weights_of.iter().map(|weight| u64::from(*weight)).sum();
        for (calls, weight) in in_flight(&backend).into_iter().zip(&weights_of) {
            let part = (u64::from(factor) * keys.len() as u64 * u64::from(*weight)).div_ceil(100 * all);
            prop_assert!(calls as u64 <= part, "{calls} of {} with {weight} of {all}", keys.len());
        }
    }
}
