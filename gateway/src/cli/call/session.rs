//! A connection to one instance, for as long as a command lives: made, driven and looked after as a worker does.

use crate::cli::Failure;
use crate::cli::instance::Instance;
use crate::presence::Presence;
use crate::transport::Link;
use crate::transport::callgate::{
    Connected, ConnectionSpec, Connections, Instance as At, Offer, TlsInstance, drive,
};
use callgate_protocol::Budget;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, LocalOptions};
use tokio::time::{Instant, sleep};

/// How often it is looked whether the instance is there, as in a worker.
const PACE: Duration = Duration::from_millis(100);

/// An instance that says nothing for so long is asked whether it is there, and has then so long to say so.
const PING: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(5));

/// What long replies may take, in bytes: more than one may have.
pub(super) const MEMORY: usize = 1 << 30;

/// A connection that is open.
pub(super) struct Session {
    pub(super) addr: String,
    pub(super) offer: Arc<Offer>,
    pub(super) tls: Option<TlsInstance>,
    pub(super) link: Link,
    /// What long replies may take.
    pub(super) memory: Arc<Budget>,
    /// How long connecting and the handshake have taken.
    pub(super) took: Duration,
}

/// Runs what a command does on a runtime of its own, which ends with it.
pub(super) fn within<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let runtime = runtime.map_err(|error| Failure::NotAsked(format!("nothing can be asked: {error}")))?;
    let done = runtime.block_on(work);
    // Without waiting: a name that is being looked up in a thread of its own cannot be told to stop.
    runtime.shutdown_background();
    done
}

/// Connects.
pub(super) async fn open(instance: &Instance) -> Result<Session, Failure> {
    let (memory, began) = (Budget::new(MEMORY), Instant::now());
    let presence = Rc::new(Presence::new(began));
    let connections = Connections::new(
        Arc::default(),
        memory.clone(),
        Rc::default(),
        Rc::default(),
        presence.clone(),
        Arc::default(),
    );
    let connections = Rc::new(connections);
    tokio::task::spawn_local(look_after(connections.clone(), presence));
    let spec = ConnectionSpec {
        connect_timeout: instance.patience,
        ping_interval: PING.0,
        ping_timeout: PING.1,
        max_calls: u32::MAX,
    };
    let at = At { addr: &instance.addr, name: None, security: &instance.security };
    let connected = connections.connect(at, &spec, Rc::default()).await;
    let connected = connected.map_err(|not| Failure::NotAsked(format!("{}: {}", instance.addr, not.text)))?;
    let Connected { connection, offer, tls, channel } = connected;
    let link = Link::Callgate(connection.clone());
    tokio::task::spawn_local(drive(connection, channel));
    Ok(Session { addr: instance.addr.to_string(), offer, tls, link, memory, took: began.elapsed() })
}

/// Looks whether the instance is there, and sees to it that the process is not taken for one that was away.
async fn look_after(connections: Rc<Connections>, presence: Rc<Presence>) {
    loop {
        sleep(PACE).await;
        presence.see(Instant::now());
        connections.look(PACE).await;
    }
}
