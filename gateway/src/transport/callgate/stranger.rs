//! Who it is that answers at an endpoint and is no Callgate backend: an HTTP server, TLS, something else. Mostly the port is
//! wrong, and what was heard says which one it is; so the error names that.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail so"))]

use crate::stream::AsyncStream;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// How long one that has begun to speak may take to end its line.
const LINE: Duration = Duration::from_millis(100);
/// How long one that is silent may take to answer a knock.
const KNOCK: Duration = Duration::from_millis(200);
/// The most that is read of what it says, in bytes.
const MOST: usize = 1024;
/// The most that is shown of it.
const SHOWN: usize = 60;

/// Who has said `heard`, and perhaps says more.
pub(crate) async fn spoke(stream: &mut AsyncStream, mut heard: Vec<u8>) -> String {
    // What comes in one piece once comes in two another time; the line says the same both times.
    let line = async {
        while !heard.contains(&b'\n') && heard.len() < MOST {
            if !matches!(stream.read_buf(&mut heard).await, Ok(1..)) {
                return;
            }
        }
    };
    let _ = timeout(LINE, line).await;
    describe(&heard)
}

/// Who has accepted the connection and said nothing for so long. An HTTP server may be waiting for the end of what it takes for
/// a line, and gets one. Four bytes are less than a frame's header: a backend that is only late takes no harm.
pub(crate) async fn silent(stream: &mut AsyncStream, waited: Duration) -> String {
    let mut heard = Vec::new();
    let knock = async {
        stream.write_all(b"\r\n\r\n").await?;
        stream.read_buf(&mut heard).await
    };
    match timeout(KNOCK, knock).await {
        Ok(Ok(1..)) => spoke(stream, heard).await,
        _ => format!("connected, but nothing was heard within {waited:?}: is it a Callgate backend?"),
    }
}

fn describe(heard: &[u8]) -> String {
    let line = heard.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
    let shown = line.get(..SHOWN).unwrap_or(line).escape_ascii();
    let lower = line.to_ascii_lowercase();
    let who = match heard {
        [0x15 | 0x16, 3, ..] => return "a TLS server answers there: if it is the backend's, write tls = { ca = \"…\" } into the backend".to_owned(),
        // A frame SETTINGS of stream 0, with which every HTTP/2 server begins (RFC 9113, 3.4).
        [0, 0, _, 4, _, 0, 0, 0, 0, ..] => return "an HTTP/2 server answers there (gRPC?), which does not speak Callgate's protocol".to_owned(),
        [b'H', b'T', b'T', b'P', b'/', ..] => "an HTTP server",
        _ if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") => "an HTTP server",
        [b'S', b'S', b'H', b'-', ..] => "an SSH server",
        _ => "somebody else",
    };
    format!("{who} answers there, which does not speak Callgate's protocol: it began with \"{shown}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EndpointAddr;
    use crate::transport::callgate::Security;
    use crate::transport::callgate::catalog::Catalog;
    use crate::transport::callgate::handshake::{Instance, TimeLimits, establish};
    use std::sync::Arc;
    use tokio::net::{TcpListener, TcpStream};

    #[test]
    fn who_answers_is_told_by_how_it_begins() {
        let cases: [(&[u8], &str); 8] = [
            (
                b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
                "an HTTP server answers there, which does not speak Callgate's protocol: it began with \"HTTP/1.1 400 Bad Request\"",
            ),
            (b"<!DOCTYPE HTML>\n<html>", "an HTTP server"),
            (b"\x15\x03\x01\x00\x02\x02\x16", "a TLS server"),
            (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03", "an HTTP/2 server"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "an SSH server"),
            (
                b"-ERR unknown command\r\n",
                "somebody else answers there, which does not speak Callgate's protocol: it began with \"-ERR unknown command\"",
            ),
            (
                b"\xff\x00",
                "somebody else answers there, which does not speak Callgate's protocol: it began with \"\\xff\\x00\"",
            ),
            (&[b'x'; 500], "somebody else"),
        ];
        for (heard, expected) in cases {
            let said = describe(heard);
            assert!(said.starts_with(expected) && said.len() < 160, "{said}");
        }
    }

    /// What connecting to a server comes to that treats each connection so.
    async fn met<F: Future<Output = ()>>(server: impl Fn(TcpStream) -> F) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let addr = EndpointAddr::Tcp { host: "127.0.0.1".to_owned(), port };
        let catalog = Arc::<Catalog>::default();
        let limits =
            TimeLimits { connect: Duration::from_millis(300), unacknowledged: Duration::from_secs(9) };
        let serve = async {
            let (stream, _) = listener.accept().await.unwrap();
            server(stream).await;
        };
        let security = Security::default();
        let instance = Instance { addr: &addr, name: None, security: &security };
        let (met, ()) = tokio::join!(establish(instance, limits, None, &catalog, None), serve);
        met.err().unwrap().text
    }

    #[tokio::test]
    async fn an_answer_is_the_same_in_whatever_pieces_it_comes() {
        for pieces in [&["HTTP/1.1 400 Bad Request\r\n\r\n"][..], &["H", "TTP/1.1 400 Bad", " Request\r\n"]] {
            let said = met(async |mut stream| {
                stream.set_nodelay(true).unwrap();
                for piece in pieces {
                    stream.write_all(piece.as_bytes()).await.unwrap();
                    tokio::task::yield_now().await;
                }
            });
            assert!(said.await.ends_with("it began with \"HTTP/1.1 400 Bad Request\""));
        }
    }

    #[tokio::test]
    async fn a_server_that_waits_for_the_end_of_a_line_is_found_out() {
        let said = met(async |mut stream| {
            let mut read = Vec::new();
            while !read.ends_with(b"\n") {
                if stream.read_buf(&mut read).await.unwrap() == 0 {
                    return;
                }
            }
            stream.write_all(b"HTTP/1.0 400 Bad request syntax\r\n\r\n").await.unwrap();
        });
        let said = said.await;
        assert!(said.starts_with("an HTTP server") && said.contains("400 Bad request syntax"), "{said}");
    }

    #[tokio::test]
    async fn one_that_says_nothing_and_one_that_leaves_are_told_apart() {
        let silent = met(async |mut stream| {
            let mut read = Vec::new();
            while stream.read_buf(&mut read).await.unwrap() > 0 {}
        });
        assert!(silent.await.starts_with("connected, but nothing was heard within 300ms"));
        // Closed with nothing unread, which would reset the connection.
        let leaves = met(async |mut stream| {
            let mut read = Vec::new();
            let _ = stream.read_buf(&mut read).await;
        });
        let said = leaves.await;
        assert!(said.contains("closed the connection at once") || said.contains("reset"), "{said}");
    }
}
