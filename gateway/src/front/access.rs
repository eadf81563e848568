//! What the access log has of an exchange: a line that is begun when the answer's head is known, and ends with what the exchange holds
//! last. So it knows how long all of it took, and what has become of an answer that streams.

use super::body::RequestBody;
use super::connection::Connection;
use super::reply::{Content, Reply};
use super::request_id::RequestId;
use super::tally::Tally;
use super::traced::Traced;
use crate::access_log::{Line, TriedAt};
use crate::auth::Identified;
use crate::call::Trail;
use crate::config::{AccessField, AccessLogSettings, CallRef};
use crate::failure::Failure;
use crate::fields;
use crate::telemetry::ByProtocol;
use crate::worker::Worker;
use callgate_http1::Request;
use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::SystemTime;
use tokio::time::Instant;

/// What is known of an exchange.
pub(super) struct Asked<'e> {
    pub(super) worker: &'e Rc<Worker>,
    pub(super) id: &'e RequestId,
    pub(super) client: Option<IpAddr>,
    pub(super) began: Instant,
    pub(super) head: &'e Request,
    pub(super) body: &'e RequestBody,
    pub(super) tally: &'e Tally,
    pub(super) trail: &'e Trail,
    pub(super) caller: Option<&'e Identified>,
    /// Its place in a trace, if it has spans.
    pub(super) traced: Option<&'e Traced>,
    /// The version of TLS, if it came by that.
    pub(super) tls: Option<&'static str>,
}

/// A line that is written when this is dropped.
pub(super) struct Access {
    worker: Rc<Worker>,
    line: Option<Line>,
    began: Instant,
    /// Bytes of the answer's body.
    sent: Rc<Cell<u64>>,
    /// Whether it is written even if nothing else happens.
    wanted: bool,
    /// What is said of an answer that was cut.
    cut: Cell<Option<&'static str>>,
}

impl Access {
    /// That of an exchange with this answer, if it has one; `failure` is why it is none that was asked for.
    #[inline]
    pub(super) fn begin(
        asked: &Asked<'_>,
        reply: &mut Reply,
        failure: Option<&Failure>,
    ) -> Option<Box<Access>> {
        let log = &asked.worker.shared.access_log;
        let settings = log.settings();
        let wanted = log.wants(&settings, failure.is_some() || reply.status >= 400);
        // What has only begun may still fail.
        let goes_on = matches!(reply.content, Content::Begun(_) | Content::WebSocket(_)) && settings.failures;
        (wanted || goes_on).then(|| Access::of(asked, reply, failure, &settings, wanted))
    }

    #[cold]
    fn of(
        asked: &Asked<'_>,
        reply: &mut Reply,
        failure: Option<&Failure>,
        settings: &AccessLogSettings,
        wanted: bool,
    ) -> Box<Access> {
        let sent = Rc::new(Cell::new(0));
        match &mut reply.content {
            Content::Begun(streamed) => streamed.count_into(sent.clone()),
            _ if asked.head.method() == "HEAD" => {}
            content => sent.set(content.length().unwrap_or_default()),
        }
        let mut line = Line::new(settings);
        fill(&mut line, asked, settings, reply.status, failure);
        let (worker, began) = (asked.worker.clone(), asked.began);
        Box::new(Access { worker, line: Some(line), began, sent, wanted, cut: Cell::new(None) })
    }

    /// That of an exchange whose client has left before there was an answer.
    pub(super) fn left(asked: &Asked<'_>) -> Option<Box<Access>> {
        let mut reply = Reply::empty(Failure::ClientGone.status());
        Access::begin(asked, &mut reply, Some(&Failure::ClientGone))
    }

    /// Its answer is cut.
    pub(super) fn cut(&self, failure: &Failure) {
        self.cut.set(Some(failure.reason().name()));
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        let Some(mut line) = self.line.take() else { return };
        let cut = self.cut.get();
        if !self.wanted && cut.is_none() {
            return;
        }
        line.maybe(AccessField::Reason, cut);
        line.number(AccessField::BytesOut, self.sent.get());
        line.millis(AccessField::DurationMs, self.began.elapsed());
        self.worker.shared.access_log.put(line);
    }
}

