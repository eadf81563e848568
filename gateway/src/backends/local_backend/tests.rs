//! Picks among instances in all states. Chance has its part in them, so they are many and the bounds wide.

use super::*;
use crate::backends::testing::{self, local_of};
use crate::config::{Balance, Placement};
use crate::transport::Evidence;
use std::time::Duration;
use tokio::time::Instant;

mod balance;
mod zones;

const PICKS: usize = 10_000;

/// Health by which an instance has its whole share at once.
fn at_once() -> HealthSpec {
    HealthSpec { slow_start: Duration::from_millis(1), ..HealthSpec::default() }
}

/// Connected instances with those parts, for a gateway of zone `a`.
fn local(balance: Balance, health: HealthSpec, placements: &[Placement]) -> LocalBackend {
    let peers = (1..).zip(placements).map(|(port, _)| testing::instance_at(health, port)).collect();
    local_of(balance, health, placements, peers)
}

/// Instances that are all alike and have their whole share.
fn of(balance: Balance, n: usize) -> LocalBackend {
    let backend = local(balance, at_once(), &vec![Placement::default(); n]);
    backend.review(later(1));
    backend
}

fn backend(n: usize) -> LocalBackend {
    of(Balance::default(), n)
}

/// Every strategy; those by keys are asked without one, too.
fn strategies() -> Vec<Balance> {
    vec![
        Balance::PeakEwma,
        Balance::LeastRequest,
        Balance::RoundRobin,
        Balance::Random,
        balance::by_key(None),
        balance::by_key(Some(125)),
    ]
}

/// Which instance a call goes to, if any.
fn picked(backend: &LocalBackend, tried: &Tried<'_>) -> Option<usize> {
    match backend.pick(tried) {
        Pick::Ready(chosen) => {
            backend.instances.all.iter().position(|at| at.endpoint.id == chosen.endpoint().id)
        }
        _ => None,
    }
}

/// How many of many calls each instance gets, in percent. None stays in flight.
fn shares(backend: &LocalBackend, tried: &Tried<'_>) -> Vec<usize> {
    let mut all = vec![0; backend.instances.all.len()];
    (0..PICKS).filter_map(|_| picked(backend, tried)).for_each(|place| all[place] += 1);
    all.iter().map(|n| n * 100 / PICKS).collect()
}

/// Calls to an instance that end so.
fn calls(backend: &LocalBackend, at: usize, n: usize, evidence: Evidence, took: Duration) {
    let monitor = &backend.instances.all[at].monitor;
    (0..n).for_each(|_| monitor.ended(monitor.sent(), evidence, Some(took), Instant::now()));
}

