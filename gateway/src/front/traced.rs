//! The spans of an exchange: one of its own, and one of each attempt of its call. They are begun when the answer's head is known, and end with
//! what the exchange holds last.
//!
//! ```text
//! attempt  what the span of an attempt says
//! beside   the spans of a call that may go on when its exchange has ended
//! ```

mod attempt;
mod beside;

pub(super) use beside::TracedCall;

use super::asked::Asked;
use super::connection::Connection;
use crate::call::Trail;
use crate::failure::Failure;
use crate::fields::{self, FieldName};
use crate::telemetry::ByProtocol;
use crate::traces::Place;
use crate::worker::{RouteRef, Worker};
use attempt::{Attempts, Clock};
use callgate_http1::Fields;
use callgate_otlp::{Kind, Span};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::SystemTime;

/// An exchange that has spans. They are sent when this is dropped.
pub(super) struct Traced {
    worker: Rc<Worker>,
    pub(super) place: Place,
    begun: RefCell<Vec<Begun>>,
    /// Why its answer was cut.
    cut: Cell<Option<&'static str>>,
}

/// A span, and when it has ended, if it has.
struct Begun(Span, Option<SystemTime>);

impl Traced {
    /// Whether an exchange has spans, where traces are on.
    #[inline]
    pub(super) fn begin(
        worker: &Rc<Worker>,
        connection: &Connection,
        fields: Fields<'_>,
    ) -> Option<Box<Traced>> {
        let traces = worker.shared.traces.as_ref()?;
        traces.place(fields, connection.is_proxy.get()).map(|place| Traced::at(worker, *place))
    }

    #[cold]
    fn at(worker: &Rc<Worker>, place: Place) -> Box<Traced> {
        Box::new(Traced { worker: worker.clone(), place, begun: RefCell::default(), cut: Cell::new(None) })
    }

    /// Its answer's head has that status; `failure` is why it is none that was asked for.
    pub(super) fn settle(&self, asked: &Asked<'_>, status: u16, failure: Option<&Failure>) {
        let clock = Clock::now();
        let mut begun = vec![Begun(self.exchange(asked, status, failure, &clock), None)];
        // Of a call that goes on whoever leads it writes them.
        if !asked.trail.goes_on() {
            let attempts =
                Attempts { place: &self.place, call: asked.tally.call().map(|spec| &spec.call), mode: None };
            asked.trail.look(|tries| {
                let all =
                    tries.enumerate().map(|(number, one)| attempts.of(self.place.own(), number, one, &clock));
                begun.extend(all);
            });
        }
        self.begun.replace(begun);
    }

    /// The spans of its call to that route, which may go on when it has ended, and notes its attempts there.
    pub(super) fn call(&self, route: &RouteRef, mode: &'static str, trail: Rc<Trail>) -> TracedCall {
        TracedCall::begin(self, route, mode, trail)
    }

    /// The same of a copy of its call.
    pub(super) fn copy(&self, route: &RouteRef) -> TracedCall {
        TracedCall::of_copy(self, route)
    }

    /// Its answer is cut.
    pub(super) fn cut(&self, failure: &Failure) {
        self.cut.set(Some(failure.reason().name()));
    }

    fn exchange(&self, asked: &Asked<'_>, status: u16, failure: Option<&Failure>, clock: &Clock) -> Span {
        let (place, head) = (&self.place, asked.head);
        let route = asked.tally.has_route().then(|| asked.tally.route());
        let name =
            route.map_or_else(|| head.method().to_owned(), |route| format!("{} {route}", head.method()));
        let own = place.own();
        let mut span = Span::new(own.trace, own.span, place.parent(), Kind::Server, &name);
        span.began(clock.at(asked.began)).flags(place.parent() != 0).state(place.state());
        span.text("http.request.method", head.method()).maybe("http.route", route);
        span.text("url.path", head.path())
            .text("url.scheme", if asked.tls.is_some() { "https" } else { "http" });
        span.number("http.response.status_code", status.into());
        span.text(
            "network.protocol.version",
            match asked.body.protocol(head) {
                ByProtocol::Http10 => "1.0",
                ByProtocol::Http11 => "1.1",
                ByProtocol::Http2 => "2",
            },
        );
        span.maybe("server.address", head.host());
        if let Some(client) = asked.client {
            span.text("client.address", &client.to_string());
        }
        let agent = FieldName::from("user-agent");
        span.maybe("user_agent.original", fields::each(head.fields(), &agent).next().and_then(fields::text));
        span.text("callgate.request_id", asked.id.as_str());
        if let Some(failure) = failure {
            span.text("error.type", failure.reason().name());
        }
        // What a client has done wrong is no error of the server's.
        if status >= 500 {
            span.failed(failure.and_then(|failure| asked.why(failure)).as_deref().unwrap_or_default());
        }
        span
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        put(&self.worker, self.begun.take(), self.cut.get());
    }
}

/// Has spans sent, which end now if they have not ended; those for that reason, if something was cut.
fn put(worker: &Worker, begun: Vec<Begun>, cut: Option<&'static str>) {
    let (now, count) = (SystemTime::now(), begun.len() as u32);
    if count == 0 {
        return;
    }
    let mut written = Vec::with_capacity(1024);
    for Begun(mut span, ended) in begun {
        if let (None, Some(reason)) = (ended, cut) {
            span.text("error.type", reason).failed("");
        }
        span.end(ended.unwrap_or(now), &mut written);
    }
    if let Some(traces) = &worker.shared.traces {
        traces.put(written, count);
    }
}
