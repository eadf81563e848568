//! What is taken off a connection, what is left on it, and who its client is then.

use super::*;
use crate::clients::Trusted;
use crate::config::{ListenerClients, Settings, Source};
use crate::front::connection::testing;
use crate::worker::Shared;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::task::yield_now;

/// A connection that has to begin with a header, or may do so.
fn connection(optional: bool) -> Rc<Connection> {
    let from = Trusted { unix: true, ..Trusted::default() };
    let proxy_protocol = Some(ProxyProtocol { from, optional });
    testing::register_of(&testing::open(), ListenerClients { proxy_protocol, ..ListenerClients::default() })
}

/// What has become of a connection.
#[derive(Debug, PartialEq)]
struct Met {
    passed: bool,
    client: Option<IpAddr>,
    /// Why it was turned away.
    refused: Vec<&'static str>,
    /// What can be read of it behind the header.
    left: Vec<u8>,
}

/// Sends those pieces one by one, and ends.
async fn meet(optional: bool, pieces: impl Iterator<Item = &[u8]>) -> Met {
    let connection = connection(optional);
    let (mut client, stream) = UnixStream::pair().expect("two sockets");
    let send = async move {
        for piece in pieces {
            // Who is turned away reads no more.
            let _ = client.write_all(piece).await;
            yield_now().await;
        }
    };
    let pass = async {
        // Closed at the end, so that nobody waits who sends more.
        let mut stream = AsyncStream::Unix(stream);
        let passed = pass(&connection, &mut stream).await.is_ok();
        let mut left = Vec::new();
        if passed {
            stream.read_to_end(&mut left).await.expect("it can be read");
        }
        (passed, left)
    };
    let (_, (passed, left)) = tokio::join!(send, pass);
    let refused = ConnectionRefusal::ALL.iter().filter(|why| connection.listener.refused.of(**why) > 0);
    assert!(!passed || connection.phase.get() == Phase::Idle);
    Met { passed, client: connection.client.get(), refused: refused.map(|why| why.name()).collect(), left }
}

/// The same, sent at once and byte by byte.
async fn check(optional: bool, sent: &[u8], expected: Met) {
    assert_eq!(meet(optional, [sent].into_iter()).await, expected);
    assert_eq!(meet(optional, sent.chunks(1)).await, expected);
}

fn passed(client: Option<&str>, left: &[u8]) -> Met {
    let client = client.map(|client| client.parse().expect("an address"));
    Met { passed: true, client, refused: Vec::new(), left: left.to_vec() }
}

fn refused(why: &'static str) -> Met {
    Met { passed: false, client: None, refused: vec![why], left: Vec::new() }
}

/// A header of version 2 with that family and what follows it.
fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend_from_slice(&[command, family]);
    header.extend_from_slice(&(rest.len() as u16).to_be_bytes());
    header.extend_from_slice(rest);
    header
}

const BEHIND: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

#[tokio::test]
async fn exactly_the_header_is_taken_and_says_who_the_client_is() {
    let line = b"PROXY TCP4 192.0.2.1 198.51.100.1 5 6\r\n";
    // Addresses, ports, and some of what a proxy may say besides.
    let rest = [&[192, 0, 2, 2, 198, 51, 100, 1, 0, 5, 0, 6][..], &[4; 600]].concat();
    for (header, client) in [
        (line.to_vec(), Some("192.0.2.1")),
        (b"PROXY UNKNOWN\r\n".to_vec(), None),
        (binary(0x21, 0x11, &rest), Some("192.0.2.2")),
        (binary(0x21, 0x11, &rest[..12]), Some("192.0.2.2")),
        (binary(0x20, 0, &[]), None),
        (binary(0x21, 0x31, &[0; 216]), None),
    ] {
        for behind in [BEHIND, b"", b"PROXY UNKNOWN\r\n", &[0x16, 3, 1]] {
            check(false, &[&header, behind].concat(), passed(client, behind)).await;
            check(true, &[&header, behind].concat(), passed(client, behind)).await;
        }
    }
}

#[tokio::test]
async fn a_connection_without_a_header_passes_only_where_it_may_and_untouched() {
    for sent in [
        BEHIND,
        b"POST / HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &[0x16, 3, 1, 0],
        b"\r\nGET / HTTP/1.1",
    ] {
        check(false, sent, refused("proxy_missing")).await;
        check(true, sent, passed(None, sent)).await;
    }
}

#[tokio::test]
async fn what_is_no_good_header_ends_the_connection() {
    let endless = [b"PROXY ".as_slice(), &[b'1'; 200]].concat();
    for optional in [false, true] {
        for sent in [
            b"PROXY TCP4 192.0.2.1 198.51.100.1 5\r\n".as_slice(),
            b"PROXY / HTTP/1.1\r\nhost: a\r\n\r\n",
            &endless,
            &binary(0x21, 0x11, &[0; 11]),
            &binary(0x21, 0x12, &[0; 12]),
            &binary(0x20, 0, &[0; 5_000]),
        ] {
            check(optional, sent, refused("proxy_malformed")).await;
        }
        for sent in
            [b"PROXY TCP4 192.0.2.1".as_slice(), b"P", b"\r\n\r\n", &binary(0x21, 0x11, &[0; 12])[..20]]
        {
            check(optional, sent, refused("proxy_incomplete")).await;
        }
        // Who connects and leaves has said nothing: many health checks do that.
        check(optional, b"", Met { refused: Vec::new(), ..refused("") }).await;
    }
}

#[tokio::test]
async fn a_connection_ends_when_there_is_no_more_time_or_the_worker_ends() {
    for (is_late, expected) in [(true, 1), (false, 0)] {
        for sent in [b"".as_slice(), b"PROXY TCP", &binary(0x21, 0x11, &[0; 12])[..20]] {
            let connection = connection(true);
            let (mut client, stream) = UnixStream::pair().expect("two sockets");
            let mut stream = AsyncStream::Unix(stream);
            client.write_all(sent).await.expect("the socket takes it");
            let end = async {
                assert_eq!(connection.phase.get(), Phase::Handshake);
                connection.expired.set(is_late);
                connection.open.stopping.set(!is_late);
                connection.wake();
            };
            let (passed, ()) = tokio::join!(pass(&connection, &mut stream), end);
            assert!(passed.is_err());
            assert_eq!(connection.listener.refused.of(ConnectionRefusal::ProxyLate), expected);
        }
    }
}

#[tokio::test]
async fn a_connection_is_not_idle_while_its_header_is_waited_for() {
    let connection = connection(true);
    assert_eq!(connection.phase.get(), Phase::Handshake, "from its beginning");
    assert!(connection.open.longest_idle().is_none());
}

#[tokio::test]
async fn a_header_and_the_handshake_behind_it_have_one_limit() {
    let text = "[[listeners]]\naddress = '@x'\ntls = true\nproxy_protocol = { from = ['unix'] }\n";
    let settings = Settings::parse(Source::new("gateway.toml", text), None).expect("sound settings");
    let shared = Shared::new(settings, Arc::default(), None);
    let open = testing::open();
    let connection = Connection::register(&open, shared.listeners[0].clone(), None, None);
    let (mut client, stream) = UnixStream::pair().expect("two sockets");
    client.write_all(b"PROXY UNKNOWN\r\n").await.expect("the socket takes it");
    open.sweeps.set(7);
    let passed = pass(&connection, &mut AsyncStream::Unix(stream)).await;
    assert!(passed.is_ok());
    assert_eq!((connection.phase.get(), connection.since.get()), (Phase::Handshake, 0));
    assert!(open.longest_idle().is_none());
}
