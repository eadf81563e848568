//! A failure as RFC 9457 problem details: the one envelope of all failures, wherever they come from.

use super::reply::{Content, Reply};
use crate::config::ErrorTypes;
use crate::failure::Failure;
use serde::Serialize;
use serde_json::value::RawValue;

/// The line of what is a problem.
const PROBLEM: &[u8] = b"content-type: application/problem+json\r\n";

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    reason: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
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

/// The reply that tells a failure. Errors that methods declare have URIs of those `types`.
pub(super) fn reply(failure: &Failure, types: &ErrorTypes, request_id: &str) -> Reply {
    with_status(failure, failure.status(), types, request_id)
}

/// The same with the status that its route gives it.
pub(super) fn with_status(failure: &Failure, status: u16, types: &ErrorTypes, request_id: &str) -> Reply {
    let content = Content::Full(body(failure, status, types, request_id));
    let mut reply = Reply { prepared: PROBLEM, content, ..Reply::empty(status) };
    if let Some(seconds) = failure.retry_after() {
        reply.field("retry-after", &seconds.to_string());
    }
    match failure {
        Failure::Unauthenticated(unknown) if unknown.reason().status() == 401 => {
            reply.field("www-authenticate", &unknown.www_authenticate())
        }
        Failure::Forbidden(forbidden) => {
            if let Some(challenge) = forbidden.www_authenticate() {
                reply.field("www-authenticate", &challenge);
            }
        }
        Failure::NotAcceptable(_) => reply.field("vary", "accept"),
        Failure::RangeNotSatisfiable(length) => reply.field("content-range", &format!("bytes */{length}")),
        _ => {}
    }
    if let Some((name, value)) = failure.instead() {
        reply.field(name, value);
    }
    reply
}

