//! What follows from each window, one by one, with figures that can be reckoned by hand.

use super::super::{Feedback, Observed};
use super::*;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A backend whose calls take 100 ms, typically, so that 150 ms are bearable.
struct Backend {
    learned: Learned,
    samples: Samples,
    spec: AdaptiveSpec,
    now: Instant,
}

/// A window: so many calls end in it that took so many milliseconds each, and it is so long.
#[derive(Clone, Copy)]
struct Seen {
    calls: u32,
    took: u64,
    late: u32,
    refused: u32,
    /// The most that were in flight.
    peak: usize,
    /// A call found no room.
    bound: bool,
    long: Duration,
}

/// Nothing is wrong: a hundred calls in a second, which need no limit.
const WELL: Seen = Seen { calls: 100, took: 100, late: 0, refused: 0, peak: 40, bound: false, long: SECOND };

/// Calls take three times as long as is typical.
const SLOW: Seen = Seen { took: 300, ..WELL };

impl Backend {
    fn new(when: When) -> Backend {
        let now = Instant::now();
        let spec = AdaptiveSpec { when, ..AdaptiveSpec::default() };
        let mut backend = Backend { learned: Learned::new(now), samples: Samples::new(now), spec, now };
        backend.sees(WELL);
        backend
    }

    /// One whose limit was lowered to 90: it answers 600 calls in a second, which may take 150 ms.
    fn limited() -> Backend {
        let mut backend = Backend::new(When::Always);
        assert_eq!(backend.sees(Seen { calls: 600, peak: 200, ..SLOW }), Some(90));
        backend
    }

    /// The window's end. Gives the limit that follows; to the nearest number, as its figures are not exact.
    fn sees(&mut self, seen: Seen) -> Option<usize> {
        let (sent, took) = (self.now, Duration::from_millis(seen.took));
        for _ in 0..seen.calls {
            self.samples.tried(&Observed { route: (0, 1), sent, took, feedback: Feedback::Answered });
        }
        self.now += seen.long;
        let Seen { calls: done, late, refused, .. } = seen;
        self.samples.sums = Sums { done, late, refused, ..self.samples.sums };
        self.learned.take(&mut self.samples, seen.peak);
        let most = self.learned.decide(self.now, seen.bound, &self.spec);
        self.learned.teach(&mut self.samples);
        assert!(most.is_none_or(|most| most == self.learned.most as usize));
        most.map(|_| self.learned.most.round() as usize)
    }

    /// What follows after each of so many windows.
    fn each<const N: usize>(&mut self, seen: Seen) -> [Option<usize>; N] {
        [(); N].map(|()| self.sees(seen))
    }

    /// What a call takes typically, in milliseconds.
    fn typical(&self) -> f32 {
        (self.learned.routes[&0].mean * 10_000.0).round() / 10.0
    }
}

#[test]
fn what_is_typical_follows_quick_calls_by_a_tenth_and_slower_ones_by_a_hundredth() {
    let mut backend = Backend::new(When::Never);
    assert_eq!(backend.typical(), 100.0);
    backend.sees(Seen { took: 50, ..WELL });
    assert_eq!(backend.typical(), 95.0);
    backend.sees(Seen { took: 140, ..WELL });
    assert_eq!(backend.typical(), 95.5, "95 and a hundredth of 45");
    backend.sees(SLOW);
    assert_eq!(backend.typical(), 95.5, "too slow is not typical");
}

#[test]
fn while_the_limit_binds_what_calls_take_is_not_typical_but_where_they_are_quicker() {
    let mut backend = Backend::new(When::Always);
    backend.sees(Seen { took: 140, bound: true, ..WELL });
    assert_eq!(backend.typical(), 100.0);
    backend.sees(Seen { took: 90, bound: true, ..WELL });
    assert_eq!(backend.typical(), 99.0);
    // What found no room found it elsewhere: there is no limit.
    let mut unlimited = Backend::new(When::Never);
    unlimited.sees(Seen { took: 140, bound: true, ..WELL });
    assert_eq!(unlimited.typical(), 100.4);
}

#[test]
fn a_route_is_known_after_eight_calls_and_anew_when_another_one_has_its_place() {
    let now = Instant::now();
    let mut learned = Learned::new(now);
    let mut tell = |id: u64, tries: u32, quickest: f32| {
        let took = quickest * tries as f32;
        learned.add(3, &Route { id, typical: 0.0, tries, took, quickest });
        learned.routes[&3].mean
    };
    assert_eq!([tell(1, 7, 0.2), tell(1, 1, 0.1), tell(1, 1, 0.05)], [0.0, 0.1, 0.1]);
    assert_eq!([tell(2, 7, 0.3), tell(2, 1, 0.4)], [0.0, 0.3]);
}

