//! An instance with moods: see [`callgate_tests::moody`].

use callgate_sdk::{Context, Handle, Server, ServerError, Status};
use callgate_tests::moody::{Mood, Moody, MoodyServer, orders};
use clap::Parser;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: String,
}

#[derive(Clone, Default)]
struct Instance {
    mood: Arc<Mutex<Mood>>,
    asked: Arc<AtomicU64>,
    copied: Arc<AtomicU64>,
    /// There once the server is bound.
    handle: Arc<OnceLock<Handle>>,
}

impl Moody for Instance {
    async fn ask(&self, cx: &Context) -> Result<u32, Status> {
        self.asked.fetch_add(1, Relaxed);
        if cx.metadata("callgate-shadow") == Some("1") {
            self.copied.fetch_add(1, Relaxed);
        }
        let mood = *self.mood.lock().unwrap_or_else(PoisonError::into_inner);
        match mood {
            Mood::Well => {}
            Mood::Failing => return Err(Status::unavailable("not in the mood")),
            Mood::Slow(ms) => tokio::time::sleep(Duration::from_millis(ms.into())).await,
            Mood::Blocking(ms) => std::thread::sleep(Duration::from_millis(ms.into())),
        }
        Ok(std::process::id())
    }

    async fn asked(&self) -> Result<u64, Status> {
        Ok(self.asked.load(Relaxed))
    }

    async fn copied(&self) -> Result<u64, Status> {
        Ok(self.copied.load(Relaxed))
    }

    async fn be(&self, mood: Mood) -> Result<(), Status> {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
        Ok(())
    }

    async fn set_ready(&self, ready: bool) -> Result<(), Status> {
        if let Some(handle) = self.handle.get() {
            handle.set_ready(ready);
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    let arguments = Arguments::parse();
    let instance = Instance::default();
    let handle = instance.handle.clone();
    let ordered = Server::new().service(MoodyServer::new(instance.clone()));
    let ordered = ordered.listen(orders(&arguments.listen)).bind().await?;
    let bound = Server::new().service(MoodyServer::new(instance)).listen(arguments.listen).bind().await?;
    let _ = handle.set(bound.handle());
    tokio::select! {
        () = bound.serve() => {}
        () = ordered.serve() => {}
    }
    Ok(())
}
