//! What the access log has of an exchange: a line that is begun when the answer's head is known, and ends with what the exchange holds
//! last. So it knows how long all of it took, and what has become of an answer that streams.

use super::asked::Asked;
use super::connection::Connection;
use super::opened::MessageBytes;
use super::reply::{Content, Reply};
use super::request_id::RequestId;
use crate::access_log::{Goes, Record, TriedAt};
use crate::clients::AddressText;
use crate::config::{AccessField, AccessLogSettings, CallRef};
use crate::failure::Failure;
use crate::fields;
use crate::telemetry::ByProtocol;
use crate::worker::Worker;
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::SystemTime;
use tokio::time::Instant;

/// Bytes of bodies that are still on their way.
enum Bytes {
    /// Neither is.
    Known,
    /// Those of streams: of the request, and of the answer.
    Streamed(Option<Rc<Cell<u64>>>, Option<Rc<Cell<u64>>>),
    /// Those of a WebSocket's messages.
    Messages(Rc<MessageBytes>),
}

/// A record that is put when this is dropped.
pub(super) struct Access {
    worker: Rc<Worker>,
    record: Record,
    began: Instant,
    /// Bytes of the bodies, as far as they are not known from the beginning.
    bytes: Bytes,
    /// Where it goes if nothing else happens, and where if its answer is cut.
    goes: Goes,
    goes_cut: Goes,
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
        let goes = log.goes(&settings, failure.is_some() || reply.status >= 400);
        // What has only begun may still fail.
        let begins = matches!(reply.content, Content::Begun(_) | Content::WebSocket(_));
        let goes_cut = if begins { goes.and(log.goes(&settings, true)) } else { goes };
        goes_cut.somewhere().then(|| Access::of(asked, reply, failure, &settings, (goes, goes_cut)))
    }

    #[cold]
    fn of(
        asked: &Asked<'_>,
        reply: &mut Reply,
        failure: Option<&Failure>,
        settings: &AccessLogSettings,
        (goes, goes_cut): (Goes, Goes),
    ) -> Box<Access> {
        let mut record = asked.worker.shared.access_log.record(settings, goes_cut);
        fill(&mut record, asked, settings, reply.status, failure);
        let bytes = bytes(&mut record, asked, &mut reply.content);
        let (worker, began) = (asked.worker.clone(), asked.began);
        Box::new(Access { worker, record, began, bytes, goes, goes_cut, cut: Cell::new(None) })
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
        let cut = self.cut.get();
        let goes = if cut.is_some() { self.goes_cut } else { self.goes };
        if !goes.somewhere() {
            return;
        }
        self.record.maybe(AccessField::Reason, cut);
        let (came, went) = match &self.bytes {
            Bytes::Known => (None, None),
            Bytes::Streamed(came, went) => (came.as_ref().map(|n| n.get()), went.as_ref().map(|n| n.get())),
            Bytes::Messages(bytes) => (Some(bytes.came.get()), Some(bytes.went.get())),
        };
        came.iter().for_each(|bytes| self.record.number(AccessField::BytesIn, *bytes));
        went.iter().for_each(|bytes| self.record.number(AccessField::BytesOut, *bytes));
        self.record.millis(AccessField::DurationMs, self.began.elapsed());
        self.worker.shared.access_log.put(&self.record, goes);
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
    let goes = log.goes(&settings, true);
    if !goes.somewhere() {
        return;
    }
    let mut record = log.record(&settings, goes);
    begin(&mut record, id, connection.client.get());
    record.number(AccessField::Status, u64::from(failure.status()));
    told(&mut record, failure, failure.why());
    record.text(AccessField::Protocol, protocol);
    record.maybe(AccessField::Tls, connection.tls.get().map(|peer| peer.version));
    log.put(&record, goes);
}

fn begin(record: &mut Record, id: &RequestId, client: Option<IpAddr>) {
    record.time(AccessField::Time, SystemTime::now());
    record.ascii(AccessField::RequestId, id.as_bytes());
    if let Some(client) = client {
        record.ascii(AccessField::Client, AddressText::of(client).as_bytes());
    }
}

fn told(record: &mut Record, failure: &Failure, why: Option<Cow<'_, str>>) {
    record.text(AccessField::Reason, failure.reason().name());
    record.maybe(AccessField::Why, why.as_deref());
}

