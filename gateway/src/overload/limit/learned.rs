//! What follows from the calls of a moment for how many there may be in the next.

use super::samples::{Route, Samples};
use super::window::{Sums, Tries, Window, bearable};
use crate::config::{AdaptiveSpec, When};
use crate::number_map::NumberMap;
use std::time::Duration;
use tokio::time::Instant;

/// From one decision to the next, at least and at most.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// A decision needs so many tries that were sent after the last one, or refusals.
const ENOUGH: u32 = 8;

/// How much of a window's mean goes into what is typical.
const SLOWER_BY: f32 = 0.01;
const FASTER_BY: f32 = 0.1;

/// Fewer calls in flight must help within so many decisions and so long a time.
const PATIENCE: (u32, Duration) = (8, Duration::from_secs(1));

/// How much the limit grows in a window in which it binds and calls are quick; and how much after so many in a row, when it is
/// far from what the backend can do.
const GROWTH: f32 = 1.1;
const FAR: (u32, f32) = (8, 1.5);

/// Without failures calls that take longer are the typical ones after that time; and after that of not binding the limit goes.
const TYPICAL_AFTER: Duration = Duration::from_secs(60);
const LOOSE_AFTER: Duration = Duration::from_secs(5);

/// What is known of a backend.
#[derive(Debug)]
pub(super) struct Learned {
    /// The limit before it is rounded.
    most: f32,
    /// It is in force.
    armed: bool,
    window: Window,
    /// By slot.
    routes: NumberMap<u64, Typical>,
    /// Slots of the routes that had calls in this window.
    touched: Vec<u64>,
    run: Option<Run>,
    /// Windows in a row in which the limit bound and calls were quick.
    quick: u32,
    slow_since: Option<Instant>,
    loose_since: Option<Instant>,
}

/// What the calls of a route take, in seconds.
#[derive(Clone, Copy, Debug)]
struct Typical {
    id: u64,
    /// 0: not known, after fewer than [`ENOUGH`] calls. It begins with the quickest of those.
    mean: f32,
    quickest: f32,
    took: f32,
    tries: u32,
}

/// Windows in a row in which calls were too slow: what was so at the first of them.
#[derive(Clone, Copy, Debug)]
struct Run {
    since: Instant,
    windows: u32,
    slower: f32,
    peak: f32,
    most: f32,
}

impl Learned {
    /// Nothing is known yet.
    pub(super) fn new(now: Instant) -> Learned {
        Learned {
            most: f32::INFINITY,
            armed: false,
            window: Window::new(now, SHORTEST),
            routes: NumberMap::default(),
            touched: Vec::new(),
            run: None,
            quick: 0,
            slow_since: None,
            loose_since: None,
        }
    }

    /// Takes over what a worker has gathered, of so many calls in flight now.
    pub(super) fn take(&mut self, samples: &mut Samples, in_flight: usize) {
        // Since then another worker may have begun the next window: then they were sent under the limit before.
        let current = samples.first.take().is_none_or(|first| first >= self.window.began);
        let mut sums = std::mem::take(&mut samples.sums);
        if !current {
            sums.tries = Tries::default();
        }
        self.window.sums.add(&sums);
        self.window.peak = self.window.peak.max(in_flight as f32);
        for slot in &samples.touched {
            if let Some(route) = samples.routes.get(slot).filter(|_| current) {
                self.add(*slot, route);
            }
        }
    }

    fn add(&mut self, slot: u64, seen: &Route) {
        let unknown = Typical { id: seen.id, mean: 0.0, quickest: f32::INFINITY, took: 0.0, tries: 0 };
        let route = self.routes.entry(slot).or_insert(unknown);
        if route.id != seen.id {
            *route = unknown;
        }
        if route.mean > 0.0 && route.tries == 0 {
            self.touched.push(slot);
        }
        route.took += seen.took;
        route.tries += seen.tries;
        route.quickest = route.quickest.min(seen.quickest);
        if route.mean == 0.0 && route.tries >= ENOUGH {
            // So that a beginning in the midst of too many calls takes no queue for what is typical.
            (route.mean, route.took, route.tries) = (route.quickest, 0.0, 0);
        }
    }

    /// Tells a worker what is known of the routes that it has handed samples over of.
    pub(super) fn teach(&self, samples: &mut Samples) {
        samples.began = self.window.began;
        for slot in samples.touched.drain(..) {
            let Some(route) = samples.routes.get_mut(&slot) else { continue };
            let known = self.routes.get(&slot).filter(|known| known.id == route.id);
            *route = Route::new(route.id, known.map_or(0.0, |known| known.mean));
        }
    }

