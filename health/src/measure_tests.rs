//! What is measured of an instance, and what of that is compared with others, to the number.

use super::*;
use callgate_protocol::Code;

const QUICK: Duration = Duration::from_millis(10);

fn health(now: Instant) -> (Health, HealthSpec) {
    (Health::new(now), HealthSpec::default())
}

/// A call that ends so.
fn call(health: &mut Health, evidence: Evidence, took: Duration) -> bool {
    let epoch = health.sent();
    health.ended(epoch, evidence, Some(took), &HealthSpec::default())
}

/// Reviews instances, of which those can be reached.
fn reviewed(healths: &mut [Health], reachable: &[bool], now: Instant) {
    let each = healths.iter_mut().zip(reachable);
    let mut findings: Vec<_> = each.map(|(health, is)| Finding::new(health, *is, false)).collect();
    review(&mut findings, &HealthSpec::default(), now);
}

#[test]
fn failures_that_are_an_instances_fault_count_against_it_and_others_for_it() {
    for code in [Code::Unavailable, Code::DeadlineExceeded, Code::Internal, Code::Unknown, Code::DataLoss] {
        assert_eq!(Evidence::of_failure(code), Evidence::Failed, "{code:?}");
    }
    for code in [Code::NotFound, Code::InvalidArgument, Code::Cancelled, Code::Unimplemented, Code::Aborted] {
        assert_eq!(Evidence::of_failure(code), Evidence::Good, "{code:?}");
    }
}

#[test]
fn failures_are_counted_among_the_last_calls() {
    let (mut health, _) = health(Instant::now());
    assert_eq!(health.failures(), (0, 0));
    call(&mut health, Evidence::Good, QUICK);
    for _ in 0..3 {
        call(&mut health, Evidence::Failed, QUICK);
    }
    assert_eq!(health.failures(), (3, 4));
    for _ in 0..32 {
        call(&mut health, Evidence::Good, QUICK);
    }
    assert_eq!(health.failures(), (0, 32));
}

#[test]
fn the_latency_moves_by_an_eighth_towards_each_good_reply() {
    let (mut health, _) = health(Instant::now());
    call(&mut health, Evidence::Failed, Duration::from_secs(9));
    assert_eq!(health.latency(), Duration::ZERO);
    call(&mut health, Evidence::Good, Duration::from_secs(1));
    assert_eq!(health.latency(), Duration::from_secs(1));
    call(&mut health, Evidence::Good, Duration::from_secs(3));
    assert_eq!(health.latency(), Duration::from_millis(1250));
    assert!(!health.is_quick());
}

#[test]
fn slow_is_what_takes_longer_than_the_bound_and_giving_up_before_says_nothing() {
    let (mut health, _) = health(Instant::now());
    health.slow_above = 0.5;
    let bound = Duration::from_millis(500);
    call(&mut health, Evidence::Good, bound);
    assert_eq!((health.record.slow, health.failures()), (0, (0, 1)));
    call(&mut health, Evidence::GivenUp, bound);
    assert_eq!(health.failures(), (0, 1), "it has not waited for longer than others do");
    call(&mut health, Evidence::GivenUp, Duration::from_millis(501));
    assert_eq!((health.record.slow, health.failures()), (1, (0, 2)));
}

#[test]
fn three_in_four_calls_are_slow_before_an_instance_is() {
    for (slow, is_slow) in [(9, false), (23, false), (24, true)] {
        let mut record = Record::default();
        (0..32).for_each(|n| record.push(Evidence::Good, n < slow));
        assert_eq!(record.is_slow(), is_slow, "{slow} of 32");
    }
}

#[test]
fn a_share_grows_with_the_time() {
    let now = Instant::now();
    let (health, spec) = health(now);
    for (tenths, weight) in [(0, LEAST_WEIGHT), (5, 127), (10, FULL), (99, FULL)] {
        assert_eq!(health.weight(&spec, now + spec.slow_start / 10 * tenths), weight, "{tenths} tenths");
    }
}

