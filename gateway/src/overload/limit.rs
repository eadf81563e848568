//! The adaptive limit: how many calls of one worker a backend can have at once before they only wait for each other there.
//!
//! What a call usually takes is learned route by route, while all is well. When most calls of a moment take more than twice as
//! long, and 5 ms more, they wait somewhere behind us. The limit is then what keeps the backend just busy, by Little's law: the
//! calls that it answers in a second, times how long they may take (twice the usual). While it binds and calls are quick, it
//! grows; so it stays near the edge, with a queue in the backend about as long as a call.
//!
//! Two things are told apart: a try says how long an instance takes, a call that has ended whether its client was served. What
//! one instance refuses and another does is no failure, so that an instance that is ill brings no limit upon those that are well.
//!
//! Longer answers need not come from too many calls: what a backend itself waits for may have become slow. Then they do not
//! become shorter with fewer calls in flight. That is looked for, and what they take now is what is usual from then on.
//!
//! A state machine without a clock: the times are those of the calls.

mod window;

use crate::backends::NumberMap;
use crate::config::{AdaptiveSpec, When};
use std::cell::{Cell, RefCell};
use std::time::Duration;
use tokio::time::Instant;
use window::{Window, bearable};

/// From one decision to the next, at least and at most.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// A decision needs so many tries that were sent after the last one, or refusals.
const ENOUGH: u32 = 8;

/// How much of a window's mean goes into what is usual.
const SLOWER_BY: f32 = 0.01;
const FASTER_BY: f32 = 0.1;

/// Fewer calls in flight must help within so many decisions and so long a time.
const PATIENCE: (u32, Duration) = (8, Duration::from_secs(1));

/// How much the limit grows in a window in which it binds and calls are quick; and how much after so many in a row, when it is
/// far from what the backend can do.
const GROWTH: f32 = 1.1;
const FAR: (u32, f32) = (8, 1.5);

/// Without failures calls that take longer are the usual ones after that time; and after that of not binding the limit goes.
const USUAL_AFTER: Duration = Duration::from_secs(60);
const LOOSE_AFTER: Duration = Duration::from_secs(5);

/// How a try ended that a limit learns from, and with the last one its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an answer that it took its time for.
    Answered,
    /// Not in time, or nobody wanted to wait any longer.
    Late,
    /// The instance refused it, having too many.
    Refused,
    /// In a way that says nothing.
    Other,
}

/// A try that ended.
#[derive(Clone, Copy, Debug)]
pub struct Observed {
    /// The slot and id of its route.
    pub route: (u64, u64),
    /// When it was sent.
    pub sent: Instant,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub ending: Ending,
}

/// The share of one worker in a backend's limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    when: When,
    min: f32,
    max: f32,
}

impl Rules {
    /// The share of one of so many workers.
    pub(super) fn of(spec: &AdaptiveSpec, workers: usize) -> Rules {
        let share = |total: usize| total.div_ceil(workers.max(1)) as f32;
        Rules { when: spec.when, min: share(spec.min), max: share(spec.max) }
    }
}

/// One worker's limit for one backend.
pub(super) struct Limit {
    /// What an admission reads; none while calls are not limited.
    most: Cell<Option<usize>>,
    /// Since the last decision: the most calls in flight, and whether one found no room.
    peak: Cell<usize>,
    bound: Cell<bool>,
    learned: RefCell<Learned>,
}

struct Learned {
    /// The limit before it is rounded.
    most: f32,
    /// It is in force.
    armed: bool,
    window: Window,
    /// By slot.
    routes: NumberMap<u64, Usual>,
    /// Slots of the routes that had calls in this window.
    touched: Vec<u64>,
    run: Option<Run>,
    /// Windows in a row in which the limit bound and calls were quick.
    quick: u32,
    slow_since: Option<Instant>,
    loose_since: Option<Instant>,
}

