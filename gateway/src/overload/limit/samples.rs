//! What one worker has seen of a backend's calls, until it hands it over: so that workers share a decision every few
//! milliseconds, and nothing at each call.

use super::window::{Sums, bearable};
use super::{Feedback, Limit, Observed};
use crate::config::AdaptiveSpec;
use callgate_protocol::connection::NumberMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long a worker gathers, at least.
const EVERY: Duration = Duration::from_millis(10);

/// One worker's part.
pub(in crate::overload) struct Samples {
    pub(super) sums: Sums,
    /// By slot.
    pub(super) routes: NumberMap<u64, Route>,
    /// Slots of the routes that there are samples of.
    pub(super) touched: Vec<u64>,
    /// When the first of the tries was sent; and when the window began, as far as this worker knows.
    pub(super) first: Option<Instant>,
    pub(super) began: Instant,
    handed_over: Instant,
}

/// What tries of a route took, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) id: u64,
    /// What they typically take, as this worker knows; 0: nobody does.
    pub(super) typical: f32,
    pub(super) tries: u32,
    pub(super) took: f32,
    pub(super) quickest: f32,
}

impl Route {
    /// No try yet.
    pub(super) fn new(id: u64, typical: f32) -> Route {
        Route { id, typical, tries: 0, took: 0.0, quickest: f32::INFINITY }
    }
}

impl Samples {
    pub(in crate::overload) fn new(now: Instant) -> Samples {
        Samples {
            sums: Sums::default(),
            routes: NumberMap::default(),
            touched: Vec::new(),
            first: None,
            began: now,
            handed_over: now,
        }
    }

    /// A try has ended. Says what it means if it was its call's last.
    pub(in crate::overload) fn tried(&mut self, it: &Observed) -> Feedback {
        let (slot, id) = it.route;
        let route = self.routes.entry(slot).or_insert_with(|| Route::new(id, 0.0));
        if route.id != id {
            *route = Route::new(id, 0.0);
        }
        let took = it.took.as_secs_f32();
        let slow = route.typical > 0.0 && took > bearable(route.typical);
        match it.feedback {
            Feedback::Nothing | Feedback::Refused => return it.feedback,
            // Whoever gives up within the typical time says nothing.
            Feedback::Late if !slow => return Feedback::Nothing,
            Feedback::Late | Feedback::Answered => {}
        }
        if it.sent < self.began {
            // It was sent under the limit before.
            return it.feedback;
        }
        if route.tries == 0 {
            self.touched.push(slot);
        }
        route.tries += 1;
        route.took += took;
        route.quickest = route.quickest.min(took);
        let tries = &mut self.sums.tries;
        tries.n += 1;
        tries.slow += u32::from(slow);
        tries.took += took;
        tries.typical += if route.typical > 0.0 { route.typical } else { took };
        self.first = Some(self.first.map_or(it.sent, |first| first.min(it.sent)));
        it.feedback
    }

    /// A call has ended so, now.
    pub(in crate::overload) fn ended(
        &mut self,
        feedback: Feedback,
        now: Instant,
        limit: &Limit,
        spec: &AdaptiveSpec,
    ) {
        self.sums.done += 1;
        self.sums.late += u32::from(feedback == Feedback::Late);
        self.sums.refused += u32::from(feedback == Feedback::Refused);
        // While another worker hands over, this one goes on gathering.
        if now >= self.handed_over + EVERY && limit.take(self, now, spec) {
            self.handed_over = now;
        }
    }
}
