//! What is counted of a request: one end, with its status and its time, however it comes.
//!
//! A client that gives up takes the future of its request with it, wherever that waits. So what counts is not a call at the end
//! but a guard: dropped without a reply, it counts the request as 499. What is counted is the head of the reply, and the time until
//! that was there. Heads that are no requests never become one: they are counted as they are refused, without a time.

use crate::backends::Backend;
use crate::config::CallSpec;
use crate::failure::{Failure, Reason};
use crate::routes::{EveryReply, FallbackTo};
use crate::telemetry::{RouteStats, TargetReason};
use crate::worker::{RouteRef, Worker};
use callgate_http1::Refusal;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::time::Instant;

/// A request, until it is counted.
pub(super) struct Tally {
    worker: Rc<Worker>,
    began: Instant,
    /// Where it is counted; `None` without a route.
    route: Option<RouteRef>,
    /// Which of its route's targets has taken its call, where there is a choice.
    taken: Cell<Option<Taken>>,
    /// How long it took until it was counted, once it was.
    counted: Option<Duration>,
}

/// One of the places to which a route's calls go.
#[derive(Clone, Copy)]
pub(super) enum Taken {
    /// The target of that place, for that reason.
    Target(u8, TargetReason),
    /// The fallback.
    Fallback,
}

impl Tally {
    /// Of a request whose head was there at `began`.
    pub(super) fn begin(worker: Rc<Worker>, began: Instant) -> Tally {
        Tally { worker, began, route: None, taken: Cell::new(None), counted: None }
    }

    /// Of a request of a dry run: it is counted nowhere.
    pub(super) fn of_dry_run(worker: Rc<Worker>, began: Instant) -> Tally {
        Tally { worker, began, route: None, taken: Cell::new(None), counted: Some(Duration::ZERO) }
    }

    /// Its route, if it has met one.
    pub(super) fn met(&self) -> Option<&RouteRef> {
        self.route.as_ref()
    }

    /// It is counted there from here on: it has met a route, or is looked up again.
    pub(super) fn counts_for(&mut self, route: Option<RouteRef>) {
        self.route = route;
        self.taken.set(None);
    }

    /// Its call goes there.
    #[inline]
    pub(super) fn takes(&self, taken: Taken) {
        self.taken.set(Some(taken));
    }

    /// The target that took its call, and why, where its route has several; or the fallback.
    pub(super) fn target(&self) -> Option<(String, &'static str)> {
        let traffic = self.route.as_ref()?.action.call()?.traffic.as_ref()?;
        match self.taken.get()? {
            Taken::Target(at, reason) => {
                let target = traffic.targets.get(usize::from(at)).filter(|_| traffic.targets.len() > 1)?;
                Some((target.to.to_string(), reason.name()))
            }
            Taken::Fallback => Some((traffic.fallback.as_ref()?.to.to_string(), "fallback")),
        }
    }

    /// The backend to which its call goes, if it has one.
    pub(super) fn backend(&self) -> Option<&Arc<Backend>> {
        let action = self.route.as_ref()?.action.call()?;
        let (Some(traffic), Some(taken)) = (&action.traffic, self.taken.get()) else {
            return Some(&action.backend);
        };
        match taken {
            Taken::Target(at, _) => Some(&traffic.targets.get(usize::from(at))?.to.backend),
            Taken::Fallback => match &traffic.fallback.as_ref()?.to {
                FallbackTo::Call(to) => Some(&to.backend),
                FallbackTo::Reply(_) => None,
            },
        }
    }

    /// Whether it has met one.
    pub(super) fn has_route(&self) -> bool {
        self.route.is_some()
    }

    /// What its route is called.
    pub(super) fn route(&self) -> &str {
        self.route.as_ref().map_or("none", |route| route.matcher.name())
    }

    /// What all replies of its route say, if it has a route that says something.
    #[inline]
    pub(super) fn every_reply(&self) -> Option<&EveryReply> {
        self.route.as_ref()?.every_reply.as_deref()
    }

    /// What its route calls, if it does.
    pub(super) fn call(&self) -> Option<&CallSpec> {
        Some(&*self.route.as_ref()?.action.call()?.spec)
    }

    /// Whether the answers of its route are compressed.
    #[inline]
    pub(super) fn compresses(&self) -> bool {
        self.route.as_ref().is_some_and(|route| route.compresses)
    }

    /// Counts there that it is turned away before its call, if it is.
    pub(super) fn turned_away(&self, failure: &Failure) {
        if let (Failure::Shed(reason), false) = (failure, self.counted.is_some()) {
            self.stats().0.of(self.worker.id).shed.of(*reason).increment();
        }
    }

    /// It has a reply of that status.
    pub(super) fn replied(&mut self, status: u16) {
        self.count(status);
    }

    /// It has failed. Gives the status, which its route may say.
    pub(super) fn failed(&mut self, failure: &Failure) -> u16 {
        if let Failure::Invalid(_) = failure {
            self.stats().0.of(self.worker.id).bad_requests.increment();
        }
        if let Failure::Refused(refusal) = failure {
            self.worker.shared.front.workers.of(self.worker.id).failures.of_refusal(*refusal).increment();
        }
        self.count_reason(failure.reason());
        let status = self.status(failure);
        self.count(status);
        status
    }

    /// The status of a failure, which its route may say.
    pub(super) fn status(&self, failure: &Failure) -> u16 {
        self.said(failure).unwrap_or_else(|| failure.status())
    }

