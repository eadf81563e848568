//! A worker's client connections: taken on, asked to make room, and brought to their end.

use super::connection::{Connection, OpenConnections, RequestBound};
use super::drive::{self, Registered};
use super::dry_run::{self, Question};
use super::sweep::{sweep, tell_idleness};
use crate::config::ServerSettings;
use crate::stream::Stream;
use crate::supervise::{Task, supervised};
use crate::worker::{ClientPlace, Listener, Place, Worker};
use callgate_http1::Limits;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// The longest request target, in bytes.
const MAX_TARGET: usize = 64 * 1024 - 2;

/// The longest trailer section, in bytes. Nobody reads it.
const MAX_TRAILERS: usize = 8 * 1024;

/// A connection that was accepted.
pub struct Accepted {
    /// Its socket.
    pub stream: Stream,
    /// Which listener it came by.
    pub listener: Arc<Listener>,
    /// Its place, which is with the worker that is to serve it.
    pub place: Place,
    /// Its place among those of its client, if these are bounded and its client is known already.
    pub client_place: Option<ClientPlace>,
}

/// The client connections of a worker.
pub struct Connections {
    worker: Rc<Worker>,
    open: Rc<OpenConnections>,
    sweeper: tokio::task::JoinHandle<()>,
}

impl Connections {
    /// No connections yet. Begins to sweep.
    pub fn new(worker: Rc<Worker>) -> Connections {
        let server = &worker.shared.settings.server;
        let requests = RequestBound::new(server.max_requests_per_connection);
        let open = Rc::new(OpenConnections::new(limits(server), requests, worker.buffers.clone()));
        let (sweeping, swept) = (worker.clone(), open.clone());
        let sweeper = tokio::task::spawn_local(async move {
            supervised!(sweeping.shared.supervisor, Task::Sweeper, sweep(&sweeping, &swept));
        });
        Connections { worker, open, sweeper }
    }

    /// Serves a connection.
    pub fn serve(&self, accepted: Accepted) {
        let Accepted { stream, listener, place, client_place } = accepted;
        let stream = match stream.into_async() {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be served");
                return;
            }
        };
        stream.hold_back_little();
        // On the books before its task runs: a drain must not miss it.
        let connection = Connection::register(&self.open, listener, stream.peer(), stream.user());
        let registered = Registered::new(self.worker.clone(), connection, place, client_place);
        tokio::task::spawn_local(drive::serve(registered, stream));
    }

    /// Says what would become of a request.
    pub fn explain(&self, question: Question, tell: oneshot::Sender<serde_json::Value>) {
        let (worker, open) = (self.worker.clone(), self.open.clone());
        tokio::task::spawn_local(async move {
            let explained = async {
                // Nobody may wait for it any more.
                let _ = tell.send(dry_run::explain(&worker, &open, question).await);
            };
            worker.shared.supervisor.guard(Task::DryRun, explained).await;
        });
    }

    /// Has the connection close that has been idle longest, and gives its place to `heir`, who is dropped when none is idle.
    pub fn make_room(&self, heir: oneshot::Sender<Place>) {
        let Some(mut connection) = self.open.longest_idle() else {
            tell_idleness(&self.worker, &self.open);
            return;
        };
        let (worker, open) = (self.worker.clone(), self.open.clone());
        let owner = worker.clone();
        // Whether one goes is known when its task has run. One that has a request after all is followed by the next.
        let make_room = async move {
            loop {
                let (asker, place) = oneshot::channel();
                connection.ask_to_go(asker);
                if let Ok(place) = place.await {
                    worker.shared.front.workers.of(worker.id).evicted.increment();
                    // Nobody may wait for it any more.
                    let _ = heir.send(place);
                    break;
                }
                match open.longest_idle() {
                    Some(next) => connection = next,
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
    /// closed when it was idle for as long as any may be, which its connection has to reckon with at all times.
    pub async fn leave(&self) {
        let left = self.ends_streams(self.all_closed());
        if timeout(self.worker.shared.settings.upgrade.drain_timeout, left).await.is_err() {
            let left = self.open.all.borrow().len();
            tracing::info!(left, "connections have not left by themselves");
        }
    }

    /// Lets every connection answer what it has, then closes it; waits for that and for the calls of which clients were told that they are
    /// on their way, at most for the time that the settings give.
    pub async fn drain(self) {
        // The runtime looks at the sockets before this goes on, so that what has come is read before the word to end.
        tokio::task::yield_now().await;
        self.open.stopping.set(true);
        self.open.all.borrow().iter().for_each(|(_, connection)| connection.wake());
        let notified = &self.worker.notified;
        let all_ended = async {
            self.ends_streams(self.all_closed()).await;
            notified.all_ended().await;
        };
        if timeout(self.worker.shared.settings.server.drain_timeout, all_ended).await.is_err() {
            let (left, calls) = (self.open.all.borrow().len(), notified.count());
            if left > 0 {
                tracing::warn!(left, "connections were still busy at the end of the drain time");
            }
            if calls > 0 {
                tracing::warn!(
                    calls,
                    "calls that clients do not wait for were under way at the end of the drain time"
                );
            }
        }
        self.sweeper.abort();
    }

    /// Waits for that; ends replies in items when they have had their time.
    async fn ends_streams(&self, closed: impl Future<Output = ()>) {
        let mut closed = pin!(closed);
        let time = self.worker.shared.settings.server.stream_drain;
        if !self.open.streams_over.get() && timeout(time, &mut closed).await.is_ok() {
            return;
        }
        self.open.end_streams();
        closed.await;
    }

    async fn all_closed(&self) {
        loop {
            let closed = self.open.closed.notified();
            if self.open.all.borrow().is_empty() {
                return;
            }
            closed.await;
        }
    }
}

fn limits(server: &ServerSettings) -> Limits {
    let (max_head, max_fields) = (server.max_head as usize, server.max_headers as usize);
    Limits { max_head, max_target: MAX_TARGET, max_fields, max_trailers: MAX_TRAILERS }
}
