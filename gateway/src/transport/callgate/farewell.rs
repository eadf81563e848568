//! The last words to a peer that broke the protocol, or a bound: it is told what was wrong, by GO_AWAY.

use super::in_flight::Machine;
use crate::stream::AsyncStream;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// So long the peer has to read them, and to close its side.
const FAREWELL: Duration = Duration::from_millis(200);

/// Tells a peer what was wrong, within [`FAREWELL`]. What it still sends is read: closed with unread bytes,
/// the connection would be reset, and the peer would not read it. The calls in flight have ended by now
/// ([`Connector::lose`](callgate_protocol::Connector::lose)): nothing of them is sent.
pub(super) fn say_why<'a>(
    stream: &'a mut AsyncStream,
    machine: &mut Machine,
    why: &str,
) -> impl Future<Output = ()> + use<'a> {
    machine.go_away_with(why);
    // Whoever gives up a call meanwhile looks for it in the machine.
    let mut words = Vec::new();
    machine.take_output(&mut words);
    async move {
        let _ = timeout(FAREWELL, write_and_close(stream, &words)).await;
    }
}

async fn write_and_close(stream: &mut AsyncStream, words: &[u8]) -> io::Result<()> {
    stream.write_all(words).await?;
    stream.shutdown().await?;
    while stream.read(&mut [0; 4096]).await? > 0 {}
    Ok(())
}
