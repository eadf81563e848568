//! One endpoint, as one worker sees it: the link to its instance, and what becomes of the calls there.

use super::endpoint::Endpoint;
use super::monitor::Monitor;
use crate::config::BackendSpec;
use crate::telemetry::EndpointCounters;
use crate::transport::{Link, Unsent};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// An endpoint, as one worker sees it.
pub(crate) struct LocalEndpoint {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) worker: usize,
    /// What becomes of its calls, over all links to it.
    pub(super) monitor: Monitor,
    /// What of the endpoint's signals the health reviewer has seen.
    pub(super) seen_recovered: Cell<u64>,
    /// Other instances of the backend offer other methods or versions.
    pub(super) differs: Cell<bool>,
    /// Calls that the instance may have over all workers.
    max_in_flight: Option<usize>,
    link: RefCell<Option<Link>>,
    /// No attempt to connect has failed since the last connection, so one may be there any moment.
    hopeful: Cell<bool>,
    supervisor: RefCell<Option<AbortHandle>>,
}

impl LocalEndpoint {
    /// As all workers share it.
    pub(crate) fn shared(&self) -> &Endpoint {
        &self.endpoint
    }

    /// An endpoint that nobody connects to yet, as worker number `worker` sees it. `reviewer` is told when a review is due.
    pub(super) fn new(
        endpoint: Arc<Endpoint>,
        spec: &BackendSpec,
        worker: usize,
        reviewer: Rc<Notify>,
    ) -> LocalEndpoint {
        let seen_recovered = Cell::new(endpoint.signals.recovered());
        LocalEndpoint {
            endpoint,
            worker,
            monitor: Monitor::new(spec.health, reviewer),
            seen_recovered,
            differs: Cell::new(false),
            max_in_flight: spec.overload.max_per_instance,
            link: RefCell::new(None),
            hopeful: Cell::new(false),
            supervisor: RefCell::new(None),
        }
    }

    /// That task connects to it from now on.
    pub(super) fn set_supervisor(&self, supervisor: AbortHandle) {
        self.hopeful.set(true);
        *self.supervisor.borrow_mut() = Some(supervisor);
        self.monitor.review().raise();
    }

    /// Whether nobody connects to it: it drains, or is no longer in the table.
    pub(super) fn is_retired(&self) -> bool {
        self.supervisor.borrow().is_none()
    }

    /// Ends the supervisor, until it is started again. The link answers what is in flight, then closes.
    pub(super) fn retire(&self) {
        if let Some(supervisor) = self.supervisor.borrow_mut().take() {
            supervisor.abort();
            self.monitor.review().raise();
        }
        self.hopeful.set(false);
        self.let_go();
    }

    /// The link, if there is one, answers what is in flight, then closes.
    pub(super) fn let_go(&self) {
        if let Some(link) = self.link.borrow_mut().take() {
            link.stop_accepting();
            self.monitor.review().raise();
        }
    }

    /// Calls go on that link from now on, if there is one.
    pub(super) fn set_link(&self, link: Option<Link>) {
        *self.link.borrow_mut() = link;
    }

    /// The link, if there is one that accepts calls.
    #[inline]
    pub(super) fn link(&self) -> Option<Link> {
        self.link.borrow().as_ref().filter(|link| link.accepts()).cloned()
    }

    /// The link, if a further call may be made on it, and the instance wants calls.
    #[inline]
    pub(super) fn open_link(&self) -> Option<Link> {
        let link = self.link()?;
        let bounded = || self.max_in_flight.is_none_or(|most| self.endpoint.in_flight.get() < most);
        (link.is_ready() && link.has_room() && bounded()).then_some(link)
    }

    /// What this worker counts of it.
    #[inline]
    pub(super) fn counters(&self) -> &EndpointCounters {
        self.endpoint.stats.0.of(self.worker)
    }

    /// Whether a connection is being made and nothing speaks against it yet.
    pub(super) fn is_hopeful(&self) -> bool {
        self.hopeful.get()
    }

    /// Whether something speaks against a connection that is being made.
    pub(super) fn set_hopeful(&self, hopeful: bool) {
        self.hopeful.set(hopeful);
    }

    /// Counts a call against the bound of those that the instance may have over all workers, if there is one: whether it is
    /// counted. An error where there are as many as may be.
    #[inline]
    pub(super) fn take(&self) -> Result<bool, Unsent> {
        match self.max_in_flight {
            None => Ok(false),
            Some(most) if self.endpoint.in_flight.take(most) => Ok(true),
            Some(_) => Err(Unsent::Full),
        }
    }

    /// A call that was counted has ended.
    #[inline]
    pub(super) fn give_back(&self) {
        self.endpoint.in_flight.give_back();
    }

    /// Whether it can be called: the instance wants calls and answers.
    pub(super) fn is_callable(&self) -> bool {
        self.link().is_some_and(|link| link.is_ready() && !link.is_silent())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::testing::{connected, instance, link};
    use crate::config::{HealthSpec, OverloadSpec};

    #[test]
    fn an_instance_is_called_while_it_accepts_wants_calls_and_has_room() {
        let at = instance(HealthSpec::default());
        let link = link(&at);
        let seen = || (at.link().is_some(), at.open_link().is_some(), at.is_callable());
        assert_eq!(seen(), (true, true, true));
        link.set_ready(false);
        assert_eq!(seen(), (true, false, false));
        link.set_ready(true);
        link.max_calls.set(0);
        assert_eq!(seen(), (true, false, true), "it is full");
        link.max_calls.set(1);
        link.falls_silent();
        assert_eq!(seen(), (true, true, false));
        link.gives_a_sign();
        link.breaks(|| crate::transport::Outcome::Lost);
        assert_eq!(seen(), (false, false, false));
    }

    #[test]
    fn calls_are_counted_over_all_workers_only_where_they_are_bounded() {
        for (bound, counted) in [(None, false), (Some(2), true)] {
            let overload = OverloadSpec { max_per_instance: bound, ..OverloadSpec::default() };
            let spec = BackendSpec { overload, ..BackendSpec::new("b", Vec::new()) };
            let at = connected(&spec, 1, |_| {});
            for taken in 1..3 {
                assert!(at.open_link().is_some());
                assert_eq!(at.take().ok(), Some(counted));
                assert_eq!(at.endpoint.in_flight.get(), if bound.is_some() { taken } else { 0 });
            }
            assert_eq!((at.open_link().is_none(), at.take().is_err()), (bound.is_some(), bound.is_some()));
            if bound.is_some() {
                at.give_back();
                assert_eq!((at.endpoint.in_flight.get(), at.open_link().is_some()), (1, true));
            }
        }
    }

    #[tokio::test]
    async fn who_retires_is_let_go_and_is_reviewed() {
        let at = instance(HealthSpec::default());
        assert!(at.is_retired() && !at.is_hopeful(), "nobody has begun to connect");
        let task = tokio::spawn(std::future::pending::<()>());
        at.set_supervisor(task.abort_handle());
        assert!(!at.is_retired() && at.is_hopeful() && at.monitor.review().is_raised());
        at.monitor.review().clear();
        let link = link(&at);
        at.retire();
        assert!(at.is_retired() && !at.is_hopeful() && at.monitor.review().is_raised());
        assert!(at.link().is_none() && !Link::Memory(link).accepts());
        assert!(task.await.is_err_and(|error| error.is_cancelled()), "its supervisor has ended");
        at.monitor.review().clear();
        at.retire();
        assert!(!at.monitor.review().is_raised(), "nothing has changed");
    }
}
