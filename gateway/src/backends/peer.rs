//! One endpoint's supervisor in one worker: keeps a connection to it, and tells who waits when that changes.

use super::catalog::Catalog;
use super::conn::{Conn, End, drive};
use super::handshake::establish;
use crate::config::BackendSpec;
use crate::routes::Endpoint;
use crate::telemetry::EndpointCounters;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

/// Bounds of the time between two attempts to connect.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LAST_BACKOFF: Duration = Duration::from_secs(5);

/// A connection that ends before this is not a success: the next attempt waits as after a failure.
const SETTLED: Duration = Duration::from_secs(1);

/// An endpoint, as one worker sees it.
pub(super) struct Peer {
    pub(super) endpoint: Arc<Endpoint>,
    conn: RefCell<Option<Rc<Conn>>>,
    /// No attempt has failed since the last connection, so one may be there any moment.
    hopeful: Cell<bool>,
    supervisor: RefCell<Option<AbortHandle>>,
}

/// What a supervisor needs of its worker.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) worker: usize,
    pub(super) catalog: Arc<Catalog>,
    /// Told whenever some endpoint of the worker became or ceased to be reachable.
    pub(super) changed: Rc<Notify>,
}

impl Peer {
    /// An endpoint that nobody connects to yet.
    pub(super) fn new(endpoint: Arc<Endpoint>) -> Rc<Peer> {
        Rc::new(Peer {
            endpoint,
            conn: RefCell::new(None),
            hopeful: Cell::new(false),
            supervisor: RefCell::new(None),
        })
    }

    /// Begins to connect, unless it does already. Must be called on the worker's runtime.
    pub(super) fn start(self: &Rc<Self>, spec: &BackendSpec, surroundings: &Surroundings) {
        let mut supervisor = self.supervisor.borrow_mut();
        if supervisor.is_none() {
            self.hopeful.set(true);
            let task = tokio::task::spawn_local(supervise(self.clone(), spec.clone(), surroundings.clone()));
            *supervisor = Some(task.abort_handle());
        }
    }

    /// Whether nobody connects to it: it drains, or is no longer in the table.
    pub(super) fn is_retired(&self) -> bool {
        self.supervisor.borrow().is_none()
    }

    /// The connection, if there is one that accepts calls.
    pub(super) fn conn(&self) -> Option<Rc<Conn>> {
        self.conn.borrow().as_ref().filter(|conn| conn.accepts()).cloned()
    }

    /// Whether a connection is being made and nothing speaks against it yet.
    pub(super) fn is_hopeful(&self) -> bool {
        self.hopeful.get()
    }

    /// Ends the supervisor, until it is started again. The connection answers what is in flight, then closes.
    pub(super) fn retire(&self) {
        if let Some(supervisor) = self.supervisor.borrow_mut().take() {
            supervisor.abort();
        }
        self.hopeful.set(false);
        if let Some(conn) = self.conn.borrow_mut().take() {
            conn.stop_accepting();
        }
    }
}

async fn supervise(peer: Rc<Peer>, spec: BackendSpec, surroundings: Surroundings) {
    let mut failures = 0;
    loop {
        let began = Instant::now();
        match connect(&peer, &spec, &surroundings).await {
            Ok(conn) => {
                peer.hopeful.set(true);
                *peer.conn.borrow_mut() = Some(conn.clone());
                surroundings.changed.notify_waiters();
                let closing = conn.closing.notified();
                if conn.accepts() {
                    closing.await;
                }
                *peer.conn.borrow_mut() = None;
                failures = if began.elapsed() < SETTLED { failures + 1 } else { 0 };
                // Calls wait for the next attempt only if it comes at once.
                peer.hopeful.set(failures == 0);
                surroundings.changed.notify_waiters();
            }
            Err(error) => {
                failures += 1;
                let counters = peer.endpoint.stats.0.of(surroundings.worker);
                counters.connect_failures.increment();
                if failures == 1 {
                    tracing::warn!(endpoint = %peer.endpoint.addr, backend = spec.name, %error, "cannot reach an endpoint");
                }
                peer.endpoint.error.store(Some(Arc::new(error)));
                peer.hopeful.set(false);
                surroundings.changed.notify_waiters();
            }
        }
        if failures > 0 {
            sleep(backoff(failures)).await;
        }
    }
}

async fn connect(
    peer: &Rc<Peer>,
    spec: &BackendSpec,
    surroundings: &Surroundings,
) -> Result<Rc<Conn>, String> {
    let endpoint = peer.endpoint.clone();
    let established = timeout(spec.connect_timeout, establish(&endpoint.addr, &surroundings.catalog))
        .await
        .map_err(|_| format!("no connection within {:?}", spec.connect_timeout))??;
    let offer = Arc::new(established.offer);
    tracing::info!(endpoint = %endpoint.addr, backend = spec.name, identity = offer.identity, "connected");
    endpoint.offer.store(Some(offer.clone()));
    endpoint.error.store(None);
    let conn = Rc::new(Conn::new(endpoint, surroundings.worker, spec, offer, established.outbound));
    let parts = (established.stream, established.inbound, established.unread);
    // The connection's task outlives the supervisor: it ends by itself when nothing is left to answer, and calls have
    // deadlines.
    tokio::task::spawn_local(serve(conn.clone(), parts, spec.clone(), surroundings.clone()));
    Ok(conn)
}

async fn serve(
    conn: Rc<Conn>,
    parts: (super::stream::Stream, callgate_protocol::Inbound, Vec<u8>),
    spec: BackendSpec,
    surroundings: Surroundings,
) {
    let endpoint = conn.endpoint.clone();
    let counters = endpoint.stats.0.of(surroundings.worker);
    counters.connects.increment();
    let open = Open::count(counters);
    let backend = spec.name.clone();
    let end = drive(conn, parts, spec).await;
    drop(open);
    match end {
        End::Drained => tracing::debug!(endpoint = %endpoint.addr, backend, "connection drained"),
        End::Closed => {
            tracing::info!(endpoint = %endpoint.addr, backend, "the instance closed the connection")
        }
        End::Silent => tracing::warn!(endpoint = %endpoint.addr, backend, "the instance answers no ping"),
        End::Io(error) => tracing::warn!(endpoint = %endpoint.addr, backend, %error, "the connection failed"),
        End::Protocol(error) => {
            tracing::error!(endpoint = %endpoint.addr, backend, %error, "the instance broke the protocol")
        }
    }
    surroundings.changed.notify_waiters();
}

/// Counts a connection while it is open, however its task ends.
struct Open<'a>(&'a EndpointCounters);

impl<'a> Open<'a> {
    fn count(counters: &'a EndpointCounters) -> Open<'a> {
        counters.connections.increment();
        Open(counters)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.connections.decrement();
    }
}

/// Doubles with each failure, and is spread over its upper half so that workers and gateways do not come all at once.
fn backoff(failures: u32) -> Duration {
    let most = FIRST_BACKOFF.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LAST_BACKOFF);
    most.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_and_stays_within_its_bounds() {
        for failures in 1..100 {
            let time = backoff(failures);
            assert!(time >= FIRST_BACKOFF / 2 && time <= LAST_BACKOFF, "{failures}: {time:?}");
        }
        assert!(backoff(8) > backoff(1));
    }
}
