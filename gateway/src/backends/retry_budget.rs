//! A bound on retries: when instances fail because there is too much to do, sending calls again makes it worse.
//!
//! Of the calls of the last moment, a share may be sent again in vain: a result gives back what the attempts took that led to it,
//! but for those that an instance has worked on. So the bound is tight when everything fails, and does not bind when half of the
//! instances are well and the other half's calls only have to go there. "The last moment" is two windows of a second and a
//! half, the current one and the one before: long enough for all calls that an instance was given before its silence was
//! noticed, even if it was given all there were, and so short that what was saved up in an hour of health is not spent in the
//! first seconds of an outage. The share says nothing where calls are few, so some retries are allowed in any case ([`FLOOR`]).
//!
//! Time is passed in, and a call costs a comparison and an addition: the clock is not asked.

use std::cell::Cell;
use std::time::Duration;
use tokio::time::Instant;

/// Half of what counts as recent.
const WINDOW: Duration = Duration::from_millis(1500);

/// Attempts that are allowed in two windows whatever the number of calls, unless the share is zero.
const FLOOR: u64 = 30;

/// What sending a call again costs.
#[derive(Clone, Copy, Debug)]
pub enum Cost {
    /// Half: no instance works on it any more. One has refused it, or is gone.
    Dropped,
    /// Whole: an instance has worked on it for nothing, or still does.
    Ran,
    /// Whole, and at most half of the budget goes for these: a second attempt beside a slow one is a luxury, which must not
    /// use up what calls need that have failed.
    Hedge,
}

impl Cost {
    /// In halves of an attempt.
    pub fn halves(self) -> u64 {
        match self {
            Cost::Dropped => 1,
            Cost::Ran | Cost::Hedge => 2,
        }
    }
}

/// The budget of one backend in one worker.
#[derive(Debug)]
pub struct RetryBudget {
    /// The end of the current window.
    ends: Cell<Instant>,
    now: Cell<Window>,
    before: Cell<Window>,
}

/// What happened in a window.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    calls: u64,
    /// In halves of an attempt.
    spent: u64,
}

impl RetryBudget {
    /// A budget without calls.
    pub fn new(now: Instant) -> RetryBudget {
        RetryBudget { ends: Cell::new(now + WINDOW), now: Cell::default(), before: Cell::default() }
    }

    /// A call was made, for the first time.
    #[inline]
    pub fn called(&self, now: Instant) {
        self.turn(now);
        let Window { calls, spent } = self.now.get();
        self.now.set(Window { calls: calls + 1, spent });
    }

    /// Takes an attempt, if there is one left of that many percent of the recent calls.
    pub fn spend(&self, now: Instant, percent: u32, cost: Cost) -> bool {
        self.turn(now);
        let (Window { calls, spent }, before) = (self.now.get(), self.before.get());
        let percent = u64::from(percent);
        let most = ((calls + before.calls) * percent / 50).max(if percent > 0 { 2 * FLOOR } else { 0 });
        let most = if let Cost::Hedge = cost { most / 2 } else { most };
        let cost = cost.halves();
        let within = spent + before.spent + cost <= most;
        if within {
            self.now.set(Window { calls, spent: spent + cost });
        }
        within
    }

    /// Gives back what a result has cost, in halves of an attempt.
    pub fn refund(&self, halves: u64) {
        let give_back = |window: &Cell<Window>, cost: u64| {
            let Window { calls, spent } = window.get();
            let given = spent.min(cost);
            window.set(Window { calls, spent: spent - given });
            cost - given
        };
        // It may have been taken in the window before.
        let left = give_back(&self.now, halves);
        give_back(&self.before, left);
    }

