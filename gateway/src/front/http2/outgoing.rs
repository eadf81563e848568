//! What a connection is about to write. The library says most of it in small pieces, a head here and a short reply there: they leave
//! together, when it has said all that there is to say for now.

use crate::front::wire::Wire;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// So much is gathered at most, in bytes.
const MOST: usize = 16 * 1024;

/// What is as long as this is not copied, in bytes.
const LONG: usize = 4 * 1024;

/// What is gathered, and the socket that it goes to.
pub(super) struct Outgoing {
    wire: Rc<Wire>,
    gathered: Vec<u8>,
    /// So much of that has gone.
    gone: usize,
}

impl Outgoing {
    pub(super) fn new(wire: Rc<Wire>) -> Outgoing {
        Outgoing { wire, gathered: Vec::new(), gone: 0 }
    }

    /// Takes some of the first bytes and those behind them, as many as it says.
    pub(super) fn poll_put(
        &mut self,
        cx: &mut Context<'_>,
        first: &[u8],
        behind: &[u8],
    ) -> Poll<io::Result<usize>> {
        let length = first.len() + behind.len();
        if length >= LONG || self.gathered.len() + length > MOST {
            ready!(self.poll_leave(cx))?;
        }
        if length >= LONG {
            return self.wire.poll_write(cx, first, behind);
        }
        if self.gathered.capacity() == 0 {
            self.gathered = self.wire.connection.open.buffers.take();
        }
        self.gathered.extend_from_slice(first);
        self.gathered.extend_from_slice(behind);
        Poll::Ready(Ok(length))
    }

    /// Has all leave that was gathered.
    pub(super) fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.gone < self.gathered.len() {
            let written = ready!(self.wire.poll_write(cx, &self.gathered[self.gone..], &[]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.gone += written;
        }
        if self.gathered.capacity() > 0 {
            self.gathered.clear();
            self.gone = 0;
            self.wire.connection.open.buffers.give_back(std::mem::take(&mut self.gathered));
        }
        self.wire.poll_flush(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HalfClose;
    use crate::front::connection::testing;
    use crate::stream::AsyncStream;
    use std::future::poll_fn;
    use tokio::io::AsyncReadExt;
    use tokio::net::UnixStream;

    fn outgoing() -> (UnixStream, Outgoing) {
        let (client, stream) = UnixStream::pair().expect("two sockets");
        let connection = testing::register(&testing::open(), HalfClose::Cancel);
        (client, Outgoing::new(Rc::new(Wire::new(AsyncStream::Unix(stream), connection))))
    }

    #[tokio::test]
    async fn what_is_short_leaves_together_and_all_in_its_order() {
        let (mut client, mut outgoing) = outgoing();
        // Short ones, one that does not fit behind them, a long one, and a short one.
        let lengths =
            [(9, 300), (0, 40), (9, LONG - 10), (3000, 900), (900, 3000), (9, 4000), (9, 16_384), (1, 0)];
        let all: usize = lengths.iter().map(|(first, behind)| first + behind).sum();
        let bytes: Vec<u8> = (0..all).map(|at| at as u8).collect();
        let mut at = 0;
        for (first, behind) in lengths {
            let end = at + first + behind;
            while at < end {
                let cut = end - behind.min(end - at);
                let taken = poll_fn(|cx| outgoing.poll_put(cx, &bytes[at..cut], &bytes[cut..end])).await;
                at += taken.expect("the socket takes it");
            }
            let gathered = outgoing.gathered.len();
            assert!(gathered <= MOST && (first + behind < LONG || gathered == 0), "{gathered}");
        }
        poll_fn(|cx| outgoing.poll_leave(cx)).await.expect("the socket takes it");
        assert_eq!((outgoing.gathered.capacity(), outgoing.gone), (0, 0), "its buffer is others' again");
        let mut read = vec![0; all];
        client.read_exact(&mut read).await.expect("all has come");
        assert_eq!(read, bytes);
    }

    #[tokio::test]
    async fn nothing_leaves_before_it_is_told_to() {
        let (mut client, mut outgoing) = outgoing();
        poll_fn(|cx| outgoing.poll_put(cx, b"head", b"reply")).await.expect("there is room");
        assert!(client.try_read(&mut [0; 9]).is_err());
        poll_fn(|cx| outgoing.poll_leave(cx)).await.expect("the socket takes it");
        let mut read = [0; 9];
        client.read_exact(&mut read).await.expect("all has come");
        assert_eq!(&read, b"headreply");
    }
}
