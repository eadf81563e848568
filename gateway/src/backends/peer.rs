//! One endpoint's supervisor in one worker: keeps a connection to it, and tells who waits when that changes.

use super::keeper::Connections;
use super::monitor::Monitor;
use crate::backends::Endpoint;
use crate::config::BackendSpec;
use crate::presence::Presence;
use crate::supervise::{Supervisor, Task, supervised};
use crate::telemetry::{Disconnect, EndpointCounters};
use crate::transport::callgate::Catalog;
use crate::transport::callgate::{Conn, End, drive};
use crate::transport::callgate::{Patience, establish};
use callgate_protocol::Budget;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

/// Bounds of the time between two attempts to connect.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LAST_BACKOFF: Duration = Duration::from_secs(1);

/// When a worker has reached an endpoint, the others try again within this time.
const FOLLOW_WITHIN: Duration = Duration::from_millis(20);

/// So much longer than an answer to a ping may take, the peer's system may take to acknowledge bytes.
const UNACKNOWLEDGED: Duration = Duration::from_secs(1);

/// A connection that ends before this is not a success: the next attempt waits as after a failure.
const SETTLED: Duration = Duration::from_secs(1);

/// An endpoint, as one worker sees it.
pub(crate) struct Peer {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) worker: usize,
    /// What becomes of its calls, over all connections to it.
    pub(crate) monitor: Rc<Monitor>,
    /// What of the endpoint's signals the keeper has seen.
    pub(crate) seen_recovered: Cell<u64>,
    /// Other instances of the backend offer other methods or versions.
    pub(crate) differs: Cell<bool>,
    conn: RefCell<Option<Rc<Conn>>>,
    /// No attempt has failed since the last connection, so one may be there any moment.
    hopeful: Cell<bool>,
    supervisor: RefCell<Option<AbortHandle>>,
}

/// What a supervisor needs of its worker.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) worker: usize,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) supervisor: Arc<Supervisor>,
    /// What long answers may take together.
    pub(crate) answers: Arc<Budget>,
    /// Told whenever some endpoint of the worker became or ceased to be reachable.
    pub(crate) changed: Rc<Notify>,
    /// The keeper: told when instances are to be reviewed.
    pub(crate) due: Rc<Notify>,
    /// To be told when an instance offers something else than before, or cannot be reached at all.
    pub(crate) offers: Arc<Notify>,
    /// All open connections of the worker.
    pub(crate) connections: Connections,
    /// Whether the worker itself was away.
    pub(crate) presence: Rc<Presence>,
}

impl Surroundings {
    /// The instance became or ceased to be reachable.
    fn tell_change(&self, of: &Monitor) {
        of.ask_for_review();
        self.changed.notify_waiters();
    }
}

impl Peer {
    /// An endpoint that nobody connects to yet.
    pub(crate) fn new(endpoint: Arc<Endpoint>, spec: &BackendSpec, surroundings: &Surroundings) -> Rc<Peer> {
        let monitor = Rc::new(Monitor::new(spec.health, surroundings.due.clone()));
        let seen_recovered = Cell::new(endpoint.signals.recovered());
        Rc::new(Peer {
            endpoint,
            worker: surroundings.worker,
            monitor,
            seen_recovered,
            differs: Cell::new(false),
            conn: RefCell::new(None),
            hopeful: Cell::new(false),
            supervisor: RefCell::new(None),
        })
    }

    /// Begins to connect, unless it does already. Must be called on the worker's runtime.
    pub(crate) fn start(self: &Rc<Self>, spec: &BackendSpec, surroundings: &Surroundings) {
        let mut supervisor = self.supervisor.borrow_mut();
        if supervisor.is_none() {
            self.hopeful.set(true);
            let (peer, spec, surroundings) = (self.clone(), spec.clone(), surroundings.clone());
            let task = async move {
                supervised!(surroundings.supervisor, Task::Endpoint, supervise(&peer, &spec, &surroundings));
            };
            let task = tokio::task::spawn_local(task);
            *supervisor = Some(task.abort_handle());
            self.monitor.ask_for_review();
        }
    }

    /// Whether nobody connects to it: it drains, or is no longer in the table.
    pub(crate) fn is_retired(&self) -> bool {
        self.supervisor.borrow().is_none()
    }

    /// One that has that connection and no supervisor.
    #[cfg(test)]
    pub(crate) fn connected(conn: Rc<Conn>, monitor: Rc<Monitor>) -> Rc<Peer> {
        Rc::new(Peer {
            endpoint: conn.endpoint.clone(),
            worker: 0,
            monitor,
            seen_recovered: Cell::new(0),
            differs: Cell::new(false),
            conn: RefCell::new(Some(conn)),
            hopeful: Cell::new(true),
            supervisor: RefCell::new(None),
        })
    }