#[test]
fn the_first_slow_window_lowers_the_limit_to_what_can_be_answered_in_bearable_time() {
    for (calls, peak, long, expected) in [
        // 500 calls in a second, 0.15 s each.
        (500, 200, SECOND, 75),
        (500, 200, 2 * SECOND, 50),
        (1000, 200, 2 * SECOND, 75),
        // Hardly any were answered: a quarter of what was in flight.
        (50, 200, SECOND, 50),
        // Never less than is set.
        (50, 20, SECOND, 10),
    ] {
        let mut backend = Backend::new(When::Always);
        let most = backend.sees(Seen { calls, peak, long, ..SLOW });
        assert_eq!(most, Some(expected), "{calls} calls in {long:?}, {peak} in flight");
    }
    let mut backend = Backend::limited();
    backend.sees(WELL);
    assert_eq!(backend.sees(Seen { calls: 5000, ..SLOW }), Some(90), "it is no reason for a greater one");
}

#[test]
fn further_slow_windows_lower_it_by_as_much_as_calls_are_too_slow_within_bounds() {
    for (took, peak, expected) in [
        // To 150 of 190 ms. Of what is in flight, where that is less.
        (190, 90, 71),
        (190, 200, 71),
        (190, 60, 47),
        // By three tenths at most, and by a twentieth at least.
        (1000, 80, 56),
        (152, 80, 76),
    ] {
        let mut backend = Backend::limited();
        assert_eq!(backend.sees(Seen { took, peak, ..WELL }), Some(expected), "{took} ms, {peak} in flight");
    }
}

#[test]
fn where_fewer_calls_do_not_help_what_they_take_is_typical_after_eight_windows_and_a_second() {
    for (long, windows) in [(100 * MS, 10), (500 * MS, 7)] {
        let mut backend = Backend::new(When::Always);
        let first = backend.sees(Seen { peak: 400, ..SLOW });
        assert_eq!(first, Some(100));
        for n in 1..windows {
            let most = backend.sees(Seen { peak: 100, long, ..SLOW });
            assert!(most < first, "after {n} more windows of {long:?}: {most:?}");
        }
        assert_eq!(backend.typical(), 100.0);
        assert_eq!(backend.sees(Seen { peak: 100, long, ..SLOW }), Some(10_000), "as it was before");
        assert_eq!(backend.typical(), 300.0);
        assert_eq!(backend.sees(SLOW), Some(10_000), "300 ms are not slow any more");
    }
}

#[test]
fn it_stays_low_where_that_helps_or_was_hardly_tried_or_calls_fail() {
    let in_vain = Seen { peak: 100, ..SLOW };
    for (why, seen) in [
        ("calls take less than 0.85 times as long", Seen { took: 250, ..in_vain }),
        ("as many as before are in flight", Seen { peak: 250, ..in_vain }),
        ("a tenth of the calls comes too late", Seen { late: 10, ..in_vain }),
    ] {
        let mut backend = Backend::new(When::Always);
        backend.sees(Seen { peak: 400, ..SLOW });
        for n in 0..30 {
            let most = backend.sees(seen);
            assert!(most < Some(300), "{why}: {most:?} after {n}");
        }
        assert_eq!(backend.typical(), 100.0, "{why}");
    }
    // Slower ones that follow, and more in flight, are what it is compared with.
    let mut backend = Backend::new(When::Always);
    backend.sees(Seen { peak: 100, took: 200, ..WELL });
    backend.sees(Seen { peak: 400, took: 300, ..WELL });
    for _ in 0..20 {
        backend.sees(Seen { peak: 100, took: 250, ..WELL });
    }
    assert_eq!(backend.typical(), 100.0);
    backend.sees(Seen { peak: 100, took: 290, ..WELL });
    assert_eq!(backend.typical(), 290.0);
}

#[test]
fn while_it_binds_and_calls_are_quick_it_grows_by_a_tenth_and_after_eight_windows_by_half() {
    let binds = Seen { bound: true, ..WELL };
    let mut backend = Backend::limited();
    let eight = [100, 111, 123, 136, 151, 167, 185, 204].map(Some);
    assert_eq!(backend.each(binds), eight);
    assert_eq!(backend.each(binds), [308, 462].map(Some));
    assert_eq!(backend.sees(WELL), Some(462), "it does not bind");
    assert_eq!(backend.sees(binds), Some(510), "by a tenth again");
    assert_eq!(backend.each(binds).map(|most: Option<usize>| most < Some(2000)), [true; 7]);
    // A window in which calls fail is none of those in a row.
    backend.sees(Seen { late: 10, ..binds });
    let before = backend.learned.most;
    backend.sees(binds);
    assert_eq!(backend.learned.most, before * GROWTH + 1.0);
}

