//! A backend whose methods take what their callers stream: all of it, the first item, not yet, or to give each back.

use callgate_sdk::{Message, Server, ServerError, Status, Stream, Streaming, service};
use clap::Parser;
use serde::{Deserialize, Serialize};
use std::io::stderr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Poll};
use tokio::sync::Semaphore;

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: String,
}

/// An item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
struct Number {
    /// Its value.
    n: u32,
    /// Makes it longer.
    #[serde(default)]
    pad: String,
}

/// Takes streams.
#[service]
trait Takers {
    /// The sum of `from` and the items.
    async fn sum(&self, from: u32, items: Streaming<Number>) -> Result<u32, Status>;

    /// The first item; the others are not taken.
    async fn first(&self, items: Streaming<Number>) -> Result<u32, Status>;

    /// The sum of the items, of which none is taken before `go`.
    async fn wait(&self, items: Streaming<Number>) -> Result<u32, Status>;

    /// Lets all that wait go on.
    async fn go(&self) -> Result<(), Status>;

    /// Each item, as it comes.
    async fn chat(
        &self,
        items: Streaming<Number>,
    ) -> Result<impl Stream<Item = Result<Number, Status>>, Status>;

    /// How many calls are running.
    async fn running(&self) -> Result<u32, Status>;

    /// How many items were taken.
    async fn taken(&self) -> Result<u32, Status>;

    /// How many callers' streams have come to their end.
    async fn ended(&self) -> Result<u32, Status>;
}

#[derive(Default)]
struct State {
    running: AtomicU32,
    taken: AtomicU32,
    ended: AtomicU32,
}

#[derive(Clone)]
struct Taking {
    state: Arc<State>,
    gate: Arc<Semaphore>,
}

/// A call that is running, until it is dropped.
struct Running(Arc<State>);

impl Running {
    fn begin(state: &Arc<State>) -> Running {
        state.running.fetch_add(1, SeqCst);
        Running(state.clone())
    }

    /// What has come of the caller's stream.
    fn seen(&self, item: Option<Result<Number, Status>>) -> Result<Option<u32>, Status> {
        let item = item.transpose()?;
        let count = if item.is_some() { &self.0.taken } else { &self.0.ended };
        count.fetch_add(1, SeqCst);
        Ok(item.map(|item| item.n))
    }

    async fn sum(&self, from: u32, mut items: Streaming<Number>) -> Result<u32, Status> {
        let mut sum = from;
        while let Some(n) = self.seen(items.next().await)? {
            sum += n;
        }
        Ok(sum)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

/// The caller's items, given back.
struct Chat {
    running: Running,
    items: Streaming<Number>,
}

impl Stream for Chat {
    type Item = Result<Number, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.items).poll_next(cx).map(|item| {
            let _ = self.running.seen(item.clone());
            item
        })
    }
}

impl Takers for Taking {
    async fn sum(&self, from: u32, items: Streaming<Number>) -> Result<u32, Status> {
        Running::begin(&self.state).sum(from, items).await
    }

    async fn first(&self, mut items: Streaming<Number>) -> Result<u32, Status> {
        let running = Running::begin(&self.state);
        Ok(running.seen(items.next().await)?.unwrap_or_default())
    }

    async fn wait(&self, items: Streaming<Number>) -> Result<u32, Status> {
        let running = Running::begin(&self.state);
        let _gone = self.gate.acquire().await;
        running.sum(0, items).await
    }

    async fn go(&self) -> Result<(), Status> {
        self.gate.close();
        Ok(())
    }

    async fn chat(
        &self,
        items: Streaming<Number>,
    ) -> Result<impl Stream<Item = Result<Number, Status>>, Status> {
        Ok(Chat { running: Running::begin(&self.state), items })
    }

    async fn running(&self) -> Result<u32, Status> {
        Ok(self.state.running.load(SeqCst))
    }

    async fn taken(&self) -> Result<u32, Status> {
        Ok(self.state.taken.load(SeqCst))
    }

    async fn ended(&self) -> Result<u32, Status> {
        Ok(self.state.ended.load(SeqCst))
    }
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    tracing_subscriber::fmt().with_writer(stderr).with_ansi(false).init();
    let arguments = Arguments::parse();
    let taking = Taking { state: Arc::default(), gate: Arc::new(Semaphore::new(0)) };
    Server::new().service(TakersServer::new(taking)).listen(&arguments.listen).run().await
}
