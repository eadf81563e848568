//! How the limit moves, against a backend that is a formula: so many calls at once, each so long, the others wait in a queue
//! without an end.

use super::*;
use crate::config::When;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Calls later than this are of no use to anybody.
const TIMEOUT: Duration = Duration::from_millis(500);

/// A backend, and the calls that are on their way to it.
struct Model {
    limit: Limit,
    /// Calls come to the workers at random.
    workers: Vec<Samples>,
    spec: AdaptiveSpec,
    begin: Instant,
    /// When each of the backend's hands is free.
    free: BinaryHeap<Reverse<u64>>,
    /// When a call ends, when it was sent, its route and its worker; in microseconds.
    under_way: BinaryHeap<Reverse<(u64, u64, u64, usize)>>,
    /// What a call of each route takes alone, in microseconds.
    work: Vec<u64>,
    now: u64,
}

/// One worker's limit, to be told of calls one by one.
struct Told {
    limit: Limit,
    samples: Samples,
    spec: AdaptiveSpec,
    begin: Instant,
}

impl Told {
    fn new(when: When) -> Told {
        let (spec, samples) =
            (AdaptiveSpec { when, ..AdaptiveSpec::default() }, Samples::new(Instant::now()));
        let begin = samples.began;
        Told { limit: Limit::new(1), samples, spec, begin }
    }

    /// Of so many calls in flight.
    fn of(when: When, in_flight: usize) -> Told {
        let told = Told::new(when);
        (0..in_flight).for_each(|_| told.limit.counts_in(0));
        told
    }

    /// A try that was sent after so many milliseconds, and took so many.
    fn tried(&mut self, at: u64, took: u64, feedback: Feedback) -> (Feedback, Instant) {
        let (sent, took) = (self.begin + Duration::from_millis(at), Duration::from_millis(took));
        let feedback = self.samples.tried(&Observed { route: (0, 1), sent, took, feedback });
        (feedback, sent + took)
    }

    /// The same of a call's only try, or its last.
    fn ended(&mut self, at: u64, took: u64, feedback: Feedback) {
        let (feedback, now) = self.tried(at, took, feedback);
        self.samples.ended(feedback, now, &self.limit, &self.spec);
    }
}

/// What came of a second.
#[derive(Debug, Default, Clone, Copy)]
struct Second {
    shed: u32,
    good: u32,
    late: u32,
    /// In microseconds; together, and the longest.
    took: u64,
    slowest: u64,
}

impl Second {
    fn mean_ms(&self) -> f64 {
        self.took as f64 / f64::from(self.good.max(1)) / 1000.0
    }
}

impl Model {
    fn new(when: When, hands: usize, work: &[u64]) -> Model {
        Model::of(1, when, hands, work)
    }

    fn of(workers: usize, when: When, hands: usize, work: &[u64]) -> Model {
        fastrand::seed(17);
        let begin = Instant::now();
        let spec = AdaptiveSpec { when, ..AdaptiveSpec::default() };
        Model {
            limit: Limit::new(workers),
            workers: (0..workers).map(|_| Samples::new(begin)).collect(),
            spec,
            begin,
            free: (0..hands).map(|_| Reverse(0)).collect(),
            under_way: BinaryHeap::new(),
            work: work.to_vec(),
            now: 0,
        }
    }

    /// So many calls are offered in a second, spread at random, of the routes in turn.
    fn second(&mut self, offered: u32) -> Second {
        let mut seen = Second::default();
        let end = self.now + 1_000_000;
        let mut arrivals: Vec<u64> = (0..offered).map(|_| fastrand::u64(self.now..end)).collect();
        arrivals.sort_unstable();
        for (n, at) in arrivals.into_iter().enumerate() {
            self.end_until(at, &mut seen);
            let worker = fastrand::usize(0..self.workers.len());
            if self.limit.most().is_some_and(|most| self.limit.in_flight() >= most) {
                self.limit.binds();
                seen.shed += 1;
                continue;
            }
            self.limit.counts_in(worker);
            let route = n % self.work.len();
            let Reverse(free) = self.free.pop().expect("it has hands");
            let done = free.max(at) + self.work[route];
            self.free.push(Reverse(done));
            let ends = done.min(at + TIMEOUT.as_micros() as u64);
            self.under_way.push(Reverse((ends, at, route as u64, worker)));
        }
        self.end_until(end, &mut seen);
        self.now = end;
        seen
    }

