//! Who is told what of a failure: the client what it may read, and the log the rest, under the request's id.

use super::{Failure, Reason};
use std::borrow::Cow;

/// What clients are told of what they may not see.
const INTERNAL: &str = "an internal error; the log has more under the request's id";

impl Failure {
    /// What the client may read of it, in a sentence without a full stop.
    pub fn detail(&self) -> Cow<'_, str> {
        let text = match self {
            Failure::Refused(refusal) => refusal.detail().trim_end_matches('.'),
            Failure::RepeatedHeader(name) => {
                return format!("the header {name} must have a single value, and has several").into();
            }
            Failure::HeaderTooLarge(name) => {
                return format!("the header {name} is too large to go along with the call").into();
            }
            Failure::InvalidTimeout(must) => must,
            Failure::NotUtf8(what) => what,
            Failure::ClientNotAllowed => "clients of this address are not allowed here",
            Failure::NoRoute(path) | Failure::RewriteUnmatched(path) => {
                return format!("no route matches {path}").into();
            }
            Failure::WrongMethod { method, allow } => {
                return format!("{method} is not possible here; possible: {allow}").into();
            }
            Failure::DotSegment => {
                "a segment of the path is `.` or `..`, which clients resolve before they send"
            }
            Failure::AmbiguousPath => {
                "the path can be read in more than one way here: send it without needless percent-encoding, slashes, dots and capitals"
            }
            Failure::PlainHttp => "this port speaks TLS, and the request has come without: use https",
            Failure::Misdirected(host) => {
                return format!(
                    "the certificate of this connection is not one for {host}: use another connection"
                )
                .into();
            }
            Failure::NoClientCertificate => "this needs a client certificate, and the connection has none",
            Failure::Unauthenticated(unknown) => match unknown.reason() {
                Reason::NoCredentials => "this is for callers who show who they are",
                Reason::AuthUnavailable => "nobody can say now who the caller is; try again",
                Reason::CallerRefused => "the caller may not do this",
                _ => "what the caller has shown is not accepted",
            },
            Failure::Forbidden(_) | Failure::Denied(_) => "the caller may not do this",
            Failure::LoginsBusy => "too many callers show a password at once; try again",
            Failure::TooManyConnections => "the gateway has as many connections as it can serve",
            Failure::RateLimited { policy, retry_after } => {
                return format!(
                    "too many requests: the limit {policy} is used up; try again in {retry_after} s"
                )
                .into();
            }
            Failure::UpgradeRequired => {
                "this is a WebSocket: ask by HTTP/1.1, with Upgrade: websocket, Connection: Upgrade and Sec-WebSocket-Version: 13"
            }
            Failure::MalformedHandshake(why) => why,
            Failure::OriginNotAllowed(origin) => {
                return format!("pages of {origin} may not ask this here").into();
            }
            Failure::NotAcceptable(media_type) => {
                return format!("this is answered in {media_type}, which Accept does not take").into();
            }
            Failure::RangeNotSatisfiable(length) => {
                return format!("the answer has {length} bytes, and none where Range asks for some").into();
            }
            Failure::UnsupportedMediaType { given, takes } => {
                let one = if takes.contains(',') { "one of " } else { "" };
                return match given {
                    Some(given) => format!("the body must be {one}{takes}, not `{given}`").into(),
                    None => format!("the body must be {one}{takes}, and has no Content-Type").into(),
                };
            }
            Failure::UnsupportedCharset(charset) => {
                return format!("the body must be in UTF-8, not in `{charset}`").into();
            }
            Failure::UnsupportedEncoding("identity") => {
                "a compressed body is not accepted; leave Content-Encoding out"
            }
            Failure::UnsupportedEncoding(codings) => {
                return format!("the body's Content-Encoding is not read; possible is one of {codings}")
                    .into();
            }
            Failure::MalformedEncoding(coding) => {
                return format!("the body is not the {coding} that its Content-Encoding says").into();
            }
            Failure::MalformedForm(why) => return format!("the form cannot be read: {why}").into(),
            Failure::BodyTooLarge(limit) | Failure::MessageTooLarge(limit) => {
                return format!("the request is larger than {limit} bytes").into();
            }
            Failure::BodyTimeout => "the request's body did not arrive in time",
            Failure::ClientGone => "the client has closed before the body was there",
            Failure::Invalid(violations) => match violations.as_slice() {
                [one] => &one.detail,
                many => return format!("the request has {} errors", many.len()).into(),
            },
            Failure::Method(failure) if failure.is_hidden() => {
                "the method failed; the log has more under the request's id"
            }
            Failure::Method(failure) => &failure.status.message,
            Failure::Deadline => "the call took longer than its deadline",
            Failure::NoInstance => "no instance of the service is available",
            Failure::Draining => "every instance of the service is being drained",
            Failure::Busy => "every instance of the service is busy",
            Failure::Shed(reason) => reason.detail(),
            Failure::Lost => "the connection to the service was lost while the call ran",
            Failure::NotOffered { unusable: None } => "no instance of the service offers the method",
            Failure::NotOffered { unusable: Some(_) } => {
                "no instance of the service offers the method with a schema that can be used; the log has more under the request's id"
            }
            Failure::StreamIdle => "no item of the stream has come in time",
            Failure::StreamTooLong(most) => {
                return format!("the stream has more than {most} bytes").into();
            }
            Failure::Leaving => "the gateway is about to stop; ask again, and another one goes on",
            Failure::RewriteLoop(_) | Failure::AnswerTooLong { .. } => INTERNAL,
            Failure::Misfit(_) | Failure::BadReply(_) | Failure::Internal(_) => INTERNAL,
        };
        Cow::Borrowed(text)
    }

    /// What more is known of it in a few words that are no secret and hold nothing of what the client has sent, for the access log.
    pub fn why(&self) -> Option<Cow<'_, str>> {
        match self {
            Failure::Unauthenticated(unknown) => {
                unknown.bad.as_ref().map(|(_, flaw)| Cow::Borrowed(flaw.name()))
            }
            Failure::Denied(denied) => Some(Cow::Borrowed(&denied.0)),
            Failure::RateLimited { policy, .. } => Some(Cow::Borrowed(policy)),
            Failure::Refused(refusal) => Some(Cow::Borrowed(refusal.name())),
            Failure::NotOffered { unusable } => unusable.as_deref().map(Cow::Borrowed),
            Failure::Method(failure) => Some(match &failure.error {
                Some(error) => Cow::Borrowed(&error.name),
                None => Cow::Borrowed(failure.status.code.name()),
            }),
            // Where it is wrong, and no values.
            _ => match self.violations() {
                [] => None,
                [one] => Some(Cow::Borrowed(&one.pointer)),
                [first, rest @ ..] => Some(format!("{} and {} more", first.pointer, rest.len()).into()),
            },
        }
    }

    /// Tells the log that a reply has no end, because its call has failed after its head was sent: the client cannot be told why.
    pub fn log_broken_off(&self, request_id: &str, route: &str) {
        self.log(request_id, route);
        let (reason, error) = (self.reason().name(), self.detail());
        if let Failure::Leaving = self {
            // Nothing has gone wrong, and there may be many.
            tracing::debug!(request_id, route, reason, "a stream has ended because the gateway leaves");
            return;
        }
        tracing::warn!(request_id, route, reason, %error, "a reply broke off after its head");
    }

    /// Tells the log that a call has failed of which nobody hears: its client was told that it is on its way, or has gone.
    pub fn log_unheard(&self, request_id: &str, route: &str) {
        self.log(request_id, route);
        let (reason, error) = (self.reason().name(), self.detail());
        tracing::warn!(request_id, route, reason, %error, "a call failed for which nobody waits");
    }

    /// Tells the log what the client may not see, under the request's id.
    pub fn log(&self, request_id: &str, route: &str) {
        let reason = self.reason().name();
        match self {
            Failure::AnswerTooLong { bound: max_answer, call, instance } => {
                tracing::error!(
                    request_id,
                    route,
                    reason,
                    call,
                    instance,
                    max_answer,
                    "an answer is too long"
                );
            }
            Failure::Unauthenticated(unknown) => {
                let Some((authenticator, flaw)) = &unknown.bad else { return };
                let flaw = flaw.name();
                tracing::info!(
                    request_id,
                    route,
                    reason,
                    authenticator = &**authenticator,
                    flaw,
                    "a caller was not let in"
                );
            }
            Failure::Forbidden(forbidden) => {
                let (authenticator, identity) = &forbidden.identity;
                let (authenticator, identity) = (&**authenticator, &**identity);
                tracing::info!(
                    request_id,
                    route,
                    reason,
                    authenticator,
                    identity,
                    "a caller may not do what it asks for"
                );
            }
            Failure::Denied(denied) => {
                let (rule, why) = &**denied;
                tracing::info!(request_id, route, reason, rule = &**rule, %why, "a rule denies a request");
            }
            Failure::RewriteLoop(to) => {
                tracing::error!(request_id, route, reason, to, "a rewrite has led to a rewrite");
            }
            Failure::Misfit(error) | Failure::BadReply(error) | Failure::Internal(error) => {
                tracing::error!(request_id, route, reason, error, "a call failed inside");
            }
            Failure::NotOffered { unusable: Some(error) } => {
                let error = &**error;
                tracing::error!(request_id, route, reason, error, "a method's schema cannot be used");
            }
            Failure::Method(failure) if failure.is_hidden() => {
                let (code, error) = (failure.status.code.name(), &failure.status.message);
                let declared = failure.error.as_ref().map(|error| &*error.name);
                let details = failure.details().unwrap_or_default();
                tracing::error!(
                    request_id,
                    route,
                    reason,
                    code,
                    declared,
                    error,
                    details,
                    "the method failed"
                );
            }
            Failure::Refused(refusal) => {
                let (refusal, section) = (refusal.name(), refusal.section());
                tracing::info!(
                    request_id,
                    route,
                    reason,
                    refusal,
                    section,
                    "what a client sent is not HTTP/1.1"
                );
            }
            _ => {}
        }
    }
}
