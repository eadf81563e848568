//! A worker's client connections: hyper on a plain socket each, with the time limits that hyper has not.
//!
//! hyper keeps 16 KiB of buffers for a connection, whether anything goes over it or not. So hyper is given a connection
//! when its first bytes are there, and gives it back when it has been idle for a while: a resting connection is a socket
//! and a few hundred bytes.
//!
//! hyper's own timer for request heads is made anew for each request, and it has none for idle connections. Here each
//! connection notes what it waits for and since when, and one sweep of the worker closes those that wait too long: the
//! limits are kept to within [`SWEEP`].

use super::client::{Client, ClientIo, Open, Phase};
use super::handler::handle;
use super::pace::{self, Least};
use crate::worker::Worker;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Time between two sweeps.
const SWEEP: Duration = Duration::from_millis(250);

/// A connection that has been idle for so many sweeps is put to rest.
const REST_AFTER: u64 = 4;

/// The client connections of a worker.
pub struct Connections {
    worker: Rc<Worker>,
    open: Rc<Open>,
    sweeper: tokio::task::JoinHandle<()>,
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
        pace::hold_back_little(&stream);
        let addr = stream.peer_addr().ok().map(|addr| addr.ip().to_canonical());
        let client = Rc::new(Client::new(self.open.clone(), addr));
        // On the books before its task runs: a drain must not miss it.
        let registered = Registered::new(self.worker.clone(), client);
        tokio::task::spawn_local(serve(registered, stream));
    }

    /// Waits until every connection has closed with its next answer, as they do when the process drains; at most for the
    /// time that the settings give.
    ///
    /// An idle one stays: its next request may be on its way, and a server that closes has no means to know. It is
    /// closed when it was idle for as long as any may be, which its client has to reckon with at all times.
    pub async fn leave(&self) {
        if timeout(self.worker.shared.settings.upgrade.drain_timeout, self.all_closed()).await.is_err() {
            let left = self.open.clients.borrow().len();
            tracing::info!(left, "connections have not left by themselves");
        }
    }

    /// Lets every connection answer what it has, then closes it; waits for that, at most for the time that the
    /// settings give.
    pub async fn drain(self) {
        // The runtime looks at the sockets before this goes on, so that what has come is read before the word to end.
        tokio::task::yield_now().await;
        self.open.stopping.set(true);
        self.open.clients.borrow().iter().for_each(|(_, client)| client.wake());
        if timeout(self.worker.shared.settings.server.drain_timeout, self.all_closed()).await.is_err() {
            let left = self.open.clients.borrow().len();
            tracing::warn!(left, "connections were still busy at the end of the drain time");
        }
        self.sweeper.abort();
    }

    async fn all_closed(&self) {
        loop {
            let closed = self.open.closed.notified();
            if self.open.clients.borrow().is_empty() {
                return;
            }
            closed.await;
        }
    }
}

/// A connection on the books; taken off however its task ends.
struct Registered {
    worker: Rc<Worker>,
    client: Rc<Client>,
    key: usize,
}

impl Registered {
    fn new(worker: Rc<Worker>, client: Rc<Client>) -> Registered {
        let counters = worker.shared.front.workers.of(worker.id);
        counters.connections.increment();
        counters.accepted.increment();
        let key = client.open.clients.borrow_mut().insert(client.clone());
        Registered { worker, client, key }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let open = &self.client.open;
        open.clients.borrow_mut().remove(self.key);
        open.closed.notify_waiters();
        self.worker.shared.front.workers.of(self.worker.id).connections.decrement();
        self.worker.shared.load[self.worker.id].fetch_sub(1, Relaxed);
    }
}

async fn serve(registered: Registered, stream: TcpStream) {
    let Registered { worker, client, .. } = &registered;
    let mut io = ClientIo::new(stream, client.clone());
    while rest(&io).await {
        match drive(worker, io).await {
            Ok(Some(resting)) => io = resting,
            Ok(None) => return,
            Err(error) => {
                // Clients that break off or send nonsense are their own affair; whoever looks for them finds them here.
                tracing::debug!(%error, "a client connection ended early");
                return;
            }
        }
    }
}