    fn end_until(&mut self, time: u64, seen: &mut Second) {
        while let Some(Reverse((ends, sent, route, worker))) =
            self.under_way.peek().copied().filter(|next| next.0.0 <= time)
        {
            self.under_way.pop();
            let took = Duration::from_micros(ends - sent);
            let late = took >= TIMEOUT;
            let feedback = if late { Feedback::Late } else { Feedback::Answered };
            let sent = self.begin + Duration::from_micros(sent);
            let (samples, it) =
                (&mut self.workers[worker], Observed { route: (route, route), sent, took, feedback });
            let feedback = samples.tried(&it);
            samples.ended(feedback, it.sent + it.took, &self.limit, &self.spec);
            self.limit.counts_out(worker);
            seen.slowest = seen.slowest.max(took.as_micros() as u64);
            match late {
                true => seen.late += 1,
                false => (seen.good, seen.took) = (seen.good + 1, seen.took + took.as_micros() as u64),
            }
        }
    }

    fn seconds(&mut self, n: u32, offered: u32) -> Second {
        (0..n).map(|_| self.second(offered)).last().expect("at least one")
    }
}

#[test]
fn three_times_what_a_backend_can_do_is_served_as_far_as_it_can_at_once_and_the_rest_shed() {
    for when in [When::Always, When::Failing] {
        let mut model = Model::new(when, 16, &[8000]);
        let calm = model.seconds(5, 1000);
        assert_eq!((calm.shed, calm.late), (0, 0), "{calm:?}");
        // Without it in force until calls fail, what the backend was given in vain has to be worked off first.
        model.seconds(if when == When::Always { 2 } else { 8 }, 6000);
        for second in 0..60 {
            let seen = model.second(6000);
            assert!(seen.good > 1900, "{when:?}, second {second}: {seen:?}");
            assert!(seen.mean_ms() < 20.0, "{when:?}, second {second}: {seen:?}, {:.1} ms", seen.mean_ms());
        }
        model.seconds(10, 1000);
        let calm = model.second(1500);
        assert_eq!((calm.shed, calm.late), (0, 0), "and then all are served again: {calm:?}");
    }
}

#[test]
fn a_beginning_in_the_midst_of_too_many_calls_is_no_typical_time() {
    for work in [&[8000][..], &[6000, 8000, 12_000]] {
        let mut model = Model::new(When::Always, 16, work);
        model.seconds(3, 6000);
        for second in 0..60 {
            let seen = model.second(6000);
            assert!(
                seen.good > 1700 && seen.mean_ms() < 40.0,
                "second {second}: {seen:?}, {:.1} ms",
                seen.mean_ms()
            );
        }
    }
}

#[test]
fn workers_share_one_limit_and_lead_each_other_nowhere() {
    for when in [When::Always, When::Failing] {
        for workers in [2, 8] {
            let mut model = Model::of(workers, when, 16, &[15_000]);
            let calm = model.seconds(5, 500);
            assert_eq!((calm.shed, calm.late), (0, 0), "{calm:?}");
            for offered in [1500, 2000, 3000] {
                // What the backend was given before the limit was in force has to be worked off.
                model.seconds(8, offered);
                for _ in 0..20 {
                    let seen = model.second(offered);
                    assert!(
                        seen.good > 1000 && seen.mean_ms() < 28.0,
                        "{when:?}, {workers} workers: {seen:?}"
                    );
                    assert!(seen.slowest < 50_000, "{when:?}, {workers} workers: {seen:?}");
                }
            }
        }
    }
}

#[test]
fn without_it_next_to_nothing_is_served_in_time() {
    let mut model = Model::new(When::Never, 16, &[8000]);
    let seen = model.seconds(10, 6000);
    assert!(seen.good < 100, "{seen:?}");
}

#[test]
fn nothing_is_shed_while_all_is_well_whatever_calls_take_and_in_which_mix() {
    for (hands, work, offered) in [
        (16, &[8000][..], 1800),
        (1000, &[1000, 300_000], 2000),
        (1, &[100], 9000),
        (100_000, &[400_000], 10_000),
    ] {
        for when in [When::Always, When::Failing] {
            let mut model = Model::new(when, hands, work);
            for second in 0..12 {
                let seen = model.second(offered);
                // Always in force, it takes the longest of the queues that come by chance for too many.
                let most = if when == When::Always { offered / 50 } else { 0 };
                assert!(seen.shed <= most, "{when:?}, {hands} hands, {work:?}, second {second}: {seen:?}");
            }
        }
    }
}

