//! How the admin port's replies are made.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Response, StatusCode};

/// A reply, which is there as a whole.
pub(super) type Reply = Response<Full<Bytes>>;

pub(super) fn wrong_method(allow: &'static str) -> Reply {
    let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, format!("possible: {allow}\n"));
    reply.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    reply
}

pub(super) fn text(status: StatusCode, body: String) -> Reply {
    typed(status, "text/plain; charset=utf-8", body)
}

pub(super) fn json(status: StatusCode, body: &serde_json::Value) -> Reply {
    typed(status, "application/json", format!("{body:#}\n"))
}

/// For a page that asks again and again.
pub(super) fn compact(body: &serde_json::Value) -> Reply {
    typed(StatusCode::OK, "application/json", body.to_string())
}

/// What is shown is of this moment, and may hold bytes of strangers, which no browser shall read as anything else.
pub(super) fn typed(status: StatusCode, content_type: &'static str, body: String) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body)));
    *reply.status_mut() = status;
    reply.headers_mut().extend([
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ]);
    reply
}
