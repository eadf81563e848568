//! The spans of a call that may go on when its exchange has ended: of one that only notifies, of a copy, of a WebSocket. Their parent is the
//! span of the request, which ends when it ends.

use super::attempt::{Attempts, Clock};
use super::{Traced, put};
use crate::call::Trail;
use crate::failure::Failure;
use crate::traces::Place;
use crate::worker::{RouteRef, Worker};
use callgate_protocol::Traceparent;
use std::cell::Cell;
use std::rc::Rc;

/// A call that has spans. They are sent when this is dropped.
pub(in crate::front) struct TracedCall {
    worker: Rc<Worker>,
    place: Place,
    route: RouteRef,
    mode: &'static str,
    /// Where its attempts are.
    pub(in crate::front) trail: Rc<Trail>,
    /// The first of them that are its own.
    first: usize,
    /// Behind which span theirs follow.
    behind: Traceparent,
    /// Why what had begun of its reply was cut.
    cut: Cell<Option<&'static str>>,
}

impl TracedCall {
    /// That of a call to that route, of a request with such spans; it notes its attempts there.
    pub(super) fn begin(of: &Traced, route: &RouteRef, mode: &'static str, trail: Rc<Trail>) -> TracedCall {
        TracedCall::new(of, route, mode, (trail, of.place.own()))
    }

    /// That of a copy of such a call, which has a trail of its own.
    pub(super) fn of_copy(of: &Traced, route: &RouteRef) -> TracedCall {
        let behind = Place::of_copies(of.place.own());
        TracedCall::new(of, route, "shadow", (Rc::new(Trail::of(Some(behind))), behind))
    }

    fn new(
        of: &Traced,
        route: &RouteRef,
        mode: &'static str,
        (trail, behind): (Rc<Trail>, Traceparent),
    ) -> TracedCall {
        let (worker, place, route) = (of.worker.clone(), of.place.clone(), route.clone());
        let first = trail.count();
        TracedCall { worker, place, route, mode, trail, first, behind, cut: Cell::new(None) }
    }

    /// Its reply is cut that had begun.
    pub(in crate::front) fn cut(&self, failure: &Failure) {
        self.cut.set(Some(failure.reason().name()));
    }
}

impl Drop for TracedCall {
    fn drop(&mut self) {
        let (clock, action) = (Clock::now(), self.route.action.call());
        let call = action.map(|action| &action.spec.call);
        let attempts = Attempts { place: &self.place, call, mode: Some(self.mode) };
        let begun = self.trail.look(|tries| {
            let own = tries.enumerate().skip(self.first);
            own.map(|(number, one)| attempts.of(self.behind, number, one, &clock)).collect()
        });
        put(&self.worker, begun, self.cut.get());
    }
}
