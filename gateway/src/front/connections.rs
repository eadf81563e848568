//! A worker's client connections: hyper on a plain socket each, with the time limits that hyper has not.
//!
//! hyper's own timer for request heads is made anew for each request, and it has none for idle connections. Here each
//! connection notes what it waits for and since when, and one sweep of the worker closes those that wait too long: the
//! limits are kept to within [`SWEEP`].

use super::handler::handle;
use crate::worker::Worker;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use slab::Slab;
use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{interval, timeout};

/// Time between two sweeps.
const SWEEP: Duration = Duration::from_millis(250);

/// The client connections of a worker.
pub struct Connections {
    worker: Rc<Worker>,
    open: Rc<Open>,
    sweeper: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Open {
    clients: RefCell<Slab<Rc<Client>>>,
    draining: Cell<bool>,
    /// Sweeps since the worker began: the clock of the limits.
    sweeps: Cell<u64>,
    closed: Notify,
}

/// What a connection waits for.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// For a request, or for the client to take its answer.
    Idle,
    /// For the rest of a request's head.
    Head,
    /// For us: a request is being answered.
    Busy,
}

/// One connection, as the sweep and the drain see it.
pub(super) struct Client {
    open: Rc<Open>,
    phase: Cell<Phase>,
    since: Cell<u64>,
    waker: RefCell<Option<Waker>>,
    /// It waited too long.
    expired: Cell<bool>,
}

impl Client {
    fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.since.set(self.open.sweeps.get());
    }

    /// A request's head is there.
    pub(super) fn busy(&self) {
        self.enter(Phase::Busy);
    }

    /// The answer is made.
    pub(super) fn answered(&self) {
        self.enter(Phase::Idle);
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

impl Connections {
    /// No connections yet. Begins to sweep.
    pub fn new(worker: Rc<Worker>) -> Connections {
        let open = Rc::new(Open::default());
        let sweeper = tokio::task::spawn_local(sweep(worker.clone(), open.clone()));
        Connections { worker, open, sweeper }
    }

    /// Serves a client.
    pub fn serve(&self, stream: std::net::TcpStream) {
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                self.worker.shared.load[self.worker.id].fetch_sub(1, Relaxed);
                tracing::warn!(%error, "a connection cannot be served");
                return;
            }
        };
        let client = Rc::new(Client {
            open: self.open.clone(),
            phase: Cell::new(Phase::Idle),
            since: Cell::new(self.open.sweeps.get()),
            waker: RefCell::new(None),
            expired: Cell::new(false),
        });
        tokio::task::spawn_local(serve(self.worker.clone(), client, stream));
    }

    /// Lets every connection answer what it has, then closes it; waits for that, at most for the time that the
    /// settings give.
    pub async fn drain(self) {
        self.open.draining.set(true);
        self.open.clients.borrow().iter().for_each(|(_, client)| client.wake());
        let all_closed = async {
            loop {
                let closed = self.open.closed.notified();
                if self.open.clients.borrow().is_empty() {
                    return;
                }
                closed.await;
            }
        };
        if timeout(self.worker.shared.settings.server.drain_timeout, all_closed).await.is_err() {
            let left = self.open.clients.borrow().len();
            tracing::warn!(left, "connections were still busy at the end of the drain time");
        }
        self.sweeper.abort();
    }
}

/// Takes a connection off the books however its task ends.
struct Registered {
    worker: Rc<Worker>,
    open: Rc<Open>,
    key: usize,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.open.clients.borrow_mut().remove(self.key);
        self.open.closed.notify_waiters();
        self.worker.shared.front.workers.of(self.worker.id).connections.decrement();
        self.worker.shared.load[self.worker.id].fetch_sub(1, Relaxed);
    }
}

async fn serve(worker: Rc<Worker>, client: Rc<Client>, stream: TcpStream) {
    let open = client.open.clone();
    let key = open.clients.borrow_mut().insert(client.clone());
    let _registered = Registered { worker: worker.clone(), open: open.clone(), key };
    let counters = worker.shared.front.workers.of(worker.id);
    counters.connections.increment();
    counters.accepted.increment();
    let head_limit = worker.shared.settings.server.max_head as usize;
    let service = service_fn(|request| {
        let (worker, client) = (worker.clone(), client.clone());
        async move { Ok::<_, Infallible>(handle(&worker, &client, request).await) }
    });
    let mut http = http1::Builder::new();
    http.max_header_size(head_limit);
    let io = ClientIo { stream: TokioIo::new(stream), client: client.clone() };
    let mut connection = pin!(http.serve_connection(io, service));
    let mut told = false;
    let ended = poll_fn(|cx| {
        remember(&client.waker, cx.waker());
        if client.expired.get() {
            return Poll::Ready(Ok(()));
        }
        if open.draining.get() && !told {
            told = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(cx)
    });
    if let Err(error) = ended.await {
        // Clients that break off or send nonsense are their own affair; whoever looks for them finds them here.
        tracing::debug!(%error, "a client connection ended early");
    }
}

fn remember(place: &RefCell<Option<Waker>>, waker: &Waker) {
    let mut place = place.borrow_mut();
    match place.as_mut() {
        Some(known) => known.clone_from(waker),
        None => *place = Some(waker.clone()),
    }
}

/// Closes the connections that have waited too long.
async fn sweep(worker: Rc<Worker>, open: Rc<Open>) {
    let server = &worker.shared.settings.server;
    let sweeps = |limit: Duration| limit.as_millis().div_ceil(SWEEP.as_millis()) as u64;
    let (idle, head) = (sweeps(server.idle_timeout), sweeps(server.header_timeout));
    let mut tick = interval(SWEEP);
    loop {
        tick.tick().await;
        let now = open.sweeps.get() + 1;
        open.sweeps.set(now);
        for (_, client) in open.clients.borrow().iter() {
            let limit = match client.phase.get() {
                Phase::Idle => idle,
                Phase::Head => head,
                Phase::Busy => continue,
            };
            if now - client.since.get() > limit {
                client.expired.set(true);
                client.wake();
            }
        }
    }
}

/// A client's socket, which notes what goes over it.
struct ClientIo {
    stream: TokioIo<TcpStream>,
    client: Rc<Client>,
}

impl Read for ClientIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        // The limit runs from a head's first byte: a byte now and then does not prolong it.
        if read.is_ready() && self.client.phase.get() == Phase::Idle {
            self.client.enter(Phase::Head);
        }
        read
    }
}

impl Write for ClientIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.progress(&written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.progress(&written);
        written
    }
}

impl ClientIo {
    /// A client that takes its answer slowly is not idle.
    fn progress(&self, written: &Poll<io::Result<usize>>) {
        if written.is_ready() && self.client.phase.get() == Phase::Idle {
            self.client.enter(Phase::Idle);
        }
    }
}
