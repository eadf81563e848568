//! A body of HTTP/2: what comes on the stream of its request. Content-Length and what has come agree, or the stream has been reset.

use super::Unread;
use super::content::{Bounds, Content};
use super::wire::SHORT;
use crate::failure::Failure;
use crate::front::connection::{Awaited, Connection, Stream};
use bytes::Bytes;
use callgate_http1::{BodyLength, Limits, Refusal, Request};
use h2::RecvStream;
use http::HeaderMap;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

/// A body that comes on a stream.
pub(in crate::front) struct StreamBody {
    incoming: RecvStream,
    /// What has come with the head.
    ahead: VecDeque<Bytes>,
    stream: Rc<Stream>,
    /// So much is to come by its Content-Length, if it has one.
    left: u64,
    has_ended: bool,
    is_broken: bool,
    waited: bool,
    /// Bytes of the piece that was given last: nothing may be sent in their place before it is used up.
    given: usize,
}

impl StreamBody {
    /// That of a request whose head is there.
    pub(in crate::front) fn new(incoming: RecvStream, stream: Rc<Stream>, head: &Request) -> StreamBody {
        let left = match head.body_length() {
            BodyLength::Known(length) => length,
            _ => 0,
        };
        let has_ended = incoming.is_end_stream();
        let ahead = VecDeque::new();
        let mut body = StreamBody {
            incoming,
            ahead,
            stream,
            left,
            has_ended,
            is_broken: false,
            waited: false,
            given: 0,
        };
        if !has_ended {
            body.take_ahead();
        }
        body
    }

    /// Takes what has come with the head, at most as much as the stream's window lets its client send.
    fn take_ahead(&mut self) {
        // Whoever reads the body waits for the rest, and finds what is wrong with it.
        let mut nobody = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(Ok(bytes))) = self.incoming.poll_data(&mut nobody) {
            if !bytes.is_empty() {
                self.ahead.push_back(bytes);
            }
        }
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_there(&self) -> bool {
        let has_come: usize = self.ahead.iter().map(Bytes::len).sum();
        let is_whole = self.left > 0 && has_come as u64 >= self.left;
        self.has_ended || self.incoming.is_end_stream() || is_whole
    }

    /// Its connection.
    pub(super) fn connection(&self) -> &Rc<Connection> {
        &self.stream.connection
    }

    /// Whether it was not there at once.
    pub(super) fn waited(&self) -> bool {
        self.waited
    }

    /// Whether it cannot be read to its end.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Whether its end was reached.
    pub(super) fn was_read(&self) -> bool {
        self.has_ended
    }

    /// The least bytes that are still to come.
    pub(super) fn at_least(&self) -> u64 {
        self.left
    }

    /// What of it has not come.
    pub(super) fn unread(&self, head: &Request) -> Unread {
        // Whoever waits to be told to send may send or not.
        let may_come = head.expects_continue() && !self.waited;
        match head.body_length() {
            _ if self.has_ended => Unread::Nothing,
            BodyLength::Known(_) if !self.is_broken && !may_come && self.left <= SHORT => Unread::Little,
            _ => Unread::Much,
        }
    }

    /// Reads past the rest, of which there is little, as long as there is time.
    pub(in crate::front) async fn discard(mut self) {
        self.stream.awaits(Awaited::Body);
        self.end_pieces();
        // It waits already.
        self.waited = true;
        while let Ok(Some(bytes)) = poll_fn(|cx| self.poll_data(cx, false)).await {
            let _ = self.incoming.flow_control().release_capacity(bytes.len());
        }
        self.stream.awaits(Awaited::Nothing);
    }

    /// Reads it into `content`.
    pub(super) async fn collect(
        &mut self,
        content: &mut Content,
        head: &Request,
        bounds: &Bounds<'_>,
    ) -> Result<(), Failure> {
        // What has come lies in memory that was read for many streams: it is not kept there.
        content.gather(&[], bounds.buffers);
        let limits = self.connection().open.limits;
        let expects = head.expects_continue();
        let read = async {
            while let Some(bytes) = poll_fn(|cx| self.poll_data(cx, expects)).await? {
                content.put(&bytes, 0..bytes.len(), bounds)?;
                self.left = self.left.saturating_sub(bytes.len() as u64);
                // The client may send as much again. One that has gone needs no telling.
                let _ = self.incoming.flow_control().release_capacity(bytes.len());
            }
            poll_fn(|cx| self.poll_trailers(cx, &limits)).await
        };
        let read = read.await;
        self.stream.awaits(Awaited::Nothing);
        self.has_ended |= read.is_ok();
        self.is_broken |= read.is_err();
        read
    }

    /// What has come next; `None` at the end, or where trailers follow.
    fn poll_data(&mut self, cx: &mut Context<'_>, expects: bool) -> Poll<Result<Option<Bytes>, Failure>> {
        if let Some(bytes) = self.ahead.pop_front() {
            return Poll::Ready(Ok(Some(bytes)));
        }
        let bytes = match self.incoming.poll_data(cx) {
            Poll::Pending => return self.wait(cx, expects),
            Poll::Ready(None) => return Poll::Ready(Ok(None)),
            Poll::Ready(Some(data)) => data.map_err(|_| Failure::ClientGone)?,
        };
        self.stream.moved(bytes.len());
        Poll::Ready(Ok(Some(bytes)))
    }

