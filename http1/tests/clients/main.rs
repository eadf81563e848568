//! Replies as this crate writes them, read by clients of others: Python's http.client and hyper.
#![allow(clippy::unwrap_used)]

mod server;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, Version};
use hyper_util::rt::TokioIo;
use std::process::Command;
use tokio::net::TcpStream;

#[test]
fn http_client_of_python_reads_replies() {
    let port = server::start().port().to_string();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/client.py");
    let ended = Command::new("python3").args([script, &port]).output().expect("python3 can be started");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}");
    assert_eq!(ended.stdout, b"all replies were read\n");
}

/// What hyper read: status and body. It asks for keep-alive, as HTTP/1.0 has to.
async fn fetch(
    sender: &mut http1::SendRequest<Full<Bytes>>,
    method: &str,
    path: &str,
    version: Version,
) -> (u16, Vec<u8>) {
    let request = Request::builder().method(method).uri(path).version(version).header("host", "a");
    // It reads past 100 Continue.
    let request = request.header("connection", "keep-alive").header("expect", "100-continue");
    let reply = sender.send_request(request.body(Full::new(Bytes::from("a body"))).unwrap()).await.unwrap();
    let (parts, body) = reply.into_parts();
    assert_eq!(parts.headers["date"], "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(parts.headers["x-text"].as_bytes(), b"caf\xe9\t\"quoted\"");
    assert!(!parts.headers.contains_key("x-split") && !parts.headers.contains_key("set-cookie"));
    if version == Version::HTTP_10 {
        assert!(!parts.headers.contains_key("transfer-encoding"), "{path}");
    }
    (parts.status.as_u16(), body.collect().await.unwrap().to_bytes().to_vec())
}

/// All replies of one connection, on which nothing goes wrong.
async fn conversation(version: Version) {
    let stream = TcpStream::connect(server::start()).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let all = server::PIECES.concat();
    for (path, status, body) in [
        ("/length", 200, &all[..]),
        ("/chunked", 200, &all),
        ("/empty", 200, b""),
        ("/none", 204, b""),
        ("/unchanged", 304, b""),
        ("/strange", 299, &all),
        ("/else", 404, b""),
        ("/close", 200, &all),
    ] {
        if version == Version::HTTP_10 && path == "/chunked" {
            continue;
        }
        assert_eq!(fetch(&mut sender, "HEAD", path, version).await, (status, Vec::new()), "HEAD {path}");
        if path == "/close" {
            break;
        }
        assert_eq!(fetch(&mut sender, "POST", path, version).await, (status, body.to_vec()), "POST {path}");
    }
    drop(sender);
    connection.await.unwrap().unwrap();
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap().block_on(test);
}

#[test]
fn hyper_reads_replies_one_after_the_other() {
    run(conversation(Version::HTTP_11));
}

#[test]
fn hyper_reads_replies_to_http10() {
    run(conversation(Version::HTTP_10));
}

#[test]
fn hyper_reads_a_body_until_the_connection_ends() {
    run(async {
        for (path, version) in
            [("/close", Version::HTTP_11), ("/close", Version::HTTP_10), ("/chunked", Version::HTTP_10)]
        {
            let stream = TcpStream::connect(server::start()).await.unwrap();
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
            let connection = tokio::spawn(connection);
            assert_eq!(
                fetch(&mut sender, "GET", path, version).await,
                (200, server::PIECES.concat()),
                "{path}"
            );
            drop(sender);
            connection.await.unwrap().unwrap();
        }
    });
}
