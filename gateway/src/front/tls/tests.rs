//! A wire over TLS does what one over a socket does.

use crate::config::HalfClose;
use crate::front::connection::{Connection, Phase, testing};
use crate::front::end::{Linger, end};
use crate::front::wire::Wire;
use crate::stream::AsyncStream;
use callgate_tls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use callgate_tls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use rcgen::{CertificateParams, KeyPair};
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// A client that has shaken hands, and the wire to it.
async fn pair() -> (TlsStream<UnixStream>, Wire) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["a.example".to_owned()]).expect("a name");
    let certificate = CertificateDer::from(params.self_signed(&key).expect("a certificate"));
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a root");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let server = ServerConfig::builder_with_provider(callgate_tls::provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("they fit");
    let client = ClientConfig::builder_with_provider(callgate_tls::provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (one, other) = UnixStream::pair().expect("two sockets");
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let accept = acceptor.accept_with(AsyncStream::Unix(one), |session| {
        session.set_buffer_limit(Some(super::HELD_BACK));
    });
    let name = ServerName::try_from("a.example").expect("a name");
    let connect = TlsConnector::from(Arc::new(client)).connect(name, other);
    let (accepted, connected) = tokio::join!(accept, connect);
    let stream = AsyncStream::Tls(Box::new(accepted.expect("a handshake").into()));
    let connection = testing::register(&testing::open(), HalfClose::Cancel);
    (connected.expect("a handshake"), Wire::new(stream, connection))
}

async fn is_readable(wire: &Wire) -> bool {
    poll_fn(|cx| Poll::Ready(wire.poll_readable(cx).is_ready())).await
}

#[tokio::test]
async fn what_is_decrypted_already_can_be_read_though_the_socket_is_empty() {
    let (mut client, wire) = pair().await;
    assert!(!wire.has_come());
    client.write_all(b"abcdef").await.expect("the socket takes it");
    client.flush().await.expect("it is open");
    let mut out = Vec::new();
    for expected in ["ab", "abcd"] {
        poll_fn(|cx| wire.poll_readable(cx)).await;
        assert_eq!(poll_fn(|cx| wire.poll_read(cx, &mut out, 2)).await.expect("it can be read"), 2);
        assert_eq!(out, expected.as_bytes());
        assert!(is_readable(&wire).await && wire.has_come());
    }
    poll_fn(|cx| wire.poll_read(cx, &mut out, 7)).await.expect("it can be read");
    assert_eq!(out, b"abcdef");
    let read = poll_fn(|cx| Poll::Ready(wire.poll_read(cx, &mut out, 7))).await;
    assert!(read.is_pending() && !is_readable(&wire).await && !wire.has_come());
    client.shutdown().await.expect("it is open");
    assert_eq!(poll_fn(|cx| wire.poll_read(cx, &mut out, 7)).await.expect("its end was said"), 0);
    assert!(wire.has_ended() && is_readable(&wire).await);
}

#[tokio::test]
async fn all_that_is_written_leaves_and_a_client_that_takes_nothing_is_waited_for() {
    let (mut client, wire) = pair().await;
    let (first, behind) = (vec![b'a'; 700_000], vec![b'b'; 300_000]);
    let mut write = Box::pin(wire.write_all(&first, &behind));
    poll_fn(|cx| {
        assert!(write.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    assert!(wire.connection.pace.is_blocked());
    let mut all = vec![0; 1_000_000];
    let (written, read) = tokio::join!(write, client.read_exact(&mut all));
    written.expect("it can be written");
    read.expect("it arrives");
    assert_eq!(all, [first.clone(), behind.clone()].concat());
    assert!(!wire.connection.pace.is_blocked());
    // A little leaves as well, without anything behind it.
    wire.write_all(b"x", &[]).await.expect("it can be written");
    assert_eq!(client.read_u8().await.expect("it arrives"), b'x');
}

/// Writes until nothing more is taken.
async fn fill(wire: &Wire) {
    poll_fn(|cx| {
        while wire.poll_write(cx, &[b'x'; 4096], &[]).is_ready() {}
        Poll::Ready(())
    })
    .await;
}

/// Waits for what has to end when there is no more time.
async fn until_late<F: Future>(connection: &Connection, ending: F) -> F::Output {
    let late = async {
        connection.remember(&poll_fn(|cx| Poll::Ready(cx.waker().clone())).await);
        tokio::task::yield_now().await;
        connection.expired.set(true);
        connection.wake();
    };
    let ended = tokio::time::timeout(Duration::from_secs(5), async { tokio::join!(ending, late).0 }).await;
    ended.expect("it is not waited for any longer")
}

#[tokio::test]
async fn a_client_that_takes_nothing_does_not_keep_a_connection_from_its_end() {
    let (_client, wire) = pair().await;
    fill(&wire).await;
    let ended = until_late(&wire.connection, wire.end_writing()).await;
    let error = ended.expect_err("the last word of TLS has not left");
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_connection_that_ends_is_nobodys_room() {
    for linger in [Linger::IfMore, Linger::Head, Linger::Body] {
        let (_client, wire) = pair().await;
        fill(&wire).await;
        let connection = &wire.connection;
        assert!(connection.open.longest_idle().is_some(), "its last exchange has ended");
        let mut ending = Box::pin(end(&wire, linger));
        poll_fn(|cx| {
            assert!(ending.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        assert_eq!(connection.phase.get(), Phase::Lingering);
        assert!(connection.open.longest_idle().is_none());
        until_late(connection, ending).await;
    }
}

#[tokio::test]
async fn a_connection_that_ends_in_order_says_so_and_one_that_breaks_off_does_not() {
    for in_order in [true, false] {
        let (mut client, wire) = pair().await;
        wire.write_all(b"x", &[]).await.expect("it can be written");
        if in_order {
            wire.say_the_end();
        }
        drop(wire);
        let mut all = Vec::new();
        assert_eq!(client.read_to_end(&mut all).await.is_ok(), in_order);
        assert_eq!(all, b"x");
    }
}
