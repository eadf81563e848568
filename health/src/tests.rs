//! The state machine on a clock that the tests move.

use super::*;

const TICK: Duration = Duration::from_millis(100);
const FAST: Duration = Duration::from_millis(10);

/// A backend's instances in one worker, as the health reviewer has them.
struct Fleet {
    spec: HealthSpec,
    now: Instant,
    healths: Vec<Health>,
    reachable: Vec<bool>,
    well_elsewhere: Vec<bool>,
    ejections: Vec<u32>,
    recoveries: Vec<u32>,
}

impl Fleet {
    fn of(n: usize) -> Fleet {
        let now = Instant::now();
        Fleet {
            spec: HealthSpec::default(),
            now,
            healths: vec![Health::new(now); n],
            reachable: vec![true; n],
            well_elsewhere: vec![false; n],
            ejections: vec![0; n],
            recoveries: vec![0; n],
        }
    }

    /// A call that ends so.
    fn call(&mut self, at: usize, evidence: Evidence, took: Duration) {
        let health = &mut self.healths[at];
        let epoch = health.sent();
        if health.ended(epoch, evidence, Some(took), &self.spec) {
            self.review();
        }
    }

    fn calls(&mut self, at: usize, n: usize, evidence: Evidence) {
        (0..n).for_each(|_| self.call(at, evidence, FAST));
    }

    fn review(&mut self) {
        let parts = self.healths.iter_mut().zip(&self.reachable).zip(&mut self.well_elsewhere);
        let mut findings: Vec<Finding<'_>> = parts
            .map(|((health, reachable), elsewhere)| {
                Finding::new(health, *reachable, std::mem::take(elsewhere))
            })
            .collect();
        review(&mut findings, &self.spec, self.now);
        for (at, finding) in findings.iter().enumerate() {
            self.ejections[at] += u32::from(finding.ejected);
            self.recoveries[at] += u32::from(finding.recovered);
        }
    }

    /// Time passes, and the health reviewer does its rounds.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += TICK;
            self.review();
        }
    }

    fn standing(&self, at: usize) -> Standing {
        self.healths[at].standing(self.healths[at].weight(&self.spec, self.now))
    }

    fn is_out(&self, at: usize) -> bool {
        matches!(self.standing(at), Standing::Ejected | Standing::Probing)
    }

    /// How long instance `at` stays ejected from now on.
    fn ejected_for(&mut self, at: usize) -> Duration {
        let from = self.now;
        while self.standing(at) == Standing::Ejected {
            self.pass(TICK);
        }
        self.now - from
    }

    /// Three probes that succeed.
    fn probe_well(&mut self, at: usize) {
        assert_eq!(self.standing(at), Standing::Probing);
        self.calls(at, 3, Evidence::Good);
        assert_eq!(self.standing(at), Standing::SlowStart);
    }
}

#[test]
fn failures_in_a_row_eject_and_other_answers_break_the_row() {
    let mut fleet = Fleet::of(4);
    for _ in 0..10 {
        fleet.calls(0, 4, Evidence::Failed);
        fleet.calls(0, 20, Evidence::Good);
    }
    assert_eq!(fleet.ejections, [0; 4]);
    fleet.calls(0, 5, Evidence::Failed);
    assert_eq!((fleet.standing(0), fleet.healths[0].reason()), (Standing::Ejected, EjectionReason::Failures));
    assert_eq!(fleet.ejections, [1, 0, 0, 0]);
}

#[test]
fn an_instance_of_which_half_of_the_calls_fail_is_ejected_soon_whatever_good_it_did_before() {
    let mut fleet = Fleet::of(4);
    fleet.calls(0, 1000, Evidence::Good);
    let mut calls = 0;
    while !fleet.is_out(0) {
        fleet.calls(0, 1, if calls % 2 == 0 { Evidence::Failed } else { Evidence::Good });
        calls += 1;
        assert!(calls <= 32, "not after {calls}");
    }
    assert_eq!(fleet.healths[0].reason(), EjectionReason::FailureRate);
}

