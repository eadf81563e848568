//! Listening sockets. A new connection goes to the worker with the fewest.

use crate::worker::{Command, Ending, Shared};
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

/// How long accepting pauses when the process has no file descriptors left, or connections are at their bound.
const PAUSE: Duration = Duration::from_millis(20);

/// Accepts until it is told to stop, or until a worker is gone. What the kernel has accepted by then is served too, its
/// request may have come already; unless a successor is there to do it.
pub async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    workers: Vec<mpsc::Sender<Command>>,
    mut stop: watch::Receiver<Option<Ending>>,
) {
    let ending = loop {
        let accepted = tokio::select! {
            accepted = next(&listener, &shared) => accepted,
            // Fails only when the sender is gone, which is as good as being told.
            stop = stop.wait_for(Option::is_some) => break stop.map_or(None, |ending| *ending),
        };
        match accepted {
            Ok(stream) => {
                if serve(stream, &shared, &workers).await.is_err() {
                    return;
                }
            }
            // Errors of the one connection that was about to be accepted.
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                sleep(PAUSE).await;
            }
        }
    };
    if ending == Some(Ending::HandOver) {
        return;
    }
    let Ok(listener) = listener.into_std() else { return };
    while has_room(&shared)
        && let Ok((stream, _)) = listener.accept()
    {
        if stream.set_nonblocking(true).is_ok() && serve(stream, &shared, &workers).await.is_err() {
            return;
        }
    }
}

fn has_room(shared: &Shared) -> bool {
    let open: usize = shared.load.iter().map(|load| load.load(Relaxed)).sum();
    open < shared.settings.server.max_connections as usize
}

async fn next(listener: &TcpListener, shared: &Shared) -> io::Result<TcpStream> {
    while !has_room(shared) {
        sleep(PAUSE).await;
    }
    listener.accept().await?.0.into_std()
}

/// Hands a connection to a worker; an error when that one is gone.
async fn serve(stream: TcpStream, shared: &Shared, workers: &[mpsc::Sender<Command>]) -> Result<(), ()> {
    let _ = stream.set_nodelay(true);
    let least = (0..workers.len()).min_by_key(|at| shared.load[*at].load(Relaxed)).unwrap_or(0);
    shared.load[least].fetch_add(1, Relaxed);
    workers[least].send(Command::Serve(stream)).await.map_err(drop)
}

fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
