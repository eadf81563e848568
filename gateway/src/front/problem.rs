//! Failures as the client sees them: one envelope, RFC 9457 problem details, wherever the failure comes from.
//!
//! What a client may not see (the message of `unknown`, `internal` and `data_loss`, why a reply could not be read)
//! goes to the log with the request's id.

use crate::failure::Failure;
use crate::fields::Repeated;
use crate::telemetry::ShedReason;
use callgate_protocol::{Code, Status};
use callgate_transcode::Violation;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;

/// What clients are told of what they may not see.
const INTERNAL: &str = "an internal error; the log has more under the request's id";

/// A failure on its way to the client.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: Code,
    detail: String,
    errors: Vec<Violation>,
    details: Option<Box<RawValue>>,
    retry_after: Option<u64>,
    allow: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Entry<'a> {
    pointer: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
}

/// The HTTP status of a canonical code.
pub(crate) fn http_status(code: Code) -> StatusCode {
    match code {
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Problem {
    /// A failure of that code, with its usual status.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Problem {
        Problem {
            status: http_status(code),
            code,
            detail: detail.into(),
            errors: Vec::new(),
            details: None,
            retry_after: None,
            allow: None,
        }
    }

    /// No route has this path.
    pub(crate) fn no_route(path: &str) -> Problem {
        Problem::new(Code::NotFound, format!("no route matches {path}"))
    }

    /// The request names no host, or several.
    pub(crate) fn bad_host() -> Problem {
        Problem::new(Code::InvalidArgument, "a request must have one Host header")
    }

    /// The path exists with other methods.
    pub(crate) fn wrong_method(method: &str, allow: String) -> Problem {
        let detail = format!("{method} is not possible here; possible: {allow}");
        let problem = Problem::new(Code::Unimplemented, detail).with_status(StatusCode::METHOD_NOT_ALLOWED);
        Problem { allow: Some(allow), ..problem }
    }

    /// The body's type is not JSON.
    pub(crate) fn not_json(detail: String) -> Problem {
        Problem::new(Code::InvalidArgument, detail).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
    }

    /// The body is larger than `limit` bytes.
    pub(crate) fn too_large(limit: u64) -> Problem {
        let detail = format!("the request is larger than {limit} bytes");
        Problem::new(Code::ResourceExhausted, detail).with_status(StatusCode::PAYLOAD_TOO_LARGE)
    }

    /// A header that is to go along with the call does not fit there.
    pub(crate) fn headers_too_large(name: &str) -> Problem {
        let detail = format!("the header {name} is too large to go along with the call");
        Problem::new(Code::ResourceExhausted, detail).with_status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    }

    /// The body did not come in time.
    pub(crate) fn slow_body() -> Problem {
        let detail = "the request's body did not arrive in time";
        Problem::new(Code::DeadlineExceeded, detail).with_status(StatusCode::REQUEST_TIMEOUT)
    }

    /// A rate limit has no token left; there is one in so many seconds.
    pub(crate) fn rate_limited(policy: &str, seconds: u64) -> Problem {
        let detail = format!("too many requests: the limit {policy} is used up; try again in {seconds} s");
        Problem { retry_after: Some(seconds), ..Problem::new(Code::ResourceExhausted, detail) }
    }

    /// There are as many client connections as there may be.
    pub(super) fn full() -> Problem {
        unavailable("the gateway has as many connections as it can serve")
    }

    /// There are too many requests.
    pub(crate) fn shed(reason: ShedReason) -> Problem {
        unavailable(match reason {
            ShedReason::Route => "too many requests of this kind are open",
            ShedReason::AnswerMemory => {
                "the call has run, but the gateway holds as many long answers as it can"
            }
            ShedReason::Memory => "the gateway holds as many request bodies as it can",
            _ => "the service has more calls than it can serve",
        })
    }

    /// The same, answered with another status.
    fn with_status(self, status: StatusCode) -> Problem {
        Problem { status, ..self }
    }

    /// What a failed call looks like from outside; what may not be seen is logged.
    pub(crate) fn of(failure: Failure, request_id: &str, route: &str) -> Problem {
        match failure {
            Failure::Invalid(errors) => {
                let detail = match errors.as_slice() {
                    [one] => one.detail.clone(),
                    many => format!("the request has {} errors", many.len()),
                };
                Problem { errors, ..Problem::new(Code::InvalidArgument, detail) }
            }
            Failure::Field(detail) => Problem::new(Code::InvalidArgument, detail),
            Failure::TooLarge(limit) => Problem { ..Problem::too_large(limit) },
            Failure::Status(status) => Problem::of_status(status, request_id, route),
            Failure::Deadline => {
                Problem::new(Code::DeadlineExceeded, "the call took longer than its deadline")
            }
            Failure::NoInstance => unavailable("no instance of the service is available"),
            Failure::Draining => unavailable("every instance of the service is being drained"),
            Failure::Busy => unavailable("every instance of the service is busy"),
            Failure::Shed(reason) => Problem::shed(reason),
            Failure::RateLimited { policy, retry_after } => Problem::rate_limited(&policy, retry_after),
            Failure::Lost => unavailable("the connection to the service was lost while the call ran"),
            Failure::NotOffered => {
                Problem::new(Code::Unimplemented, "no instance of the service offers the method")
            }
            Failure::AnswerTooLong { bound, call, instance } => {
                tracing::error!(
                    request_id,
                    route,
                    call,
                    instance,
                    max_answer = bound,
                    "an answer is too long"
                );
                Problem::new(Code::Internal, INTERNAL)
            }
            Failure::Internal(error) => {
                tracing::error!(request_id, route, error, "a call failed inside");
                Problem::new(Code::Internal, INTERNAL)
            }
        }
    }

    fn of_status(status: Status, request_id: &str, route: &str) -> Problem {
        if matches!(status.code, Code::Unknown | Code::Internal | Code::DataLoss) {
            let (code, details) = (status.code.name(), status.details.as_deref().unwrap_or_default());
            tracing::error!(request_id, route, code, error = status.message, details, "the method failed");
            return Problem::new(status.code, "the method failed; the log has more under the request's id");
        }
        let retry_after = match (status.code, status.retry_after_ms) {
            (Code::Unavailable, ms) => Some(u64::from(ms.unwrap_or(1000)).div_ceil(1000)),
            (_, ms) => ms.map(|ms| u64::from(ms).div_ceil(1000)),
        };
        // Details that are no JSON stay outside: they must not break the answer.
        let details = status.details.and_then(|text| RawValue::from_string(text).ok());
        Problem { retry_after, details, ..Problem::new(status.code, status.message) }
    }

    /// The answer.
    pub(crate) fn into_response(self, request_id: &str) -> Response<Full<Bytes>> {
        let entries = self.errors.iter().map(|violation| Entry {
            pointer: &violation.pointer,
            detail: &violation.detail,
            line: violation.line,
            column: violation.column,
        });
        let body = Body {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Client Closed Request"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code.name(),
            request_id,
            errors: entries.collect(),
            details: self.details.as_deref(),
        };
        // Strings and numbers always serialize; an empty body would still carry the right status.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(allow) = self.allow.and_then(|methods| HeaderValue::from_str(&methods).ok()) {
            headers.insert(ALLOW, allow);
        }
        response
    }
}