fn later(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

#[test]
fn equal_instances_have_equal_shares() {
    assert!(shares(&backend(4), &Tried::default()).iter().all(|share| (20..30).contains(share)));
}

#[test]
fn an_instance_that_is_new_has_a_part_of_its_share() {
    let mut backend = backend(4);
    backend.spec.slow_start = Duration::from_secs(3600);
    let peer = testing::instance(backend.spec);
    backend.instances.all[0] = peer;
    backend.review(later(1));
    let shares = shares(&backend, &Tried::default());
    assert!((1..10).contains(&shares[0]), "{shares:?}");
}

#[test]
fn the_only_one_gets_everything_new_as_it_is() {
    let spec = HealthSpec::default();
    for balance in strategies() {
        let backend = local(balance, spec, &[Placement::default()]);
        backend.review(Instant::now());
        assert_eq!(shares(&backend, &Tried::default()), [100]);
    }
}

#[test]
fn one_that_is_slow_gets_few_calls_and_one_that_fails_none() {
    let backend = backend(3);
    for at in 0..3 {
        calls(&backend, at, 32, Evidence::Good, Duration::from_millis(10));
    }
    backend.review(later(1));
    calls(&backend, 0, 20, Evidence::Good, Duration::from_secs(1));
    calls(&backend, 1, 5, Evidence::Failed, Duration::from_millis(10));
    backend.review(later(1));
    let shares = shares(&backend, &Tried::default());
    assert!(shares[0] < 50 && shares[1] == 0, "{shares:?}");
    // Of the two that are left the slow one never costs less.
    assert_eq!(shares[2], 100, "{shares:?}");
}

#[test]
fn a_probe_is_made_with_a_call_that_can_be_repeated_and_only_one_at_a_time() {
    let backend = backend(2);
    calls(&backend, 0, 5, Evidence::Failed, Duration::from_millis(10));
    backend.review(later(1));
    backend.review(later(3));
    assert!(backend.probing.get());
    let fragile = Tried { fragile: true, ..Tried::default() };
    assert_eq!(shares(&backend, &fragile), [0, 100]);
    assert_eq!(shares(&backend, &Tried::default()), [100, 0], "as long as none is sent");
    backend.instances.all[0].monitor.sent();
    assert_eq!(shares(&backend, &Tried::default()), [0, 100]);
    backend.review(later(5));
    let epoch = backend.instances.all[0].monitor.sent();
    backend.instances.all[0].monitor.ended(epoch, Evidence::Nothing, None, later(5));
    assert_eq!(shares(&backend, &fragile), [100, 0], "after a while any call will do");
}

#[test]
fn where_a_call_has_been_it_comes_again_only_after_the_others_and_an_ejected_one_comes_last() {
    for balance in strategies() {
        let backend = of(balance, 3);
        calls(&backend, 0, 5, Evidence::Failed, Duration::from_millis(10));
        backend.review(later(1));
        let id = |at: usize| backend.instances.all[at].endpoint.id;
        for key in [None, Some(7), Some(8), Some(9)] {
            let tried = Tried { refused: vec![id(1)], key, ..Tried::default() };
            assert_eq!(shares(&backend, &tried), [0, 0, 100]);
            let tried = Tried { refused: vec![id(1)], lacking: vec![id(2)], key, ..Tried::default() };
            assert_eq!(shares(&backend, &tried), [0, 100, 0]);
            let tried = Tried { lacking: vec![id(1), id(2)], key, ..Tried::default() };
            assert_eq!(shares(&backend, &tried), [100, 0, 0]);
        }
        assert!(backend.instances.all[0].counters().health.last_resorts.get() > 0);
    }
}

#[test]
fn one_that_is_not_ready_gets_nothing_even_if_that_leaves_none() {
    for balance in strategies() {
        let backend = of(balance, 2);
        let set_ready = |at: usize, ready| testing::link(&backend.instances.all[at]).set_ready(ready);
        set_ready(0, false);
        for key in [None, Some(7), Some(8), Some(9)] {
            let tried = Tried { key, ..Tried::default() };
            assert_eq!(shares(&backend, &tried), [0, 100], "before the review as well as after it");
        }
        backend.review(Instant::now());
        assert_eq!(shares(&backend, &Tried::default()), [0, 100]);
        set_ready(1, false);
        assert!(matches!(backend.pick(&Tried::default()), Pick::None));
    }
}

#[test]
fn one_that_does_not_answer_gets_calls_only_if_there_is_no_other() {
    for balance in strategies() {
        let backend = of(balance, 2);
        testing::link(&backend.instances.all[0]).falls_silent();
        assert_eq!(shares(&backend, &Tried::default()), [0, 100]);
        let tried = Tried { lacking: vec![backend.instances.all[1].endpoint.id], ..Tried::default() };
        assert_eq!(shares(&backend, &tried), [100, 0]);
    }
}

#[test]
fn one_that_is_full_gets_nothing_and_when_all_are_the_backend_is_busy() {
    for balance in strategies() {
        let backend = of(balance, 2);
        let full = |at: usize| testing::occupy(&backend.instances.all[at], 1024);
        let _first = full(0);
        for key in [None, Some(7), Some(8), Some(9)] {
            assert_eq!(shares(&backend, &Tried { key, ..Tried::default() }), [0, 100]);
        }
        let _second = full(1);
        assert!(matches!(backend.pick(&Tried::default()), Pick::Busy));
    }
}

#[test]
fn where_calls_pile_up_an_instance_is_not_spared_for_being_new() {
    for balance in [Balance::PeakEwma, Balance::LeastRequest] {
        let mut backend = of(balance, 2);
        backend.spec.slow_start = Duration::from_secs(3600);
        let new = testing::instance_at(backend.spec, 9);
        backend.instances.all[1] = new.clone();
        backend.review(later(1));
        let shares_now = shares(&backend, &Tried::default());
        assert!(shares_now[0] > 80, "idle, the new one has a part of its share: {shares_now:?}");
        // The first has its whole share, and answers nothing any more.
        let _waiting = testing::occupy(&backend.instances.all[0], 64);
        assert_eq!(shares(&backend, &Tried::default()), [0, 100]);
        // A tenth of a share is worth ten times as many calls in flight.
        let _its_part = testing::occupy(&new, 16);
        assert!(shares(&backend, &Tried::default())[0] > 80);
    }
}
