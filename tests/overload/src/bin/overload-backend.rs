//! A backend that can do so much and no more: each call needs one of a few permits for some milliseconds, and waits for it in
//! a queue without an end, as it would for a pool of database connections.

use callgate_sdk::{Server, ServerError, Status, service};
use clap::Parser;
use std::time::Duration;
use tokio::sync::Semaphore;

#[derive(Parser)]
struct Options {
    /// Where to listen.
    #[arg(long)]
    listen: String,
    /// How many calls are worked on at once.
    #[arg(long)]
    permits: usize,
    /// How long each takes, in milliseconds.
    #[arg(long)]
    work_ms: u64,
}

#[service]
trait Work {
    /// Works.
    #[idempotent]
    async fn work(&self) -> Result<u64, Status>;
}

struct Worker {
    permits: Semaphore,
    work: Duration,
}

impl Work for Worker {
    async fn work(&self) -> Result<u64, Status> {
        let _permit = self.permits.acquire().await.map_err(|error| Status::internal(error.to_string()))?;
        tokio::time::sleep(self.work).await;
        Ok(1)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ServerError> {
    let Options { listen, permits, work_ms } = Options::parse();
    let worker = Worker { permits: Semaphore::new(permits), work: Duration::from_millis(work_ms) };
    // No bound of its own comes before the gateway's.
    Server::new().max_calls(1_000_000).service(WorkServer::new(worker)).listen(listen).run().await
}
