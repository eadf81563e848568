//! One request and its reply, whole.

use crate::config::HttpUrl;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Method};
use std::fmt;
use std::time::Duration;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Its header fields. `Host`, `User-Agent` and the body's length are put beside.
    pub fields: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// What a reply may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How long all of it may take, with connecting.
    pub time: Duration,
    /// How long its body may be, in bytes.
    pub body: usize,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its header fields.
    pub fields: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Why there is no reply. The words are for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// There is no connection.
    Unreachable(String),
    /// It did not come in time.
    TimedOut,
    /// It was longer than it may be.
    TooLong,
    /// It was no HTTP, or was cut.
    Broken(String),
}

impl Request {
    /// One that fetches what is there.
    pub fn get() -> Request {
        Request { method: Method::GET, fields: HeaderMap::new(), body: Bytes::new() }
    }
}

impl Reply {
    /// What the only line of a header says; nothing where it says nothing.
    ///
    /// # Errors
    ///
    /// It is there twice, or is not UTF-8, in words for people.
    pub fn one(&self, name: &str) -> Result<Option<&str>, &'static str> {
        let mut all = self.fields.get_all(name).iter();
        match (all.next(), all.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => {
                let text = std::str::from_utf8(value.as_bytes()).map_err(|_| "is not UTF-8")?;
                Ok(Some(text.trim()).filter(|text| !text.is_empty()))
            }
            (Some(_), Some(_)) => Err("is there twice"),
        }
    }

    /// All lines of a header that is a list, if they are visible ASCII.
    pub fn list(&self, name: &HeaderName) -> Option<String> {
        let lines = self.fields.get_all(name).iter().map(|value| value.to_str());
        Some(lines.collect::<Result<Vec<_>, _>>().ok()?.join(", "))
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failed::Unreachable(why) => write!(f, "it cannot be connected to: {why}"),
            Failed::TimedOut => f.write_str("it has not answered in time"),
            Failed::TooLong => f.write_str("its answer is too long"),
            Failed::Broken(why) => write!(f, "its answer is broken: {why}"),
        }
    }
}

/// Sends a request and takes its reply, in as long as that takes.
pub(super) async fn exchange(
    send: &mut SendRequest<Full<Bytes>>,
    url: &HttpUrl,
    request: Request,
    bounds: &Bounds,
) -> Result<Reply, Failed> {
    let (head, body) = head(send, url, request).await?.into_parts();
    let broken = |error: &dyn std::error::Error| Failed::Broken(error.to_string());
    let body = Limited::new(body, bounds.body)
        .collect()
        .await
        .map_err(|error| if error.is::<LengthLimitError>() { Failed::TooLong } else { broken(&*error) })?;
    Ok(Reply { status: head.status.as_u16(), fields: head.headers, body: body.to_bytes() })
}

/// Sends a request and takes the head of its reply, in as long as that takes.
pub(super) async fn head(
    send: &mut SendRequest<Full<Bytes>>,
    url: &HttpUrl,
    request: Request,
) -> Result<hyper::Response<Incoming>, Failed> {
    let Request { method, fields, body } = request;
    let broken = |error: &dyn std::error::Error| Failed::Broken(error.to_string());
    let mut request = hyper::Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = url.target().parse().map_err(|error| broken(&error))?;
    *request.headers_mut() = fields;
    let host = HeaderValue::from_str(url.authority()).map_err(|error| broken(&error))?;
    request.headers_mut().insert(HOST, host);
    request.headers_mut().entry(USER_AGENT).or_insert(HeaderValue::from_static("callgate"));
    send.send_request(request).await.map_err(|error| broken(&error))
}
