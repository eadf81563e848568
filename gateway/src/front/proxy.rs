//! The PROXY header of a connection, by which a proxy says who its client is. It comes before everything else on listeners that say so.
//!
//! A connection that does not come from a proxy whose word counts has been turned away when it was accepted. Here the header is waited
//! for, in the phase [`Handshake`](Phase::Handshake) in which the connection begins, and taken: exactly it, and nothing behind it. A
//! connection without a good one ends without an answer, because nobody knows what its other end would take for one.

use super::connection::{Connection, Over, Phase};
use crate::clients::proxy::{self, Begin, Binary, FIXED, MAX_ADDRESSES, MAX_LINE, Said};
use crate::config::ProxyProtocol;
use crate::stream::AsyncStream;
use crate::telemetry::ConnectionRefusal;
use crate::worker::ClientPlace;
use std::io;
use tokio::io::AsyncReadExt;

/// What is skipped of a header at a time, in bytes.
const SKIP: usize = 256;

/// Why a connection ends here.
#[derive(Debug)]
pub(super) enum Ended {
    /// It is turned away.
    Refused(ConnectionRefusal),
    /// It has gone before it has said anything, or the worker ends.
    Gone,
}

/// Finds out who a connection's client is, where a PROXY header says it; and gives its place among those of its client.
///
/// # Errors
/// The connection ends here, which is counted.
pub(super) async fn pass(
    connection: &Connection,
    stream: &mut AsyncStream,
) -> Result<Option<ClientPlace>, Ended> {
    let listener = &connection.listener;
    let Some(proxy) = &listener.clients.proxy_protocol else { return Ok(None) };
    // On the heap, so that the connection's task does not keep the place.
    let said = Box::pin(read(connection, proxy, stream)).await.inspect_err(|ended| {
        if let Ended::Refused(why) = ended {
            listener.refuse(*why, connection.client.get());
        }
    })?;
    if let Said::Client(client) = said {
        connection.set_client(Some(client));
    }
    // The time of a TLS handshake behind it has begun with the connection.
    if listener.tls.is_none() {
        connection.enter(Phase::Idle);
    }
    listener.count(connection.client.get()).map_err(Ended::Refused)
}

/// Reads the header, while there is time.
async fn read(
    connection: &Connection,
    proxy: &ProxyProtocol,
    stream: &mut AsyncStream,
) -> Result<Said, Ended> {
    match connection.unless_over(take(stream, proxy.optional)).await {
        Ok(Ok(said)) => said.map_err(Ended::Refused),
        // It has ended within its header.
        Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(Ended::Refused(ConnectionRefusal::ProxyIncomplete))
        }
        Err(Over::Late) => Err(Ended::Refused(ConnectionRefusal::ProxyLate)),
        // It was reset, or has ended before its header; or the worker ends.
        Ok(Err(_)) | Err(Over::Stopping | Over::Crowded) => Err(Ended::Gone),
    }
}

/// Takes the header off the stream. An error is the stream's.
async fn take(stream: &mut AsyncStream, optional: bool) -> io::Result<Result<Said, ConnectionRefusal>> {
    let malformed = |_| ConnectionRefusal::ProxyMalformed;
    let length = match stream.peek_until::<MAX_LINE, _>(proxy::begin).await? {
        Begin::Text(length) => length,
        Begin::Binary => return Ok(take_binary(stream).await?.map_err(malformed)),
        Begin::TooLong => return Ok(Err(ConnectionRefusal::ProxyMalformed)),
        Begin::Other if optional => return Ok(Ok(Said::Nothing)),
        Begin::Other => return Ok(Err(ConnectionRefusal::ProxyMissing)),
    };
    let mut line = [0; MAX_LINE];
    let line = &mut line[..length];
    stream.read_exact(line).await?;
    Ok(proxy::text(line).map_err(malformed))
}

/// Takes a header of version 2.
async fn take_binary(stream: &mut AsyncStream) -> io::Result<Result<Said, proxy::Malformed>> {
    let mut fixed = [0; FIXED];
    stream.read_exact(&mut fixed).await?;
    let header = match Binary::read(&fixed) {
        Ok(header) => header,
        Err(malformed) => return Ok(Err(malformed)),
    };
    let mut addresses = [0; MAX_ADDRESSES];
    let addresses = &mut addresses[..header.wanted()];
    stream.read_exact(addresses).await?;
    let mut left = header.rest - addresses.len();
    let mut past = [0; SKIP];
    while left > 0 {
        let some = left.min(SKIP);
        stream.read_exact(&mut past[..some]).await?;
        left -= some;
    }
    Ok(Ok(header.said(addresses)))
}

#[cfg(test)]
mod tests;
