//! A server with open listeners: accepts connections, owns their tasks, and brings them to an end.

use super::connection::{self, Shared};
use super::waker::Waker;
use super::{Orders, Phase};
use crate::connection::{Address, Listener, Stream};
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// After an error of `accept` that will come again at once, such as no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// For connections to say farewell after the grace has passed.
const FAREWELL: Duration = Duration::from_secs(3);

/// A server that listens. Serves when [`serve`](Self::serve) is awaited.
#[must_use = "a server serves nobody until `serve` is awaited"]
pub struct Bound {
    listeners: Vec<Listener>,
    shared: Arc<Shared>,
    grace: Duration,
    max_connections: usize,
    orders: watch::Sender<Orders>,
}

/// Tells a server from elsewhere whether to take calls, and to go down.
#[derive(Clone, Debug)]
pub struct Handle {
    orders: watch::Sender<Orders>,
}

impl Handle {
    /// Says whether calls are welcome; they are, unless told. Every connection's peer is told at once, and each new one at
    /// its beginning; a gateway then sends no calls here until they are welcome again. What arrives all the same runs as
    /// ever. For a server that warms up, or that cannot do without something which is away.
    pub fn set_ready(&self, ready: bool) {
        self.orders.send_if_modified(|orders| std::mem::replace(&mut orders.ready, ready) != ready);
    }

    /// Lets the server accept no more connections and calls, finish those that run, and return from
    /// [`Bound::serve`].
    pub fn drain(&self) {
        self.advance(Phase::Draining);
    }

    /// The same, without waiting for calls that run: these are dropped, and their callers are told.
    pub fn stop(&self) {
        self.advance(Phase::Stopping);
    }

    fn advance(&self, to: Phase) {
        self.orders.send_if_modified(|orders| {
            let further = orders.phase < to;
            orders.phase = to.max(orders.phase);
            further
        });
    }
}

impl Bound {
    pub(super) fn new(shared: Arc<Shared>, grace: Duration, max_connections: usize) -> Bound {
        let orders = watch::Sender::new(Orders { phase: Phase::Serving, ready: true });
        Bound { listeners: Vec::new(), shared, grace, max_connections, orders }
    }

    /// Listens there too.
    pub(super) fn listen(&mut self, listener: Listener) {
        self.listeners.push(listener);
    }

    /// Where the server listens, in the order given, with the ports that the system has chosen.
    pub fn addresses(&self) -> Vec<Address> {
        self.listeners.iter().filter_map(|listener| listener.address().ok()).collect()
    }

    /// Tells the server from elsewhere whether to take calls, and to go down.
    pub fn handle(&self) -> Handle {
        Handle { orders: self.orders.clone() }
    }

    /// Serves until a [`Handle`] says that it is over. Returns when the calls that ran have ended, or the grace has
    /// passed, and their answers have left. Dropping the future ends everything at once.
    pub async fn serve(mut self) {
        let _waker = Waker::start(self.shared.slots.clone());
        let mut connections = JoinSet::new();
        let mut orders = self.orders.subscribe();
        for address in self.addresses() {
            tracing::info!(%address, "listening");
        }
        loop {
            tokio::select! {
                accepted = accept(&mut self.listeners), if connections.len() < self.max_connections => match accepted {
                    Ok((stream, peer)) => {
                        tracing::debug!(peer, "connection accepted");
                        let (shared, orders) = (self.shared.clone(), self.orders.subscribe());
                        connections.spawn(connection::serve(stream, peer, shared, orders));
                    }
                    Err(error) if of_the_peer(&error) => {}
                    Err(error) => {
                        tracing::error!(%error, "cannot accept connections for now");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
                () = reached(&mut orders, Phase::Draining) => break,
            }
        }
        // Connections that the system holds in its queue and nobody has accepted are refused by this.
        drop(self.listeners);
        tracing::info!(connections = connections.len(), "draining");
        let handle = Handle { orders: self.orders };
        finish(connections, &handle, self.grace).await;
    }
}

/// Waits for the connections to end: within the grace by themselves, then by force.
async fn finish(mut connections: JoinSet<()>, handle: &Handle, grace: Duration) {
    let mut orders = handle.orders.subscribe();
    let all_ended = async { while connections.join_next().await.is_some() {} };
    let enough = async {
        tokio::select! {
            () = sleep(grace) => {}
            () = reached(&mut orders, Phase::Stopping) => {}
        }
        handle.stop();
        sleep_until(Instant::now() + FAREWELL).await;
    };
    tokio::select! {
        () = all_ended => tracing::info!("drained"),
        () = enough => tracing::warn!("connections were closed by force"),
    }
}

async fn reached(orders: &mut watch::Receiver<Orders>, this: Phase) {
    // An error would mean that the sender is gone; the server holds one.
    let _ = orders.wait_for(|orders| orders.phase >= this).await;
}

async fn accept(listeners: &mut [Listener]) -> io::Result<(Stream, String)> {
    poll_fn(|cx| {
        let mut ready = listeners.iter_mut().map(|listener| listener.poll_accept(cx));
        ready.find(Poll::is_ready).unwrap_or(Poll::Pending)
    })
    .await
}

/// Whether an error of `accept` concerns only the one connection, which its peer has already given up.
fn of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::NotConnected
            | io::ErrorKind::InvalidInput
    )
}
