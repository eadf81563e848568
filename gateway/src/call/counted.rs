//! What is counted of a call that streams: from where it was first sent to its end, however that comes.
//!
//! It is counted when this is dropped: as what was last noted, or as one whose client has left.

use crate::telemetry::{StreamCounters, StreamOutcome};
use crate::transport::{BodyStream, Outcome};
use crate::worker::{RouteRef, Worker};
use std::rc::Rc;
use tokio::time::Instant;

/// A call that streams.
pub(super) struct Counted {
    worker: Rc<Worker>,
    route: RouteRef,
    began: Instant,
    has_items: bool,
    outcome: StreamOutcome,
}

impl Counted {
    /// Of a call of that route which was sent then.
    pub(super) fn begin(worker: &Rc<Worker>, route: &RouteRef, began: Instant) -> Counted {
        let (worker, route) = (worker.clone(), route.clone());
        let counted = Counted { worker, route, began, has_items: false, outcome: StreamOutcome::Left };
        counted.counters().open.increment();
        counted
    }

    /// It is under way.
    pub(super) fn goes_on(&mut self) {
        self.outcome = StreamOutcome::Left;
    }

    /// An item of its reply goes to its client.
    pub(super) fn has_item(&mut self) {
        let counters = self.counters();
        counters.reply_items.increment();
        if !self.has_items {
            counters.first_item.observe(self.began.elapsed());
            self.has_items = true;
        }
    }

    /// It has ended so, unless it goes on elsewhere.
    pub(super) fn ends(&mut self, outcome: &Outcome) {
        self.outcome = outcome.of_stream();
    }

    fn counters(&self) -> &StreamCounters {
        counters(&self.worker, &self.route)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let counters = self.counters();
        counters.open.decrement();
        counters.ended(self.outcome);
        counters.duration.observe(self.began.elapsed());
    }
}

/// Counts the items of a request as they are sent.
pub(super) fn count_items(worker: &Rc<Worker>, route: &RouteRef, body: &BodyStream) {
    let (worker, route) = (worker.clone(), route.clone());
    body.tell(Rc::new(move || counters(&worker, &route).request_items.increment()));
}

fn counters<'a>(worker: &Worker, route: &'a RouteRef) -> &'a StreamCounters {
    route.stats.0.of(worker.id).streams()
}