/// Waits for the next bytes; `false` when there is no more time for them.
async fn rest(io: &ClientIo) -> bool {
    let client = &io.client;
    let readable = poll_fn(|cx| {
        client.remember(cx.waker());
        // What has come before the word to end is answered.
        if io.poll_readable(cx).is_ready() {
            return Poll::Ready(true);
        }
        if client.expired.get() || client.open.stopping.get() { Poll::Ready(false) } else { Poll::Pending }
    });
    let readable = readable.await;
    client.resting.set(false);
    readable
}

/// Lets hyper serve the connection until it ends, or rests: then the socket comes back.
async fn drive(worker: &Rc<Worker>, io: ClientIo) -> hyper::Result<Option<ClientIo>> {
    let client = io.client.clone();
    let service = service_fn(|request| {
        let (worker, client) = (worker.clone(), client.clone());
        let version = request.version();
        async move {
            let mut answer = handle(&worker, &client, request).await;
            if worker.shared.draining.load(Relaxed) {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                // Or hyper would promise a client of HTTP/1.0 the opposite beside it.
                *answer.version_mut() = version;
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let mut http = http1::Builder::new();
    http.max_header_size(worker.shared.settings.server.max_head as usize);
    // On the heap, so that a resting connection's task does not keep the place.
    let mut connection = Box::pin(http.serve_connection(io, service));
    let mut told = false;
    poll_fn(|cx| {
        client.remember(cx.waker());
        if client.expired.get() {
            return Poll::Ready(Ok(()));
        }
        let polled = connection.as_mut().poll(cx);
        // Bytes may have come since the sweep.
        client.resting.set(client.resting.get() && client.phase.get() == Phase::Idle);
        if polled.is_ready() || told || !(client.resting.get() || client.open.stopping.get()) {
            return polled;
        }
        // Polled before: hyper closes a connection without a request at once, with those that it has not read.
        told = true;
        connection.as_mut().graceful_shutdown();
        connection.as_mut().poll(cx)
    })
    .await?;
    if !client.resting.get() {
        return Ok(None);
    }
    let parts = Pin::into_inner(connection).into_parts();
    let mut io = parts.io;
    io.unread = parts.read_buf;
    Ok(Some(io))
}

/// Closes the connections that have waited too long.
async fn sweep(worker: Rc<Worker>, open: Rc<Open>) {
    let server = &worker.shared.settings.server;
    let sweeps = |limit: Duration| limit.as_millis().div_ceil(SWEEP.as_millis()) as u64;
    let (idle, head) = (sweeps(server.idle_timeout), sweeps(server.header_timeout));
    let least = Least {
        bytes: (server.min_send_rate as f64 * server.min_send_rate_window.as_secs_f64()) as u64,
        sweeps: sweeps(server.min_send_rate_window),
    };
    let mut tick = interval(SWEEP);
    // Time in which the process stood still is not the clients' fault.
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let now = open.sweeps.get() + 1;
        open.sweeps.set(now);
        for (_, client) in open.clients.borrow().iter() {
            if server.min_send_rate > 0 && client.pace.is_blocked() {
                if client.pace.is_too_slow(now, least) {
                    leave_slow(&worker, client);
                }
                continue;
            }
            let waited = now - client.since.get();
            let limit = match client.phase.get() {
                Phase::Idle => idle,
                Phase::Head => head,
                Phase::Busy => continue,
            };
            if waited > limit {
                client.expired.set(true);
                client.wake();
            } else if waited == REST_AFTER && client.phase.get() == Phase::Idle && !client.pace.is_blocked() {
                client.resting.set(true);
                client.wake();
            }
        }
    }
}

/// Ends the connection of a client that takes its answer too slowly.
fn leave_slow(worker: &Worker, client: &Client) {
    tracing::debug!(client = ?client.addr, "a client takes its answer more slowly than min_send_rate");
    worker.shared.front.workers.of(worker.id).slow_clients.increment();
    client.slow.set(true);
    client.expired.set(true);
    client.wake();
}
