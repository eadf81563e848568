//! A route's call: which method of which backend, within which time, and how HTTP becomes the method's fields.

use super::bind::{self, RequestDraft};
use super::body::BodyTypes;
use super::call_policy::CallPolicy;
use super::call_ref::{self, CallRef};
use super::call_spec::CallSpec;
use super::defaults::Defaults;
use super::diagnostics::Diagnostic;
use super::keys;
use super::matcher::Matcher;
use super::mode::{self, CallMode};
use super::outside::Outside;
use super::reader::{Item, Reader, Section};
use super::response::{ReplyDraft, ReplySpec};
use super::retry::{self, RetrySpec};
use super::route_backend::NamedBackend;
use super::stream_limits::StreamLimits;
use super::timeout;
use super::tool::{self, Refused, ToolSpec};
use super::websocket::WebSocketSpec;
use crate::method::Method;
use callgate_transcode::{RequestBinding, Response, ResponseBinding};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

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
    pub(super) tool: Option<Arc<ToolSpec>>,
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
        let call = call.and_then(|item| call_ref::read(reader, &item));
        let draft = CallDraft {
            tool: ToolSpec::read(reader, section, call.as_ref()),
            call,
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
        };
        tool::refuse(reader, section, draft.no_tool());
        draft
    }

    /// What of it does not go with a tool.
    fn no_tool(&self) -> impl Iterator<Item = Refused> {
        let of = |is: bool, key: &'static str, why| is.then_some(Refused { key, why });
        let body = of(!self.body.takes_json(), keys::BODY.name, "no JSON is read");
        let raw = matches!(self.response.shape, Response::Raw(_));
        let response = of(raw, keys::RESPONSE.name, "it is bytes");
        let websocket = of(self.websocket.is_some(), keys::WEBSOCKET.name, "its requests begin a WebSocket");
        body.into_iter().chain(response).chain(websocket)
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
            tool: self.tool,
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
