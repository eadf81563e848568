//! A request's body: read within its limits of size and time, or read past when it is refused.

use super::problem::Problem;
use crate::config::ServerSettings;
use callgate_protocol::Code;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, EXPECT, HeaderMap};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use tokio::time::timeout;

/// How much of a refused body is read past, in bytes.
const MAX_DISCARDED: usize = 64 * 1024 * 1024;

/// A body that is read once, however often its request is looked up.
pub(super) enum RequestBody {
    /// Not yet read, or refused before its end.
    Unread(Incoming),
    /// Read.
    Read(Bytes),
    /// It did not come, or not in time: there is nothing more to read.
    Broken,
}

impl RequestBody {
    /// A body that nothing was read of.
    pub(super) fn new(body: Incoming) -> RequestBody {
        RequestBody::Unread(body)
    }

    /// The body's bytes, within the limits, if it is JSON.
    pub(super) async fn read(
        &mut self,
        headers: &HeaderMap,
        server: &ServerSettings,
    ) -> Result<Bytes, Problem> {
        match self {
            RequestBody::Read(bytes) => return Ok(bytes.clone()),
            RequestBody::Unread(body) if body.is_end_stream() => {}
            RequestBody::Unread(body) => {
                check_type(headers)?;
                if body.size_hint().lower() > server.max_body {
                    return Err(Problem::too_large(server.max_body));
                }
                let limited = Limited::new(body, server.max_body as usize);
                match in_time(limited.collect(), server.body_timeout).await {
                    Some(Ok(collected)) => {
                        let bytes = collected.to_bytes();
                        *self = RequestBody::Read(bytes.clone());
                        return Ok(bytes);
                    }
                    Some(Err(error)) if error.is::<LengthLimitError>() => {
                        return Err(Problem::too_large(server.max_body));
                    }
                    Some(Err(error)) => {
                        *self = RequestBody::Broken;
                        return Err(Problem::new(
                            Code::InvalidArgument,
                            format!("the body cannot be read: {error}"),
                        ));
                    }
                    None => *self = RequestBody::Broken,
                }
            }
            RequestBody::Broken => {}
        }
        match self {
            RequestBody::Broken => Err(Problem::slow_body()),
            _ => Ok(Bytes::new()),
        }
    }

    /// Reads past a body that was refused, so that a client that is still sending it gets to see the answer: closing
    /// with bytes unread would reset the connection, and the answer with it. Says whether the end was reached; a client
    /// that sends on and on, or waits to be told to send (RFC 9110, 10.1.1), is left.
    pub(super) async fn discard(self, headers: &HeaderMap, server: &ServerSettings) -> bool {
        let mut body = match self {
            RequestBody::Read(_) => return true,
            RequestBody::Broken => return false,
            RequestBody::Unread(body) => body,
        };
        if body.is_end_stream() || headers.contains_key(EXPECT) {
            return body.is_end_stream();
        }
        let read_past = async {
            let mut discarded = 0;
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else { return false };
                discarded += frame.data_ref().map_or(0, Bytes::len);
                if discarded > MAX_DISCARDED {
                    return false;
                }
            }
            true
        };
        in_time(read_past, server.body_timeout).await.unwrap_or(false)
    }
}

/// Waits for a body. Most are there already, and those need no timer.
async fn in_time<F: Future>(body: F, limit: std::time::Duration) -> Option<F::Output> {
    let mut body = pin!(body);
    let at_once = poll_fn(|cx| match body.as_mut().poll(cx) {
        Poll::Ready(read) => Poll::Ready(Some(read)),
        Poll::Pending => Poll::Ready(None),
    });
    match at_once.await {
        Some(read) => Some(read),
        None => timeout(limit, body).await.ok(),
    }
}

/// Refuses bodies that are not JSON in UTF-8. A missing type is taken for JSON.
fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    if let Some(encoding) = headers.get(CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Err(Problem::not_json(
            "a compressed body is not accepted; leave Content-Encoding out".to_owned(),
        ));
    }
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let text = value.to_str().unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_json =
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    let charset_fits = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    if is_json && charset_fits {
        return Ok(());
    }
    Err(Problem::not_json(format!("the body must be application/json in UTF-8, not `{text}`")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn only_json_is_accepted() {
        let accepted =
            ["application/json", "Application/JSON; charset=UTF-8", "application/merge-patch+json"];
        for value in accepted {
            assert!(check_type(&headers(&[("content-type", value)])).is_ok(), "{value}");
        }
        for value in
            ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""]
        {
            assert!(check_type(&headers(&[("content-type", value)])).is_err(), "{value}");
        }
        assert!(check_type(&headers(&[])).is_ok());
        assert!(check_type(&headers(&[("content-encoding", "gzip")])).is_err());
    }
}
