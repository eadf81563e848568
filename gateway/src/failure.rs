//! What can go wrong with a request: found by the front, by a route's steps or by the call, and typed until the outermost layer
//! renders it for the client.
//!
//! A failure answers the same questions whatever it is: its [`Reason`] out of a closed list, its code and status, what the client may
//! read, and what the reply says beside (`Retry-After`, `Allow`). What the client may not read is for the log, which
//! [`Failure::log`] alone writes.

mod credentials;
mod method;
mod reason;
mod shed;
#[cfg(test)]
mod tests;
mod told;

pub use credentials::{Challenge, Flaw, Forbidden, Unauthenticated};
pub use method::{DeclaredError, MethodFailure};
pub use reason::{Reason, http_status};
pub use shed::ShedReason;

use callgate_http1::Refusal;
use callgate_protocol::{Code, Status};
use callgate_rules::Why;
use callgate_transcode::{Violation, ViolationKind};
use std::borrow::Cow;
use std::sync::Arc;

/// Why a request has no other reply.
#[derive(Debug)]
pub enum Failure {
    /// The head, or the body's chunks, are not HTTP/1.1: why.
    Refused(Refusal),
    /// A header that must have a single value has several: its name.
    RepeatedHeader(String),
    /// A header does not fit into what goes along with the call: its name.
    HeaderTooLarge(String),
    /// The time that the caller gives cannot be read: what its header must be.
    InvalidTimeout(&'static str),
    /// A text is not UTF-8: which one, as a sentence.
    NotUtf8(Cow<'static, str>),
    /// The lists of addresses do not let its client come.
    ClientNotAllowed,
    /// No route has that path.
    NoRoute(String),
    /// The path exists with other methods.
    WrongMethod {
        /// The request's.
        method: String,
        /// The value of `Allow`.
        allow: String,
    },
    /// A rewrite of that path has led to a path that no route has.
    RewriteUnmatched(String),
    /// A rewrite has led to another one, by that path.
    RewriteLoop(String),
    /// A segment of the path is `.` or `..`.
    DotSegment,
    /// The path can be read as that of another route, which asks something else of its clients.
    AmbiguousPath,
    /// The client speaks plain HTTP to a listener with TLS.
    PlainHttp,
    /// The connection's certificate does not cover that host.
    Misdirected(String),
    /// The route is for clients that have shown a certificate.
    NoClientCertificate,
    /// The caller is not known, and the route is for those that are.
    Unauthenticated(Box<Unauthenticated>),
    /// The caller is known, and lacks what the route requires.
    Forbidden(Box<Forbidden>),
    /// A rule of the route denies the request: the rule, and why.
    Denied(Box<(Box<str>, Why)>),
    /// There are more passwords to be verified than there may be.
    LoginsBusy,
    /// There are as many client connections as there may be.
    TooManyConnections,
    /// A rate limit has no token left.
    RateLimited {
        /// What the limit is called.
        policy: String,
        /// There is a token in so many seconds.
        retry_after: u64,
    },
    /// The route's requests begin WebSockets, and this one does not, or not so that it can be one.
    UpgradeRequired,
    /// A request for a WebSocket cannot begin one: why.
    MalformedHandshake(&'static str),
    /// No page of that origin may begin a WebSocket, or call tools, here.
    OriginNotAllowed(String),
    /// The client takes nothing that the route can say: the type of that.
    NotAcceptable(String),
    /// The client asks for a part of an answer that has none there: how many bytes it has.
    RangeNotSatisfiable(u64),
    /// The route does not read bodies of that type.
    UnsupportedMediaType {
        /// The body's, as it was sent; none where it has none.
        given: Option<String>,
        /// Those that it reads.
        takes: String,
    },
    /// The body's charset is not UTF-8: which one.
    UnsupportedCharset(String),
    /// The body has codings that are not read: those that are, as `Accept-Encoding` lists them.
    UnsupportedEncoding(&'static str),
    /// The body is not what its coding says: which one.
    MalformedEncoding(&'static str),
    /// The body is no form, though its type says so: why.
    MalformedForm(&'static str),
    /// The body is larger than so many bytes.
    BodyTooLarge(u64),
    /// The body did not arrive in time.
    BodyTimeout,
    /// The client has closed before its body was there.
    ClientGone,
    /// The request does not fit the method: one violation or more.
    Invalid(Vec<Violation>),
    /// The request is larger than the instance accepts: the bound in bytes.
    MessageTooLarge(u64),
    /// The method failed, or the instance refused the call.
    Method(Box<MethodFailure>),
    /// The time was up.
    Deadline,
    /// No instance is there; a retry may help. The call has not run, or may run again.
    NoInstance,
    /// Every instance is being drained; a retry may help once one is taken back.
    Draining,
    /// All instances are at their bound of calls in flight; a retry may help.
    Busy,
    /// There are too many calls; a retry may help.
    Shed(ShedReason),
    /// The connection was lost while the call ran; it may have run.
    Lost,
    /// No instance offers the method.
    NotOffered {
        /// One names it; what is wrong with its schema.
        unusable: Option<Arc<str>>,
    },
    /// The reply would become a longer answer than there may be.
    AnswerTooLong {
        /// The bound in bytes.
        bound: u64,
        /// The method.
        call: String,
        /// Which instance has answered so.
        instance: String,
    },
    /// The reply had begun, and no item of it has gone to the client for too long.
    StreamIdle,
    /// The reply had begun, and has more bytes than these.
    StreamTooLong(u64),
    /// The reply had begun, and the gateway ends, or another one serves in its place.
    Leaving,
    /// The route's fields do not fit the method: how.
    Misfit(String),
    /// The reply is no value of its schema: whose, and why.
    BadReply(String),
    /// A fault of the gateway's own.
    Internal(String),
}

impl Failure {
    /// The query cannot be read as text.
    pub fn query_not_utf8() -> Failure {
        Failure::Invalid(vec![Violation {
            pointer: String::new(),
            kind: ViolationKind::NotUtf8,
            detail: "the query is not UTF-8 after percent-decoding".to_owned(),
            line: None,
            column: None,
        }])
    }

    /// Why it fails. Of several violations the first one counts.
    pub fn reason(&self) -> Reason {
        match self {
            Failure::Refused(refusal) => of_refusal(*refusal),
            Failure::RepeatedHeader(_) => Reason::RepeatedHeader,
            Failure::HeaderTooLarge(_) => Reason::HeaderTooLarge,
            Failure::InvalidTimeout(_) => Reason::InvalidTimeout,
            Failure::NotUtf8(_) => Reason::NotUtf8,
            Failure::ClientNotAllowed => Reason::ClientNotAllowed,
            Failure::NoRoute(_) => Reason::NoRoute,
            Failure::WrongMethod { .. } => Reason::WrongMethod,
            Failure::RewriteUnmatched(_) => Reason::RewriteUnmatched,
            Failure::RewriteLoop(_) => Reason::RewriteLoop,
            Failure::DotSegment => Reason::DotSegment,
            Failure::AmbiguousPath => Reason::AmbiguousPath,
            Failure::PlainHttp => Reason::PlainHttp,
            Failure::Misdirected(_) => Reason::Misdirected,
            Failure::NoClientCertificate => Reason::NoClientCertificate,
            Failure::Unauthenticated(unknown) => unknown.reason(),
            Failure::Forbidden(forbidden) if forbidden.scopes.is_some() => Reason::InsufficientScope,
            Failure::Forbidden(_) => Reason::InsufficientClaims,
            Failure::Denied(_) => Reason::DeniedByRule,
            Failure::LoginsBusy => Reason::LoginsBusy,
            Failure::TooManyConnections => Reason::TooManyConnections,
            Failure::RateLimited { .. } => Reason::RateLimited,
            Failure::UpgradeRequired => Reason::UpgradeRequired,
            Failure::MalformedHandshake(_) => Reason::MalformedHandshake,
            Failure::OriginNotAllowed(_) => Reason::OriginNotAllowed,
            Failure::NotAcceptable(_) => Reason::NotAcceptable,
            Failure::RangeNotSatisfiable(_) => Reason::RangeNotSatisfiable,
            Failure::UnsupportedMediaType { .. } => Reason::UnsupportedMediaType,
            Failure::UnsupportedCharset(_) => Reason::UnsupportedCharset,
            Failure::UnsupportedEncoding(_) => Reason::UnsupportedEncoding,
            Failure::MalformedEncoding(_) => Reason::MalformedEncoding,
            Failure::MalformedForm(_) => Reason::MalformedForm,
            Failure::BodyTooLarge(_) => Reason::BodyTooLarge,
            Failure::BodyTimeout => Reason::BodyTimeout,
            Failure::ClientGone => Reason::ClientGone,
            Failure::Invalid(violations) => violations.first().map_or(Reason::InvalidValue, of_violation),
            Failure::MessageTooLarge(_) => Reason::MessageTooLarge,
            Failure::Method(failure) => of_method(&failure.status),
            Failure::Deadline => Reason::Deadline,
            Failure::NoInstance => Reason::NoInstance,
            Failure::Draining => Reason::Draining,
            Failure::Busy => Reason::Busy,
            Failure::Shed(reason) => reason.reason(),
            Failure::Lost => Reason::Lost,
            Failure::NotOffered { .. } => Reason::NotOffered,
            Failure::AnswerTooLong { .. } => Reason::AnswerTooLong,
            Failure::StreamIdle => Reason::StreamIdle,
            Failure::StreamTooLong(_) => Reason::StreamTooLong,
            Failure::Leaving => Reason::Leaving,
            Failure::Misfit(_) => Reason::Misfit,
            Failure::BadReply(_) => Reason::BadReply,
            Failure::Internal(_) => Reason::Internal,
        }
    }

    /// Its canonical code.
    pub fn code(&self) -> Code {
        match self {
            Failure::Method(failure) => failure.status.code,
            _ => self.reason().code(),
        }
    }

    /// Its HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Failure::Method(failure) => http_status(failure.status.code),
            Failure::Refused(refusal) => refusal.status(),
            _ => self.reason().status(),
        }
    }

    /// Each place where the request itself is wrong.
    pub fn violations(&self) -> &[Violation] {
        match self {
            Failure::Invalid(violations) => violations,
            _ => &[],
        }
    }

    /// The method's own error, where it is one that the method declares.
    pub fn error(&self) -> Option<&DeclaredError> {
        match self {
            Failure::Method(failure) if !failure.is_hidden() => failure.error.as_deref(),
            _ => None,
        }
    }

    /// What the method says for programs: text that should be JSON, which nobody may have checked.
    pub fn details(&self) -> Option<&str> {
        match self {
            Failure::Method(failure) if !failure.is_hidden() => failure.details(),
            _ => None,
        }
    }

    /// When a retry makes sense, in seconds from now (`Retry-After`).
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Failure::RateLimited { retry_after, .. } => Some(*retry_after),
            Failure::Method(failure) if failure.is_hidden() => None,
            Failure::Method(failure) => match failure.status.retry_after_ms {
                Some(ms) => Some(u64::from(ms).div_ceil(1000)),
                None => self.retry_in_general(),
            },
            _ => self.retry_in_general(),
        }
    }

    /// When it makes sense where nobody has said it, in seconds from now.
    fn retry_in_general(&self) -> Option<u64> {
        (self.code() == Code::Unavailable).then_some(1)
    }

    /// The header that says what is possible instead, and its value.
    pub fn instead(&self) -> Option<(&'static str, &str)> {
        match self {
            Failure::WrongMethod { allow, .. } => Some(("allow", allow)),
            Failure::UpgradeRequired => Some(("sec-websocket-version", "13")),
            Failure::UnsupportedMediaType { takes, .. } => Some(("accept", takes)),
            Failure::UnsupportedEncoding(codings) => Some(("accept-encoding", codings)),
            _ => None,
        }
    }

    /// Whether the call may have been turned away because there was too much to do, or had no time left.
    pub fn is_excess(&self) -> bool {
        matches!(self, Failure::Shed(_) | Failure::Busy | Failure::Deadline)
    }

    /// Whether nobody is there to run the call: another backend, or another table, may help.
    pub fn is_absence(&self) -> bool {
        matches!(self, Failure::NoInstance | Failure::Draining | Failure::NotOffered { .. })
    }
}

fn of_method(status: &Status) -> Reason {
    match status.code {
        Code::Unavailable if status.not_executed => Reason::Refused,
        // The instance's clock runs out at the same time as ours.
        Code::DeadlineExceeded => Reason::Deadline,
        _ => Reason::MethodFailed,
    }
}

fn of_refusal(refusal: Refusal) -> Reason {
    match refusal {
        Refusal::TooManyFields | Refusal::HeadTooLarge => Reason::HeadTooLarge,
        Refusal::TargetTooLong => Reason::UriTooLong,
        Refusal::NoHost | Refusal::SeveralHosts | Refusal::Host | Refusal::HostMismatch => Reason::BadHost,
        Refusal::UnknownMethod | Refusal::Connect | Refusal::TransferCoding => Reason::NotImplemented,
        Refusal::UnknownVersion | Refusal::HttpTwo => Reason::UnsupportedVersion,
        Refusal::Expect => Reason::UnknownExpectation,
        Refusal::ChunkSize | Refusal::ChunkExtension | Refusal::ChunkEnd => Reason::MalformedChunks,
        Refusal::TrailersTooLarge => Reason::TrailersTooLarge,
        _ => Reason::MalformedHead,
    }
}

fn of_violation(violation: &Violation) -> Reason {
    match violation.kind {
        ViolationKind::NotUtf8 => Reason::NotUtf8,
        ViolationKind::MalformedJson => Reason::MalformedJson,
        ViolationKind::TooDeep => Reason::NestedTooDeep,
        ViolationKind::TooLarge => Reason::ValueTooLarge,
        ViolationKind::UnknownField => Reason::UnknownField,
        ViolationKind::MissingField => Reason::MissingField,
        ViolationKind::DuplicateField => Reason::DuplicateField,
        ViolationKind::UnexpectedBody => Reason::UnexpectedBody,
        ViolationKind::WrongType => Reason::WrongType,
        ViolationKind::OutOfRange => Reason::ValueOutOfRange,
        ViolationKind::UnknownVariant => Reason::UnknownVariant,
        ViolationKind::InvalidValue => Reason::InvalidValue,
        ViolationKind::Constraint => Reason::Constraint,
    }
}
