//! What is counted of a request: one answer, with its status and its time, however the request ends.
//!
//! A client that gives up takes the future of its request with it, wherever that waits. So what counts is not a call at the end
//! but a guard: dropped without an answer, it counts the request as 499, which is nginx's word for a client that closed.
//! Heads that are no requests never become one: hyper answers them by itself, and tells it when the connection has ended.

use super::handler::Answer;
use super::problem;
use super::request_id;
use crate::failure::{Failure, Reason};
use crate::telemetry::{FailureCounters, FrontStats, RouteStats};
use crate::worker::Worker;
use hyper::header::HeaderValue;
use std::rc::Rc;
use std::thread;
use tokio::time::Instant;

/// A request of which hyper has the head, until somebody looks at it: hyper drops one that came together with the client's end.
pub(super) struct Arrived {
    pub(super) worker: Rc<Worker>,
    begun: bool,
}

impl Arrived {
    /// One that nobody has looked at yet.
    pub(super) fn new(worker: Rc<Worker>) -> Arrived {
        Arrived { worker, begun: false }
    }

    /// It is looked at: from here on a [`Tally`] counts it.
    pub(super) fn begin(&mut self) {
        self.begun = true;
    }
}

impl Drop for Arrived {
    fn drop(&mut self) {
        if !self.begun {
            bare(&self.worker.shared.front, self.worker.id, Reason::ClientGone);
        }
    }
}

/// A request whose route is known, until it is counted there.
pub(super) struct Tally<'a> {
    worker: usize,
    stats: &'a RouteStats,
    began: Instant,
    failures: &'a FailureCounters,
    /// What it is counted as; `None` if it is not.
    end: Option<End>,
}

/// How a request ends.
enum End {
    /// With that status.
    Status(u16),
    /// With a failure of that status and reason.
    Failed(u16, Reason),
}

impl End {
    fn of(reason: Reason) -> End {
        End::Failed(reason.status(), reason)
    }
}

impl<'a> Tally<'a> {
    /// Of a request whose head was there at `began`.
    pub(super) fn begin(worker: &'a Worker, stats: &'a RouteStats, began: Instant) -> Tally<'a> {
        let failures = &worker.shared.front.workers.of(worker.id).failures;
        Tally { worker: worker.id, stats, began, failures, end: Some(End::of(Reason::ClientGone)) }
    }

    /// Counts it by its answer, which it makes of a failure; that is told the log under the route's path.
    pub(super) fn answered(
        mut self,
        result: Result<Answer, Failure>,
        id: &HeaderValue,
        route: &str,
    ) -> Answer {
        let (answer, end) = match result {
            Ok(answer) => {
                let status = answer.status().as_u16();
                (answer, End::Status(status))
            }
            Err(failure) => {
                let id = request_id::text(id);
                failure.log(id, route);
                let end = End::Failed(failure.status(), failure.reason());
                (Answer::Other(problem::response(&failure, id)), end)
            }
        };
        self.end = Some(end);
        answer
    }

    /// Leaves it uncounted: it is looked up again, and counted where it comes to.
    pub(super) fn void(mut self) {
        self.end = None;
    }
}

impl Drop for Tally<'_> {
    fn drop(&mut self) {
        let Some(end) = self.end.take() else { return };
        // A panic is no fault of the client's.
        let end = if thread::panicking() { End::of(Reason::Internal) } else { end };
        let status = match end {
            End::Status(status) => status,
            End::Failed(status, reason) => {
                self.failures.of(reason).increment();
                status
            }
        };
        self.stats.0.of(self.worker).answered(status, self.began.elapsed());
    }
}

/// Counts what a connection ended with, if hyper has answered that: a head that is no request.
pub(super) fn bare_answer(front: &FrontStats, worker: usize, error: &hyper::Error) {
    // The beginning of HTTP/2 is not answered.
    if !error.is_parse() || error.is_parse_version_h2() {
        return;
    }
    let reason = if !error.is_parse_too_large() {
        Reason::MalformedHead
    } else if error.to_string().contains("URI") {
        // hyper tells these two apart in words only.
        Reason::UriTooLong
    } else {
        Reason::HeadTooLarge
    };
    bare(front, worker, reason);
}

/// Counts what has no route and no time.
fn bare(front: &FrontStats, worker: usize, reason: Reason) {
    front.unmatched.0.of(worker).bare(reason.status());
    front.workers.of(worker).failures.of(reason).increment();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Json;
    use callgate_protocol::Status;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn a_request_is_counted_once_however_it_ends() {
        let stats = RouteStats::new(1);
        let failures = FailureCounters::default();
        let tally = || Tally {
            worker: 0,
            stats: &stats,
            began: Instant::now(),
            failures: &failures,
            end: Some(End::of(Reason::ClientGone)),
        };
        let id = HeaderValue::from_static("r1");
        drop(tally());
        tally().answered(Err(Failure::BadHost), &id, "none");
        tally().answered(Err(Failure::Status(Status::not_found("no such order"))), &id, "/orders");
        tally().answered(Ok(Answer::Json(Json::Short(Vec::new()))), &id, "/orders");
        tally().void();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _tally = tally();
            panic!("of a handler");
        }));
        assert!(panicked.is_err());
        let counted = Reason::ALL.iter().filter(|reason| failures.of(**reason).get() > 0);
        let counted: Vec<_> = counted.map(|reason| (reason.name(), failures.of(*reason).get())).collect();
        let expected = [("bad_host", 1), ("method_failed", 1), ("client_gone", 1), ("internal", 1)];
        assert_eq!(counted, expected);
        assert_eq!(stats.by_status().collect::<Vec<_>>(), [(200, 1), (400, 1), (404, 1), (499, 1), (500, 1)]);
    }
}
