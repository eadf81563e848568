//! Listening sockets. A new connection goes to the worker with the fewest.

use crate::worker::{Command, Shared};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// How long accepting pauses when the process has no file descriptors left, or connections are at their bound.
const PAUSE: Duration = Duration::from_millis(20);

/// Accepts until the task is dropped.
pub async fn accept(listener: TcpListener, shared: Arc<Shared>, workers: Vec<mpsc::Sender<Command>>) {
    let most = shared.settings.server.max_connections as usize;
    loop {
        while shared.load.iter().map(|load| load.load(Relaxed)).sum::<usize>() >= most {
            sleep(PAUSE).await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                let least = (0..workers.len()).min_by_key(|at| shared.load[*at].load(Relaxed)).unwrap_or(0);
                let _ = stream.set_nodelay(true);
                let Ok(stream) = stream.into_std() else { continue };
                shared.load[least].fetch_add(1, Relaxed);
                if workers[least].send(Command::Serve(stream)).await.is_err() {
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
    }
}

fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
