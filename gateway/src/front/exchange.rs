//! One request and its reply, with all that belongs to them: where it has come from, its route, what it is counted as, and its
//! guards.
//!
//! An exchange borrows nothing, so that several may be open on one connection. Its guards are released when the last piece of its reply
//! is sent, if its body has ended; or when it is dropped, because its client has gone.

use super::access::Access;
use super::asked::Asked;
use super::body::{RequestBody, StreamBody};
use super::called::Called;
use super::client::{self, Who};
use super::connection::{Connection, OpenExchange};
use super::cors;
use super::problem;
use super::reply::Reply;
use super::request_id::RequestId;
use super::tally::Tally;
use super::traced::{Traced, TracedCall};
use crate::call;
use crate::dry_run::DryRun;
use crate::failure::Failure;
use crate::routes::EveryReply;
use crate::steps::Passed;
use crate::worker::{RouteRef, Worker};
use callgate_http1::{ReplyHead, Request};
use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;
use tokio::time::Instant;

/// A request, until its reply was sent.
pub(super) struct Exchange {
    pub(super) worker: Rc<Worker>,
    pub(super) context: RequestContext,
    /// The request's head, and what has come with it.
    pub(super) head: Box<Request>,
    pub(super) body: RequestBody,
    pub(super) tally: Tally,
    /// Where its call has gone.
    pub(super) trail: call::Trail,
    pub(super) guards: Guards,
    pub(super) on_connection: OpenExchange,
}

/// What is known of a request beside what it says.
pub(super) struct RequestContext {
    /// The address of its client, if that is known.
    pub(super) client: Option<IpAddr>,
    /// Its id.
    pub(super) id: RequestId,
    /// Its head was there: the time that its caller gives begins.
    pub(super) began: Instant,
    /// Its body was there: the route's timeout begins. It stays so when the request is looked up again.
    pub(super) came: Option<Instant>,
}

/// What is left of an exchange whose connection goes on as something else.
pub(super) struct HandedOver {
    pub(super) exchange: OpenExchange,
    pub(super) guards: Guards,
    pub(super) id: RequestId,
    /// What its route is called.
    pub(super) route: String,
    /// What has come behind its head.
    pub(super) behind: Vec<u8>,
}

/// What an exchange holds until its reply was sent or was dropped.
pub(super) struct Guards {
    /// Its places in its route's bounds.
    pub(super) passed: Passed,
    /// What its call holds.
    pub(super) call: Option<call::Guards>,
    in_flight: Option<InFlight>,
    /// The tool that it calls, if it is an agent's.
    pub(super) called: Option<Box<Called>>,
    /// Its line in the access log, which ends with the rest.
    pub(super) access: Cell<Option<Box<Access>>>,
    /// Its spans, if it has some, which end with the rest as well.
    pub(super) traced: Option<Box<Traced>>,
}

impl Exchange {
    /// A request whose head is there. It is counted, even if its client leaves before anybody has looked at it.
    #[inline]
    pub(super) fn begin(
        worker: &Rc<Worker>,
        connection: &Rc<Connection>,
        head: Box<Request>,
        body: impl FnOnce(&Request) -> RequestBody,
    ) -> Exchange {
        let on_connection = connection.begin_exchange();
        if let Some(replay) = &worker.replay {
            replay.keep(&head);
        }
        let began = Instant::now();
        let id = RequestId::take_or_make(&worker.ids, head.fields());
        let client = client::of(connection, head.fields());
        let context = RequestContext { client, id, began, came: None };
        let traced = Traced::begin(worker, connection, head.fields());
        let span = traced.as_ref().map(|traced| traced.place.own());
        // All of it is made where it stays.
        let exchange = Exchange {
            worker: worker.clone(),
            context,
            body: body(&head),
            head,
            tally: Tally::begin(worker.clone(), began),
            guards: Guards {
                passed: Passed::default(),
                call: None,
                in_flight: Some(InFlight::enter(worker.clone())),
                called: None,
                access: Cell::default(),
                traced,
            },
            trail: call::Trail::of(span),
            on_connection,
        };
        let counters = worker.shared.front.workers.of(worker.id);
        counters.requests(exchange.body.protocol(&exchange.head)).increment();
        exchange
    }

