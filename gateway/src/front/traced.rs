//! The spans of an exchange: one of its own, and one of each attempt of its call. They are begun when the answer's head is known, and end with
//! what the exchange holds last.

use super::asked::Asked;
use super::connection::Connection;
use crate::call::Try;
use crate::config::{CallRef, EndpointAddr};
use crate::failure::Failure;
use crate::fields::{self, FieldName};
use crate::telemetry::ByProtocol;
use crate::traces::Place;
use crate::worker::Worker;
use callgate_http1::Fields;
use callgate_otlp::{Kind, Span};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::SystemTime;
use tokio::time::Instant;

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
        asked.trail.look(|tries| {
            let attempts = tries.enumerate().map(|(number, one)| self.attempt(asked, number, one, &clock));
            begun.extend(attempts);
        });
        self.begun.replace(begun);
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
            span.failed(failure.and_then(Failure::why).as_deref().unwrap_or_default());
        }
        span
    }

    fn attempt(&self, asked: &Asked<'_>, number: usize, one: &Try, clock: &Clock) -> Begun {
        let (own, call) = (self.place.own(), asked.tally.call().map(|spec| &spec.call));
        let (method, version) = match call {
            Some(CallRef::Name { service, method }) => {
                (format!("{service}/{method}"), one.endpoint().version_of(service))
            }
            Some(number) => (number.to_string(), None),
            None => ("_OTHER".to_owned(), None),
        };
        let id = Place::attempt(own, number).span;
        let mut span = Span::new(own.trace, id, own.span, Kind::Client, &method);
        span.began(clock.at(one.sent_at)).flags(false).state(self.place.state());
        span.text("rpc.system.name", "callgate").text("rpc.method", &method);
        match &one.endpoint().addr {
            EndpointAddr::Tcp { host, port } => {
                span.text("server.address", host).number("server.port", u64::from(*port));
            }
            EndpointAddr::Unix(path) => {
                span.text("server.address", &path.display().to_string()).text("network.transport", "unix");
            }
        }
        span.maybe("callgate.backend", one.backend()).maybe("callgate.version", version.as_deref());
        span.number("callgate.attempt", number as u64 + 1);
        if one.waited.any() {
            span.texts("callgate.waited_for", one.waited.names());
        }
        let Some((took, end)) = one.ended else {
            // It was given up: another one was faster, or the client has left.
            span.text("rpc.response.status_code", "cancelled").text("error.type", "given_up");
            return Begun(span, Some(clock.wall));
        };
        match end {
            // It ends with its exchange.
            "begun" => return Begun(span, None),
            "ok" => drop(span.text("rpc.response.status_code", end)),
            _ => drop(span.text("rpc.response.status_code", end).text("error.type", end).failed("")),
        }
        Begun(span, Some(clock.at(one.sent_at + took)))
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        let (now, begun) = (SystemTime::now(), self.begun.take());
        let count = begun.len() as u32;
        if count == 0 {
            return;
        }
        let mut written = Vec::with_capacity(1024);
        for Begun(mut span, ended) in begun {
            if let (None, Some(reason)) = (ended, self.cut.get()) {
                span.text("error.type", reason).failed("");
            }
            span.end(ended.unwrap_or(now), &mut written);
        }
        if let Some(traces) = &self.worker.shared.traces {
            traces.put(written, count);
        }
    }
}

/// The time of day at a moment of the clock by which calls are measured.
struct Clock {
    wall: SystemTime,
    now: Instant,
}

impl Clock {
    fn now() -> Clock {
        Clock { wall: SystemTime::now(), now: Instant::now() }
    }

    fn at(&self, moment: Instant) -> SystemTime {
        self.wall - self.now.saturating_duration_since(moment)
    }
}
