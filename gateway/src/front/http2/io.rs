//! A connection's socket as the library reads and writes it, with an eye on the frames that pass.
//!
//! When a client has sent too much that asks for nothing, nothing more is read of it: the connection finds that out when the library
//! waits, and ends.
//!
//! The library flushes behind each frame of some length. Once requests are served, that has nothing leave yet: the connection has all
//! that was said leave together, when the library waits.

use super::flood::{Buckets, stopped_by_library};
use super::frames::{Frame, Frames, Kind};
use super::outgoing::Outgoing;
use crate::front::wire::Wire;
use crate::telemetry::{Endings, Flood, Http2Counters};
use crate::worker::Worker;
use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a client sends before its first frame (RFC 9113, 3.4).
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The code of a GOAWAY to a client that sends too much.
const ENHANCE_YOUR_CALM: u32 = 11;

/// The socket.
pub(super) struct Io {
    wire: Rc<Wire>,
    watch: Rc<Watch>,
}

/// What has passed.
pub(super) struct Watch {
    worker: Rc<Worker>,
    passing: RefCell<Passing>,
    outgoing: RefCell<Outgoing>,
    /// What is written leaves when the connection says so.
    gathers: Cell<bool>,
    /// What the client has sent too much of.
    flood: Cell<Option<Flood>>,
    /// What the library has found too much, when its GOAWAY was written.
    stopped: Cell<Option<Flood>>,
}

struct Passing {
    read: Frames,
    written: Frames,
    buckets: Buckets,
}

impl Io {
    /// That of a connection of which nothing has passed.
    pub(super) fn new(worker: &Rc<Worker>, wire: &Rc<Wire>) -> (Io, Rc<Watch>) {
        let now = wire.connection.open.sweeps.get();
        let read = Frames::behind(PREFACE.len() as u32);
        let passing = Passing { read, written: Frames::default(), buckets: Buckets::new(now) };
        let watch = Watch {
            worker: worker.clone(),
            passing: RefCell::new(passing),
            outgoing: RefCell::new(Outgoing::new(wire.clone())),
            gathers: Cell::new(false),
            flood: Cell::new(None),
            stopped: Cell::new(None),
        };
        let watch = Rc::new(watch);
        (Io { wire: wire.clone(), watch: watch.clone() }, watch)
    }

    /// Nothing can be read at the moment. A head that does not come to its end has a time limit.
    fn note_wait(&self) {
        let connection = &self.wire.connection;
        let since = self.watch.passing.borrow().read.is_in_head();
        let before = connection.http2().head_since.get();
        let now = || connection.open.sweeps.get();
        connection.http2().head_since.set(since.then(|| before.unwrap_or_else(now)));
    }
}

impl Watch {
    /// From now on, what is written leaves when [it is told to](Watch::poll_leave), or is much.
    pub(super) fn gather(&self) {
        self.gathers.set(true);
    }

    /// Has all leave that was written.
    pub(super) fn poll_leave(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.borrow_mut().poll_leave(cx)
    }

    /// What the client has sent too much of.
    pub(super) fn flood(&self) -> Option<Flood> {
        self.flood.get()
    }

    /// What the library, or whoever has it send such a GOAWAY, has found too much.
    pub(super) fn stopped(&self) -> Option<Flood> {
        self.stopped.get()
    }

    fn http2(&self) -> &Http2Counters {
        &self.worker.shared.front.workers.of(self.worker.id).http2
    }

    fn read(&self, bytes: &[u8], now: u64) {
        let Passing { read, buckets, .. } = &mut *self.passing.borrow_mut();
        buckets.fill(now);
        let counters = &self.http2().by_client;
        read.pass(bytes, |frame| {
            count(counters, &frame);
            self.note(buckets.take(&frame));
        });
    }

    /// The head of a request was refused.
    pub(super) fn refused(&self) {
        self.note(self.passing.borrow_mut().buckets.refused());
    }

    /// Whether the connection is to leave before it is ended for what it was sent in all its life.
    pub(super) fn is_worn(&self) -> bool {
        self.passing.borrow().buckets.is_worn()
    }

    fn note(&self, flood: Option<Flood>) {
        self.flood.set(self.flood.get().or(flood));
    }

    /// Notes what was written.
    pub(super) fn written(&self, bytes: &[u8]) {
        let Passing { written, buckets, .. } = &mut *self.passing.borrow_mut();
        let counters = &self.http2().by_gateway;
        written.pass(bytes, |frame| {
            count(counters, &frame);
            buckets.sent(&frame);
            if frame.kind == Kind::GoAway && frame.code == ENHANCE_YOUR_CALM {
                self.stopped.set(Some(stopped_by_library(bytes)));
            }
        });
    }
}

/// Counts what ends a stream or the connection.
fn count(endings: &Endings, frame: &Frame) {
    match frame.kind {
        Kind::ResetStream => endings.resets.of(frame.code).increment(),
        Kind::GoAway => endings.goaways.of(frame.code).increment(),
        _ => {}
    }
}

impl AsyncRead for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.watch.flood().is_some() {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = self.wire.poll_fill(cx, buffer);
        if read.is_pending() {
            self.note_wait();
        }
        ready!(read)?;
        self.watch.read(&buffer.filled()[before..], self.wire.connection.open.sweeps.get());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(self.watch.outgoing.borrow_mut().poll_put(cx, bytes, &[]))?;
        self.watch.written(&bytes[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // The library writes a frame's head and its payload.
        let mut parts = buffers.iter().filter(|part| !part.is_empty());
        let (first, behind) = (parts.next(), parts.next());
        let (first, behind) =
            (first.map_or(&[][..], |part| &part[..]), behind.map_or(&[][..], |part| &part[..]));
        let written = ready!(self.watch.outgoing.borrow_mut().poll_put(cx, first, behind))?;
        let of_first = written.min(first.len());
        self.watch.written(&first[..of_first]);
        self.watch.written(&behind[..written - of_first]);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.watch.gathers.get() { Poll::Ready(Ok(())) } else { self.watch.poll_leave(cx) }
    }

    /// The connection ends its side by itself, when the library is done with it.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.watch.poll_leave(cx)
    }
}
