//! A body of HTTP/2: what comes on the stream of its request. Content-Length and what has come agree, or the stream has been reset.

use super::Unread;
use super::content::{Bounds, Content};
use super::wire::SHORT;
use crate::failure::Failure;
use crate::front::connection::{Awaited, Connection, Stream};
use bytes::Bytes;
use callgate_http1::{BodyLength, Limits, Refusal, Request};
use h2::RecvStream;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A body that comes on a stream.
pub(in crate::front) struct StreamBody {
    incoming: RecvStream,
    stream: Rc<Stream>,
    /// So much is to come by its Content-Length, if it has one.
    left: u64,
    has_ended: bool,
    is_broken: bool,
    waited: bool,
}

impl StreamBody {
    /// That of a request whose head is there.
    pub(in crate::front) fn new(incoming: RecvStream, stream: Rc<Stream>, head: &Request) -> StreamBody {
        let left = match head.body_length() {
            BodyLength::Known(length) => length,
            _ => 0,
        };
        let has_ended = incoming.is_end_stream();
        StreamBody { incoming, stream, left, has_ended, is_broken: false, waited: false }
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
        let bytes = match self.incoming.poll_data(cx) {
            Poll::Pending => return self.wait(cx, expects),
            Poll::Ready(None) => return Poll::Ready(Ok(None)),
            Poll::Ready(Some(data)) => data.map_err(|_| Failure::ClientGone)?,
        };
        self.stream.moved(bytes.len());
        Poll::Ready(Ok(Some(bytes)))
    }

    /// Trailers are bounded like a head's lines, and dropped.
    fn poll_trailers(&mut self, cx: &mut Context<'_>, limits: &Limits) -> Poll<Result<(), Failure>> {
        let trailers = match self.incoming.poll_trailers(cx) {
            Poll::Pending => return self.wait(cx, false),
            Poll::Ready(trailers) => trailers.map_err(|_| Failure::ClientGone)?,
        };
        let Some(trailers) = trailers else { return Poll::Ready(Ok(())) };
        let bytes: usize = trailers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        Poll::Ready(if trailers.len() > limits.max_fields {
            Err(Failure::Refused(Refusal::TooManyFields))
        } else if bytes > limits.max_trailers {
            Err(Failure::Refused(Refusal::TrailersTooLarge))
        } else {
            Ok(())
        })
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