/// Writes the line of a head that is no request, if it has one.
pub(super) fn refused(
    worker: &Worker,
    connection: &Connection,
    (id, protocol): (&RequestId, &str),
    failure: &Failure,
) {
    let log = &worker.shared.access_log;
    let settings = log.settings();
    if !log.wants(&settings, true) {
        return;
    }
    let mut line = Line::new(&settings);
    begin(&mut line, id, connection.client.get());
    line.number(AccessField::Status, u64::from(failure.status()));
    told(&mut line, failure);
    line.text(AccessField::Protocol, protocol);
    line.maybe(AccessField::Tls, connection.tls.get().map(|peer| peer.version));
    log.put(line);
}

fn begin(line: &mut Line, id: &RequestId, client: Option<IpAddr>) {
    line.time(AccessField::Time, SystemTime::now());
    line.text(AccessField::RequestId, id.as_str());
    if let Some(client) = client {
        line.shown(AccessField::Client, format_args!("{client}"));
    }
}

fn told(line: &mut Line, failure: &Failure) {
    line.text(AccessField::Reason, failure.reason().name());
    line.maybe(AccessField::Why, failure.why().as_deref());
}

/// What is known when the answer's head is.
fn fill(
    line: &mut Line,
    asked: &Asked<'_>,
    settings: &AccessLogSettings,
    status: u16,
    failure: Option<&Failure>,
) {
    let (head, began) = (asked.head, asked.began);
    begin(line, asked.id, asked.client);
    if let Some(traced) = asked.traced {
        line.shown(AccessField::TraceId, format_args!("{:032x}", traced.place.own().trace));
    }
    line.text(AccessField::Method, head.method());
    line.text(AccessField::Route, asked.tally.route());
    line.text(AccessField::Path, head.path());
    line.maybe(AccessField::Query, head.query());
    line.number(AccessField::Status, u64::from(status));
    if let Some(failure) = failure {
        told(line, failure);
    }
    line.text(
        AccessField::Protocol,
        match asked.body.protocol(head) {
            ByProtocol::Http10 => "HTTP/1.0",
            ByProtocol::Http11 => "HTTP/1.1",
            ByProtocol::Http2 => "HTTP/2",
        },
    );
    line.maybe(AccessField::Tls, asked.tls);
    if let Some(caller) = asked.caller {
        line.text(AccessField::Auth, &caller.authenticator.spec.name);
        line.text(AccessField::Identity, caller.identity.name());
    }
    line.number(AccessField::BytesIn, asked.body.bytes(head).len() as u64);
    line.millis(AccessField::HeadMs, began.elapsed());
    called(line, asked);
    for name in &settings.headers {
        // The first line of several: a field of a line is there once, and a client makes no line long.
        if let Some(value) = fields::each(head.fields(), name).next() {
            line.header(name.as_str(), value);
        }
    }
}

/// Where its call has gone.
fn called(line: &mut Line, asked: &Asked<'_>) {
    let (trail, began) = (asked.trail, asked.began);
    let Some(spec) = asked.tally.call() else { return };
    line.shown(AccessField::Call, format_args!("{}", spec.call));
    if let Some(backend) = trail.backend() {
        line.text(AccessField::Backend, backend.name());
    }
    if let Some(sent) = trail.began() {
        line.millis(AccessField::WaitMs, sent.saturating_duration_since(began));
    }
    trail.look(|tries| {
        let tries: Vec<_> = tries.collect();
        let version = match &spec.call {
            CallRef::Name { service, .. } => {
                tries.last().and_then(|last| last.endpoint().version_of(service))
            }
            CallRef::Number(_) => None,
        };
        line.maybe(AccessField::Version, version.as_deref());
        line.tries(tries.into_iter().map(|one| TriedAt {
            endpoint: &one.endpoint().addr,
            at: one.sent_at.saturating_duration_since(began),
            ended: one.ended,
        }));
    });
}
