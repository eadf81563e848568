//! What a link is given to make a call: what it needs to know of the route, the request, and the time.

use super::body::Body;
use crate::config::{CallRef, ReplySpec, Rules};
use callgate_auth::Identity;
use callgate_protocol::Metadata;
use callgate_protocol::connection::NotSent;
use callgate_rules::Denied;
use callgate_transcode::{RequestBinding, ResponseBinding, Violation};
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A route, as links know it.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'r> {
    /// Which route this is: one that has changed is another.
    pub id: u64,
    /// Its place in what links keep by route. A route that takes another's place has another id.
    pub slot: usize,
    /// The method that it calls.
    pub call: &'r CallRef,
    /// How a request becomes the method's argument.
    pub request: &'r RequestBinding,
    /// How the method's result becomes a reply.
    pub response: &'r ResponseBinding,
    /// What else is said of replies; nothing as a rule.
    pub reply: Option<&'r Arc<ReplySpec>>,
    /// What must hold before a call is sent.
    pub rules: &'r Rules,
}

/// How long a call may stream, in tests.
#[cfg(test)]
pub const MAX_STREAM: Duration = Duration::from_secs(3600);

/// When a call is made, and when its reply must be there.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Now, or a moment ago.
    pub now: Instant,
    /// Later than that. What bounds of a call that streams, [`stream`](Self::stream) says.
    pub deadline: Instant,
    /// How long a call that streams may take, from its beginning to its last item. The deadline is then that of the first item of the
    /// reply. While the request streams, the deadline does not run; it has its time anew when the last item of that was sent.
    pub stream: Duration,
}

/// Told when all of a call was written to its connection's socket.
pub type OnWritten = Rc<dyn Fn()>;

/// What a call is made of.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The route that it is of.
    pub binding: Binding<'a>,
    /// The values of the path's parameters, decoded.
    pub path: &'a [Cow<'a, str>],
    /// The query's pairs, decoded.
    pub query: &'a [(Cow<'a, str>, Cow<'a, str>)],
    /// What headers, cookies and the connection give for the fields that the route binds.
    pub bound: &'a [Option<Cow<'a, str>>],
    /// The body.
    pub body: Body<'a>,
    /// What travels with it.
    pub metadata: Metadata<'a>,
    /// Who calls, where that is known.
    pub identity: Option<&'a Identity>,
    /// Told when all of it was written; then its method streams nothing.
    pub on_written: Option<&'a OnWritten>,
}

/// Why a call was not sent.
#[derive(Debug)]
pub enum Unsent {
    /// The instance does not offer the method, or the route does not fit it; then the link [says why](super::Link::misfit).
    NotOffered,
    /// The request's body is a stream that somebody has begun to read before.
    Spent,
    /// The request does not fit the method's schema.
    Invalid(Vec<Violation>),
    /// A rule of the route denies it.
    Denied(Box<Denied>),
    /// The request is larger than the instance accepts: the bound in bytes.
    TooLarge(u32),
    /// The instance has all the calls that it may have; another worker was faster.
    Full,
}

/// Why a request has no message that may be sent.
#[derive(Debug)]
pub(super) enum Refused {
    /// It does not fit the method's schema.
    Invalid(Vec<Violation>),
    /// A rule of the route denies it.
    Denied(Box<Denied>),
}

impl From<NotSent<Refused>> for Unsent {
    fn from(not_sent: NotSent<Refused>) -> Unsent {
        match not_sent {
            NotSent::Closed | NotSent::Full => Unsent::Full,
            NotSent::TooLong { most, .. } => Unsent::TooLarge(u32::try_from(most).unwrap_or(u32::MAX)),
            NotSent::Payload(Refused::Invalid(violations)) => Unsent::Invalid(violations),
            NotSent::Payload(Refused::Denied(denied)) => Unsent::Denied(denied),
        }
    }
}