    /// How many calls have ended in this window, as far as workers have told.
    #[cfg(test)]
    pub(super) fn seen(&self) -> u32 {
        self.window.sums.done
    }

    /// Whether it is time for a decision.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let Window { began, length, sums, .. } = &self.window;
        let enough = sums.tries.n >= ENOUGH || sums.refused >= ENOUGH;
        enough && now >= *began + *length
    }

    /// The end of a window. Gives the limit, while it is in force.
    pub(super) fn decide(&mut self, now: Instant, bound: bool, spec: &AdaptiveSpec) -> Option<usize> {
        let (min, max) = (spec.min as f32, spec.max as f32);
        let window = self.window;
        let (slow, failing) = (window.sums.tries.are_slow(), window.sums.is_failing());
        // While the limit binds, what calls take is what it makes of it.
        let limited = self.armed && bound;
        self.learn(!slow && !limited);
        let arms = spec.when == When::Always || (spec.when == When::Failing && failing);
        if arms && !self.armed {
            (self.armed, self.most) = (true, max);
        }
        self.slow_since = slow.then(|| self.slow_since.unwrap_or(now));
        self.loose_since = (!slow && !failing && !bound).then(|| self.loose_since.unwrap_or(now));
        if slow {
            self.lower(&window, now, failing);
        } else {
            self.run = None;
            if window.sums.is_refusing() {
                self.most = self.most.min(window.peak) * 0.9;
            } else if bound {
                let (windows, far) = FAR;
                self.most = self.most * if self.quick < windows { GROWTH } else { far } + 1.0;
            }
        }
        self.quick = if slow || failing || !bound { 0 } else { self.quick + 1 };
        self.most = self.most.max(min).min(max);
        let is_over = |since: Option<Instant>, time| since.is_some_and(|since| now >= since + time);
        if spec.when != When::Always && is_over(self.loose_since, LOOSE_AFTER) {
            self.armed = false;
        }
        let length = Duration::from_secs_f32(window.sums.tries.mean() * 2.0).clamp(SHORTEST, LONGEST);
        self.window = Window::new(now, length);
        self.armed.then_some(self.most as usize)
    }

    /// The calls of a window were too slow.
    fn lower(&mut self, window: &Window, now: Instant, failing: bool) {
        let Window { peak, sums: Sums { done, tries, .. }, .. } = *window;
        if !self.armed {
            if self.slow_since.is_some_and(|since| now >= since + TYPICAL_AFTER) {
                self.get_used_to(tries.slower());
            }
            return;
        }
        let elapsed = now.saturating_duration_since(window.began).as_secs_f32();
        let rate = done as f32 / elapsed.max(0.001);
        let target = bearable(tries.typical_mean());
        let Some(run) = &mut self.run else {
            let (slower, most) = (tries.slower(), self.most);
            self.run = Some(Run { since: now, windows: 1, slower, peak, most });
            // A moment in which hardly anything was answered says little.
            self.most = (rate * target).max(peak / 4.0).min(self.most);
            return;
        };
        run.windows += 1;
        let (windows, time) = PATIENCE;
        let patient = run.windows < windows || now < run.since + time;
        // Calls that have been slow for a moment only are followed by slower ones.
        run.slower = run.slower.max(tries.slower());
        run.peak = run.peak.max(peak);
        let in_vain = peak < run.peak * 0.6 && tries.slower() > run.slower * 0.85;
        // What is too late is never typical: an instance may have to work off what it was given before.
        if in_vain && !patient && !failing {
            self.most = run.most;
            self.get_used_to(tries.slower());
        } else {
            self.most = self.most.min(peak) * (target / tries.mean()).clamp(0.7, 0.95);
        }
    }

    /// What calls take now is what is typical.
    fn get_used_to(&mut self, slower: f32) {
        self.routes.values_mut().for_each(|route| route.mean *= slower);
        (self.run, self.slow_since) = (None, None);
    }

    /// Takes the window's means into what is typical: what is quicker always, what is slower when all is well.
    fn learn(&mut self, well: bool) {
        for slot in self.touched.drain(..) {
            let Some(route) = self.routes.get_mut(&slot) else { continue };
            let Typical { mean, took, tries, .. } = *route;
            (route.took, route.tries) = (0.0, 0);
            let new = took / tries.max(1) as f32;
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
