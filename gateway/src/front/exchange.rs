//! One request and its reply, with all that belongs to them: where it has come from, its route, what it is counted as, and its
//! guards.
//!
//! An exchange borrows nothing, so that several may be open on one connection, and so that its guards can outlive its handler: they
//! go with the body of the reply, and are released when that was sent or was dropped.

use super::body::RequestBody;
use super::connection::{Connection, OpenExchange};
use super::problem;
use super::reply::{Reply, ReplyBody};
use super::request_id;
use super::tally::Tally;
use crate::call;
use crate::failure::Failure;
use crate::steps::Passed;
use crate::worker::Worker;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use std::net::IpAddr;
use std::rc::Rc;
use tokio::time::Instant;

/// A request, until its reply is ready to be sent.
pub(super) struct Exchange {
    pub(super) worker: Rc<Worker>,
    pub(super) context: RequestContext,
    /// The request's head.
    pub(super) head: Parts,
    pub(super) body: RequestBody,
    pub(super) tally: Tally,
    pub(super) guards: Guards,
}

/// What is known of a request beside what it says.
pub(super) struct RequestContext {
    /// Whose connection it has come by, if that is known.
    pub(super) peer: Option<IpAddr>,
    /// Its id.
    pub(super) id: HeaderValue,
    /// Its head was there: the time that its caller gives begins.
    pub(super) began: Instant,
    /// Its body was there: the route's timeout begins. It stays so when the request is looked up again.
    pub(super) came: Option<Instant>,
}

/// What an exchange holds until the body of its reply was sent or was dropped.
pub(super) struct Guards {
    /// Its places in its route's bounds.
    pub(super) passed: Passed,
    /// What its call holds.
    call: Option<call::Guards>,
    _in_flight: InFlight,
    _on_connection: OpenExchange,
}

impl Exchange {
    /// A request whose head is there. It is counted, even if nobody looks at it: hyper drops one that came together with its
    /// client's end.
    pub(super) fn begin(
        worker: &Rc<Worker>,
        connection: &Rc<Connection>,
        request: Request<Incoming>,
    ) -> Exchange {
        let on_connection = connection.begin_exchange();
        let began = Instant::now();
        let (head, body) = request.into_parts();
        let id = request_id::take_or_make(&worker.ids, &head.headers);
        Exchange {
            worker: worker.clone(),
            context: RequestContext { peer: connection.peer, id, began, came: None },
            head,
            body: RequestBody::new(body),
            tally: Tally::begin(worker.clone(), began),
            guards: Guards {
                passed: Passed::default(),
                call: None,
                _in_flight: InFlight::enter(worker.clone()),
                _on_connection: on_connection,
            },
        }
    }

    /// The reply to what the handler has come to, which is counted. A failure is told the log, and rendered.
    pub(super) fn settle(&mut self, result: Result<Reply, Failure>) -> Reply {
        match result {
            Ok(reply) => {
                self.tally.replied(reply.status);
                reply
            }
            Err(failure) => {
                let id = request_id::text(&self.context.id);
                failure.log(id, self.tally.route());
                self.tally.failed(&failure);
                problem::reply(&failure, id)
            }
        }
    }

    /// The reply as it is sent. The head of a call's result is made in the request's own header map, which has room. Without the
    /// end of the request's body there is no next request on the connection.
    pub(super) fn respond(mut self, reply: Reply, body_has_ended: bool) -> Response<ReplyBody<Guards>> {
        let mut headers = if reply.headers.is_empty() {
            let mut headers = self.head.headers;
            headers.clear();
            headers
        } else {
            reply.headers
        };
        if let Some(content_type) = reply.content_type {
            headers.insert(CONTENT_TYPE, content_type);
        }
        if !body_has_ended {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        headers.insert(request_id::HEADER, self.context.id);
        self.guards.passed.put_fields(&mut headers);
        self.guards.call = reply.guards;
        let mut response = Response::new(ReplyBody::new(reply.content, self.guards));
        *response.status_mut() = reply.status;
        *response.headers_mut() = headers;
        response
    }
}

/// Counts a request while it is open, however it ends.
struct InFlight(Rc<Worker>);

impl InFlight {
    fn enter(worker: Rc<Worker>) -> InFlight {
        worker.shared.front.workers.of(worker.id).in_flight.increment();
        InFlight(worker)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.shared.front.workers.of(self.0.id).in_flight.decrement();
    }
}
