//! Picks among instances in all states. Chance has its part in them, so they are many and the bounds wide.

use super::*;
use crate::backends::conn::testing;
use crate::backends::health::Verdict;
use std::time::Duration;
use tokio::time::Instant;

const PICKS: usize = 10_000;

/// Connected instances, all with their whole share.
fn backend(n: usize) -> LocalBackend {
    let spec = HealthSpec { slow_start: Duration::from_millis(1), ..HealthSpec::default() };
    let peers = (0..n).map(|_| testing::peer(spec)).collect();
    let backend = LocalBackend::new("b".to_owned(), peers, spec, Rc::default());
    backend.review(Instant::now() + Duration::from_secs(1));
    backend
}

/// How many of many calls each instance gets, in percent. None stays in flight.
fn shares(backend: &LocalBackend, tried: &Tried<'_>) -> Vec<usize> {
    let mut picked = vec![0; backend.peers.len()];
    for _ in 0..PICKS {
        if let Pick::Ready(conn) = backend.pick(tried) {
            let at = backend.peers.iter().position(|peer| peer.endpoint.id == conn.endpoint.id);
            picked[at.expect("it is one of them")] += 1;
        }
    }
    picked.iter().map(|n| n * 100 / PICKS).collect()
}

/// Calls to an instance that end so.
fn calls(backend: &LocalBackend, at: usize, n: usize, verdict: Verdict, took: Duration) {
    let monitor = &backend.peers[at].monitor;
    (0..n).for_each(|_| monitor.ended(monitor.sent(), verdict, Some(took)));
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
    let peer = testing::peer(backend.spec);
    backend.peers[0] = peer;
    backend.review(later(1));
    let shares = shares(&backend, &Tried::default());
    assert!((1..10).contains(&shares[0]), "{shares:?}");
}

#[test]
fn the_only_one_gets_everything_new_as_it_is() {
    let spec = HealthSpec::default();
    let backend = LocalBackend::new("b".to_owned(), vec![testing::peer(spec)], spec, Rc::default());
    backend.review(Instant::now());
    assert_eq!(shares(&backend, &Tried::default()), [100]);
}

#[test]
fn one_that_is_slow_gets_few_calls_and_one_that_fails_none() {
    let backend = backend(3);
    for at in 0..3 {
        calls(&backend, at, 32, Verdict::Good, Duration::from_millis(10));
    }
    backend.review(later(1));
    calls(&backend, 0, 20, Verdict::Good, Duration::from_secs(1));
    calls(&backend, 1, 5, Verdict::Failed, Duration::from_millis(10));
    backend.review(later(1));
    let shares = shares(&backend, &Tried::default());
    assert!(shares[0] < 50 && shares[1] == 0, "{shares:?}");
    // Of the two that are left the slow one never costs less.
    assert_eq!(shares[2], 100, "{shares:?}");
}

#[test]
fn a_probe_is_made_with_a_call_that_can_be_repeated_and_only_one_at_a_time() {
    let backend = backend(2);
    calls(&backend, 0, 5, Verdict::Failed, Duration::from_millis(10));
    backend.review(later(1));
    backend.review(later(3));
    assert!(backend.probing.get());
    let fragile = Tried { fragile: true, ..Tried::default() };
    assert_eq!(shares(&backend, &fragile), [0, 100]);
    assert_eq!(shares(&backend, &Tried::default()), [100, 0], "as long as none is sent");
    backend.peers[0].monitor.sent();
    assert_eq!(shares(&backend, &Tried::default()), [0, 100]);
    backend.review(later(5));
    let epoch = backend.peers[0].monitor.sent();
    backend.peers[0].monitor.ended(epoch, Verdict::Nothing, None);
    assert_eq!(shares(&backend, &fragile), [100, 0], "after a while any call will do");
}

#[test]
fn where_a_call_has_been_it_comes_again_only_after_the_others_and_an_ejected_one_comes_last() {
    let backend = backend(3);
    calls(&backend, 0, 5, Verdict::Failed, Duration::from_millis(10));
    backend.review(later(1));
    let id = |at: usize| backend.peers[at].endpoint.id;
    let tried = Tried { refused: vec![id(1)], ..Tried::default() };
    assert_eq!(shares(&backend, &tried), [0, 0, 100]);
    let tried = Tried { refused: vec![id(1)], lacking: vec![id(2)], ..Tried::default() };
    assert_eq!(shares(&backend, &tried), [0, 100, 0]);
    let tried = Tried { lacking: vec![id(1), id(2)], ..Tried::default() };
    assert_eq!(shares(&backend, &tried), [100, 0, 0]);
    assert!(backend.peers[0].counters().health.last_resorts.get() > 0);
}

#[test]
fn one_that_is_not_ready_gets_nothing_even_if_that_leaves_none() {
    let backend = backend(2);
    let set_ready = |at: usize, ready| backend.peers[at].conn().expect("it is connected").set_ready(ready);
    set_ready(0, false);
    assert_eq!(shares(&backend, &Tried::default()), [0, 100], "before the review as well as after it");
    backend.review(Instant::now());
    assert_eq!(shares(&backend, &Tried::default()), [0, 100]);
    set_ready(1, false);
    assert!(matches!(backend.pick(&Tried::default()), Pick::None));
}

#[test]
fn one_that_does_not_answer_gets_calls_only_if_there_is_no_other() {
    let backend = backend(2);
    let silent = backend.peers[0].conn().expect("it is connected");
    // Asked after 5 s, doubted half a second later.
    (0..7).for_each(|_| silent.look(Duration::from_secs(1)));
    assert_eq!(shares(&backend, &Tried::default()), [0, 100]);
    let tried = Tried { lacking: vec![backend.peers[1].endpoint.id], ..Tried::default() };
    assert_eq!(shares(&backend, &tried), [100, 0]);
}