    /// The status that its route gives a failure of the method, if it gives one.
    fn said(&self, failure: &Failure) -> Option<u16> {
        let Failure::Method(failed) = failure else { return None };
        let reply = self.route.as_ref()?.action.call()?.spec.reply.as_ref()?;
        reply.errors.of(failed.error.as_ref().map(|error| error.name.as_str()), failed.status.code)
    }

    fn count(&mut self, status: u16) {
        let took = self.began.elapsed();
        self.counted = Some(took);
        self.stats().0.of(self.worker.id).answered(status, took);
    }

    /// How long it took until the head of its reply was there; so far, if there is none.
    pub(super) fn took(&self) -> Duration {
        self.counted.unwrap_or_else(|| self.began.elapsed())
    }

    fn count_reason(&self, reason: Reason) {
        self.worker.shared.front.workers.of(self.worker.id).failures.of(reason).increment();
    }

    fn stats(&self) -> &RouteStats {
        self.route.as_ref().map_or(&self.worker.shared.front.unmatched, |route| &route.stats)
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if self.counted.is_some() {
            return;
        }
        // A panic is no fault of the client's.
        let reason = if thread::panicking() { Reason::Internal } else { Reason::ClientGone };
        self.count_reason(reason);
        self.count(reason.status());
    }
}

/// Counts a head that is no request.
pub(super) fn refused(worker: &Worker, refusal: Refusal) {
    let front = &worker.shared.front;
    let (counters, failure) = (front.workers.of(worker.id), Failure::Refused(refusal));
    front.unmatched.0.of(worker.id).bare(failure.status());
    counters.failures.of(failure.reason()).increment();
    counters.failures.of_refusal(refusal).increment();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, Source, Tables};
    use crate::failure::ShedReason;
    use crate::routes::Table;
    use crate::worker::Shared;
    use callgate_protocol::Status;
    use callgate_transcode::{Violation, ViolationKind};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;

    /// A worker whose table has one route.
    fn worker() -> Rc<Worker> {
        let settings = Settings::parse(Source::new("gateway.toml", ""), None).expect("defaults");
        let shared = Shared::new(settings, Arc::default(), None);
        let text = "[[routes]]\nmatch = 'GET /a'\nrespond = {}\n";
        let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
        shared.table.store(Arc::new(Table::next(
            &Table::empty(),
            tables,
            &Default::default(),
            shared.workers,
        )));
        Rc::new(Worker::new(0, Arc::new(shared)))
    }

    fn failures(worker: &Worker) -> Vec<(&'static str, u64)> {
        let counters = &worker.shared.front.workers.of(0).failures;
        let all = Reason::ALL.iter().map(|reason| (reason.name(), counters.of(*reason).get()));
        all.filter(|(_, n)| *n > 0).collect()
    }

    fn statuses(stats: &RouteStats) -> Vec<(u16, u64)> {
        stats.by_status().collect()
    }

    #[tokio::test(flavor = "local")]
    async fn a_request_is_counted_once_however_it_ends() {
        let worker = worker();
        let begin = || Tally::begin(worker.clone(), Instant::now());
        drop(begin());
        begin().replied(200);
        begin().failed(&Failure::BodyTimeout);
        begin().failed(&Failure::Method(Status::not_found("no such order").into()));
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _tally = begin();
            panic!("of a handler");
        }));
        assert!(panicked.is_err());
        let expected = [("body_timeout", 1), ("method_failed", 1), ("client_gone", 1), ("internal", 1)];
        assert_eq!(failures(&worker), expected);
        let expected = [(200, 1), (404, 1), (408, 1), (499, 1), (500, 1)];
        assert_eq!(statuses(&worker.shared.front.unmatched), expected);
    }

    #[tokio::test(flavor = "local")]
    async fn a_request_is_counted_for_the_route_that_it_met_last() {
        let worker = worker();
        let route = RouteRef::new(worker.table(), 0);
        let meets = || {
            let mut tally = Tally::begin(worker.clone(), Instant::now());
            assert_eq!(tally.route(), "none");
            tally.counts_for(Some(route.clone()));
            assert_eq!(tally.route(), "/a");
            tally
        };
        meets().replied(200);
        drop(meets());
        let mut again = meets();
        again.counts_for(None);
        again.failed(&Failure::NoRoute("/a".to_owned()));
        let violation = Violation {
            pointer: String::new(),
            kind: ViolationKind::WrongType,
            detail: String::new(),
            line: None,
            column: None,
        };
        meets().failed(&Failure::Invalid(vec![violation]));
        assert_eq!(statuses(&route.stats), [(200, 1), (400, 1), (499, 1)]);
        assert_eq!(route.stats.0.of(0).bad_requests.get(), 1);
        assert_eq!(statuses(&worker.shared.front.unmatched), [(404, 1)]);
        assert_eq!(failures(&worker), [("no_route", 1), ("wrong_type", 1), ("client_gone", 1)]);
    }

    #[tokio::test(flavor = "local")]
    async fn what_is_turned_away_is_counted_by_its_bound_and_nothing_else_is() {
        let worker = worker();
        let mut tally = Tally::begin(worker.clone(), Instant::now());
        let route = RouteRef::new(worker.table(), 0);
        tally.counts_for(Some(route.clone()));
        tally.turned_away(&Failure::Shed(ShedReason::Memory));
        tally.turned_away(&Failure::BodyTimeout);
        tally.replied(200);
        let shed = &route.stats.0.of(0).shed;
        let counted: Vec<u64> = ShedReason::ALL.iter().map(|reason| shed.of(*reason).get()).collect();
        assert_eq!(counted, [0, 0, 0, 0, 0, 1, 0]);
    }
}