    /// The connection, if there is one that accepts calls.
    pub(crate) fn conn(&self) -> Option<Rc<Conn>> {
        self.conn.borrow().as_ref().filter(|conn| conn.accepts()).cloned()
    }

    /// What this worker counts of it.
    pub(crate) fn counters(&self) -> &EndpointCounters {
        self.endpoint.stats.0.of(self.worker)
    }

    /// Whether a connection is being made and nothing speaks against it yet.
    pub(crate) fn is_hopeful(&self) -> bool {
        self.hopeful.get()
    }

    /// Ends the supervisor, until it is started again. The connection answers what is in flight, then closes.
    pub(crate) fn retire(&self) {
        if let Some(supervisor) = self.supervisor.borrow_mut().take() {
            supervisor.abort();
            self.monitor.ask_for_review();
        }
        self.hopeful.set(false);
        self.let_go();
    }

    /// The connection, if there is one, answers what is in flight, then closes.
    fn let_go(&self) {
        if let Some(conn) = self.conn.borrow_mut().take() {
            conn.stop_accepting();
            self.monitor.ask_for_review();
        }
    }
}

async fn supervise(peer: &Rc<Peer>, spec: &BackendSpec, surroundings: &Surroundings) {
    // What a run has left that has panicked.
    peer.let_go();
    let mut reached = peer.endpoint.signals.watch_reached();
    let mut failures = 0;
    loop {
        let began = Instant::now();
        reached.mark_unchanged();
        match connect(peer, spec, surroundings).await {
            Ok(conn) => {
                *peer.conn.borrow_mut() = Some(conn.clone());
                peer.monitor.connected(Instant::now());
                peer.hopeful.set(true);
                surroundings.tell_change(&peer.monitor);
                peer.endpoint.signals.raise_reached();
                hold(peer, conn, spec, surroundings).await;
                *peer.conn.borrow_mut() = None;
                failures = if began.elapsed() < SETTLED { failures + 1 } else { 0 };
                // Calls wait for the next attempt only if it comes at once.
                peer.hopeful.set(failures == 0);
                surroundings.tell_change(&peer.monitor);
                if failures > 0 {
                    sleep(backoff(failures)).await;
                }
            }
            Err(error) => {
                failures += 1;
                // What all workers find out is said once, and again when it is something else.
                let known = peer.endpoint.error.load().as_ref().is_some_and(|known| **known == error);
                if !known {
                    tracing::warn!(endpoint = %peer.endpoint.addr, backend = spec.name, %error, "cannot reach an endpoint");
                }
                if peer.endpoint.error.swap(Some(Arc::new(error))).is_none() {
                    surroundings.offers.notify_one();
                }
                peer.hopeful.set(false);
                surroundings.tell_change(&peer.monitor);
                pause(failures, &mut reached).await;
            }
        }
    }
}

/// Waits before the next attempt to connect: until another worker has reached the endpoint, perhaps while this one was failing, or
/// else for the backoff.
async fn pause(failures: u32, reached: &mut watch::Receiver<()>) {
    tokio::select! {
        () = sleep(backoff(failures)) => {}
        // The sender is the endpoint's; it does not go away meanwhile.
        _ = reached.changed() => sleep(FOLLOW_WITHIN.mul_f64(fastrand::f64())).await,
    }
}

/// Keeps the peer connected as long as a connection ends by its age only: then the next one is there before the old one takes no
/// more calls. So long-lived connections come to instances that were not there when they were made, where one address leads to
/// several.
async fn hold(peer: &Rc<Peer>, mut conn: Rc<Conn>, spec: &BackendSpec, surroundings: &Surroundings) {
    let mut age = lifetime(spec.max_age);
    loop {
        let closing = conn.closing.notified();
        if !conn.accepts() {
            return;
        }
        tokio::select! {
            () = closing => return,
            () = sleep(age) => {}
        }
        match connect(peer, spec, surroundings).await {
            Ok(next) => {
                *peer.conn.borrow_mut() = Some(next.clone());
                conn.stop_accepting();
                conn = next;
                age = lifetime(spec.max_age);
                surroundings.tell_change(&peer.monitor);
            }
            // The old one does still.
            Err(error) => {
                tracing::debug!(endpoint = %peer.endpoint.addr, %error, "an old connection is not replaced yet");
                age = lifetime(spec.max_age / 10);
            }
        }
    }
}

