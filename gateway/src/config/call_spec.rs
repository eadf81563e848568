//! What the calls of a route or of an authenticator are, checked: which method of which backend, within which time, and how HTTP becomes
//! the method's fields.

use super::body::BodyTypes;
use super::call_policy::CallPolicy;
use super::call_ref::CallRef;
use super::mode::CallMode;
use super::outside::Outside;
use super::response::ReplySpec;
use super::retry::RetrySpec;
use super::stream_limits::StreamLimits;
use super::tool::ToolSpec;
use super::websocket::WebSocketSpec;
use callgate_transcode::{FieldSource, RequestBinding, ResponseBinding};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// What calls are.
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
    /// Agents can call it as that tool.
    pub tool: Option<Arc<ToolSpec>>,
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