    /// From now on it is read piece by piece. A client that waits to be told to send is told.
    pub(super) fn begin_pieces(&mut self, head: &Request) {
        if head.says_expect() && self.ahead.is_empty() && !self.has_ended {
            self.waited = true;
            self.stream.wants_continue.set(true);
        }
    }

    /// The next piece of it that comes; none at its end. The client may send as much again only then.
    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Failure>> {
        self.end_pieces();
        let read = ready!(self.poll_data_or_end(cx));
        self.has_ended = matches!(read, Ok(None));
        self.is_broken |= read.is_err();
        if let Ok(Some(bytes)) = &read {
            self.given = bytes.len();
            self.left = self.left.saturating_sub(bytes.len() as u64);
        }
        Poll::Ready(read)
    }

    fn poll_data_or_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Failure>> {
        if self.has_ended {
            return Poll::Ready(Ok(None));
        }
        if let Some(bytes) = self.ahead.pop_front() {
            return Poll::Ready(Ok(Some(bytes)));
        }
        if let Some(data) = ready!(self.incoming.poll_data(cx)) {
            return Poll::Ready(data.map(Some).map_err(|_| Failure::ClientGone));
        }
        let trailers = ready!(self.incoming.poll_trailers(cx)).map_err(|_| Failure::ClientGone)?;
        let limits = &self.stream.connection.open.limits;
        Poll::Ready(trailers.map_or(Ok(()), |trailers| bounded(&trailers, limits)).map(|()| None))
    }

    /// The piece that was given last has been taken.
    pub(super) fn end_pieces(&mut self) {
        let given = std::mem::take(&mut self.given);
        if given > 0 {
            // One that has gone needs no telling.
            let _ = self.incoming.flow_control().release_capacity(given);
        }
    }

    /// It is read no further.
    pub(super) fn breaks(&mut self) {
        self.is_broken = true;
    }

    /// Trailers are bounded like a head's lines, and dropped.
    fn poll_trailers(&mut self, cx: &mut Context<'_>, limits: &Limits) -> Poll<Result<(), Failure>> {
        let trailers = match self.incoming.poll_trailers(cx) {
            Poll::Pending => return self.wait(cx, false),
            Poll::Ready(trailers) => trailers.map_err(|_| Failure::ClientGone)?,
        };
        Poll::Ready(trailers.map_or(Ok(()), |trailers| bounded(&trailers, limits)))
    }

    /// Its client is waited for, as long as there is time.
    fn wait<T>(&mut self, cx: &mut Context<'_>, expects: bool) -> Poll<Result<T, Failure>> {
        if !std::mem::replace(&mut self.waited, true) {
            self.stream.awaits(Awaited::Body);
            if expects {
                self.stream.wants_continue.set(true);
            }
        }
        self.stream.pace.moved(&Poll::<io::Result<usize>>::Pending);
        self.stream.remember(cx.waker());
        if self.stream.expired.get() { Poll::Ready(Err(Failure::BodyTimeout)) } else { Poll::Pending }
    }
}

/// Whether trailers keep to the limits.
fn bounded(trailers: &HeaderMap, limits: &Limits) -> Result<(), Failure> {
    let bytes: usize = trailers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if trailers.len() > limits.max_fields {
        Err(Failure::Refused(Refusal::TooManyFields))
    } else if bytes > limits.max_trailers {
        Err(Failure::Refused(Refusal::TrailersTooLarge))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HalfClose;
    use crate::fields::NAMES;
    use crate::front::connection::testing;
    use std::future::Future;
    use std::pin::pin;
    use tokio::io::duplex;

    /// Whether the body is there of which a client sends those pieces with its head, and the end or not.
    async fn is_there(length: &str, pieces: &[&'static str], ends: bool) -> bool {
        let (ours, theirs) = duplex(64 * 1024);
        let (client, library) = tokio::join!(h2::client::handshake(theirs), h2::server::handshake(ours));
        let (mut client, connection) = client.expect("it begins");
        let mut library: h2::server::Connection<_, Bytes> = library.expect("it begins");
        let (_reply, mut send) = client.send_request(http::Request::new(()), false).expect("it is sound");
        for piece in pieces {
            send.send_data(Bytes::from_static(piece.as_bytes()), false).expect("it is open");
        }
        if ends {
            send.send_data(Bytes::new(), true).expect("it is open");
        }
        // All of it is written before anything is read.
        let mut connection = pin!(connection);
        poll_fn(|cx| {
            let _ = connection.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
        let (request, _respond) = library.accept().await.expect("one").expect("it is sound");
        let open = testing::register(&testing::open(), HalfClose::Cancel).begin_stream();
        let mut head = Request::new(&NAMES);
        let text = format!("POST / HTTP/1.1\r\nhost: a\r\n{length}\r\n");
        head.buffer().extend_from_slice(text.as_bytes());
        assert_eq!(head.parse(&open.stream.connection.open.limits), Ok(true));
        StreamBody::new(request.into_body(), open.stream.clone(), &head).is_there()
    }

    #[tokio::test]
    async fn a_body_that_has_come_with_its_head_is_there() {
        let length = "content-length: 3\r\n";
        assert!(is_there(length, &["[1]"], true).await);
        assert!(is_there(length, &["[1", "]"], false).await, "its end is known");
        assert!(is_there("", &["[1", "]"], true).await);
        assert!(is_there("", &[], true).await);
        assert!(!is_there("", &["[1]"], false).await, "more may come");
        assert!(!is_there(length, &["[1"], false).await);
    }
}