/// What the calls of a route take, in seconds.
#[derive(Clone, Copy)]
struct Usual {
    id: u64,
    /// 0: not known, after fewer than [`ENOUGH`] calls. It begins with the quickest of those.
    mean: f32,
    quickest: f32,
    took: f32,
    calls: u32,
}

/// Windows in a row in which calls were too slow: what was so at the first of them.
#[derive(Clone, Copy)]
struct Run {
    since: Instant,
    windows: u32,
    slower: f32,
    peak: f32,
    most: f32,
}

impl Limit {
    /// Nothing is known yet.
    pub(super) fn new(now: Instant) -> Limit {
        let learned = Learned {
            most: f32::INFINITY,
            armed: false,
            window: Window::new(now, SHORTEST),
            routes: NumberMap::default(),
            touched: Vec::new(),
            run: None,
            quick: 0,
            slow_since: None,
            loose_since: None,
        };
        let (most, peak, bound) = Default::default();
        Limit { most, peak, bound, learned: RefCell::new(learned) }
    }

    /// How many calls there may be, if that is limited.
    #[inline]
    pub(super) fn most(&self) -> Option<usize> {
        self.most.get()
    }

    /// So many calls are in flight.
    #[inline]
    pub(super) fn reaches(&self, in_flight: usize) {
        if in_flight > self.peak.get() {
            self.peak.set(in_flight);
        }
    }

    /// A call found no room.
    pub(super) fn binds(&self) {
        self.bound.set(true);
    }

    /// Learns from a try what calls take. Says what it means if it was the call's last.
    pub(super) fn tried(&self, it: &Observed) -> Ending {
        self.learned.borrow_mut().add(it)
    }

    /// Learns from a call that ended so, now. Says whether the limit is another.
    pub(super) fn ended(&self, ending: Ending, now: Instant, rules: &Rules) -> bool {
        let mut learned = self.learned.borrow_mut();
        let window = &mut learned.window;
        window.done += 1;
        window.late += u32::from(ending == Ending::Late);
        window.refused += u32::from(ending == Ending::Refused);
        let enough = window.tries >= ENOUGH || window.refused >= ENOUGH;
        if !enough || now < window.began + window.length {
            return false;
        }
        learned.decide(now, self.peak.replace(0) as f32, self.bound.replace(false), rules);
        let most = learned.armed.then_some(learned.most as usize);
        self.most.replace(most) != most
    }
}

impl Learned {
    fn add(&mut self, it: &Observed) -> Ending {
        let took = it.took.as_secs_f32();
        let usual = self.route(it.route).mean;
        let slow = usual > 0.0 && took > bearable(usual);
        match it.ending {
            Ending::Other | Ending::Refused => return it.ending,
            // Whoever gives up within the usual time says nothing.
            Ending::Late if !slow => return Ending::Other,
            Ending::Late | Ending::Answered => {}
        }
        if it.sent < self.window.began {
            // It was sent under the limit before.
            return it.ending;
        }
        self.window.tries += 1;
        self.window.slow += u32::from(slow);
        self.window.took += took;
        self.window.usual += if usual > 0.0 { usual } else { took };
        let route = self.route(it.route);
        route.took += took;
        route.calls += 1;
        if route.mean > 0.0 {
            if route.calls == 1 {
                self.touched.push(it.route.0);
            }
            return it.ending;
        }
        route.quickest = route.quickest.min(took);
        if route.calls >= ENOUGH {
            // So that a beginning in the midst of too many calls takes no queue for what is usual.
            (route.mean, route.took, route.calls) = (route.quickest, 0.0, 0);
        }
        it.ending
    }

    fn route(&mut self, (slot, id): (u64, u64)) -> &mut Usual {
        let unknown = Usual { id, mean: 0.0, quickest: f32::INFINITY, took: 0.0, calls: 0 };
        let route = self.routes.entry(slot).or_insert(unknown);
        if route.id != id {
            *route = unknown;
        }
        route
    }

