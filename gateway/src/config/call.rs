//! A route's call: which method of which backend, within which time, and how HTTP becomes the method's fields.

use super::bind::{self, RequestDraft};
use super::body::BodyTypes;
use super::bound_fields::Outside;
use super::call_policy::CallPolicy;
use super::call_ref::{self, CallRef};
use super::defaults::Defaults;
use super::diagnostics::Diagnostic;
use super::keys;
use super::matcher::Matcher;
use super::mode::{self, CallMode};
use super::reader::{Item, Reader, Section};
use super::response::{ReplyDraft, ReplySpec};
use super::retry::{self, RetrySpec};
use super::stream_limits::StreamLimits;
use super::timeout;
use super::websocket::WebSocketSpec;
use crate::method::Method;
use callgate_transcode::{FieldSource, RequestBinding, ResponseBinding};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// What a route's calls are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallSpec {
    /// The method that is called.
    pub call: CallRef,
    /// The name of the backend that is called; there is one of that name.
    pub backend: String,
    /// How long a call may take, retries included; 1 ms to 24 h, by default 10 s.
    pub timeout: Duration,
    /// What bounds those that stream.
    pub stream: StreamLimits,
    /// Whom its reply is for.
    pub mode: CallMode,
    /// Whether running a call twice does what running it once does. `None`: the instance says so of its method.
    pub idempotent: Option<bool>,
    /// Whether a call may run twice whose request has an `Idempotency-Key`, which then goes along.
    pub idempotency_key: bool,
    /// How often calls are sent, and after what.
    pub retry: RetrySpec,
    /// What else is to be done with its calls; mostly the same for all routes of a file, and then there once.
    pub policy: Arc<CallPolicy>,
    /// How the request becomes the method's fields.
    pub request: RequestBinding,
    /// Which bodies are read.
    pub body: BodyTypes,
    /// What the gateway finds for each field that the request's half binds.
    pub outside: Vec<Outside>,
    /// How the method's result becomes the reply.
    pub response: ResponseBinding,
    /// What else the route says of its replies; nothing as a rule.
    pub reply: Option<Arc<ReplySpec>>,
    /// Its requests begin WebSockets.
    pub websocket: Option<Arc<WebSocketSpec>>,
}

impl CallSpec {
    /// Leaves out what fills nothing of a query. What the route itself binds stays.
    #[inline]
    pub fn leave_out_ignored(&self, query: &mut Vec<(Cow<'_, str>, Cow<'_, str>)>) {
        let ignored = &self.policy.ignore_query;
        if !ignored.is_empty() {
            query.retain(|(name, _)| !ignored.has(name) || self.binds_query(name));
        }
    }

    /// Whether a field is filled from the query's parameter of that name.
    pub fn binds_query(&self, name: &str) -> bool {
        let is_it = |source: &FieldSource| matches!(source, FieldSource::Query(own) if own == name);
        self.request.bound.iter().any(|bound| is_it(&bound.source))
    }

    /// Everything that its calls, their copies and its fallback go to: the backend, and of that one a version, if it is pinned.
    pub(crate) fn places(&self) -> Vec<(&str, Option<&str>)> {
        let policy = &self.policy;
        let pinned = policy.split.version.as_deref();
        let own = Some((self.backend.as_str(), pinned)).filter(|_| policy.split.targets.is_empty());
        let targets = policy.split.targets.iter().map(|target| target.to.within(&self.backend, pinned));
        let shadow = policy.shadow.iter().map(|shadow| shadow.to.within(&self.backend, None));
        let fallback = policy.fallback.iter().filter_map(|fallback| fallback.destination());
        own.into_iter()
            .chain(targets)
            .chain(shadow)
            .chain(fallback.map(|to| to.within(&self.backend, None)))
            .collect()
    }
}

/// The backend that a route or an authenticator names.
#[derive(Clone, Debug)]
pub(super) enum NamedBackend {
    /// None: its file's, or else the only one there is.
    Only,
    /// This one, named there.
    Named(String, Range<usize>),
    /// One that could not be read; reported already.
    Bad,
}

impl NamedBackend {
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> NamedBackend {
        match section.get(keys::BACKEND.name) {
            None => NamedBackend::Only,
            Some(item) => match reader.text(&item, "a backend's name", |text| Ok(text.to_owned())) {
                Some(name) => NamedBackend::Named(name, item.span()),
                None => NamedBackend::Bad,
            },
        }
    }
}

