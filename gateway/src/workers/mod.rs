//! All workers of the process: their threads, how they are started and how they are brought to their end.

mod command;
mod run;

pub use command::{Command, Ending};

use crate::config::Settings;
use crate::worker::Shared;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Commands that may wait for a worker: new connections, of which the kernel holds more.
const COMMAND_QUEUE: usize = 1024;

/// How much longer than its own limit a worker's end may take.
const MARGIN: Duration = Duration::from_secs(5);

/// The workers that run.
pub struct Workers {
    commands: Vec<mpsc::Sender<Command>>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Workers {
    /// Starts as many as there are to be.
    pub fn start(shared: &Arc<Shared>) -> io::Result<Workers> {
        let mut workers = Workers { commands: Vec::new(), threads: Vec::new() };
        for id in 0..shared.workers {
            let (sender, receiver) = mpsc::channel(COMMAND_QUEUE);
            let shared = shared.clone();
            let run = move || {
                if let Err(error) = run::run(id, shared, receiver) {
                    tracing::error!(worker = id, %error, "a worker cannot run");
                }
            };
            workers.threads.push(std::thread::Builder::new().name(format!("worker-{id}")).spawn(run)?);
            workers.commands.push(sender);
        }
        Ok(workers)
    }

    /// Where each is told what to do.
    pub fn commands(&self) -> Vec<mpsc::Sender<Command>> {
        self.commands.clone()
    }

    /// Waits until one has ended that was not told to.
    pub async fn one_has_ended(&self) {
        let mut ends = JoinSet::new();
        for worker in &self.commands {
            let worker = worker.clone();
            ends.spawn(async move { worker.closed().await });
        }
        ends.join_next().await;
    }

    /// Has them drain and waits for their end. Being `told` to stop cuts the time short that a hand-over gives.
    ///
    /// # Errors
    ///
    /// One has not drained: it has panicked, or it hangs.
    pub async fn end(
        self,
        settings: &Settings,
        ending: Ending,
        mut told: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let Workers { commands, threads } = self;
        let join = move || threads.into_iter().filter_map(|thread| thread.join().err()).count();
        let mut ended = tokio::task::spawn_blocking(join);
        // Each worker bounds its own drain; the margin is for one that does not get to it.
        let limit = settings.server.drain_timeout + MARGIN;
        if ending == Ending::HandOver {
            let _ = timeout(MARGIN, tell(&commands, ending)).await;
            tokio::select! {
                panicked = &mut ended => return well(panicked?),
                _ = told.wait_for(|told| *told) => {}
                () = sleep(settings.upgrade.drain_timeout + limit) => {}
            }
        }
        let ended = async {
            tell(&commands, Ending::Stop).await;
            ended.await
        };
        match timeout(limit, ended).await {
            Ok(panicked) => well(panicked?),
            Err(_) => Err(io::Error::other("a worker did not end in time")),
        }
    }
}

fn well(panicked: usize) -> io::Result<()> {
    if panicked == 0 { Ok(()) } else { Err(io::Error::other("a worker has panicked")) }
}

async fn tell(workers: &[mpsc::Sender<Command>], ending: Ending) {
    for worker in workers {
        let _ = worker.send(Command::Drain(ending)).await;
    }
}
