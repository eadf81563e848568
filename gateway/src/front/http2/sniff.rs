//! In the clear: whether a client speaks HTTP/2 from the first byte on ("prior knowledge"; RFC 9113, 3.3), or HTTP/1.1.
//!
//! Its first bytes say it. No request of HTTP/1.1 begins so: the preface was chosen for that.

use super::io::PREFACE;
use crate::front::connection::Phase;
use crate::front::pool::READ;
use crate::front::wire::Wire;
use callgate_http1::Request;
use std::future::poll_fn;
use std::task::{Context, Poll};

/// What a client speaks.
pub(in crate::front) enum Spoken {
    /// HTTP/2: what was read waits in the wire.
    Http2,
    /// HTTP/1.1: this was read of its first request.
    Http1(Box<Request>),
    /// It has gone, or there is no more time.
    Nothing,
}

/// Reads until it is clear what a client speaks.
pub(in crate::front) async fn sniff(wire: &Wire) -> Spoken {
    let connection = &wire.connection;
    poll_fn(|cx| {
        connection.remember(cx.waker());
        let has_come = wire.poll_readable(cx).is_ready();
        poll_unless_ended(wire, has_come)
    })
    .await;
    let mut request = connection.open.pool.request();
    loop {
        let read = poll_fn(|cx| poll_read(cx, wire, &mut request)).await;
        // Whoever has asked for its place came too late.
        if read {
            connection.stay();
        }
        let bytes = request.buffer();
        let same = bytes.iter().zip(PREFACE).take_while(|(come, expected)| come == expected).count();
        if same == PREFACE.len() {
            wire.put_ahead(bytes);
            connection.open.pool.take_request(request);
            return Spoken::Http2;
        }
        if same < bytes.len() {
            return Spoken::Http1(request);
        }
        if !read {
            return Spoken::Nothing;
        }
        connection.enter(Phase::Head);
    }
}

fn poll_unless_ended(wire: &Wire, has_come: bool) -> Poll<()> {
    let connection = &wire.connection;
    // What has come before the word to end is replied to.
    let is_told = connection.open.stopping.get() || connection.is_asked();
    let ends = connection.expired.get() || (is_told && !wire.has_come());
    if has_come || ends { Poll::Ready(()) } else { Poll::Pending }
}

/// Reads more; `false` when there is no more, or no more time for it.
fn poll_read(cx: &mut Context<'_>, wire: &Wire, request: &mut Request) -> Poll<bool> {
    match wire.poll_read(cx, request.buffer(), READ) {
        Poll::Ready(read) => Poll::Ready(matches!(read, Ok(1..))),
        Poll::Pending => poll_unless_ended(wire, false).map(|()| false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HalfClose;
    use crate::front::connection::testing;
    use crate::stream::AsyncStream;
    use std::future::Future;
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::pin::pin;
    use std::task::Waker;

    #[tokio::test]
    async fn what_has_come_before_the_word_to_end_is_not_cut() {
        let (mut client, stream) = UnixStream::pair().expect("two sockets");
        stream.set_nonblocking(true).expect("it is open");
        let stream = tokio::net::UnixStream::from_std(stream).expect("a runtime is there");
        let connection = testing::register(&testing::open(), HalfClose::Cancel);
        let wire = Wire::new(AsyncStream::Unix(stream), connection.clone());
        connection.open.stopping.set(true);
        // The runtime has not heard of it yet.
        client.write_all(PREFACE).expect("the socket takes it");
        let mut sniffed = pin!(sniff(&wire));
        let first = sniffed.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(first.is_pending());
        assert!(matches!(sniffed.await, Spoken::Http2));
    }
}
