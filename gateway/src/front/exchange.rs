//! One request and its reply, with all that belongs to them: where it has come from, its route, what it is counted as, and its
//! guards.
//!
//! An exchange borrows nothing, so that several may be open on one connection, and so that its guards can outlive its handler: they
//! go with the body of the reply, and are released when that was sent or was dropped.

use super::body::RequestBody;
use super::connection::{Connection, OpenExchange};
use super::problem;
use super::reply::{Reply, ReplyBody};
use super::request_id::RequestId;
use super::tally::Tally;
use crate::call;
use crate::failure::Failure;
use crate::fields::{NAMES, X_REQUEST_ID};
use crate::steps::Passed;
use crate::worker::Worker;
use callgate_http1::{Request, RequestBuilder, Version};
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use std::net::IpAddr;
use std::rc::Rc;
use tokio::time::Instant;

/// A request, until its reply is ready to be sent.
pub(super) struct Exchange {
    pub(super) worker: Rc<Worker>,
    pub(super) context: RequestContext,
    /// The request's head.
    pub(super) head: Box<Request>,
    pub(super) body: RequestBody,
    pub(super) tally: Tally,
    pub(super) guards: Guards,
}

/// What is known of a request beside what it says.
pub(super) struct RequestContext {
    /// Whose connection it has come by, if that is known.
    pub(super) peer: Option<IpAddr>,
    /// Its id.
    pub(super) id: RequestId,
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
        request: hyper::Request<Incoming>,
    ) -> Exchange {
        let on_connection = connection.begin_exchange();
        let began = Instant::now();
        let (head, body) = request.into_parts();
        let head = Box::new(of_hyper(&head));
        let id = RequestId::take_or_make(&worker.ids, head.fields());
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
                let id = self.context.id.as_str();
                failure.log(id, self.tally.route());
                self.tally.failed(&failure);
                problem::reply(&failure, id)
            }
        }
    }

    /// The reply as it is sent. Without the end of the request's body there is no next request on the connection.
    pub(super) fn respond(mut self, reply: Reply, body_has_ended: bool) -> Response<ReplyBody<Guards>> {
        let mut headers = reply.headers;
        if let Some(content_type) = reply.content_type {
            headers.insert(CONTENT_TYPE, content_type);
        }
        if !body_has_ended {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        put(&mut headers, X_REQUEST_ID.as_str(), self.context.id.as_str());
        for (name, value) in self.guards.passed.reply_fields() {
            put(&mut headers, name, value);
        }
        self.guards.call = reply.guards;
        let mut response = Response::new(ReplyBody::new(reply.content, self.guards));
        *response.status_mut() = reply.status;
        *response.headers_mut() = headers;
        response
    }
}

/// A head that hyper has read. It goes when the connection is ours.
fn of_hyper(head: &Parts) -> Request {
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let builder = RequestBuilder::new(&NAMES, head.method.as_str(), target);
    let version = if head.version < hyper::Version::HTTP_11 { Version::Http10 } else { Version::Http11 };
    let lines = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    lines.fold(builder.version(version), |builder, (name, value)| builder.field(name, value)).build()
}

/// Puts a field among those of a reply, if its value can be sent.
fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
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
