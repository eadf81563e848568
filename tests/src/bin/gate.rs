//! An instance behind a gate: see [`callgate_tests::gate`].

use callgate_sdk::{Server, ServerError, Status};
use callgate_tests::gate::{Gate, GateServer};
use clap::Parser;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: String,
    /// How many calls the server runs at once.
    #[arg(long, default_value_t = 4096)]
    max_calls: u32,
}

struct Instance {
    gate: Semaphore,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    entered: Vec<String>,
    inside: u32,
    most: u32,
}

impl Instance {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that is in, however it ends.
struct Inside<'a>(&'a Instance);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.seen().inside -= 1;
    }
}

impl Gate for Instance {
    async fn enter(&self, name: String) -> Result<u32, Status> {
        let inside = {
            let mut seen = self.seen();
            seen.entered.push(name);
            seen.inside += 1;
            seen.most = seen.most.max(seen.inside);
            Inside(self)
        };
        let permit = self.gate.acquire().await.map_err(|error| Status::internal(error.to_string()))?;
        permit.forget();
        drop(inside);
        Ok(std::process::id())
    }

    async fn open(&self, calls: u32) -> Result<(), Status> {
        self.gate.add_permits(calls as usize);
        Ok(())
    }

    async fn entered(&self) -> Result<Vec<String>, Status> {
        Ok(self.seen().entered.clone())
    }

    async fn most(&self) -> Result<u32, Status> {
        Ok(self.seen().most)
    }
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    let Arguments { listen, max_calls } = Arguments::parse();
    let instance = Instance { gate: Semaphore::new(0), seen: Mutex::default() };
    Server::new().max_calls(max_calls).service(GateServer::new(instance)).listen(listen).run().await
}