#[test]
fn a_few_failures_among_many_calls_eject_nobody() {
    let mut fleet = Fleet::of(2);
    for call in 0..1000 {
        fleet.calls(0, 1, if call % 4 == 0 { Evidence::Failed } else { Evidence::Good });
        fleet.calls(1, 1, Evidence::Good);
    }
    assert_eq!(fleet.ejections, [0, 0]);
}

#[test]
fn an_ejection_ends_with_probes_one_at_a_time_of_which_three_must_be_good() {
    let mut fleet = Fleet::of(2);
    fleet.calls(0, 5, Evidence::Failed);
    assert_eq!(fleet.ejected_for(0), Duration::from_secs(1));
    assert!(fleet.healths[0].wants_probe());
    let epoch = fleet.healths[0].sent();
    assert!(!fleet.healths[0].wants_probe(), "one is under way");
    fleet.healths[0].ended(epoch, Evidence::Nothing, None, &fleet.spec);
    assert!(fleet.healths[0].wants_probe(), "it said nothing");
    fleet.probe_well(0);
    assert_eq!(fleet.recoveries, [1, 0]);
    fleet.calls(0, 4, Evidence::Failed);
    assert_eq!(fleet.standing(0), Standing::SlowStart, "what was before is forgotten");
}

#[test]
fn ejections_double_while_probes_fail_and_shrink_again_with_good_behaviour() {
    let mut fleet = Fleet::of(2);
    fleet.calls(0, 5, Evidence::Failed);
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
        assert_eq!(fleet.ejected_for(0), Duration::from_secs(seconds));
        fleet.calls(0, 1, Evidence::Failed);
    }
    fleet.ejected_for(0);
    fleet.probe_well(0);
    fleet.pass(Duration::from_secs(70));
    fleet.calls(0, 5, Evidence::Failed);
    let shorter = fleet.ejected_for(0);
    assert!(shorter < Duration::from_secs(30) || fleet.healths[0].ejections < 8, "{shorter:?}");
    fleet.probe_well(0);
    fleet.pass(Duration::from_secs(3600));
    fleet.calls(0, 5, Evidence::Failed);
    assert_eq!(fleet.ejected_for(0), Duration::from_secs(1), "long forgiven");
}

#[test]
fn an_answer_to_a_call_from_before_the_ejection_is_no_probe() {
    let mut fleet = Fleet::of(2);
    let before = fleet.healths[0].sent();
    fleet.calls(0, 5, Evidence::Failed);
    fleet.ejected_for(0);
    for _ in 0..10 {
        assert!(!fleet.healths[0].ended(before, Evidence::Good, Some(FAST), &fleet.spec));
    }
    assert_eq!(fleet.standing(0), Standing::Probing);
    assert!(!fleet.healths[0].ended(before, Evidence::Failed, Some(FAST), &fleet.spec));
    assert!(fleet.healths[0].wants_probe());
}

#[test]
fn no_more_than_the_share_is_ejected_and_the_others_that_fail_get_a_trickle() {
    for (n, percent, most) in
        [(4, 50, 2), (5, 50, 2), (3, 50, 1), (2, 50, 1), (10, 20, 2), (4, 100, 3), (4, 0, 0)]
    {
        let mut fleet = Fleet::of(n);
        fleet.spec.max_ejected = percent;
        // All but the last one.
        for at in 0..n - 1 {
            fleet.calls(at, 32, Evidence::Failed);
        }
        fleet.review();
        let out = (0..n).filter(|&at| fleet.is_out(at)).count();
        let throttled = (0..n).filter(|&at| fleet.standing(at) == Standing::Throttled).count();
        assert_eq!((out, out + throttled), (most, n - 1), "{percent} % of {n}");
    }
}