    /// The end of a window.
    fn decide(&mut self, now: Instant, peak: f32, bound: bool, rules: &Rules) {
        let window = self.window;
        let (slow, failing) = (window.is_slow(), window.is_failing());
        // While the limit binds, what calls take is what it makes of it.
        let limited = self.armed && bound;
        self.learn(!slow && !limited);
        let arms = rules.when == When::Always || (rules.when == When::Failing && failing);
        if arms && !self.armed {
            (self.armed, self.most) = (true, rules.max);
        }
        self.slow_since = slow.then(|| self.slow_since.unwrap_or(now));
        self.loose_since = (!slow && !failing && !bound).then(|| self.loose_since.unwrap_or(now));
        if slow {
            self.lower(&window, now, peak, failing);
        } else {
            self.run = None;
            if window.is_refusing() {
                self.most = self.most.min(peak) * 0.9;
            } else if bound {
                let (windows, far) = FAR;
                self.most = self.most * if self.quick < windows { GROWTH } else { far } + 1.0;
            }
        }
        self.quick = if slow || failing || !bound { 0 } else { self.quick + 1 };
        self.most = self.most.max(rules.min).min(rules.max);
        let is_over = |since: Option<Instant>, time| since.is_some_and(|since| now >= since + time);
        if rules.when != When::Always && is_over(self.loose_since, LOOSE_AFTER) {
            self.armed = false;
        }
        let length = Duration::from_secs_f32(window.mean() * 2.0).clamp(SHORTEST, LONGEST);
        self.window = Window::new(now, length);
    }

    /// The calls of a window were too slow.
    fn lower(&mut self, window: &Window, now: Instant, peak: f32, failing: bool) {
        if !self.armed {
            if self.slow_since.is_some_and(|since| now >= since + USUAL_AFTER) {
                self.get_used_to(window.slower());
            }
            return;
        }
        let elapsed = now.saturating_duration_since(window.began).as_secs_f32();
        let rate = window.done as f32 / elapsed.max(0.001);
        let target = bearable(window.usual_mean());
        let Some(run) = &mut self.run else {
            let (slower, most) = (window.slower(), self.most);
            self.run = Some(Run { since: now, windows: 1, slower, peak, most });
            // A moment in which hardly anything was answered says little.
            self.most = (rate * target).max(peak / 4.0).min(self.most);
            return;
        };
        run.windows += 1;
        let (windows, time) = PATIENCE;
        let patient = run.windows < windows || now < run.since + time;
        // Calls that have been slow for a moment only are followed by slower ones.
        run.slower = run.slower.max(window.slower());
        run.peak = run.peak.max(peak);
        let in_vain = peak < run.peak * 0.6 && window.slower() > run.slower * 0.85;
        // What is too late is never usual: an instance may have to work off what it was given before.
        if in_vain && !patient && !failing {
            self.most = run.most;
            self.get_used_to(window.slower());
        } else {
            self.most = self.most.min(peak) * (target / window.mean()).clamp(0.7, 0.95);
        }
    }

    /// What calls take now is what is usual.
    fn get_used_to(&mut self, slower: f32) {
        self.routes.values_mut().for_each(|route| route.mean *= slower);
        (self.run, self.slow_since) = (None, None);
    }

    /// Takes the window's means into what is usual: what is quicker always, what is slower when all is well.
    fn learn(&mut self, well: bool) {
        for slot in self.touched.drain(..) {
            let Some(route) = self.routes.get_mut(&slot) else { continue };
            let Usual { mean, took, calls, .. } = *route;
            (route.took, route.calls) = (0.0, 0);
            let new = took / calls.max(1) as f32;
            if new < mean {
                route.mean += (new - mean) * FASTER_BY;
            } else if well {
                route.mean += (new - mean) * SLOWER_BY;
            }
        }
    }
}

#[cfg(test)]
mod tests;
