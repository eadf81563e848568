//! The task of a connection: hyper on a plain socket.
//!
//! hyper keeps 16 KiB of buffers for a connection, whether anything goes over it or not. So hyper is given a connection
//! when its first bytes are there, and gives it back when it has been idle for a while: a resting connection is a socket
//! and a few hundred bytes.

use super::connection::{Connection, Phase};
use super::exchange::Exchange;
use super::handler::handle;
use super::io::ConnectionIo;
use super::tally::bare_reply;
use crate::config::Protocol;
use crate::stream::AsyncStream;
use crate::supervise::Task;
use crate::worker::{Place, Worker};
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;

/// A connection on the books; taken off however its task ends.
pub(super) struct Registered {
    worker: Rc<Worker>,
    connection: Rc<Connection>,
    place: Option<Place>,
}

impl Registered {
    pub(super) fn new(worker: Rc<Worker>, connection: Rc<Connection>, place: Place) -> Registered {
        let counters = worker.shared.front.workers.of(worker.id);
        counters.connections.increment();
        counters.accepted.increment();
        Registered { worker, connection, place: Some(place) }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.worker.shared.front.workers.of(self.worker.id).connections.decrement();
        if let (Some(heir), Some(place)) = (self.connection.strike(), self.place.take()) {
            // Nobody may wait for it any more; then it is given back.
            let _ = heir.send(place);
        }
    }
}

/// Serves a connection until it ends.
pub(super) async fn serve(registered: Registered, stream: AsyncStream) {
    let Registered { worker, connection, .. } = &registered;
    let served = match connection.listener.protocol {
        Protocol::Http1 => serve_until_end(worker, connection, stream),
    };
    worker.shared.supervisor.guard(Task::ClientConnection, served).await;
}

async fn serve_until_end(worker: &Rc<Worker>, connection: &Rc<Connection>, stream: AsyncStream) {
    let mut io = ConnectionIo::new(stream, connection.clone());
    while rest(&io).await {
        match drive(worker, io).await {
            Ok(Some(resting)) => io = resting,
            Ok(None) => return,
            Err(error) => {
                bare_reply(&worker.shared.front, worker.id, &error);
                // Clients that break off or send nonsense are their own affair; whoever looks for them finds them here.
                tracing::debug!(%error, listener = connection.listener.id, "a client connection ended early");
                return;
            }
        }
    }
}

/// Waits for the next bytes; `false` when there is no more time for them.
async fn rest(io: &ConnectionIo) -> bool {
    let connection = &io.connection;
    let readable = poll_fn(|cx| {
        connection.remember(cx.waker());
        // What has come before the word to end is replied to.
        if io.poll_readable(cx).is_ready() || (connection.is_asked() && io.has_come()) {
            return Poll::Ready(true);
        }
        let ends = connection.expired.get() || connection.open.stopping.get() || connection.is_asked();
        if ends { Poll::Ready(false) } else { Poll::Pending }
    });
    let readable = readable.await;
    connection.resting.set(false);
    if readable {
        connection.stay();
    }
    readable
}

/// Lets hyper serve the connection until it ends, or rests: then the socket comes back.
async fn drive(worker: &Rc<Worker>, io: ConnectionIo) -> hyper::Result<Option<ConnectionIo>> {
    let connection = io.connection.clone();
    let service = service_fn(|request: Request<Incoming>| {
        let version = request.version();
        let exchange = Exchange::begin(worker, &connection, request);
        async move {
            let mut response = handle(exchange).await;
            if is_last(worker) {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                // Or hyper would promise a client of HTTP/1.0 the opposite beside it.
                *response.version_mut() = version;
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut http = http1::Builder::new();
    http.max_header_size(worker.shared.settings.server.max_head as usize);
    // On the heap, so that a resting connection's task does not keep the place.
    let mut served = Box::pin(http.serve_connection(io, service));
    let mut told = false;
    poll_fn(|cx| {
        connection.remember(cx.waker());
        // Reading past ends by itself then, and says why it was there.
        if connection.expired.get() && connection.phase.get() != Phase::Lingering {
            return Poll::Ready(Ok(()));
        }
        let polled = served.as_mut().poll(cx);
        // Bytes may have come since it was told to rest.
        if connection.resting.get() && connection.phase.get() != Phase::Idle {
            connection.resting.set(false);
            connection.stay();
        }
        if polled.is_ready() || told || !(connection.resting.get() || connection.open.stopping.get()) {
            return polled;
        }
        // Polled before: hyper closes a connection without a request at once, with those that it has not read.
        told = true;
        served.as_mut().graceful_shutdown();
        served.as_mut().poll(cx)
    })
    .await?;
    if !connection.resting.get() {
        return Ok(None);
    }
    let parts = Pin::into_inner(served).into_parts();
    let mut io = parts.io;
    io.unread = parts.read_buf;
    Ok(Some(io))
}

/// Whether a connection is to close with the reply that is being made: when the process ends, and when room is short.
fn is_last(worker: &Worker) -> bool {
    let shared = &worker.shared;
    if shared.draining.load(Relaxed) {
        return true;
    }
    let short = shared.room.is_short();
    if short {
        shared.front.workers.of(worker.id).told_to_close.increment();
    }
    short
}