#[test]
fn when_all_fail_alike_nobody_is_left_and_whoever_recovers_is_seen_at_once() {
    let mut fleet = Fleet::of(4);
    let rounds = |fleet: &mut Fleet, n: usize, well: Option<usize>| {
        for at in (0..n).flat_map(|_| 0..4) {
            // Those that are out get no calls.
            if !fleet.is_out(at) {
                fleet.calls(at, 1, if Some(at) == well { Evidence::Good } else { Evidence::Failed });
            }
        }
        fleet.pass(TICK);
    };
    rounds(&mut fleet, 100, None);
    assert!((0..4).all(|at| !fleet.is_out(at)), "{:?}", [0, 1, 2, 3].map(|at| fleet.standing(at)));
    rounds(&mut fleet, 40, Some(2));
    assert!(!fleet.is_out(2) && fleet.standing(2) != Standing::Throttled);
    for at in [0, 1, 3] {
        assert!(fleet.is_out(at) || fleet.standing(at) == Standing::Throttled, "{at}");
    }
}

#[test]
fn those_that_are_ejected_are_used_again_when_no_other_is_left() {
    let mut fleet = Fleet::of(3);
    fleet.calls(0, 5, Evidence::Failed);
    assert!(fleet.is_out(0));
    fleet.reachable = vec![true, false, false];
    fleet.pass(TICK);
    assert_eq!(fleet.standing(0), Standing::Well);
    fleet.reachable = vec![true; 3];
    fleet.pass(TICK);
    assert_eq!(fleet.standing(0), Standing::Ejected, "what it did is not forgotten");
}

#[test]
fn an_instance_alone_is_never_ejected() {
    let mut fleet = Fleet::of(1);
    fleet.calls(0, 1000, Evidence::Failed);
    assert_eq!(fleet.standing(0), Standing::SlowStart);
}

#[test]
fn one_that_only_refuses_is_throttled_until_it_accepts_again() {
    let mut fleet = Fleet::of(2);
    fleet.calls(1, 32, Evidence::Good);
    fleet.calls(0, 16, Evidence::Refused);
    assert_eq!(fleet.standing(0), Standing::Throttled);
    fleet.calls(0, 3, Evidence::Good);
    assert_eq!(fleet.standing(0), Standing::SlowStart);
    assert_eq!(fleet.ejections, [0, 0]);
}

#[test]
fn one_that_is_far_slower_than_the_others_is_ejected() {
    let mut fleet = Fleet::of(3);
    for at in 0..3 {
        fleet.calls(at, 32, Evidence::Good);
    }
    fleet.pass(TICK);
    for call in 0..24 {
        assert_eq!(fleet.healths[0].record.slow.count_ones(), call);
        fleet.call(0, Evidence::Good, Duration::from_millis(200));
    }
    assert_eq!((fleet.standing(0), fleet.healths[0].reason()), (Standing::Ejected, EjectionReason::Slow));
    fleet.ejected_for(0);
    fleet.call(0, Evidence::Good, Duration::from_millis(200));
    assert_eq!(fleet.standing(0), Standing::Ejected, "a slow probe is no good one");
}

#[test]
fn slow_calls_among_many_and_small_differences_eject_nobody() {
    let mut fleet = Fleet::of(2);
    for call in 0..1000 {
        // A route that takes a second, one call in ten; and 30 ms beside 10 are no matter.
        let took = if call % 10 == 0 { Duration::from_secs(1) } else { FAST };
        fleet.call(0, Evidence::Good, took);
        fleet.call(1, Evidence::Good, if call % 10 == 5 { Duration::from_secs(1) } else { FAST * 3 });
        fleet.pass(TICK);
    }
    assert_eq!(fleet.ejections, [0, 0]);
}

#[test]
fn what_gets_no_calls_is_not_slow_for_ever() {
    let mut fleet = Fleet::of(2);
    fleet.calls(0, 32, Evidence::Good);
    fleet.calls(1, 32, Evidence::Good);
    fleet.pass(TICK);
    for _ in 0..20 {
        fleet.call(0, Evidence::Good, Duration::from_millis(200));
    }
    assert!(fleet.healths[0].record.slow.count_ones() > 18);
    fleet.pass(Duration::from_secs(10));
    assert_eq!(fleet.healths[0].record.slow, 0);
}