#[test]
fn an_instance_is_well_until_it_is_left_and_probed_from_then_on_that_it_is() {
    let now = Instant::now();
    let (mut health, spec) = health(now);
    assert!(health.is_well() && health.probing_since().is_none());
    health.eject(EjectionReason::Failures, &spec, now);
    assert!(!health.is_well() && health.probing_since().is_none());
    let later = now + Duration::from_secs(2);
    health.probe(later);
    assert!(!health.is_well());
    assert_eq!(health.probing_since(), Some(later));
    // Time alone does not make it well.
    let mut both = [health, Health::new(now)];
    reviewed(&mut both, &[true; 2], later);
    assert_eq!(both[0].probing_since(), Some(later));
}

#[test]
fn who_is_throttled_already_is_not_throttled_anew() {
    let now = Instant::now();
    let mut all = vec![Health::new(now); 3];
    for failing in &mut all[..2] {
        for _ in 0..20 {
            call(failing, Evidence::Refused, QUICK);
        }
    }
    for _ in 0..20 {
        call(&mut all[2], Evidence::Good, QUICK);
    }
    reviewed(&mut all, &[true; 3], now);
    let epochs = [all[0].epoch, all[1].epoch];
    assert!(all[..2].iter().all(|one| one.state == State::Throttled));
    reviewed(&mut all, &[true; 3], now + Duration::from_millis(100));
    assert_eq!([all[0].epoch, all[1].epoch], epochs, "what was sent meanwhile counts");
}

#[test]
fn the_median_is_the_lower_one_of_those_that_can_be_reached_and_have_replied() {
    let now = Instant::now();
    let mut all = vec![Health::new(now); 5];
    for (health, latency) in all.iter_mut().zip([0.1, 0.4, 0.001, 0.0, 0.0]) {
        health.latency = latency;
    }
    reviewed(&mut all, &[true, true, false, true, true], now);
    assert!(all.iter().all(|one| one.slow_above == 0.5), "five times the median: {}", all[0].slow_above);
    all.iter_mut().for_each(|one| one.latency /= 100.0);
    reviewed(&mut all, &[true, true, false, true, true], now);
    assert!(all.iter().all(|one| one.slow_above == 0.001 + SLOW_FLOOR), "small differences are nothing");
    all.truncate(1);
    reviewed(&mut all, &[true], now);
    assert_eq!(all[0].slow_above, f32::INFINITY, "nobody is there to compare with");
}

/// An instance of whose last 32 calls those failed, counted from the last one.
fn failing(failed: impl Fn(u32) -> bool, now: Instant) -> Health {
    let mut health = Health::new(now);
    let evidence = |back| if failed(back) { Evidence::Failed } else { Evidence::Good };
    (0..32).rev().for_each(|back| health.record.push(evidence(back), false));
    health
}

/// Whether the first one is ejected. Half of its calls fail, and none does well of which 45 in a hundred do.
fn is_left(mut all: Vec<Health>, reachable: &[bool], now: Instant) -> bool {
    let spec = HealthSpec { failure_rate: 45, ..HealthSpec::default() };
    let each = all.iter_mut().zip(reachable);
    let mut findings: Vec<_> = each.map(|(one, is)| Finding::new(one, *is, false)).collect();
    review(&mut findings, &spec, now);
    findings[0].ejected
}

#[test]
fn who_fails_is_left_only_if_it_fails_by_a_quarter_more_than_the_best_that_can_be_called() {
    let now = Instant::now();
    // Every second one of so many, up to the last but one.
    let lately = |failed: u32| failing(move |back| back % 2 == 1 && back / 2 < failed, now);
    for (other, reachable, left) in [(0, true, true), (7, true, true), (9, true, false), (0, false, false)] {
        let all = vec![lately(16), lately(other)];
        assert_eq!(is_left(all, &[true, reachable], now), left, "{other} of the other one's calls failed");
    }
    let all = vec![lately(16), lately(9), lately(0)];
    assert!(!is_left(all, &[true, true, false], now), "who cannot be called is no measure");
    // Of the last eight one failed, and none of the other's.
    let before = failing(|back| back == 1 || (back > 8 && back % 2 == 1) || [8, 10, 12].contains(&back), now);
    let other = failing(|back| (8..28).contains(&back) && back % 2 == 0, now);
    assert_eq!([before.failures().0, other.failures().0], [16, 10]);
    assert!(!is_left(vec![before, other], &[true; 2], now), "neither lately nor of all by a quarter more");
}
