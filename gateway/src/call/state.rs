//! What a worker knows of the calls to one backend. It outlives reloads, as long as there is a backend of that name.

use super::budget::Budget;
use super::latency::Latency;
use crate::overload::Overload;
use crate::routes::CallAction;
use std::cell::RefCell;
use std::rc::Rc;
use tokio::time::Instant;

/// The calls of one worker to one backend.
pub struct CallState {
    pub(super) budget: Budget,
    /// How many there are at once.
    pub overload: Overload,
    /// By the slots of the routes that hedge.
    latencies: RefCell<Vec<Option<OfRoute>>>,
}

/// A route's id, and how long its calls take.
type OfRoute = (u64, Rc<Latency>);

impl Default for CallState {
    fn default() -> CallState {
        CallState {
            budget: Budget::new(Instant::now()),
            overload: Overload::default(),
            latencies: RefCell::default(),
        }
    }
}

impl CallState {
    /// How long a route's calls take.
    pub(super) fn latency(&self, call: &CallAction) -> Rc<Latency> {
        let mut all = self.latencies.borrow_mut();
        if let Some(Some((id, latency))) = all.get(call.slot)
            && *id == call.route
        {
            return latency.clone();
        }
        let latency = Rc::new(Latency::new());
        if all.len() <= call.slot {
            all.resize(call.slot + 1, None);
        }
        all[call.slot] = Some((call.route, latency.clone()));
        latency
    }
}