    /// Begins the next window when the current one is over.
    #[inline]
    fn turn(&self, now: Instant) {
        let ends = self.ends.get();
        if now < ends {
            return;
        }
        let in_the_next = now < ends + WINDOW;
        self.before.set(if in_the_next { self.now.get() } else { Window::default() });
        self.now.set(Window::default());
        self.ends.set(if in_the_next { ends + WINDOW } else { now + WINDOW });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes `calls` evenly over `time`, and attempts as often as it may after each; the attempts that it got.
    fn run(budget: &RetryBudget, from: Instant, time: Duration, calls: u32, percent: u32, cost: Cost) -> u32 {
        let mut attempts = 0;
        for n in 0..calls {
            let now = from + time * n / calls;
            budget.called(now);
            while budget.spend(now, percent, cost) {
                attempts += 1;
            }
        }
        attempts
    }

    #[test]
    fn under_total_failure_tries_stay_within_the_share_of_the_calls() {
        let (second, begin) = (Duration::from_secs(1), Instant::now());
        for (percent, cost, most) in [(20, Cost::Ran, 0.2), (20, Cost::Dropped, 0.4), (100, Cost::Ran, 1.0)] {
            let budget = RetryBudget::new(begin);
            for n in 0..500 {
                budget.called(begin + 2 * second * n / 500);
            }
            let attempts = run(&budget, begin + 2 * second, 10 * second, 10_000, percent, cost);
            let share = f64::from(attempts) / 10_000.0;
            assert!(share > 0.8 * most && share < 1.15 * most, "{percent} %, {cost:?}: {share}");
        }
    }

    #[test]
    fn what_brings_a_result_is_free_in_the_end() {
        let begin = Instant::now();
        let budget = RetryBudget::new(begin);
        for n in 0..10_000 {
            let now = begin + Duration::from_millis(n);
            budget.called(now);
            // One call in ten fails twice, every other one once.
            for _ in 0..u64::from(n % 10 == 0) {
                assert!(budget.spend(now, 20, Cost::Ran), "in vain, {n}");
            }
            assert!(budget.spend(now, 20, Cost::Ran), "with a result, {n}");
            budget.refund(Cost::Ran.halves());
        }
        budget.refund(Cost::Ran.halves());
        assert_eq!(budget.now.get().spent + budget.before.get().spent, 2 * 250 - 2);
    }

    #[test]
    fn hedges_leave_half_of_the_budget_to_failed_calls() {
        let begin = Instant::now();
        let budget = RetryBudget::new(begin);
        (0..200).for_each(|_| budget.called(begin));
        assert_eq!((0..100).filter(|_| budget.spend(begin, 20, Cost::Hedge)).count(), 20);
        assert_eq!((0..100).filter(|_| budget.spend(begin, 20, Cost::Ran)).count(), 20);
    }

    #[test]
    fn few_calls_have_some_tries_in_three_seconds_but_none_where_none_are_wanted() {
        let begin = Instant::now();
        for (percent, expected) in [(20, 30), (1, 30), (0, 0)] {
            let budget = RetryBudget::new(begin);
            for round in 0..5 {
                let now = begin + Duration::from_secs(3 * round);
                budget.called(now);
                let attempts = (0..100).filter(|_| budget.spend(now, percent, Cost::Ran)).count();
                assert_eq!(attempts, expected, "{percent} %, round {round}");
            }
        }
    }

    #[test]
    fn a_healthy_hour_is_not_saved_up() {
        let begin = Instant::now();
        let budget = RetryBudget::new(begin);
        for n in 0..3_600_000u32 {
            budget.called(begin + Duration::from_millis(n.into()));
        }
        let now = begin + Duration::from_secs(3600);
        let attempts = (0..100_000).filter(|_| budget.spend(now, 20, Cost::Ran)).count();
        assert!((300..=600).contains(&attempts), "{attempts} of 1000 calls a second");
        let later = now + Duration::from_secs(60);
        let attempts = (0..100_000).filter(|_| budget.spend(later, 20, Cost::Ran)).count();
        assert_eq!(attempts, 30, "after a minute without calls");
    }
}
