//! One endpoint's supervisor in one worker: keeps a connection to it, and tells who waits when that changes.

use super::endpoint::Endpoint;
use super::local_endpoint::LocalEndpoint;
use super::monitor::Monitor;
use crate::config::BackendSpec;
use crate::presence::Presence;
use crate::supervise::{Supervisor, Task, supervised};
use crate::telemetry::{Disconnect, EndpointCounters};
use crate::transport::Link;
use crate::transport::callgate::{Channel, Connected, Connection, ConnectionSpec, Connections, End, drive};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};

/// Bounds of the time between two attempts to connect.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LAST_BACKOFF: Duration = Duration::from_secs(1);

/// When a worker has reached an endpoint, the others try again within this time.
const FOLLOW_WITHIN: Duration = Duration::from_millis(20);

/// A connection that ends before this is not a success: the next attempt waits as after a failure.
const SETTLED: Duration = Duration::from_secs(1);

/// What a supervisor needs of its worker.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) worker: usize,
    pub(super) supervisor: Arc<Supervisor>,
    /// Told whenever some endpoint of the worker became or ceased to be reachable.
    pub(super) changed: Rc<Notify>,
    /// The health reviewer: told when instances are to be reviewed.
    pub(super) due: Rc<Notify>,
    /// To be told when an instance offers something else than before, or cannot be reached at all.
    pub(super) offers: Arc<Notify>,
    /// All open connections of the worker.
    pub(super) connections: Rc<Connections>,
    /// Whether the worker itself was away.
    pub(super) presence: Rc<Presence>,
    /// A test plays the instances.
    #[cfg(test)]
    pub(super) played: bool,
}

impl Surroundings {
    /// The instance became or ceased to be reachable.
    fn tell_change(&self, of: &Monitor) {
        of.review().raise();
        self.changed.notify_waiters();
    }
}

/// Begins to connect to an endpoint, unless somebody does already. Must be called on the worker's runtime.
pub(super) fn start(local: &Rc<LocalEndpoint>, spec: &BackendSpec, surroundings: &Surroundings) {
    if !local.is_retired() {
        return;
    }
    #[cfg(test)]
    if surroundings.played {
        return super::testing::play(local);
    }
    let task = {
        let (local, spec, surroundings) = (local.clone(), spec.clone(), surroundings.clone());
        async move {
            let supervisor = &surroundings.supervisor;
            supervised!(supervisor, Task::Endpoint, supervise(&local, &spec, &surroundings));
        }
    };
    local.set_supervisor(tokio::task::spawn_local(task).abort_handle());
}

/// Keeps a connection to the endpoint, for ever.
async fn supervise(local: &Rc<LocalEndpoint>, spec: &BackendSpec, surroundings: &Surroundings) {
    // What a run has left that has panicked.
    local.let_go();
    let mut reached = local.endpoint.signals.watch_reached();
    let mut failures = 0;
    loop {
        let began = Instant::now();
        reached.mark_unchanged();
        match connect(local, spec, surroundings).await {
            Ok(connection) => {
                local.set_link(Some(Link::Callgate(connection.clone())));
                local.monitor.connected(Instant::now());
                local.set_hopeful(true);
                surroundings.tell_change(&local.monitor);
                local.endpoint.signals.raise_reached();
                hold(local, connection, spec, surroundings).await;
                local.set_link(None);
                failures = if began.elapsed() < SETTLED { failures + 1 } else { 0 };
                // Calls wait for the next attempt only if it comes at once.
                local.set_hopeful(failures == 0);
                surroundings.tell_change(&local.monitor);
                if failures > 0 {
                    sleep(backoff(failures)).await;
                }
            }
            Err(error) => {
                failures += 1;
                is_out_of_reach(&local.endpoint, spec, surroundings, error);
                local.set_hopeful(false);
                surroundings.tell_change(&local.monitor);
                pause(failures, &mut reached).await;
            }
        }
    }
}

/// What all workers find out is said once, and again when it is something else.
fn is_out_of_reach(endpoint: &Endpoint, spec: &BackendSpec, surroundings: &Surroundings, error: String) {
    let known = endpoint.error.load().as_ref().is_some_and(|known| **known == error);
    if !known {
        tracing::warn!(endpoint = %endpoint.addr, backend = spec.name, %error, "cannot reach an endpoint");
    }
    if endpoint.error.swap(Some(Arc::new(error))).is_none() {
        surroundings.offers.notify_one();
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

/// Keeps the endpoint connected as long as a connection ends by its age only: then the next one is there before the old one takes
/// no more calls. So long-lived connections come to instances that were not there when they were made, where one address leads to
/// several.
async fn hold(
    local: &Rc<LocalEndpoint>,
    mut connection: Rc<Connection>,
    spec: &BackendSpec,
    surroundings: &Surroundings,
) {
    let mut age = lifetime(spec.max_age);
    loop {
        let closing = connection.closing().notified();
        if !connection.accepts() {
            return;
        }
        tokio::select! {
            () = closing => return,
            () = sleep(age) => {}
        }
        match connect(local, spec, surroundings).await {
            Ok(next) => {
                local.set_link(Some(Link::Callgate(next.clone())));
                connection.stop_accepting();
                connection = next;
                age = lifetime(spec.max_age);
                surroundings.tell_change(&local.monitor);
            }
            // The old one does still.
            Err(error) => {
                tracing::debug!(endpoint = %local.endpoint.addr, %error, "an old connection is not replaced yet");
                age = lifetime(spec.max_age / 10);
            }
        }
    }
}

async fn connect(
    local: &Rc<LocalEndpoint>,
    spec: &BackendSpec,
    surroundings: &Surroundings,
) -> Result<Rc<Connection>, String> {
    let endpoint = &local.endpoint;
    let how = ConnectionSpec {
        connect_timeout: spec.connect_timeout,
        ping_interval: spec.ping_interval,
        ping_timeout: spec.ping_timeout,
        max_calls: spec.max_calls,
    };
    let connected =
        surroundings.connections.connect(&endpoint.addr, &how, local.monitor.review().clone()).await;
    let connected = connected.inspect_err(|_| local.counters().connect_failures.increment())?;
    let Connected { connection, offer, channel } = connected;
    tracing::info!(endpoint = %endpoint.addr, backend = spec.name, identity = offer.identity, "connected");
    let before = endpoint.offer.swap(Some(offer.clone()));
    if before.is_none_or(|before| before.fits_digest() != offer.fits_digest()) {
        surroundings.offers.notify_one();
    }
    endpoint.error.store(None);
    // The connection's task outlives the supervisor: it ends by itself when nothing is left to answer, and calls have
    // deadlines.
    let task = serve(connection.clone(), channel, local.clone(), spec.name.clone(), surroundings.clone());
    tokio::task::spawn_local(task);
    Ok(connection)
}

async fn serve(
    connection: Rc<Connection>,
    channel: Channel,
    local: Rc<LocalEndpoint>,
    backend: String,
    surroundings: Surroundings,
) {
    let counters = local.counters();
    counters.connects.increment();
    let open = Open::count(counters);
    let end = surroundings.supervisor.guard(Task::BackendConnection, drive(connection, channel)).await;
    drop(open);
    let why = match end {
        // It has panicked, which is logged.
        None => Disconnect::Failed,
        Some(end) => log_end(&local.endpoint, &backend, end),
    };
    counters.health.disconnected(why);
    surroundings.tell_change(&local.monitor);
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
mod tests;