#[test]
fn who_gives_up_says_something_only_after_waiting_longer_than_others_do() {
    let mut fleet = Fleet::of(3);
    for at in 0..3 {
        fleet.calls(at, 32, Evidence::Good);
    }
    fleet.pass(TICK);
    fleet.calls(0, 100, Evidence::GivenUp);
    assert_eq!(fleet.healths[0].record.slow, 0);
    for _ in 0..24 {
        fleet.call(0, Evidence::GivenUp, Duration::from_secs(1));
    }
    assert!(fleet.is_out(0));
}

#[test]
fn a_new_or_recovered_instance_comes_to_its_share_by_and_by() {
    let mut fleet = Fleet::of(1);
    let mut before = 0;
    for second in 0..=10 {
        let weight = fleet.healths[0].weight(&fleet.spec, fleet.now);
        assert!(weight >= LEAST_WEIGHT && weight >= before, "after {second} s: {weight} after {before}");
        before = weight;
        fleet.pass(Duration::from_secs(1));
    }
    assert_eq!(before, FULL);
    fleet.healths[0].connected(fleet.now);
    assert_eq!(fleet.healths[0].weight(&fleet.spec, fleet.now), LEAST_WEIGHT, "another process");
}

#[test]
fn a_new_connection_to_an_ejected_instance_is_tried_at_once() {
    let mut fleet = Fleet::of(2);
    fleet.calls(0, 5, Evidence::Failed);
    fleet.healths[0].connected(fleet.now);
    fleet.probe_well(0);
}

#[test]
fn what_another_worker_has_found_well_is_tried_at_once() {
    let mut fleet = Fleet::of(2);
    fleet.calls(0, 5, Evidence::Failed);
    fleet.well_elsewhere[0] = true;
    fleet.pass(TICK);
    fleet.probe_well(0);
}

#[test]
fn an_instance_rests_when_nothing_is_left_that_time_could_change() {
    let mut fleet = Fleet::of(2);
    assert!(fleet.healths[0].rests());
    fleet.calls(0, 32, Evidence::Good);
    fleet.calls(1, 32, Evidence::Good);
    fleet.pass(TICK);
    assert!(fleet.healths[0].rests());
    fleet.call(0, Evidence::Good, Duration::from_millis(200));
    assert!(!fleet.healths[0].rests(), "a slow call is to be forgotten");
    fleet.pass(Duration::from_secs(10));
    assert!(fleet.healths[0].rests());
    fleet.calls(0, 5, Evidence::Failed);
    assert!(!fleet.healths[0].rests(), "it is ejected");
    fleet.ejected_for(0);
    fleet.probe_well(0);
    assert!(!fleet.healths[0].rests(), "the ejection is to be forgiven");
    fleet.pass(Duration::from_secs(3600));
    assert!(fleet.healths[0].rests());
}

#[test]
fn a_probe_that_is_refused_says_neither_that_the_instance_is_well_nor_that_it_is_not() {
    let mut fleet = Fleet::of(2);
    fleet.calls(0, 5, Evidence::Failed);
    fleet.ejected_for(0);
    fleet.calls(0, 5, Evidence::Refused);
    assert!(fleet.healths[0].wants_probe());
    fleet.probe_well(0);
}

#[test]
fn a_well_instance_is_reviewed_when_its_calls_show_trouble_and_not_for_each() {
    let (mut health, spec) = (Health::new(Instant::now()), HealthSpec::default());
    let mut is_due = |evidence| {
        let epoch = health.sent();
        health.ended(epoch, evidence, Some(FAST), &spec)
    };
    assert!(![(); 40].iter().any(|()| is_due(Evidence::Good)));
    assert!(![(); 4].iter().any(|()| is_due(Evidence::Failed)));
    assert!(is_due(Evidence::Failed));
    assert!(!is_due(Evidence::Good));
}

