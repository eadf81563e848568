//! What is counted of a request: one answer, with its status and its time, however the request ends.
//!
//! A client that gives up takes the future of its request with it, wherever that waits. So what counts is not a call at the end
//! but a guard: dropped without an answer, it counts the request as 499, which is nginx's word for a client that closed.
//! Heads that are no requests never become one: hyper answers them by itself, and tells it when the connection has ended.

use super::handler::Answer;
use super::problem::Problem;
use super::request_id;
use crate::telemetry::{FrontStats, RouteStats};
use crate::worker::Worker;
use hyper::StatusCode;
use hyper::header::HeaderValue;
use std::rc::Rc;
use std::thread;
use tokio::time::Instant;

/// The status of a request whose client has gone before the answer.
const GONE: u16 = 499;

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
            self.worker.shared.front.unmatched.0.of(self.worker.id).bare(GONE);
        }
    }
}

/// A request whose route is known, until it is counted there.
pub(super) struct Tally<'a> {
    worker: usize,
    stats: &'a RouteStats,
    began: Instant,
    /// What it is counted as; `None` if it is not.
    status: Option<u16>,
}

impl<'a> Tally<'a> {
    /// Of a request whose head was there at `began`.
    pub(super) fn begin(worker: &Worker, stats: &'a RouteStats, began: Instant) -> Tally<'a> {
        Tally { worker: worker.id, stats, began, status: Some(GONE) }
    }

    /// Counts it by its answer.
    pub(super) fn answered(mut self, result: Result<Answer, Problem>, id: &HeaderValue) -> Answer {
        let answer =
            result.unwrap_or_else(|problem| Answer::Other(problem.into_response(request_id::text(id))));
        self.status = Some(answer.status().as_u16());
        answer
    }

    /// Leaves it uncounted: it is looked up again, and counted where it comes to.
    pub(super) fn void(mut self) {
        self.status = None;
    }
}

impl Drop for Tally<'_> {
    fn drop(&mut self) {
        let Some(status) = self.status else { return };
        // A panic is no fault of the client's.
        let status = if thread::panicking() { StatusCode::INTERNAL_SERVER_ERROR.as_u16() } else { status };
        self.stats.0.of(self.worker).answered(status, self.began.elapsed());
    }
}

/// Counts what a connection ended with, if hyper has answered that: a head that is no request.
pub(super) fn bare_answer(front: &FrontStats, worker: usize, error: &hyper::Error) {
    // The beginning of HTTP/2 is not answered.
    if !error.is_parse() || error.is_parse_version_h2() {
        return;
    }
    let status = if !error.is_parse_too_large() {
        StatusCode::BAD_REQUEST
    } else if error.to_string().contains("URI") {
        // hyper tells these two apart in words only.
        StatusCode::URI_TOO_LONG
    } else {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
    };
    front.unmatched.0.of(worker).bare(status.as_u16());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn tally(stats: &RouteStats) -> Tally<'_> {
        Tally { worker: 0, stats, began: Instant::now(), status: Some(GONE) }
    }

    #[test]
    fn a_request_is_counted_once_however_it_ends() {
        let stats = RouteStats::new(1);
        let id = HeaderValue::from_static("r1");
        drop(tally(&stats));
        tally(&stats).answered(Err(Problem::bad_host()), &id);
        tally(&stats).answered(Ok(Answer::Json(Vec::new())), &id);
        tally(&stats).void();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _tally = tally(&stats);
            panic!("of a handler");
        }));
        assert!(panicked.is_err());
        assert_eq!(stats.by_status().collect::<Vec<_>>(), [(200, 1), (400, 1), (499, 1), (500, 1)]);
    }
}