    /// A request of a dry run, which tells what becomes of it: it is decided, and neither counted nor sent.
    pub(super) fn dry_run(
        worker: &Rc<Worker>,
        connection: &Rc<Connection>,
        (head, body): (Box<Request>, RequestBody),
        told: Rc<DryRun>,
    ) -> Exchange {
        let began = Instant::now();
        let id = RequestId::take_or_make(&worker.ids, head.fields());
        let client = client::of(connection, head.fields());
        Exchange {
            worker: worker.clone(),
            context: RequestContext { client, id, began, came: None },
            body,
            head,
            tally: Tally::of_dry_run(worker.clone(), began),
            guards: Guards {
                passed: Passed::dry_run(told.clone()),
                call: None,
                in_flight: None,
                called: None,
                access: Cell::default(),
                traced: None,
            },
            trail: call::Trail::dry_run(told),
            on_connection: connection.begin_exchange(),
        }
    }

    /// What is told what becomes of it, if it is a dry run.
    #[inline]
    pub(super) fn told(&self) -> Option<&Rc<DryRun>> {
        self.trail.told()
    }

    /// Who it is from.
    pub(super) fn who(&self) -> Who<'_> {
        Who { client: self.context.client, caller: self.guards.passed.identified() }
    }

    /// The connection that it has come by.
    pub(super) fn connection(&self) -> &Connection {
        self.on_connection.connection()
    }

    /// The reply to what the handler has come to, which is counted. A failure is told the log, and rendered.
    pub(super) fn settle(&mut self, result: Result<Reply, Failure>) -> Reply {
        match result {
            Ok(mut reply) => {
                self.settle_reply(&mut reply);
                reply
            }
            Err(failure) => self.settle_failure(&failure),
        }
    }

    /// The same where it has come to a reply.
    #[inline]
    pub(super) fn settle_reply(&mut self, reply: &mut Reply) {
        self.tally.replied(reply.status);
        self.completes(reply, None);
    }

    #[cold]
    fn settle_failure(&mut self, failure: &Failure) -> Reply {
        let id = self.context.id.as_str();
        match (failure, self.connection().http2.get()) {
            (Failure::Refused(refusal), Some(http2)) => {
                http2.log_refused(*refusal, id, self.tally.route());
            }
            _ => failure.log(id, self.tally.route()),
        }
        let status = self.tally.failed(failure);
        let mut reply = self.problem(failure, status);
        self.completes(&mut reply, Some(failure));
        reply
    }

    /// Puts into a reply what all of them have, and tells of it whoever tells of exchanges.
    #[inline]
    fn completes(&mut self, reply: &mut Reply, failure: Option<&Failure>) {
        if self.guards.called.is_some() {
            *reply = self.answer_agent(std::mem::replace(reply, Reply::empty(0)), failure.is_some());
        }
        if let Some(every) = self.every_reply() {
            cors::put(every, self.head.fields(), reply);
        }
        self.guards.access.set(Access::begin(&self.asked(), reply, failure));
        if let Some(traced) = &self.guards.traced {
            traced.settle(&self.asked(), reply.status, failure);
        }
        // Nobody asks any more, and a client may be slow: it keeps no instance that has gone.
        self.trail = call::Trail::default();
    }

    /// The answer to an agent, of what the tool's route has replied. Its own request is in its place again.
    #[cold]
    fn answer_agent(&mut self, reply: Reply, has_failed: bool) -> Reply {
        self.take_back();
        match &self.guards.called {
            Some(called) => called.answer(reply, has_failed),
            None => reply,
        }
    }

    /// Puts an agent's own request into the place of the one that was made of it.
    #[cold]
    fn take_back(&mut self) {
        if let Some(own) = self.guards.called.as_mut().and_then(|called| called.head.take()) {
            let made = std::mem::replace(&mut self.head, own);
            self.on_connection.connection().open.pool.take_request(made);
        }
    }

    /// What all replies of the route say that its client has asked.
    fn every_reply(&self) -> Option<&EveryReply> {
        match &self.guards.called {
            None => self.tally.every_reply(),
            Some(called) => called.route.every_reply.as_deref(),
        }
    }

    /// The reply that tells a failure, with that status.
    pub(super) fn problem(&self, failure: &Failure, status: u16) -> Reply {
        let types = &self.worker.shared.settings.server.error_types;
        let mut reply = problem::with_status(failure, status, types, self.context.id.as_str());
        if let Failure::UpgradeRequired = failure
            && self.connection().http2.get().is_none()
        {
            reply.field("connection", "upgrade");
            reply.field("upgrade", "websocket");
        }
        if let Failure::WrongMethod { .. } = failure
            && let Some(every) = cors::of_other_methods(&self.worker.table(), &self.head)
        {
            cors::put(every, self.head.fields(), &mut reply);
        }
        reply
    }

    /// What its line in the access log is made of.
    fn asked(&self) -> Asked<'_> {
        Asked {
            worker: &self.worker,
            id: &self.context.id,
            client: self.context.client,
            began: self.context.began,
            head: &self.head,
            body: &self.body,
            tally: &self.tally,
            trail: &self.trail,
            passed: &self.guards.passed,
            trace: self.guards.traced.as_deref().map(|traced| &traced.place),
            tls: self.connection().tls.get().map(|peer| peer.version),
        }
    }

    /// The spans of its call to that route, if it has spans and the call may go on when it has ended.
    pub(super) fn traced_call(&self, route: &RouteRef, mode: &'static str) -> Option<TracedCall> {
        let traced = self.guards.traced.as_deref()?;
        Some(traced.call(route, mode, self.trail.beside()))
    }

    /// Its client has left before there was an answer.
    pub(super) fn left(&mut self) {
        if self.guards.called.is_some() {
            self.take_back();
        }
        self.guards.access.set(Access::left(&self.asked()));
        if let Some(traced) = &self.guards.traced {
            let failure = Failure::ClientGone;
            traced.settle(&self.asked(), failure.status(), Some(&failure));
        }
    }

    /// The problem by which a reply is cut that has begun, which the log is told.
    pub(super) fn cut(&self, failure: &Failure) -> Vec<u8> {
        let (id, status) = (self.context.id.as_str(), self.tally.status(failure));
        failure.log_broken_off(id, self.tally.route());
        self.guards.cut(failure);
        problem::body(failure, status, &self.worker.shared.settings.server.error_types, id)
    }

    /// Writes what is the exchange's own into the head of its reply.
    pub(super) fn put_fields(&self, head: &mut ReplyHead<'_>) {
        head.prepared(self.connection().reply_lines());
        self.context.id.put(head);
        for (name, value) in self.guards.passed.reply_fields() {
            head.field(name, value.as_bytes());
        }
    }

    /// Ends it when all of it has come and its reply was sent. What has come behind it stays in the buffer that is given back.
    pub(super) fn finish(mut self) -> Box<Request> {
        self.ends();
        self.head
    }

    /// The same, for whoever takes the head out of it without moving the rest.
    #[inline]
    pub(super) fn ends(&mut self) {
        // Of a dry run nothing was settled.
        if self.guards.called.is_some() {
            self.take_back();
        }
        let used = self.body.finish();
        self.head.finish(used);
    }

    /// Ends it but for what is held as long as its connection goes on as something else.
    pub(super) fn hand_over(self) -> HandedOver {
        let route = self.tally.route().to_owned();
        let Exchange { head, guards, context, on_connection, .. } = self;
        let open = &on_connection.connection().open;
        let mut behind = open.buffers.take();
        behind.extend_from_slice(head.rest());
        open.pool.take_request(head);
        HandedOver { exchange: on_connection, guards, id: context.id, route, behind }
    }

    /// Ends it but for its place on its connection: its reply is on its way and needs nothing of it. Of its body what is still to be read
    /// past, if anything is.
    pub(super) fn release(self) -> (OpenExchange, Option<StreamBody>) {
        let Exchange { head, mut body, on_connection, .. } = self;
        body.finish();
        let rest = body.into_rest(&head);
        on_connection.connection().open.pool.take_request(head);
        (on_connection, rest)
    }
}

impl Guards {
    /// All of it, for somebody else to give back.
    pub(super) fn take(&mut self) -> Guards {
        Guards {
            passed: std::mem::take(&mut self.passed),
            call: self.call.take(),
            in_flight: self.in_flight.take(),
            called: self.called.take(),
            access: Cell::new(self.access.take()),
            traced: self.traced.take(),
        }
    }

    /// The answer that has begun is cut.
    pub(super) fn cut(&self, failure: &Failure) {
        let access = self.access.take();
        access.iter().for_each(|access| access.cut(failure));
        self.access.set(access);
        self.traced.iter().for_each(|traced| traced.cut(failure));
    }

    /// Gives all of it back: whoever hears the reply finds the places free.
    pub(super) fn release(&mut self) {
        self.passed = Passed::default();
        self.call = None;
        self.in_flight = None;
        self.called = None;
        self.access.set(None);
        self.traced = None;
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