#[test]
fn an_instance_is_unknown_until_a_call_has_ended_there() {
    let mut health = Health::new(Instant::now());
    assert!(health.is_unknown() && !health.is_quick());
    let epoch = health.sent();
    health.ended(epoch, Evidence::Failed, None, &HealthSpec::default());
    assert!(!health.is_unknown(), "it took no time that is known");
    for (took, quick) in
        [(FAST, false), (Duration::from_micros(1000), false), (Duration::from_micros(900), true)]
    {
        let mut health = Health::new(Instant::now());
        let epoch = health.sent();
        health.ended(epoch, Evidence::Good, Some(took), &HealthSpec::default());
        assert_eq!((health.is_unknown(), health.is_quick()), (false, quick), "{took:?}");
    }
}

#[test]
fn it_is_known_until_when_an_instance_is_ejected() {
    let mut fleet = Fleet::of(2);
    assert_eq!(fleet.healths[0].ejected_until(), None);
    fleet.calls(0, 5, Evidence::Failed);
    assert_eq!(fleet.healths[0].ejected_until(), Some(fleet.now + fleet.spec.ejection));
    fleet.ejected_for(0);
    assert_eq!(fleet.healths[0].ejected_until(), None, "it is probed");
}

#[test]
fn slow_is_what_takes_so_many_times_as_long_as_the_median_and_no_quicker_call() {
    for (took, ejected) in [(400, false), (600, true)] {
        let mut fleet = Fleet::of(3);
        for (at, usually) in [(0, 400), (1, 100), (2, 10)] {
            (0..32).for_each(|_| fleet.call(at, Evidence::Good, Duration::from_millis(usually)));
        }
        fleet.pass(TICK);
        (0..32).for_each(|_| fleet.call(0, Evidence::Good, Duration::from_millis(took)));
        fleet.review();
        assert_eq!(fleet.ejections, [u32::from(ejected), 0, 0], "{took} ms beside a median of 100");
    }
}

#[test]
fn of_those_that_are_found_to_fail_at_the_same_time_no_more_than_the_share_is_ejected() {
    let mut fleet = Fleet::of(4);
    for at in 0..3 {
        for _ in 0..32 {
            let epoch = fleet.healths[at].sent();
            fleet.healths[at].ended(epoch, Evidence::Failed, Some(FAST), &fleet.spec);
        }
    }
    fleet.review();
    assert_eq!(fleet.ejections.iter().sum::<u32>(), 2);
    assert_eq!((0..4).filter(|at| fleet.standing(*at) == Standing::Throttled).count(), 1);
}

#[test]
fn an_ejection_is_forgiven_after_ten_seconds_of_good_behaviour_and_not_before() {
    for (well_for, next) in [(9, 2), (11, 1)] {
        let mut fleet = Fleet::of(2);
        fleet.calls(0, 5, Evidence::Failed);
        fleet.ejected_for(0);
        fleet.probe_well(0);
        fleet.pass(Duration::from_secs(well_for));
        fleet.calls(0, 5, Evidence::Failed);
        assert_eq!(fleet.ejected_for(0), Duration::from_secs(next), "well for {well_for} s");
    }
}

#[test]
fn slow_calls_fade_one_by_one_only_while_no_others_come() {
    let mut fleet = Fleet::of(2);
    fleet.calls(0, 12, Evidence::Good);
    fleet.calls(1, 32, Evidence::Good);
    fleet.pass(TICK);
    for _ in 0..20 {
        fleet.call(0, Evidence::Good, Duration::from_millis(200));
    }
    // What comes last is what fades first: the twelve quick ones, four in a second.
    fleet.pass(Duration::from_secs(2));
    assert_eq!(fleet.healths[0].record.slow.count_ones(), 20);
    fleet.pass(Duration::from_secs(4));
    assert!((12..20).contains(&fleet.healths[0].record.slow.count_ones()));
}