impl From<Repeated<'_>> for Problem {
    fn from(repeated: Repeated<'_>) -> Problem {
        Problem::new(Code::InvalidArgument, repeated.detail())
    }
}

fn unavailable(detail: &str) -> Problem {
    Problem { retry_after: Some(1), ..Problem::new(Code::Unavailable, detail) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_map_to_the_agreed_statuses() {
        let expected = [
            (400, vec![Code::InvalidArgument, Code::FailedPrecondition, Code::OutOfRange]),
            (401, vec![Code::Unauthenticated]),
            (403, vec![Code::PermissionDenied]),
            (404, vec![Code::NotFound]),
            (409, vec![Code::AlreadyExists, Code::Aborted]),
            (429, vec![Code::ResourceExhausted]),
            (499, vec![Code::Cancelled]),
            (500, vec![Code::Unknown, Code::Internal, Code::DataLoss]),
            (501, vec![Code::Unimplemented]),
            (503, vec![Code::Unavailable]),
            (504, vec![Code::DeadlineExceeded]),
        ];
        let mut seen = 0;
        for (status, codes) in expected {
            for code in codes {
                assert_eq!(http_status(code).as_u16(), status, "{}", code.name());
                seen += 1;
            }
        }
        assert_eq!(seen, Code::ALL.len());
    }

    #[test]
    fn what_stays_inside_is_not_told() {
        for code in [Code::Internal, Code::Unknown, Code::DataLoss] {
            let problem = Problem::of(Failure::Status(Status::new(code, "secret")), "id", "/");
            assert!(!problem.detail.contains("secret"));
        }
    }

    #[test]
    fn details_that_are_no_json_do_not_break_the_answer() {
        let problem = Problem::of(Failure::Status(Status::not_found("x").with_details("{")), "id", "/");
        assert!(problem.details.is_none());
        let problem =
            Problem::of(Failure::Status(Status::not_found("x").with_details("{\"a\":1}")), "id", "/");
        assert!(problem.details.is_some());
    }
}
