//! hyper reads the same bytes: what we accept, it accepts with the same boundaries, but for a list of differences.

use super::drive::{Conversation, End, Message, whole};
use callgate_http1::Version;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;
use tokio::io::AsyncWriteExt;

/// A request as hyper read it.
#[derive(Clone, Debug)]
struct Seen {
    head: Head,
    body: Vec<u8>,
    ended: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Head {
    method: String,
    path: String,
    query: Option<String>,
    version: Version,
    /// Names in lower case, sorted: hyper keeps lines of one name together.
    fields: Vec<(String, Vec<u8>)>,
}

/// Where hyper and we differ, and why we do.
pub(crate) struct Difference {
    pub(crate) why: &'static str,
    /// Whether it may be after this request of ours.
    is: fn(&Message) -> bool,
    /// Bytes that show it.
    pub(crate) shown_by: &'static [&'static [u8]],
}

/// What hyper refuses and we accept.
pub(crate) const WE_ACCEPT: &[Difference] = &[Difference {
    why: "a host may have percent-encoding (RFC 3986, 3.2.2); http::Uri takes none in a target of absolute-form",
    is: |message| message.host.as_ref().is_some_and(|host| host.contains('%')),
    shown_by: &[b"GET http://%41/ HTTP/1.1\r\nHost: %41\r\n\r\n"],
}];

/// After which requests hyper goes on reading, or stops, and we do not.
pub(crate) const CONNECTIONS: &[Difference] = &[Difference {
    why: "hyper finds no option in a line of Connection that has obs-text",
    is: |message| connection(message).iter().any(|line| !line.is_ascii()),
    shown_by: &[
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, \xff\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.0\r\nConnection: keep-alive, \xff\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    ],
}];

fn connection(message: &Message) -> Vec<&[u8]> {
    let named = message.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
    named.map(|(_, value)| &value[..]).collect()
}

/// What differs between us and hyper, in words, but for what is listed.
pub(crate) fn difference(bytes: &[u8]) -> Option<String> {
    // HTTP/1.2 and later are 1.1 to us (RFC 9112, 2.3) and nothing to hyper.
    let bytes = later_versions_as_one(bytes);
    between(&whole(&bytes), &bytes, true)
}

/// What differs between a conversation and what hyper reads of these bytes; `listed` differences are none.
pub(crate) fn between(ours: &Conversation, bytes: &[u8], listed: bool) -> Option<String> {
    let theirs = hyper_reads(bytes);
    let difference = first_difference(ours, &theirs, listed)?;
    Some(format!("{difference}\nbytes: {}\nours: {ours:#?}\ntheirs: {theirs:#?}", bytes.escape_ascii()))
}

fn first_difference(ours: &Conversation, theirs: &[Seen], listed: bool) -> Option<String> {
    for (at, message) in ours.messages.iter().enumerate() {
        let Some(seen) = theirs.get(at) else {
            let before = at.checked_sub(1).map(|before| &ours.messages[before]);
            let ended = before.is_some_and(|before| excused(CONNECTIONS, listed, before));
            return (!ended && !excused(WE_ACCEPT, listed, message))
                .then(|| format!("hyper does not accept request {at}"));
        };
        let head = head_of(message);
        if seen.head != head {
            return Some(format!("request {at} has another head: {head:?}"));
        }
        if message.ended && !(seen.ended && seen.body == message.body) {
            return Some(format!("request {at} has another body"));
        }
        if ours.end == End::Body && !message.ended && (seen.ended || !message.body.starts_with(&seen.body)) {
            return Some(format!("the body of request {at} ends for hyper, or differs"));
        }
    }
    let more = theirs.len() > ours.messages.len();
    let refused = matches!(ours.end, End::Refused(_));
    let excused = ours
        .messages
        .last()
        .is_some_and(|last| ours.end == End::Closed && excused(CONNECTIONS, listed, last));
    (more && !refused && !excused).then(|| "hyper accepts more requests".to_owned())
}

fn excused(list: &[Difference], listed: bool, message: &Message) -> bool {
    listed && list.iter().any(|difference| (difference.is)(message))
}

fn later_versions_as_one(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 7..bytes.len() {
        if bytes[..at].ends_with(b"HTTP/1.") && (b'2'..=b'9').contains(&bytes[at]) {
            bytes[at] = b'1';
        }
    }
    bytes
}

fn head_of(message: &Message) -> Head {
    let lower = |(name, value): &(String, Vec<u8>)| (name.to_ascii_lowercase(), value.clone());
    let mut fields: Vec<_> = message.fields.iter().map(lower).collect();
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    Head {
        method: message.method.clone(),
        path: message.path.clone(),
        query: message.query.clone(),
        version: message.version,
        fields,
    }
}

/// The requests that hyper hands to its service, on a connection that the client closes behind these bytes.
fn hyper_reads(bytes: &[u8]) -> Vec<Seen> {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
    }
    let seen = Rc::new(RefCell::new(Vec::new()));
    let service = service_fn(|request| see(Rc::clone(&seen), request));
    RUNTIME.with(|runtime| {
        runtime.block_on(async {
            let (mut client, server) = tokio::io::duplex(4 * 1024 * 1024);
            client.write_all(bytes).await.expect("the pipe is large enough");
            client.shutdown().await.expect("the pipe is open");
            let connection = hyper::server::conn::http1::Builder::new()
                .half_close(true)
                .serve_connection(TokioIo::new(server), service);
            // Its error says that it refused something; what it accepted is what counts.
            let _ = connection.await;
        });
    });
    seen.take()
}

async fn see(
    seen: Rc<RefCell<Vec<Seen>>>,
    request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (parts, mut body) = request.into_parts();
    let mut fields: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    let head = Head {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        version: if parts.version == hyper::Version::HTTP_10 { Version::Http10 } else { Version::Http11 },
        fields,
    };
    let at = seen.borrow().len();
    seen.borrow_mut().push(Seen { head, body: Vec::new(), ended: false });
    loop {
        match body.frame().await {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    seen.borrow_mut()[at].body.extend_from_slice(&data);
                }
            }
            Some(Err(_)) => break,
            None => {
                seen.borrow_mut()[at].ended = true;
                break;
            }
        }
    }
    Ok(Response::new(Empty::new()))
}