/// A call as far as one file alone can tell. What is `None` is reported already.
#[derive(Debug)]
pub(super) struct CallDraft {
    pub(super) backend: NamedBackend,
    pub(super) policy: Arc<CallPolicy>,
    call: Option<CallRef>,
    timeout: Duration,
    stream: StreamLimits,
    mode: CallMode,
    idempotent: Option<bool>,
    idempotency_key: bool,
    retry: RetrySpec,
    pub(super) request: RequestBinding,
    body: BodyTypes,
    /// Where each field that is bound is written.
    pub(super) bound: Vec<Range<usize>>,
    response: ResponseBinding,
    reply: Option<Arc<ReplySpec>>,
    websocket: Option<Arc<WebSocketSpec>>,
    /// Where the fields are used that the response picks.
    pub(super) picked: Vec<Range<usize>>,
    /// Where the names of errors stand.
    pub(super) errors: Vec<Range<usize>>,
}

impl CallDraft {
    /// Reads the keys of a call, `call` itself being that item; `matcher` are the requests that it is made for.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        section: &Section<'_>,
        call: Option<Item<'_>>,
        matcher: Option<&Matcher>,
        file: &Defaults,
    ) -> CallDraft {
        let backend = NamedBackend::read(reader, section);
        let timeout = timeout::read(reader, section).unwrap_or(file.timeout);
        let stream = StreamLimits::read(reader, section, file.stream);
        let idempotent = retry::read_idempotent(reader, section);
        let idempotency_key = section
            .get(keys::IDEMPOTENCY_KEY.name)
            .and_then(|item| reader.boolean(&item))
            .unwrap_or_default();
        let fields = matcher.map(|matcher| matcher.path.params().to_vec()).unwrap_or_default();
        let RequestDraft { binding, types, bound } =
            bind::request(reader, section, fields, file.unknown_fields);
        if types.stream() {
            has_no_copies(reader, section);
        }
        let policy = file.call_policy(CallPolicy::read(reader, section));
        policy.rules.check_count(reader, section);
        let mut reply = ReplyDraft::read(reader, section, matcher);
        CallDraft {
            call: call.and_then(|item| call_ref::read(reader, &item)),
            backend,
            timeout,
            stream,
            mode: mode::read(reader, section, matcher).unwrap_or_default(),
            idempotent,
            idempotency_key,
            // With a key calls may run twice, whatever holds without.
            retry: retry::read(reader, section, timeout, idempotent.filter(|_| !idempotency_key)),
            policy,
            request: binding,
            body: types,
            bound,
            response: bind::response(reader, section, &mut reply, (file.int64, file.decimal)),
            reply: reply.reply,
            websocket: WebSocketSpec::read(reader, section, matcher),
            picked: reply.fields.places,
            errors: reply.errors,
        }
    }

    /// What it says of its replies, if anything.
    pub(super) fn reply(&self) -> Option<&ReplySpec> {
        self.reply.as_deref()
    }

    /// The call by requests of that method, with the backend that was found for it.
    pub(super) fn finish(self, method: Method, backend: String) -> Option<CallSpec> {
        Some(CallSpec {
            call: self.call?,
            backend,
            timeout: self.timeout,
            stream: self.stream,
            mode: self.mode,
            idempotent: retry::idempotent(self.idempotent, method),
            idempotency_key: self.idempotency_key,
            retry: self.retry,
            policy: self.policy,
            outside: self.request.bound.iter().map(Outside::of).collect(),
            request: self.request,
            body: self.body,
            response: self.response,
            reply: self.reply,
            websocket: self.websocket,
        })
    }
}

/// Reports a shadow of calls whose body is a stream: what is kept nowhere cannot be copied.
fn has_no_copies(reader: &mut Reader<'_>, section: &Section<'_>) {
    let Some(shadow) = section.get(keys::SHADOW.name) else { return };
    let title = "a body that is a stream cannot be copied to a shadow";
    let mut diagnostic = Diagnostic::new(title).at(reader.source, shadow.span(), "it is kept nowhere");
    if let Some(body) = section.get(keys::BODY.name) {
        diagnostic = diagnostic.at(reader.source, body.span(), "the stream");
    }
    reader.report(diagnostic.help("leave `shadow` out"));
}
