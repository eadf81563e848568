//! HTTP/2 on a client connection: its streams, each with a request and its reply, side by side, until one of the two sides ends it.
//!
//! ```text
//! io      the socket, with an eye on the frames that pass; frames, their heads; flood, those that ask for nothing; outgoing, what is to leave
//! stream  one request and its reply
//! head    heads: those of requests are read by the rules of HTTP/1.1
//! begun   a reply in items on its stream; echo, what says that its client has heard the last of them
//! send    a reply on its stream; piece, a piece of it that its client has not taken yet
//! sniff   in the clear: whether a client speaks it
//! linger  the end of a connection, which is to be heard
//! ```
//!
//! The crate `h2` has the frames, the compression of heads, the state of streams and the windows. Each stream is a task of the worker's.
//! What a stream does not need any more is given back before its client has taken the reply: what a client can hold by not taking
//! anything is the reply alone.

mod begun;
mod flood;
mod frames;
mod head;
mod io;
mod linger;
mod outgoing;
mod piece;
mod send;
mod sniff;
mod stream;

pub(super) use sniff::{Spoken, sniff};

use super::connection::{Connection, Due, Phase};
use super::wire::Wire;
use crate::config::Http2Settings;
use crate::supervise::Task;
use crate::telemetry::Flood;
use crate::worker::Worker;
use h2::server::{Builder, Connection as Library};
use h2::{Ping, PingPong, Reason};
use io::{Io, Watch};
use linger::linger;
use piece::Piece;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

/// What a stream's client may send of a body before it is read, in bytes.
const STREAM_WINDOW: u32 = 64 * 1024;
/// What all streams' clients of a connection may send so, in bytes.
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Streams of a connection that were reset by us because of what their client sent, as long as it lasts. It is told to leave long before.
const MAX_ERRORS: usize = 1024;
/// Streams that are remembered when we have reset them, and for how long: what their client has sent meanwhile is no error.
const REMEMBERED: usize = 512;
const REMEMBERED_FOR: Duration = Duration::from_secs(10);
/// Streams that their client gives up before anybody has looked at them.
const MAX_PENDING_RESETS: usize = 50;

/// Serves a connection until it ends.
pub(super) async fn serve(worker: &Rc<Worker>, wire: &Rc<Wire>) {
    let connection = &wire.connection;
    let _counted = Counted::new(worker.clone());
    connection.enter(Phase::Head);
    let (io, watch) = Io::new(worker, wire);
    let builder = builder(&worker.shared.settings.http2, connection);
    let Some(mut library) = begun(wire, builder.handshake(io)).await else {
        if connection.open.stopping.get() && !connection.expired.get() {
            say_that_none_was_taken(wire, &watch).await;
        }
        return;
    };
    worker.shared.front.workers.of(worker.id).http2.accepted.increment();
    connection.enter(Phase::Idle);
    watch.gather();
    let pings = library.ping_pong();
    let mut served = Served { worker, wire, watch, library, pings, leaves: false, ends: false };
    poll_fn(|cx| served.poll(cx)).await;
    drop(served);
    if !connection.expired.get() {
        linger(wire).await;
    }
}

fn builder(settings: &Http2Settings, connection: &Connection) -> Builder {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(settings.max_concurrent_streams)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_local_error_reset_streams(Some(MAX_ERRORS))
        .max_concurrent_reset_streams(REMEMBERED)
        .reset_stream_duration(REMEMBERED_FOR)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS);
    head::bound(&mut builder, &connection.open.limits);
    builder
}