/// A failure with that status as problem details. The request may have no id.
pub(crate) fn body(failure: &Failure, status: u16, types: &ErrorTypes, request_id: &str) -> Vec<u8> {
    let of_error = failure.error().map(|error| types.uri(&error.method, &error.name));
    let entries = failure.violations().iter().map(|violation| Entry {
        pointer: &violation.pointer,
        detail: &violation.detail,
        line: violation.line,
        column: violation.column,
    });
    let body = Body {
        r#type: of_error.as_deref().unwrap_or("about:blank"),
        title: callgate_http1::phrase(status),
        status,
        detail: &failure.detail(),
        code: failure.code().name(),
        reason: failure.reason().name(),
        request_id,
        errors: entries.collect(),
        // Details that are no JSON stay outside: they must not break the reply.
        details: failure.details().and_then(|text| serde_json::from_str(text).ok()),
    };
    // Strings and numbers always serialize; an empty body would still carry the right status.
    serde_json::to_vec(&body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{DeclaredError, MethodFailure};
    use callgate_protocol::{Code, Status};
    use callgate_transcode::{Violation, ViolationKind};

    fn rendered(failure: &Failure) -> (u16, String, String) {
        let Reply { status, prepared, lines, content, .. } = reply(failure, &ErrorTypes::default(), "r1");
        assert_eq!(prepared, PROBLEM);
        let Content::Full(body) = content else { panic!("no body") };
        (status, String::from_utf8(lines).expect("text"), String::from_utf8(body).expect("text"))
    }

    #[test]
    fn a_failure_is_one_envelope_with_what_it_says_beside() {
        let violation = |pointer: &str, line| Violation {
            pointer: pointer.to_owned(),
            kind: ViolationKind::WrongType,
            detail: "expected an integer".to_owned(),
            line,
            column: line,
        };
        let declared = |details: Option<&str>| {
            let (method, name) = ("orders.place".into(), "Out of stock".to_owned());
            let error = DeclaredError { method, name, details: details.map(str::to_owned) };
            let status = Status::aborted("gone");
            Failure::Method(Box::new(MethodFailure { status, error: Some(Box::new(error)) }))
        };
        let method = |code| Failure::Method(Status::new(code, "gone").with_details("{\"a\": 1}").into());
        for (failure, status, lines, body) in [
            (
                Failure::NoRoute("/x".to_owned()),
                404,
                "",
                r#""title":"Not Found","status":404,"detail":"no route matches /x","code":"not_found","reason":"REASON","request_id":"r1"}"#,
            ),
            (
                Failure::WrongMethod { method: "PUT".to_owned(), allow: "GET, HEAD".to_owned() },
                405,
                "allow: GET, HEAD\r\n",
                r#""title":"Method Not Allowed","status":405,"detail":"PUT is not possible here; possible: GET, HEAD","code":"unimplemented","reason":"REASON","request_id":"r1"}"#,
            ),
            (
                Failure::UnsupportedMediaType {
                    given: Some("text/x".to_owned()),
                    takes: "a/b, c/*".to_owned(),
                },
                415,
                "accept: a/b, c/*\r\n",
                r#""title":"Unsupported Media Type","status":415,"detail":"the body must be one of a/b, c/*, not `text/x`","code":"invalid_argument","reason":"REASON","request_id":"r1"}"#,
            ),
            (
                Failure::UnsupportedEncoding("gzip, br, zstd"),
                415,
                "accept-encoding: gzip, br, zstd\r\n",
                r#""title":"Unsupported Media Type","status":415,"detail":"the body's Content-Encoding is not read; possible is one of gzip, br, zstd","code":"invalid_argument","reason":"REASON","request_id":"r1"}"#,
            ),
            (
                Failure::RateLimited { policy: "each".to_owned(), retry_after: 7 },
                429,
                "retry-after: 7\r\n",
                r#""title":"Too Many Requests","status":429,"detail":"too many requests: the limit each is used up; try again in 7 s","code":"resource_exhausted","reason":"REASON","request_id":"r1"}"#,
            ),
            (
                Failure::NoInstance,
                503,
                "retry-after: 1\r\n",
                r#""title":"Service Unavailable","status":503,"detail":"no instance of the service is available","code":"unavailable","reason":"REASON","request_id":"r1"}"#,
            ),
            (
                Failure::ClientGone,
                499,
                "",
                r#""title":"Client Closed Request","status":499,"detail":"the client has closed before the body was there","code":"cancelled","reason":"REASON","request_id":"r1"}"#,
            ),
            (
                Failure::Invalid(vec![violation("/a", Some(1)), violation("/b", None)]),
                400,
                "",
                r#""title":"Bad Request","status":400,"detail":"the request has 2 errors","code":"invalid_argument","reason":"REASON","request_id":"r1","errors":[{"pointer":"/a","detail":"expected an integer","line":1,"column":1},{"pointer":"/b","detail":"expected an integer"}]}"#,
            ),
            (
                method(Code::NotFound),
                404,
                "",
                r#""title":"Not Found","status":404,"detail":"gone","code":"not_found","reason":"REASON","request_id":"r1","details":{"a": 1}}"#,
            ),
            (
                declared(Some("{\"left\":0}")),
                409,
                "",
                r#""title":"Conflict","status":409,"detail":"gone","code":"aborted","reason":"REASON","request_id":"r1","details":{"left":0}}"#,
            ),
            (
                declared(None),
                409,
                "",
                r#""title":"Conflict","status":409,"detail":"gone","code":"aborted","reason":"REASON","request_id":"r1"}"#,
            ),
            (
                method(Code::Unavailable),
                503,
                "retry-after: 1\r\n",
                r#""title":"Service Unavailable","status":503,"detail":"gone","code":"unavailable","reason":"REASON","request_id":"r1","details":{"a": 1}}"#,
            ),
            (
                method(Code::Internal),
                500,
                "",
                r#""title":"Internal Server Error","status":500,"detail":"the method failed; the log has more under the request's id","code":"internal","reason":"REASON","request_id":"r1"}"#,
            ),
        ] {
            let of_error = "urn:callgate:error:orders.place/Out%20of%20stock";
            let of_type = if failure.error().is_some() { of_error } else { "about:blank" };
            let body = format!(r#"{{"type":"{of_type}",{body}"#).replace("REASON", failure.reason().name());
            assert_eq!(rendered(&failure), (status, lines.to_owned(), body));
        }
    }

    #[test]
    fn details_that_are_no_json_do_not_break_the_reply() {
        let failure = Failure::Method(Status::not_found("x").with_details("{").into());
        let (.., body) = rendered(&failure);
        assert!(!body.contains("details"), "{body}");
    }
}
