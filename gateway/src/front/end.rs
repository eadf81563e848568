//! The end of a connection after its last reply (RFC 9112, 9.6).
//!
//! Closing with bytes unread has the system reset the connection, and a client that is still sending may lose the reply by that. So
//! the connection says that it writes no more, and what still comes is read past: until the client has seen it and ends its side, or
//! until there are too many bytes, or no more time.

use super::connection::Phase;
use super::wire::Wire;
use std::future::poll_fn;
use std::task::Poll;

/// How much is read past of what follows a last reply, in bytes.
const MOST: usize = 1024 * 1024;

/// How much is read past of a body that was refused, in bytes.
const MOST_OF_BODY: usize = 64 * 1024 * 1024;

/// What is read at a time, in bytes.
const CHUNK: usize = 16 * 1024;

/// What may still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Linger {
    /// Nothing that is known of: it is waited for only if something comes at once.
    IfMore,
    /// The rest of what was refused as a head.
    Head,
    /// The rest of a body that was refused.
    Body,
}

/// Ends a connection. From the beginning on it is not idle, so that nobody waits for its place who could have another one's.
pub(super) async fn end(wire: &Wire, linger: Linger) {
    let connection = &wire.connection;
    connection.enter(Phase::Lingering);
    if wire.end_writing().await.is_err() || wire.has_ended() {
        return;
    }
    let (phase, most) = match linger {
        Linger::IfMore | Linger::Head => (Phase::Lingering, MOST),
        Linger::Body => (Phase::Body, MOST_OF_BODY),
    };
    connection.enter(phase);
    let mut buffer = connection.open.buffers.take();
    let mut past = 0;
    poll_fn(|cx| {
        while past < most {
            buffer.clear();
            match wire.poll_read(cx, &mut buffer, CHUNK) {
                Poll::Ready(Ok(read @ 1..)) => past += read,
                Poll::Ready(_) => break,
                Poll::Pending => {
                    let waits = past > 0 || linger != Linger::IfMore;
                    return if waits && !connection.expired.get() { Poll::Pending } else { Poll::Ready(()) };
                }
            }
        }
        Poll::Ready(())
    })
    .await;
    connection.open.buffers.give_back(buffer);
}