/// Waits until the client has sent its preface, as long as there is time.
async fn begun<T>(wire: &Wire, handshake: impl Future<Output = Result<T, h2::Error>>) -> Option<T> {
    let connection = &wire.connection;
    let mut handshake = pin!(handshake);
    poll_fn(|cx| {
        connection.remember(cx.waker());
        match handshake.as_mut().poll(cx) {
            Poll::Ready(begun) => Poll::Ready(begun.ok()),
            Poll::Pending if connection.expired.get() => Poll::Ready(None),
            // What has come before the word to end is replied to.
            Poll::Pending if connection.open.stopping.get() && !wire.has_come() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// GOAWAY: not one request was taken, and each may be sent elsewhere.
const NONE_TAKEN: &[u8] = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// Tells a client that has not spoken yet to go elsewhere, behind the settings that the library has sent.
async fn say_that_none_was_taken(wire: &Wire, watch: &Watch) {
    if wire.write_all(NONE_TAKEN, &[]).await.is_ok() {
        watch.written(NONE_TAKEN);
        linger(wire).await;
    }
}

/// A connection that is served.
struct Served<'c> {
    worker: &'c Rc<Worker>,
    wire: &'c Rc<Wire>,
    watch: Rc<Watch>,
    library: Library<Io, Piece>,
    /// What asks the client whether it has heard all that was said.
    pings: Option<PingPong>,
    /// The client was told that no more requests are taken.
    leaves: bool,
    /// It was told that the connection ends now.
    ends: bool,
}

impl Served<'_> {
    /// Goes on until the connection has ended.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let connection = &self.wire.connection;
        loop {
            connection.remember(cx.waker());
            // All requests that have come are begun before anything else is looked at.
            let accepted = pin!(self.library.accept()).poll(cx);
            match accepted {
                Poll::Ready(Some(Ok((_, mut respond))))
                    if !self.ends && (self.is_full() || self.has_left()) =>
                {
                    // Nothing is done with it: its client can send it again, elsewhere if it was told to go.
                    respond.send_reset(Reason::REFUSED_STREAM);
                    continue;
                }
                Poll::Ready(Some(Ok((request, respond)))) if !self.ends => {
                    // On the heap: a task moves what it runs around, and clears it as it ends.
                    let stream =
                        Box::pin(stream::begin(self.worker, connection, &self.watch, request, respond));
                    self.look_at_room();
                    let worker = self.worker.clone();
                    tokio::task::spawn_local(async move {
                        worker.shared.supervisor.guard(Task::ClientStream, stream).await;
                    });
                    continue;
                }
                Poll::Ready(Some(Ok(_))) => continue,
                Poll::Ready(Some(Err(error))) => {
                    tracing::debug!(client = ?connection.client.get(), listener = connection.listener.id, %error, "an HTTP/2 connection has ended");
                    if let (false, Some(flood)) = (self.ends, self.watch.stopped()) {
                        self.tell(flood);
                    }
                    return Poll::Ready(());
                }
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => {}
            }
            if connection.slow.get() {
                // What it does not take is not kept.
                return Poll::Ready(());
            }
            if self.asks(cx) {
                continue;
            }
            // What was said now has to be sent.
            if self.say() {
                continue;
            }
            // Whoever cannot be written to has gone.
            return match self.watch.poll_leave(cx) {
                Poll::Ready(Err(_)) => Poll::Ready(()),
                Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
            };
        }
    }

    /// Asks the client whether it has heard all, if somebody wants to know, and hears what it answers. Says whether that is to be sent.
    fn asks(&mut self, cx: &mut Context<'_>) -> bool {
        let (echo, Some(pings)) = (&self.wire.connection.http2().echo, &mut self.pings) else { return false };
        // One that cannot be answered any more ends with its connection.
        if echo.is_on_its_way() && matches!(pings.poll_pong(cx), Poll::Ready(Ok(_))) {
            echo.is_answered();
        }
        let asks = echo.is_to_be_sent() && pings.send_ping(Ping::opaque()).is_ok();
        if asks {
            echo.is_sent();
        }
        asks
    }

    /// Whether the client has let so much lie that there is no room for one more reply.
    fn is_full(&self) -> bool {
        self.wire.connection.http2().unsent.is_full(&self.worker.shared.answers)
    }

    /// Whether its client was told to go elsewhere, and has had time for that.
    fn has_left(&self) -> bool {
        let connection = &self.wire.connection;
        connection.http2().has_left(connection.open.sweeps.get())
    }

    /// When the process ends, the connection has had its requests, or room is short, its client is to go elsewhere.
    fn look_at_room(&self) {
        let (shared, connection) = (&self.worker.shared, &self.wire.connection);
        let now = connection.open.sweeps.get();
        if shared.draining.load(Relaxed) || connection.is_used_up() {
            connection.http2().leave(now);
        } else if shared.room.is_short() && !connection.http2().leaves.get() {
            shared.front.workers.of(self.worker.id).told_to_close.increment();
            connection.http2().leave(now);
        }
    }

    /// Tells the client what there is to tell.
    fn say(&mut self) -> bool {
        let connection = &self.wire.connection;
        if self.ends {
            return false;
        }
        if let Some(flood) = self.watch.flood() {
            self.tell(flood);
            return self.end(Reason::ENHANCE_YOUR_CALM);
        }
        if let Some(reason) = self.is_due() {
            return self.end(reason);
        }
        if connection.is_asked() {
            // What has come before the word to end is replied to.
            if !self.wire.has_come() {
                return self.end(Reason::NO_ERROR);
            }
            connection.stay();
        }
        let now = connection.open.sweeps.get();
        if connection.open.stopping.get() || self.watch.is_worn() {
            connection.http2().leave(now);
        }
        if connection.http2().leaves.get() && !self.leaves {
            self.leaves = true;
            self.library.graceful_shutdown();
            return true;
        }
        false
    }

    /// Tells that the connection ends because of what its client has sent.
    fn tell(&self, flood: Flood) {
        let connection = &self.wire.connection;
        tracing::info!(client = ?connection.client.get(), listener = connection.listener.id, frames = flood.name(), "a client sends too many HTTP/2 frames that ask for nothing");
        self.worker.shared.front.workers.of(self.worker.id).http2.of_flood(flood).increment();
    }

    /// Whether it is to end now, and what its client is told then. What has come before that is replied to; not so for a client that has
    /// had its time.
    fn is_due(&self) -> Option<Reason> {
        let connection = &self.wire.connection;
        let http2 = connection.http2();
        let (is_idle, has_begun) = (connection.phase.get() == Phase::Idle, http2.head_since.get().is_some());
        let ends = match http2.due.take() {
            _ if connection.expired.get() => true,
            Some(Due::Head) => has_begun,
            Some(Due::Left) => is_idle,
            Some(Due::Idle) => is_idle && !self.wire.has_come(),
            None => false,
        };
        let is_in_order = is_idle && !has_begun;
        ends.then_some(if is_in_order { Reason::NO_ERROR } else { Reason::ENHANCE_YOUR_CALM })
    }

    /// Ends the connection. The client is told which of its requests were taken: it can send all others elsewhere.
    fn end(&mut self, reason: Reason) -> bool {
        self.ends = true;
        self.wire.connection.enter(Phase::Lingering);
        self.library.abrupt_shutdown(reason);
        true
    }
}

/// Counts a connection while it is open.
struct Counted(Rc<Worker>);

impl Counted {
    fn new(worker: Rc<Worker>) -> Counted {
        worker.shared.front.workers.of(worker.id).http2.connections.increment();
        Counted(worker)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.shared.front.workers.of(self.0.id).http2.connections.decrement();
    }
}
