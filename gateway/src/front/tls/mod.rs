//! The TLS handshake: a stage of a connection, between its socket and what is spoken on it.
//!
//! ```text
//! mod      the handshake, from the first byte to the peer that is known
//! gate     how many there may be at once, and who makes room
//! failure  why one has failed, for the log and the metrics
//! known    what is known of the client then
//! ```
//! Its time is the phase `Handshake`, which the sweep bounds like any other. Memory that it takes is on the heap, and given back
//! with it.

mod failure;
mod gate;
mod known;
#[cfg(test)]
mod tests;

use super::connection::{Connection, Phase};
use crate::stream::AsyncStream;
use crate::telemetry::HandshakeResult;
use crate::worker::{ListenerTls, Worker};
use callgate_tls::rustls::server::Acceptor;
use failure::Failed;
use gate::Handshake;
use std::future::poll_fn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::LazyConfigAcceptor;

/// What a connection may hold of what it sends, encrypted and not taken by the kernel, in bytes: two records. A pace is measured by
/// what TLS takes, and so this is how far it may be ahead of the client.
const HELD_BACK: usize = 32 * 1024;

/// How much is read past of what a client still sends that is refused, in bytes: a chain of certificates is shorter.
const MOST_PAST: usize = 64 * 1024;

/// The alert that no certificate covers the name (RFC 6066, 3; RFC 8446, 6): fatal, `unrecognized_name`.
const UNKNOWN_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// Shakes hands. Gives what to go on with: an encrypted stream, or the stream as it was if its client speaks plain HTTP, which it is
/// told by a reply. `None` where the connection ends here; the log has been told why.
pub(super) async fn handshake(
    worker: &Worker,
    connection: &Connection,
    tls: &ListenerTls,
    stream: AsyncStream,
) -> Option<AsyncStream> {
    let counters = tls.stats.0.of(worker.id);
    let handshake = Handshake::begin(worker, connection, &counters.in_progress);
    let ended = handshake.unless_over(shake(worker, connection, tls, stream)).await;
    let (failed, stream) = match ended.unwrap_or_else(|over| Err((Failed::over(over), None))) {
        Ok(Done::Encrypted(stream)) => {
            counters.ended(HandshakeResult::Ok);
            connection.enter(Phase::Idle);
            return Some(stream);
        }
        Ok(Done::Plain(stream)) => (Failed::plain_http(), Some(stream)),
        Err(failed) => failed,
    };
    counters.ended(failed.result);
    failed.log(connection);
    if failed.result == HandshakeResult::PlainHttp {
        connection.enter(Phase::Idle);
        return stream;
    }
    if let Some(stream) = stream {
        let _ = handshake.unless_over(let_it_hear(stream)).await;
    }
    None
}

/// What comes of a handshake.
enum Done {
    Encrypted(AsyncStream),
    Plain(AsyncStream),
}

/// Shakes hands; or says why that has failed, and where its client has been told so.
async fn shake(
    worker: &Worker,
    connection: &Connection,
    tls: &ListenerTls,
    stream: AsyncStream,
) -> Result<Done, (Failed, Option<AsyncStream>)> {
    if speaks_http(&stream).await.map_err(|failed| (failed, None))? {
        return Ok(Done::Plain(stream));
    }
    let mut acceptor = LazyConfigAcceptor::new(Acceptor::default(), stream);
    let hello = (&mut acceptor).await;
    let mut hello = hello.map_err(|error| (Failed::by(&error, None), acceptor.take_io()))?;
    let name = hello.client_hello().server_name().map(str::to_owned);
    let Some(certificate) = worker.shared.certificates.find(name.as_deref()) else {
        // Whoever takes no alert has heard enough.
        let _ = hello.io.write_all(&UNKNOWN_NAME).await;
        return Err((Failed::unknown_name(name), Some(hello.io)));
    };
    let accept = hello.into_stream_with(tls.config(), |session| session.set_buffer_limit(Some(HELD_BACK)));
    let accepted = accept.into_fallible().await;
    let stream = accepted.map_err(|(error, io)| (Failed::by(&error, name.as_deref()), Some(io)))?;
    let session = stream.get_ref().1;
    let peer = known::peer(session, name, certificate, tls).map_err(|failed| (failed, None))?;
    tls.stats.0.of(worker.id).agreed(known::agreed(session));
    // It is new: there is nothing there yet.
    let _ = connection.tls.set(Box::new(peer));
    Ok(Done::Encrypted(AsyncStream::Tls(Box::new(stream.into()))))
}

/// Whether the client speaks plain HTTP: its first byte is a letter of a method, which no record of TLS begins with.
async fn speaks_http(stream: &AsyncStream) -> Result<bool, Failed> {
    poll_fn(|cx| stream.poll_read_ready(cx)).await.map_err(|error| Failed::by(&error, None))?;
    match stream.peek() {
        Ok(None) => Err(Failed::silent()),
        Ok(Some(first)) => Ok(first.is_ascii_uppercase()),
        // Nothing has come after all, or the error is found by whoever reads.
        Err(_) => Ok(false),
    }
}

/// Waits until a client has heard why it is refused, and closes: to close with bytes unread resets the connection, and the alert may be
/// lost with it.
async fn let_it_hear(mut stream: AsyncStream) {
    let mut buffer = vec![0; 4096];
    let mut past = 0;
    if stream.shutdown().await.is_err() {
        return;
    }
    while past < MOST_PAST {
        match stream.read(&mut buffer).await {
            Ok(read @ 1..) => past += read,
            _ => break,
        }
    }
}
