//! `max_in_flight`: how many of a route's requests may be open at once, counted exactly over all workers.

use super::{Arrival, Making, Passed, Step};
use crate::config::RoutePolicy;
use crate::failure::{Failure, ShedReason};
use crate::overload::Count;
use std::sync::Arc;

/// A route's bound.
pub struct InFlight {
    most: usize,
    count: Arc<Count>,
}

impl InFlight {
    /// How many of its requests are open.
    pub fn now(&self) -> usize {
        self.count.get()
    }
}

impl Step for InFlight {
    fn shown(policy: &RoutePolicy) -> Option<String> {
        policy.max_in_flight.map(|most| format!("max_in_flight {most}"))
    }

    fn next(policy: &RoutePolicy, before: Option<&InFlight>, _: &mut Making<'_>) -> Option<InFlight> {
        let count = || before.map(|before| before.count.clone()).unwrap_or_default();
        policy.max_in_flight.map(|most| InFlight { most, count: count() })
    }

    #[inline]
    fn check(&self, _: &Arrival<'_>, passed: &mut Passed) -> Result<(), Failure> {
        if passed.dry_run.is_some() {
            // Its place is another's meanwhile.
            let has_room = self.count.get() < self.most;
            return if has_room { Ok(()) } else { Err(Failure::Shed(ShedReason::Route)) };
        }
        if !self.count.take(self.most) {
            return Err(Failure::Shed(ShedReason::Route));
        }
        passed.places.get_mut().add(Place(self.count.clone()));
        Ok(())
    }
}

/// A request's place in a route's bound, until it is dropped.
struct Place(Arc<Count>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

/// All places of a request: that of a rewrite, and that of the route to which the rewrite leads.
#[derive(Default)]
pub struct Places([Option<Place>; 2]);

impl Places {
    fn add(&mut self, place: Place) {
        let [first, second] = &mut self.0;
        *(if first.is_none() { first } else { second }) = Some(place);
    }
}
