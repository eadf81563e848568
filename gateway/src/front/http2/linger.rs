//! The end of a connection of HTTP/2, which its client is to hear of.
//!
//! A request may be on its way when a GOAWAY is sent. If it met a closed socket, the system would reset the connection, and the GOAWAY
//! would be lost with it: its client could not know whether the request was taken. So the socket stays for a moment, and what still comes
//! is read past. A client that has heard it ends its side, and then nobody waits.

use crate::front::connection::Phase;
use crate::front::end::{Linger, end};
use crate::front::wire::Wire;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::timeout;

/// How long a client has for that.
const MOMENT: Duration = Duration::from_secs(1);

/// How much is read past, in bytes.
const MOST: usize = 1024 * 1024;

/// What is read at a time, in bytes.
const CHUNK: usize = 16 * 1024;

/// Connections of a worker whose place is another's and that are not closed yet. Their descriptors are among those in reserve.
const MOST_PLACELESS: usize = 16;

/// Ends a connection behind its GOAWAY.
pub(super) async fn linger(wire: &Wire) {
    let connection = &wire.connection;
    if !connection.is_asked() {
        return linger_for_a_moment(wire).await;
    }
    let placeless = &connection.open.placeless;
    if placeless.get() >= MOST_PLACELESS {
        return end(wire, Linger::IfMore).await;
    }
    // Nobody waits for a place because of it.
    connection.give_place();
    placeless.set(placeless.get() + 1);
    linger_for_a_moment(wire).await;
    placeless.set(placeless.get() - 1);
}

async fn linger_for_a_moment(wire: &Wire) {
    let ended = async {
        if wire.end_writing().await.is_ok() && !wire.has_ended() {
            let mut past = 0;
            poll_fn(|cx| poll_past(cx, wire, &mut past)).await;
        }
    };
    wire.connection.enter(Phase::Lingering);
    let _ = timeout(MOMENT, ended).await;
}

/// Reads past what comes, until its client ends its side or there is too much. While nothing comes it keeps no buffer.
fn poll_past(cx: &mut Context<'_>, wire: &Wire, past: &mut usize) -> Poll<()> {
    let buffers = &wire.connection.open.buffers;
    while *past < MOST {
        ready!(wire.poll_readable(cx));
        let mut buffer = buffers.take();
        let read = wire.poll_read(cx, &mut buffer, CHUNK);
        buffers.give_back(buffer);
        match ready!(read) {
            Ok(read @ 1..) => *past += read,
            _ => break,
        }
    }
    Poll::Ready(())
}
