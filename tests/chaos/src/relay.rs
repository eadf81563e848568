//! A bad path where the kernel has no netem: passes bytes on between the gateway and an instance, and on demand late.
//!
//! A relay above TCP cannot lose packets; it does what TCP makes of a loss: everything behind a lost segment waits for
//! its retransmission, whose time doubles with each further loss.

use crate::Failed;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::{self, AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

/// The path's delay, how many segments in a hundred are lost, and how long the first retransmission takes.
const DELAY: Duration = Duration::from_millis(100);
const LOST_PERCENT: u8 = 30;
const RETRANSMISSION: Duration = Duration::from_millis(300);

/// Chunks that are under way at once, in one direction of a connection.
const UNDER_WAY: usize = 1024;

/// A relay; ends with its connections when dropped.
pub(crate) struct Relay {
    /// Where the gateway finds it.
    pub(crate) endpoint: String,
    bad: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Passes on to `instance`.
    pub(crate) async fn start(instance: String) -> Result<Relay, Failed> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = listener.local_addr()?.to_string();
        let bad = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(accept(listener, instance, bad.clone()));
        Ok(Relay { endpoint, bad, task })
    }

    /// Makes the path from the instance to the gateway bad, or good again.
    pub(crate) fn set_bad(&self, bad: bool) {
        self.bad.store(bad, Relaxed);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, instance: String, bad: Arc<AtomicBool>) {
    let mut connections = JoinSet::new();
    while let Ok((gateway, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let (instance, bad) = (instance.clone(), bad.clone());
        // A connection that breaks is for its two ends to notice.
        connections.spawn(async move { pass(gateway, &instance, bad).await.unwrap_or_default() });
    }
}

async fn pass(gateway: TcpStream, instance: &str, bad: Arc<AtomicBool>) -> io::Result<()> {
    let instance = TcpStream::connect(instance).await?;
    for socket in [&gateway, &instance] {
        socket.set_nodelay(true)?;
    }
    let (mut from_gateway, to_gateway) = gateway.into_split();
    let (from_instance, mut to_instance) = instance.into_split();
    let there = async {
        io::copy(&mut from_gateway, &mut to_instance).await?;
        to_instance.shutdown().await
    };
    tokio::try_join!(there, back(from_instance, to_gateway, bad)).map(|_| ())
}

/// The path that can be bad. Chunks keep their order, and travel at the same time.
async fn back(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, bad: Arc<AtomicBool>) -> io::Result<()> {
    let (depart, mut arrive) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let reading = async move {
        let mut buffer = vec![0; 16 * 1024];
        let mut last = Instant::now();
        loop {
            let read = from.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            let late = if bad.load(Relaxed) { lateness() } else { Duration::ZERO };
            last = last.max(Instant::now() + late);
            if depart.send((last, buffer[..read].to_vec())).await.is_err() {
                return Ok(());
            }
        }
    };
    let writing = async {
        while let Some((due, chunk)) = arrive.recv().await {
            sleep_until(due).await;
            to.write_all(&chunk).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(reading, writing).map(|_| ())
}

fn lateness() -> Duration {
    let mut late = DELAY;
    let mut retransmission = RETRANSMISSION;
    while fastrand::u8(..100) < LOST_PERCENT {
        late += retransmission;
        retransmission *= 2;
    }
    late
}
