//! One connection of a worker to an endpoint: made, counted while it is open, and logged when it ends.

use super::connecting::Connecting;
use super::endpoint::Endpoint;
use super::local_endpoint::LocalEndpoint;
use super::monitor::Monitor;
use super::offer_changes::OfferChanges;
use crate::presence::Presence;
use crate::supervise::{Supervisor, Task};
use crate::telemetry::{Disconnect, EndpointCounters};
use crate::transport::callgate::{
    Channel, Connected, Connection, Connections, End, Instance, NotConnected, TlsInstance, drive,
};
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::Notify;

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
    pub(super) offers: Arc<OfferChanges>,
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
    pub(super) fn tell_change(&self, of: &Monitor) {
        of.review().raise();
        self.changed.notify_waiters();
    }
}

/// Connects to the endpoint, and has the connection served by a task of its own. Why not is for the log.
pub(super) async fn connect(
    local: &Rc<LocalEndpoint>,
    how: &Arc<Connecting>,
    surroundings: &Surroundings,
) -> Result<Rc<Connection>, String> {
    let endpoint = &local.endpoint;
    let instance = Instance { addr: &endpoint.addr, name: endpoint.name.as_deref(), security: &how.security };
    let connected =
        surroundings.connections.connect(instance, &how.connection, local.monitor.review().clone()).await;
    let connected = connected.map_err(|NotConnected { why, text }| {
        local.counters().not_connected(why);
        text
    })?;
    let Connected { connection, offer, tls, channel } = connected;
    let (backend, identity) = (&how.backend, &offer.identity);
    match &tls {
        None => tracing::info!(endpoint = %endpoint.addr, backend, identity, "connected"),
        Some(TlsInstance { version, identity: shown }) => {
            let certificate = shown.subject();
            tracing::info!(endpoint = %endpoint.addr, backend, identity, tls = version, certificate, "connected");
        }
    }
    endpoint.tls.store(tls.map(Arc::new));
    let before = endpoint.offer.swap(Some(offer.clone()));
    if before.is_none_or(|before| before.digest != offer.digest) {
        surroundings.offers.note(&how.backend);
    }
    endpoint.error.store(None);
    // The connection's task outlives the supervisor: it ends by itself when nothing is left to answer, and calls have
    // deadlines.
    let task = serve(connection.clone(), channel, local.clone(), how.clone(), surroundings.clone());
    tokio::task::spawn_local(task);
    Ok(connection)
}

/// Drives a connection until it ends, which is counted and logged.
async fn serve(
    connection: Rc<Connection>,
    channel: Channel,
    local: Rc<LocalEndpoint>,
    how: Arc<Connecting>,
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
        Some(end) => log_end(&local.endpoint, &how.backend, end),
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
            let error = callgate_tls::explain(&error);
            tracing::warn!(endpoint = %endpoint.addr, backend, error, "the connection failed");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EndpointAddr;
    use callgate_protocol::ProtocolError;

    #[test]
    fn the_end_of_a_connection_is_counted_as_what_it_was() {
        let addr = EndpointAddr::Unix("/run/shop.sock".into());
        let endpoint = Endpoint::new(addr, 1);
        for (end, expected) in [
            (End::Drained, Disconnect::Drained),
            (End::Closed, Disconnect::Closed),
            (End::Silent, Disconnect::Silent),
            (End::Io(std::io::ErrorKind::ConnectionReset.into()), Disconnect::Failed),
            (End::Protocol(ProtocolError::BadCallNumber(7)), Disconnect::Protocol),
        ] {
            let shown = format!("{end:?}");
            assert!(log_end(&endpoint, "b", end) == expected, "{shown}");
        }
    }

    #[test]
    fn connections_are_counted_while_they_are_open() {
        let counters = EndpointCounters::default();
        let open = [Open::count(&counters), Open::count(&counters)];
        assert_eq!(counters.connections.get(), 2);
        drop(open);
        assert_eq!(counters.connections.get(), 0);
    }
}
