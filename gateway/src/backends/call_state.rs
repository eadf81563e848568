//! What a worker knows of the calls to one backend. It outlives reloads, as long as there is a backend of that name.

use super::latency::Latency;
use super::retry_budget::RetryBudget;
use crate::overload::Load;
use std::cell::RefCell;
use std::rc::Rc;
use tokio::time::Instant;

/// The calls of one worker to one backend.
pub struct CallState {
    /// How many of them may be sent again.
    pub retry_budget: RetryBudget,
    /// How many there are at once.
    pub(super) load: Rc<Load>,
    /// By the slots of the routes that hedge.
    latencies: RefCell<Vec<Option<OfRoute>>>,
}

/// A route's id, and how long its calls take.
type OfRoute = (u64, Rc<Latency>);

impl Default for CallState {
    fn default() -> CallState {
        CallState {
            retry_budget: RetryBudget::new(Instant::now()),
            load: Rc::default(),
            latencies: RefCell::default(),
        }
    }
}

impl CallState {
    /// How long the calls of a route take, which has that id and slot.
    pub fn latency(&self, id: u64, slot: usize) -> Rc<Latency> {
        let mut all = self.latencies.borrow_mut();
        if let Some(Some((known, latency))) = all.get(slot)
            && *known == id
        {
            return latency.clone();
        }
        let latency = Rc::new(Latency::default());
        if all.len() <= slot {
            all.resize(slot + 1, None);
        }
        all[slot] = Some((id, latency.clone()));
        latency
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_the_calls_of_a_route_take_is_kept_until_another_route_has_its_place() {
        let state = CallState::default();
        let knows = |id, slot| state.latency(id, slot).percentile(50).is_some();
        (0..100).for_each(|_| state.latency(7, 3).observe(Duration::from_millis(1)));
        assert!(knows(7, 3) && !knows(8, 2) && !knows(9, 10) && knows(7, 3), "each route for itself");
        assert!(!knows(8, 3) && !knows(7, 3), "another has taken its place");
    }
}