/// What is known when the answer's head is.
fn fill(
    record: &mut Record,
    asked: &Asked<'_>,
    settings: &AccessLogSettings,
    status: u16,
    failure: Option<&Failure>,
) {
    let head = asked.head;
    begin(record, asked.id, asked.client);
    if let Some(place) = asked.trace {
        record.shown(AccessField::TraceId, format_args!("{:032x}", place.own().trace));
    }
    record.text(AccessField::Method, head.method());
    record.text(AccessField::Route, asked.tally.route());
    record.ascii(AccessField::Path, head.path_bytes());
    if let Some(query) = head.query_bytes() {
        record.ascii(AccessField::Query, query);
    }
    record.number(AccessField::Status, u64::from(status));
    if let Some(failure) = failure {
        told(record, failure, asked.why(failure));
    }
    record.text(
        AccessField::Protocol,
        match asked.body.protocol(head) {
            ByProtocol::Http10 => "HTTP/1.0",
            ByProtocol::Http11 => "HTTP/1.1",
            ByProtocol::Http2 => "HTTP/2",
        },
    );
    record.maybe(AccessField::Tls, asked.tls);
    if let Some(caller) = asked.passed.identified() {
        record.text(AccessField::Auth, &caller.authenticator.spec.name);
        record.text(AccessField::Identity, caller.identity.name());
    }
    record.millis(AccessField::HeadMs, asked.tally.took());
    let (limits, would_limit) = asked.passed.limits();
    if let Some(limits) = limits {
        record.shown(AccessField::Limits, format_args!("{}", Unquoted(limits)));
    }
    record.maybe(AccessField::WouldLimit, would_limit);
    called(record, asked, failure);
    for name in &settings.headers {
        // The first line of several: a field of a line is there once, and a client makes no line long.
        if let Some(value) = fields::each(head.fields(), name).next() {
            record.header(name.as_str(), value);
        }
    }
}

/// What of the bodies' bytes is known is written down. Gives what says the rest.
fn bytes(record: &mut Record, asked: &Asked<'_>, content: &mut Content) -> Bytes {
    if let Content::WebSocket(opened) = content {
        return Bytes::Messages(opened.counted.clone());
    }
    let came = asked.body.counted();
    if came.is_none() {
        record.number(AccessField::BytesIn, asked.body.bytes(asked.head).len() as u64);
    }
    let went = match content {
        Content::Begun(streamed) => {
            let went = Rc::default();
            streamed.count_into(Rc::clone(&went));
            Some(went)
        }
        content => {
            let is_sent = asked.head.method() != "HEAD";
            let length = content.length().filter(|_| is_sent).unwrap_or_default();
            record.number(AccessField::BytesOut, length);
            None
        }
    };
    if came.is_none() && went.is_none() { Bytes::Known } else { Bytes::Streamed(came, went) }
}

/// What limits say, without the quotes of header fields, which lines would have to escape.
struct Unquoted<'t>(&'t str);

impl fmt::Display for Unquoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.split('"').try_for_each(|part| f.write_str(part))
    }
}

/// Where its call has gone.
fn called(record: &mut Record, asked: &Asked<'_>, failure: Option<&Failure>) {
    let (trail, began) = (asked.trail, asked.began);
    let Some(spec) = asked.tally.call() else { return };
    match &spec.call {
        CallRef::Name { service, method } => record.joined(AccessField::Call, [service, ".", method]),
        CallRef::Number(number) => record.shown(AccessField::Call, format_args!("{number}")),
    }
    if let Some((target, why)) = asked.tally.target() {
        record.text(AccessField::Target, &target);
        record.text(AccessField::TargetBy, why);
    }
    let waited = trail.waited();
    if waited.any() {
        record.shown(AccessField::WaitedFor, format_args!("{waited}"));
    }
    // What goes on is told as it is now.
    let under_way = if trail.goes_on() { "sent" } else { "given_up" };
    if let Some(backend) = trail.backend() {
        record.text(AccessField::Backend, backend.name());
    } else if failure.is_some_and(|failure| failure.is_absence() || failure.is_excess()) {
        // It was to be called.
        record.maybe(AccessField::Backend, asked.tally.backend().map(|backend| backend.spec.name.as_str()));
    }
    let since = |at: Instant| at.saturating_duration_since(began);
    if let Some(sent) = trail.began() {
        record.millis(AccessField::WaitMs, since(sent));
    }
    if let CallRef::Name { service, .. } = &spec.call {
        trail.look_at_last(|last| {
            last.endpoint().look_at_version(service, |version| record.text(AccessField::Version, version));
        });
    }
    trail.look(|tries| {
        record.tries(tries.map(|one| TriedAt {
            endpoint: one.endpoint().text(),
            at: since(one.sent_at),
            took: one.ended.map(|(took, _)| took),
            end: one.ended.map_or(under_way, |(_, end)| end),
        }));
    });
}
