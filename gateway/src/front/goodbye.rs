//! What a newcomer is told for whom there is no room: 503 with `Retry-After`, and the end of the connection.
//!
//! The reply must reach the client. One that has not yet sent its request may take a reply for nonsense, and bytes that
//! are unread when the socket is closed have the system reset the connection, and the reply with it. So a newcomer has a
//! moment to send its request, and is read past for a moment afterwards; where too many are waited for, it has neither.

use super::date::DateLine;
use super::problem;
use super::reply::Content;
use super::request_id::RequestId;
use crate::config::ErrorTypes;
use crate::failure::Failure;
use crate::stream::Stream;
use crate::worker::RequestIds;
use callgate_http1::ReplyBody;
use std::io::{ErrorKind, Read, Write};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Newcomers that are refused at once, so many that each has its moment.
pub(crate) const MAX_GOODBYES: usize = 64;

/// How long a newcomer may take to send the first bytes of its request, and to take its reply.
const MOMENT: Duration = Duration::from_millis(500);

/// How much of what it sends is read past, in bytes.
const MAX_READ_PAST: usize = 256 * 1024;

/// Has a newcomer send its request, and tells it that there is no room.
pub(crate) async fn say(stream: Stream) {
    let Ok(mut stream) = stream.into_async() else { return };
    let mut buffer = vec![0; 4096];
    let mut begin = Vec::<u8>::new();
    let listened = async {
        loop {
            let read = stream.read_buf(&mut begin).await?;
            if read == 0 || speaks_http2(&begin).is_some() {
                return Ok::<_, std::io::Error>(read);
            }
        }
    };
    let listened = timeout(MOMENT, listened).await;
    if begin.is_empty() && listened.is_ok() {
        // It has gone.
        return;
    }
    let reply = reply(&begin);
    let told = async {
        stream.write_all(&reply).await?;
        stream.shutdown().await?;
        let mut past = 0;
        while past < MAX_READ_PAST {
            match stream.read(&mut buffer).await? {
                0 => break,
                read => past += read,
            }
        }
        Ok::<_, std::io::Error>(())
    };
    // Whoever does not listen has been told all the same.
    let _ = timeout(MOMENT, told).await;
}

/// Tells a newcomer without waiting for anything.
pub(crate) async fn say_at_once(mut stream: Stream) {
    let mut buffer = [0; 4096];
    let read = stream.read(&mut buffer).unwrap_or_default();
    let reply = reply(&buffer[..read]);
    let told = stream.write_all(&reply).and_then(|()| stream.end_writing());
    for _ in 0..MAX_READ_PAST / buffer.len() {
        match stream.read(&mut buffer) {
            Ok(1..) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => break,
        }
    }
    if let Err(error) = told {
        tracing::debug!(%error, "a newcomer was refused and does not know it");
    }
}

/// What is told to who speaks HTTP/2: settings without any, and GOAWAY. Not one request was taken, so each may be sent elsewhere; and
/// with ENHANCE_YOUR_CALM, so that its client does not come back at once.
const GOAWAY: &[u8] = b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x0b";

/// What a client of HTTP/2 sends first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";

/// So many bytes of it tell: no method of HTTP/1.1 is PRI.
const TELLING: &[u8] = b"PRI ";

/// Whether bytes are the first ones of HTTP/2, once there are enough of them to tell.
fn speaks_http2(begin: &[u8]) -> Option<bool> {
    let known = begin.len().min(PREFACE.len());
    let same = begin[..known] == PREFACE[..known];
    (!same || known >= TELLING.len()).then_some(same)
}

/// The whole reply to a request that begins so; one to HEAD has no body.
fn reply(request: &[u8]) -> Vec<u8> {
    if speaks_http2(request) == Some(true) {
        return GOAWAY.to_vec();
    }
    let id = RequestId::make(&RequestIds::new());
    let reply = problem::reply(&Failure::TooManyConnections, &ErrorTypes::default(), id.as_str());
    let mut out = Vec::new();
    let mut head = reply.begin(&mut out, &DateLine::now().line(), b"connection: close\r\n");
    id.put(&mut head);
    head.end(ReplyBody::Length(reply.content.length().unwrap_or_default()));
    if let (Content::Full(body), false) = (reply.content, request.starts_with(b"HEAD ")) {
        out.extend_from_slice(&body);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reply_is_a_problem_and_to_head_its_head_and_by_http_2_a_goaway() {
        let whole = String::from_utf8(reply(b"GET / HTTP/1.1\r\n")).expect("text");
        let (head, body) = whole.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{head}");
        let length = format!("content-length: {}", body.len());
        for line in ["retry-after: 1", "connection: close", "content-type: application/problem+json", &length]
        {
            assert!(head.split("\r\n").any(|one| one == line), "{line}: {head}");
        }
        assert!(body.contains(r#""code":"unavailable""#), "{body}");
        let head = reply(b"HEAD / HTTP/1.1\r\n");
        assert!(head.ends_with(b"\r\n\r\n"));
        // The whole preface, or as much of it as tells.
        for preface in ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI * HTTP", "PRI "] {
            assert_eq!(reply(preface.as_bytes()), GOAWAY, "{preface:?}");
        }
        for other in ["", "P", "PRI", "PRI /", "PRIX / HTTP/1.1\r\n", "PRI * HTTP/1.1\r\n"] {
            assert!(reply(other.as_bytes()).starts_with(b"HTTP/1.1 503 "), "{other:?}");
        }
        assert_eq!((GOAWAY.len(), GOAWAY[GOAWAY.len() - 1]), (9 + 9 + 8, 11), "ENHANCE_YOUR_CALM");
    }
}
