//! A server with open listeners: accepts connections, owns their tasks, and brings them to an end.

use super::Phase;
use super::connection::{self, Shared};
use super::waker::Waker;
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
    phase: watch::Sender<Phase>,
}

/// Tells a server from elsewhere to go down.
#[derive(Clone, Debug)]
pub struct Handle {
    phase: watch::Sender<Phase>,
}

impl Handle {
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
        self.phase.send_if_modified(|phase| {
            let further = *phase < to;
            *phase = to.max(*phase);
            further
        });
    }
}

impl Bound {
    pub(super) fn new(
        listeners: Vec<Listener>,
        shared: Arc<Shared>,
        grace: Duration,
        max_connections: usize,
    ) -> Bound {
        Bound { listeners, shared, grace, max_connections, phase: watch::Sender::new(Phase::Serving) }
    }

    /// Where the server listens, in the order given, with the ports that the system has chosen.
    pub fn addresses(&self) -> Vec<Address> {
        self.listeners.iter().filter_map(|listener| listener.address().ok()).collect()
    }

    /// Tells the server from elsewhere to go down.
    pub fn handle(&self) -> Handle {
        Handle { phase: self.phase.clone() }
    }

    /// Serves until a [`Handle`] says that it is over. Returns when the calls that ran have ended, or the grace has
    /// passed, and their answers have left. Dropping the future ends everything at once.
    pub async fn serve(self) {
        let _waker = Waker::start(self.shared.slots.clone());
        let mut connections = JoinSet::new();
        let mut phase = self.phase.subscribe();
        for address in self.addresses() {
            tracing::info!(%address, "listening");
        }
        loop {
            tokio::select! {
                accepted = accept(&self.listeners), if connections.len() < self.max_connections => match accepted {
                    Ok((stream, peer)) => {
                        tracing::debug!(peer, "connection accepted");
                        let (shared, phase) = (self.shared.clone(), self.phase.subscribe());
                        connections.spawn(connection::serve(stream, peer, shared, phase));
                    }
                    Err(error) if of_the_peer(&error) => {}
                    Err(error) => {
                        tracing::error!(%error, "cannot accept connections for now");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
                () = reached(&mut phase, Phase::Draining) => break,
            }
        }
        // Connections that the system holds in its queue and nobody has accepted are refused by this.
        drop(self.listeners);
        tracing::info!(connections = connections.len(), "draining");
        let handle = Handle { phase: self.phase };
        finish(connections, &handle, self.grace).await;
    }
}

/// Waits for the connections to end: within the grace by themselves, then by force.
async fn finish(mut connections: JoinSet<()>, handle: &Handle, grace: Duration) {
    let mut phase = handle.phase.subscribe();
    let all_ended = async { while connections.join_next().await.is_some() {} };
    let enough = async {
        tokio::select! {
            () = sleep(grace) => {}
            () = reached(&mut phase, Phase::Stopping) => {}
        }
        handle.stop();
        sleep_until(Instant::now() + FAREWELL).await;
    };
    tokio::select! {
        () = all_ended => tracing::info!("drained"),
        () = enough => tracing::warn!("connections were closed by force"),
    }
}

async fn reached(phase: &mut watch::Receiver<Phase>, this: Phase) {
    // An error would mean that the sender is gone; the server holds one.
    let _ = phase.wait_for(|phase| *phase >= this).await;
}

async fn accept(listeners: &[Listener]) -> io::Result<(Stream, String)> {
    poll_fn(|cx| {
        let mut ready = listeners.iter().map(|listener| listener.poll_accept(cx));
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