#[test]
fn a_mix_of_routes_that_changes_is_no_overload() {
    let mut model = Model::new(When::Always, 1000, &[1000, 1000, 1000, 200_000]);
    model.seconds(10, 2000);
    model.work = vec![1000, 200_000, 1000, 200_000];
    // Route 1 is slower now, and that is its own matter.
    model.work[1] = 1000;
    for _ in 0..20 {
        let seen = model.second(2000);
        assert_eq!(seen.shed, 0, "{seen:?}");
    }
}

#[test]
fn a_backend_that_only_became_slower_is_given_all_calls_again() {
    for (when, most) in [(When::Failing, 0), (When::Always, 4000)] {
        let mut model = Model::new(when, 100_000, &[10_000]);
        model.seconds(10, 2000);
        model.work = vec![100_000];
        let mut shed = 0;
        for _ in 0..5 {
            shed += model.second(2000).shed;
        }
        assert!(shed <= most, "{when:?}: {shed} of 10000 were shed");
        let later: u32 = (0..20).map(|_| model.second(2000).shed).sum();
        assert_eq!(later, 0, "{when:?}");
    }
}

#[test]
fn refusals_lower_the_limit_to_what_is_accepted() {
    let mut told = Told::of(When::Failing, 200);
    for n in 0..1000 {
        told.ended(n * 2, 5, if n % 3 == 0 { Feedback::Refused } else { Feedback::Answered });
    }
    let most = told.limit.most().expect("it is in force");
    assert!((10..50).contains(&most), "{most}");
}

#[test]
fn what_one_instance_refuses_or_is_late_with_lowers_nothing_where_others_serve_it() {
    for ill in [Feedback::Refused, Feedback::Late] {
        for when in [When::Always, When::Failing] {
            let mut told = Told::of(when, 200);
            for n in 0..5000 {
                // Once it is known what calls take, every third one goes to the ill instance first.
                if n > 1000 && n % 3 == 0 {
                    told.tried(n, 100, ill);
                }
                told.ended(n, 5, Feedback::Answered);
            }
            let most = told.limit.most();
            assert!(most.is_none_or(|most| most == 10_000), "{ill:?}, {when:?}: {most:?}");
        }
    }
}

#[test]
fn one_instance_of_three_that_hangs_gets_no_call_shed() {
    const HANGS: u64 = 500;
    let mut told = Told::of(When::Failing, 200);
    for n in 0..20_000 {
        if n < 1000 || n % 3 != 0 {
            told.ended(n, 5, Feedback::Answered);
        }
        if n >= 1000 + HANGS && (n - HANGS).is_multiple_of(3) {
            told.ended(n - HANGS, HANGS, Feedback::Late);
        }
        let most = told.limit.most();
        assert!(most.is_none_or(|most| most == 10_000), "call {n}: {most:?}");
    }
    assert!(told.limit.most().is_some(), "it is in force, as a third of the calls fails");
}

#[test]
fn after_an_outage_all_is_served_again_within_seconds() {
    let mut model = Model::new(When::Failing, 10_000, &[50_000]);
    model.seconds(3, 10_000);
    // It hangs: whatever comes is late.
    model.work = vec![10_000_000];
    model.seconds(15, 10_000);
    assert!(model.limit.most().is_some_and(|most| most < 50), "{:?}", model.limit.most());
    model.work = vec![50_000];
    model.free = (0..10_000).map(|_| Reverse(0)).collect();
    let mut shed = (0..10).map(|_| model.second(10_000).shed);
    let all: u32 = shed.by_ref().take(3).sum();
    assert!(all < 20_000, "{all} of 30000 were shed");
    assert_eq!(shed.sum::<u32>(), 0, "and later none");
}

#[test]
fn a_client_that_has_no_patience_lowers_nothing() {
    let mut told = Told::new(When::Failing);
    for n in 0..1000 {
        let (took, feedback) = if n % 2 == 0 { (20, Feedback::Answered) } else { (3, Feedback::Late) };
        told.ended(n, took, feedback);
    }
    assert_eq!(told.limit.most(), None);
}

#[test]
fn a_worker_hands_over_what_it_has_gathered_every_ten_milliseconds() {
    let mut told = Told::new(When::Failing);
    for (at, handed_over) in [(0, 0), (5, 0), (9, 0), (10, 4), (15, 4), (19, 4), (20, 7)] {
        told.ended(at, 0, Feedback::Answered);
        let learned = told.limit.learned.lock().expect("nobody has panicked");
        assert_eq!(learned.seen(), handed_over, "after {at} ms");
    }
}