async fn connect(
    peer: &Rc<Peer>,
    spec: &BackendSpec,
    surroundings: &Surroundings,
) -> Result<Rc<Conn>, String> {
    let endpoint = peer.endpoint.clone();
    let patience =
        Patience { connect: spec.connect_timeout, unacknowledged: spec.ping_timeout + UNACKNOWLEDGED };
    let Surroundings { presence, catalog, answers, .. } = surroundings;
    let established = establish(&endpoint.addr, patience, Some(presence), catalog, Some(answers)).await;
    let established = established.inspect_err(|_| peer.counters().connect_failures.increment())?;
    let offer = Arc::new(established.offer);
    tracing::info!(endpoint = %endpoint.addr, backend = spec.name, identity = offer.identity, "connected");
    let before = endpoint.offer.swap(Some(offer.clone()));
    if before.is_none_or(|before| before.fits_digest() != offer.fits_digest()) {
        surroundings.offers.notify_one();
    }
    endpoint.error.store(None);
    let monitor = peer.monitor.clone();
    let conn = Rc::new(Conn::new(endpoint, surroundings, monitor, spec, offer, established.outbound));
    conn.set_ready(established.ready);
    surroundings.connections.borrow_mut().push(Rc::downgrade(&conn));
    let parts = (established.stream, established.inbound, established.unread);
    // The connection's task outlives the supervisor: it ends by itself when nothing is left to answer, and calls have
    // deadlines.
    tokio::task::spawn_local(serve(conn.clone(), parts, spec.name.clone(), surroundings.clone()));
    Ok(conn)
}

async fn serve(
    conn: Rc<Conn>,
    parts: (crate::transport::callgate::Stream, callgate_protocol::Inbound, Vec<u8>),
    backend: String,
    surroundings: Surroundings,
) {
    let (endpoint, monitor) = (conn.endpoint.clone(), conn.monitor.clone());
    let counters = endpoint.stats.0.of(surroundings.worker);
    counters.connects.increment();
    let open = Open::count(counters);
    let end = surroundings.supervisor.guard(Task::BackendConnection, drive(conn, parts)).await;
    drop(open);
    let why = match end {
        // It has panicked, which is logged.
        None => Disconnect::Failed,
        Some(end) => log_end(&endpoint, &backend, end),
    };
    counters.health.disconnected(why);
    surroundings.tell_change(&monitor);
}

fn log_end(endpoint: &Endpoint, backend: &str, end: End) -> Disconnect {
    match end {
        End::Drained => {
            tracing::debug!(endpoint = %endpoint.addr, backend, "connection drained");
            Disconnect::Drained
        }
        End::Closed => {
            tracing::info!(endpoint = %endpoint.addr, backend, "the instance closed the connection");
            Disconnect::Closed
        }
        End::Silent => {
            tracing::warn!(endpoint = %endpoint.addr, backend, "the instance answers no ping");
            Disconnect::Silent
        }
        End::Io(error) => {
            tracing::warn!(endpoint = %endpoint.addr, backend, %error, "the connection failed");
            Disconnect::Failed
        }
        End::Protocol(error) => {
            tracing::error!(endpoint = %endpoint.addr, backend, %error, "the instance broke the protocol");
            Disconnect::Protocol
        }
    }
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

/// Spread over a fifth, so that what began together does not end together.
fn lifetime(max_age: Duration) -> Duration {
    max_age.mul_f64(0.8 + fastrand::f64() / 5.0)
}

/// Doubles with each failure, and is spread over its upper half so that workers and gateways do not come all at once.
fn backoff(failures: u32) -> Duration {
    let most = FIRST_BACKOFF.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LAST_BACKOFF);
    most.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::Signals;

    #[test]
    fn backoff_grows_and_stays_within_its_bounds() {
        for failures in 1..100 {
            let time = backoff(failures);
            assert!(time >= FIRST_BACKOFF / 2 && time <= LAST_BACKOFF, "{failures}: {time:?}");
        }
        assert!(backoff(8) > backoff(1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_could_not_connect_tries_again_as_soon_as_another_worker_has() {
        let signals = Signals::default();
        let mut reached = signals.watch_reached();
        let began = Instant::now();
        // While the attempt of this one was failing.
        signals.raise_reached();
        pause(100, &mut reached).await;
        assert!(began.elapsed() <= FOLLOW_WITHIN + Duration::from_millis(1));
        let began = Instant::now();
        pause(100, &mut reached).await;
        assert!(began.elapsed() >= LAST_BACKOFF / 2, "no news since");
    }

    #[test]
    fn connections_that_began_together_do_not_end_together() {
        let max_age = Duration::from_secs(100);
        let times: Vec<Duration> = (0..100).map(|_| lifetime(max_age)).collect();
        assert!(times.iter().all(|time| *time >= max_age.mul_f64(0.8) && *time <= max_age));
        assert!(times.iter().max() > times.iter().min());
    }
}