#[test]
fn it_is_never_more_than_is_set() {
    let mut backend = Backend::limited();
    backend.spec.max = 120;
    let binds = Seen { bound: true, ..WELL };
    assert_eq!(backend.each(binds), [100, 111, 120, 120].map(Some));
}

#[test]
fn refusals_lower_it_by_a_tenth_of_what_is_in_flight() {
    let mut backend = Backend::limited();
    assert_eq!(backend.sees(Seen { refused: 9, ..WELL }), Some(90), "less than a tenth is refused");
    assert_eq!(backend.sees(Seen { refused: 10, peak: 50, ..WELL }), Some(45));
    assert_eq!(backend.sees(Seen { refused: 10, peak: 40, ..WELL }), Some(36));
}

#[test]
fn by_default_it_is_in_force_from_when_a_tenth_of_the_calls_fails_until_all_was_well_for_5_s() {
    let mut backend = Backend::new(When::Failing);
    assert_eq!(backend.sees(Seen { late: 9, ..WELL }), None);
    let all = Some(10_000);
    assert_eq!(backend.sees(Seen { late: 5, refused: 5, ..WELL }), all, "it begins with as many as may be");
    // The first window in which all is well is where the five seconds begin.
    assert_eq!(backend.each(WELL), [all, all, all, all, all, None]);
    assert!(backend.sees(Seen { late: 10, ..WELL }).is_some());
    for unwell in [SLOW, Seen { late: 10, ..WELL }, Seen { bound: true, ..WELL }] {
        assert!(backend.sees(unwell).is_some());
        assert!(backend.each::<5>(WELL).iter().all(Option::is_some), "the five seconds begin anew");
    }
    let mut always = Backend::new(When::Always);
    assert!(always.each::<7>(WELL).iter().all(Option::is_some));
    let mut never = Backend::new(When::Never);
    assert_eq!(never.sees(Seen { late: 100, ..SLOW }), None);
}

#[test]
fn without_failures_slow_calls_are_typical_after_a_minute() {
    let mut backend = Backend::new(When::Failing);
    for second in 0..60 {
        backend.sees(SLOW);
        assert_eq!(backend.typical(), 100.0, "after {second} s");
    }
    backend.sees(SLOW);
    assert_eq!(backend.typical(), 300.0);
    // A moment without them, and the minute begins anew.
    let slower = Seen { took: 900, ..WELL };
    for round in 0..2 {
        for _ in 0..60 {
            backend.sees(slower);
        }
        backend.sees(SLOW);
        assert_eq!(backend.typical(), 300.0, "round {round}");
    }
}

#[test]
fn a_window_is_twice_as_long_as_calls_take_and_needs_eight_of_them_or_refusals() {
    for (took, long) in [(10, 50 * MS), (100, 200 * MS), (3000, SECOND)] {
        let mut backend = Backend::new(When::Never);
        backend.sees(Seen { took, ..WELL });
        // Means are not exact.
        let end = backend.now + long + MS / 10;
        for (tries, refused, due) in [(7, 7, false), (8, 0, true), (0, 8, true)] {
            let sums = &mut backend.learned.window.sums;
            (sums.tries.n, sums.refused) = (tries, refused);
            let seen = (backend.learned.is_due(end), backend.learned.is_due(end - MS));
            assert_eq!(seen, (due, false), "{took} ms, {tries} tries, {refused} refused");
        }
    }
}

#[test]
fn what_another_worker_sent_under_the_limit_before_says_how_calls_ended_and_not_how_long_they_take() {
    let mut backend = Backend::new(When::Always);
    let (began, mut other) = (backend.now, Samples::new(backend.now - SECOND));
    for (sent, expected) in [(began - MS, (1, 0, 7)), (began, (2, 1, 7))] {
        other.tried(&Observed { route: (0, 1), sent, took: 50 * MS, feedback: Feedback::Answered });
        other.sums.done = 1;
        backend.learned.take(&mut other, 7);
        let Window { sums, peak, .. } = backend.learned.window;
        assert_eq!((sums.done, sums.tries.n, peak as usize), expected);
        let tries = backend.learned.routes[&0].tries;
        assert_eq!(tries, sums.tries.n);
        backend.learned.teach(&mut other);
        other.began = began - SECOND;
    }
}
