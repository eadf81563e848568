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
use super::tally::{Arrived, bare_answer};
use crate::supervise::{Task, supervised};
use crate::worker::{Place, Worker};
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
use tokio::sync::oneshot;
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
        let (sweeping, swept) = (worker.clone(), open.clone());
        let sweeper = tokio::task::spawn_local(async move {
            supervised!(sweeping.shared.supervisor, Task::Sweeper, sweep(&sweeping, &swept));
        });
        Connections { worker, open, sweeper }
    }

    /// Serves a client, which has that place.
    pub fn serve(&self, stream: std::net::TcpStream, place: Place) {
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be served");
                return;
            }
        };
        pace::hold_back_little(&stream);
        let addr = stream.peer_addr().ok().map(|addr| addr.ip().to_canonical());
        // On the books before its task runs: a drain must not miss it.
        let registered = Registered::new(self.worker.clone(), Client::register(&self.open, addr), place);
        tokio::task::spawn_local(serve(registered, stream));
    }

    /// Has the connection close that has been idle longest, and gives its place to `heir`, who is dropped when none is idle.
    pub fn make_room(&self, heir: oneshot::Sender<Place>) {
        let Some(mut client) = self.open.longest_idle() else {
            tell_idleness(&self.worker, &self.open);
            return;
        };
        let (worker, open) = (self.worker.clone(), self.open.clone());
        let owner = worker.clone();
        // Whether one goes is known when its task has run. One that has a request after all is followed by the next.
        let make_room = async move {
            loop {
                let (asker, place) = oneshot::channel();
                client.ask_to_go(asker);
                if let Ok(place) = place.await {
                    worker.shared.front.workers.of(worker.id).evicted.increment();
                    // Nobody may wait for it any more.
                    let _ = heir.send(place);
                    break;
                }
                match open.longest_idle() {
                    Some(next) => client = next,
                    None => break,
                }
            }
            tell_idleness(&worker, &open);
        };
        tokio::task::spawn_local(async move {
            owner.shared.supervisor.guard(Task::RoomMaker, make_room).await;
        });
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
    place: Option<Place>,
}

impl Registered {
    fn new(worker: Rc<Worker>, client: Rc<Client>, place: Place) -> Registered {
        let counters = worker.shared.front.workers.of(worker.id);
        counters.connections.increment();
        counters.accepted.increment();
        Registered { worker, client, place: Some(place) }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.worker.shared.front.workers.of(self.worker.id).connections.decrement();
        if let (Some(heir), Some(place)) = (self.client.strike(), self.place.take()) {
            // Nobody may wait for it any more; then it is given back.
            let _ = heir.send(place);
        }
    }
}

async fn serve(registered: Registered, stream: TcpStream) {
    let Registered { worker, client, .. } = &registered;
    let served = serve_until_end(worker, client, stream);
    worker.shared.supervisor.guard(Task::ClientConnection, served).await;
}

async fn serve_until_end(worker: &Rc<Worker>, client: &Rc<Client>, stream: TcpStream) {
    let mut io = ClientIo::new(stream, client.clone());
    while rest(&io).await {
        match drive(worker, io).await {
            Ok(Some(resting)) => io = resting,
            Ok(None) => return,
            Err(error) => {
                bare_answer(&worker.shared.front, worker.id, &error);
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
        if io.poll_readable(cx).is_ready() || (client.is_asked() && io.has_come()) {
            return Poll::Ready(true);
        }
        let ends = client.expired.get() || client.open.stopping.get() || client.is_asked();
        if ends { Poll::Ready(false) } else { Poll::Pending }
    });
    let readable = readable.await;
    client.resting.set(false);
    if readable {
        client.stay();
    }
    readable
}

/// Lets hyper serve the connection until it ends, or rests: then the socket comes back.
async fn drive(worker: &Rc<Worker>, io: ClientIo) -> hyper::Result<Option<ClientIo>> {
    let client = io.client.clone();
    let service = service_fn(|request| {
        let (mut arrived, client) = (Arrived::new(worker.clone()), client.clone());
        let version = request.version();
        async move {
            arrived.begin();
            let worker = &arrived.worker;
            let mut answer = handle(worker, &client, request).await;
            if is_last(worker) {
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
        // Reading past ends by itself then, and says why it was there.
        if client.expired.get() && client.phase.get() != Phase::Lingering {
            return Poll::Ready(Ok(()));
        }
        let polled = connection.as_mut().poll(cx);
        // Bytes may have come since it was told to rest.
        if client.resting.get() && client.phase.get() != Phase::Idle {
            client.resting.set(false);
            client.stay();
        }
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

/// Whether a connection is to close with the answer that is being made: when the process ends, and when room is short.
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

/// Says for how long a connection has been idle at most, by which acceptors choose the worker that makes room.
fn tell_idleness(worker: &Worker, open: &Open) {
    let waited = open.longest_idle().map(|client| open.sweeps.get() - client.since.get());
    worker.shared.room.set_idle_for(worker.id, waited);
}

/// Closes the connections that have waited too long.
async fn sweep(worker: &Worker, open: &Open) {
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
                    leave_slow(worker, client);
                }
                continue;
            }
            let waited = now - client.since.get();
            let limit = match client.phase.get() {
                Phase::Idle => idle,
                Phase::Head | Phase::Lingering => head,
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
        tell_idleness(worker, open);
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
