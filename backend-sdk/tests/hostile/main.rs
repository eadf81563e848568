//! Hostile and broken peers: whatever they send, the server serves the others, and its memory stays bounded.
//!
//! A program of its own, so that the memory which is measured is not that of other tests.

#[path = "../runtime/peer.rs"]
#[allow(dead_code, reason = "not all of it is needed here")]
mod peer;
#[path = "../runtime/support.rs"]
#[allow(dead_code, reason = "not all of it is needed here")]
mod support;

use crate::support::*;
use callgate_protocol::call::CallHead;
use callgate_protocol::frame::{Header, flag, kind};
use callgate_protocol::{Hello, Limits, Metadata, Outbound};
use std::convert::Infallible;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A small generator with a fixed seed, so that a failure comes again.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % below.max(1)
    }
}

fn handshake() -> Vec<u8> {
    Outbound::new(&Hello::new("hostile", Limits::default(), Vec::new())).chunk().to_vec()
}

fn frame(length: u32, kind: u8, flags: u8, call: u32, body: &[u8]) -> Vec<u8> {
    let header = Header { length, kind, flags, call };
    [&header.encode()[..], body].concat()
}

/// What an honest caller would send.
fn honest() -> Vec<u8> {
    let mut outbound = Outbound::new(&Hello::new("honest", Limits::default(), Vec::new()));
    for number in 1..20 {
        let head = CallHead {
            call_id: [ECHO, TREE, UNITS][number as usize % 3].call_id,
            timeout_ms: Some(1000),
            metadata: Metadata::default(),
        };
        let Ok(_) = outbound.call(number, &head, |out| {
            out.extend((0..number * 211).map(|i| i as u8));
            Ok::<_, Infallible>(None)
        });
    }
    outbound.ping(*b"12345678");
    outbound.schema_request(known(ECHO).fingerprint);
    outbound.cancel(7);
    let mut bytes = Vec::new();
    while !outbound.is_empty() {
        let chunk = outbound.chunk().to_vec();
        bytes.extend_from_slice(&chunk);
        outbound.advance(chunk.len());
    }
    bytes
}

/// Sends bytes and closes this side; then waits until the server has closed its own.
async fn send(address: &str, bytes: &[u8]) {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    // The server may refuse in the middle of it.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let _ = soon(stream.read_to_end(&mut Vec::new())).await;
}

/// Bytes of memory that this process has.
fn memory() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("is Linux");
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.expect("is a number") * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_truncated_and_mutated_bytes_harm_nobody_else() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let client = client([&running.address]);
    let mut random = Random(20261121);
    let honest = honest();
    let before = memory();
    for round in 0..400 {
        let mut bytes = match round % 3 {
            0 => (0..random.next(5000)).map(|_| random.next(256) as u8).collect(),
            1 => honest[..random.next(honest.len())].to_vec(),
            _ => honest.clone(),
        };
        if round % 3 == 0 && round % 2 == 0 {
            bytes.splice(0..0, handshake());
        }
        if round % 3 == 2 {
            for _ in 0..=random.next(8) {
                let at = random.next(bytes.len());
                bytes[at] = random.next(256) as u8;
            }
        }
        send(&running.address, &bytes).await;
        if round % 20 == 0 {
            assert_eq!(echo(&client, b"good").await, Ok(b"good".to_vec()));
        }
    }
    assert!(memory() < before + (64 << 20), "{} MB", (memory() - before) >> 20);
    assert_eq!(echo(&client, b"good").await, Ok(b"good".to_vec()));
    running.finish().await;
}

#[tokio::test]
async fn a_broken_rule_is_answered_with_go_away_and_the_end() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let body = [&ECHO.call_id.get().to_le_bytes()[..], &[0; 4], &[1, 7]].concat();
    let size = body.len() as u32;
    let call = |number| frame(size, kind::CALL, 0, number, &body);
    let cases: [(&str, Vec<u8>); 8] = [
        ("a giant frame", frame(u32::MAX, kind::CALL, 0, 1, b"")),
        ("a reply to a server", frame(1, kind::REPLY, 0, 1, b"x")),
        ("a schema to a server", frame(16, kind::SCHEMA, 0, 0, &[0; 16])),
        ("a repeated number", [call(5), call(5)].concat()),
        ("a number that falls", [call(5), call(4)].concat()),
        ("a number that is zero", call(0)),
        ("an unknown kind", frame(0, 0x7f, 0, 0, b"")),
        ("an unknown flag", frame(size, kind::CALL, 0x08, 1, &body)),
    ];
    for (name, bytes) in cases {
        let mut peer = Peer::connect(&running.address).await;
        peer.stream.write_all(&bytes).await.expect("the server reads");
        loop {
            match peer.hear().await {
                Heard::Reply(..) => continue,
                Heard::GoAway(_, reason) => break assert!(!reason.is_empty(), "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
        assert_eq!(peer.hear().await, Heard::Closed, "{name}");
    }
    let client = client([&running.address]);
    assert_eq!(echo(&client, b"good").await, Ok(b"good".to_vec()));
    running.finish().await;
}

#[tokio::test]
async fn half_frames_and_endless_messages_cost_little_and_keep_nobody_waiting() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let before = memory();
    let mut silent = Vec::new();
    for i in 0..100 {
        let mut stream = TcpStream::connect(&running.address).await.expect("the server listens");
        let mut bytes = handshake();
        match i % 3 {
            // A header that claims much, then nothing.
            0 => bytes.extend(frame(65536, kind::CALL, 0, 1, b"half")),
            // A HELLO that claims a megabyte, then nothing.
            1 => bytes = [&b"CALLGATE"[..], &frame(1 << 20, kind::HELLO, 0, 0, b"half")].concat(),
            // As many messages begun as there are numbers for.
            _ => (1..2000).for_each(|n| bytes.extend(frame(9, kind::CALL, flag::MORE, n, &[1; 9]))),
        }
        stream.write_all(&bytes).await.expect("the server reads");
        silent.push(stream);
    }
    let client = client([&running.address]);
    assert_eq!(echo(&client, b"good").await, Ok(b"good".to_vec()));
    assert!(memory() < before + (64 << 20), "{} MB", (memory() - before) >> 20);
    drop(silent);
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_says_hello_is_let_go_with_a_reason() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let mut stream = TcpStream::connect(&running.address).await.expect("the server listens");
    let mut said = Vec::new();
    soon(stream.read_to_end(&mut said)).await.expect("is closed");
    let text = String::from_utf8_lossy(&said);
    assert!(text.contains("no HELLO within 10 s"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_a_ping_is_gone() {
    let (stage, mut events) = stage();
    let running = run(server(&stage)).await;
    let mut peer = Peer::connect(&running.address).await;
    peer.call(1, WAIT.call_id, None, &encode(&b"x".as_slice()).expect("encodes"));
    peer.flush().await;
    assert_eq!(soon(events.recv()).await, Some(Happened::Started(b"x".to_vec())));
    let Heard::Ping(token) = peer.hear().await else { panic!("silence is questioned") };
    peer.outbound.pong(token);
    peer.flush().await;
    assert!(matches!(peer.hear().await, Heard::Ping(_)), "an answer keeps the connection");
    assert_eq!(peer.hear().await, Heard::Closed);
    assert!(matches!(soon(events.recv()).await, Some(Happened::Dropped(_) | Happened::Cancelled(_))));
}
