//! The span of one attempt of a call.

use super::Begun;
use crate::call::Try;
use crate::config::{CallRef, EndpointAddr};
use crate::traces::Place;
use callgate_otlp::{Kind, Span};
use callgate_protocol::Traceparent;
use std::time::SystemTime;
use tokio::time::Instant;

/// What the spans of a call's attempts have in common.
pub(super) struct Attempts<'c> {
    /// That of its request.
    pub(super) place: &'c Place,
    pub(super) call: Option<&'c CallRef>,
    /// What kind of call it is, if not one whose answer its client waits for.
    pub(super) mode: Option<&'static str>,
}

impl Attempts<'_> {
    /// That of this number. Ids of all follow that of `behind`.
    pub(super) fn of(&self, behind: Traceparent, number: usize, one: &Try, clock: &Clock) -> Begun {
        let own = self.place.own();
        let (method, version) = match self.call {
            Some(CallRef::Name { service, method }) => {
                (format!("{service}/{method}"), one.endpoint().look_at_version(service, str::to_owned))
            }
            Some(number) => (number.to_string(), None),
            None => ("_OTHER".to_owned(), None),
        };
        let id = Place::attempt(behind, number).span;
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
        span.maybe("callgate.mode", self.mode);
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

/// The time of day at a moment of the clock by which calls are measured.
pub(super) struct Clock {
    pub(super) wall: SystemTime,
    now: Instant,
}

impl Clock {
    pub(super) fn now() -> Clock {
        Clock { wall: SystemTime::now(), now: Instant::now() }
    }

    pub(super) fn at(&self, moment: Instant) -> SystemTime {
        self.wall - self.now.saturating_duration_since(moment)
    }
}
