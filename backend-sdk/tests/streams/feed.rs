//! A service of streams that a test can look into.

use callgate_sdk::{Context, Server, Status, Stream, Streaming, service, testing};
use futures_util::{StreamExt, stream};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{self, Poll};
use std::time::Duration;
use tokio::sync::watch;

/// Longer than anything here takes; a test that waits for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("happens soon")
}

#[service]
pub(crate) trait Feed {
    /// The numbers up to that one.
    #[idempotent]
    async fn count(&self, to: u32) -> Result<impl Stream<Item = Result<u32, Status>>, Status>;

    /// Fails before its stream, or after so many items.
    #[idempotent]
    async fn fails(&self, after: Option<u32>) -> Result<impl Stream<Item = Result<u32, Status>>, Status>;

    /// Panics behind an item.
    async fn panics(&self) -> Result<impl Stream<Item = Result<u32, Status>>, Status>;

    /// Texts of that length, without an end.
    async fn flood(
        &self,
        cx: &Context,
        size: u32,
    ) -> Result<impl Stream<Item = Result<String, Status>>, Status>;

    /// The sum of what the caller streams, and of the first number.
    async fn sum(&self, first: u64, items: Streaming<u32>) -> Result<u64, Status>;

    /// What the caller streams, with something before it.
    async fn chat(
        &self,
        cx: &Context,
        before: String,
        items: Streaming<String>,
    ) -> Result<impl Stream<Item = Result<String, Status>>, Status>;

    /// Counts what the caller streams, and reads only what it may.
    async fn slow(&self, items: Streaming<String>) -> Result<u32, Status>;

    /// Nothing of a stream.
    async fn plain(&self) -> Result<(), Status>;
}

#[derive(Clone)]
pub(crate) struct Tested(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    /// Calls of `fails`.
    pub(crate) calls: AtomicUsize,
    /// Items that `flood` was asked for.
    pub(crate) made: watch::Sender<usize>,
    /// Streams of `flood` that are there.
    pub(crate) open: watch::Sender<usize>,
    /// Items that `slow` may read, and has read.
    pub(crate) allowed: watch::Sender<usize>,
    pub(crate) read: watch::Sender<usize>,
}

impl Tested {
    pub(crate) fn new() -> Tested {
        Tested(Arc::new(Shared {
            calls: AtomicUsize::new(0),
            made: watch::Sender::new(0),
            open: watch::Sender::new(0),
            allowed: watch::Sender::new(0),
            read: watch::Sender::new(0),
        }))
    }

    /// Waits until `flood` has no stream any more.
    pub(crate) async fn is_quiet(&self) {
        soon(self.0.open.subscribe().wait_for(|open| *open == 0)).await.expect("the sender is here");
    }
}

/// A stream that counts.
struct Flood<'a> {
    shared: &'a Shared,
    item: String,
}

impl Stream for Flood<'_> {
    type Item = Result<String, Status>;

    fn poll_next(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Option<Self::Item>> {
        self.shared.made.send_modify(|made| *made += 1);
        Poll::Ready(Some(Ok(self.item.clone())))
    }
}

impl Drop for Flood<'_> {
    fn drop(&mut self) {
        self.shared.open.send_modify(|open| *open -= 1);
    }
}

impl Feed for Tested {
    async fn count(&self, to: u32) -> Result<impl Stream<Item = Result<u32, Status>>, Status> {
        Ok(stream::iter((1..=to).map(Ok)))
    }

    async fn fails(&self, after: Option<u32>) -> Result<impl Stream<Item = Result<u32, Status>>, Status> {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        let after = after.ok_or_else(|| Status::unavailable("not at all"))?;
        let failure = stream::iter([Err(Status::unavailable("no more"))]);
        Ok(stream::iter((0..after).map(Ok)).chain(failure))
    }

    async fn panics(&self) -> Result<impl Stream<Item = Result<u32, Status>>, Status> {
        Ok(stream::iter([Ok(1)]).chain(stream::poll_fn(|_| panic!("as the test wants it"))))
    }

    async fn flood(
        &self,
        cx: &Context,
        size: u32,
    ) -> Result<impl Stream<Item = Result<String, Status>>, Status> {
        cx.reply().insert("x-flood", "yes")?;
        self.0.open.send_modify(|open| *open += 1);
        Ok(Flood { shared: &self.0, item: "x".repeat(size as usize) })
    }

    async fn sum(&self, first: u64, mut items: Streaming<u32>) -> Result<u64, Status> {
        let mut sum = first;
        while let Some(item) = items.next().await {
            sum += u64::from(item?);
        }
        Ok(sum)
    }

    async fn chat(
        &self,
        cx: &Context,
        before: String,
        items: Streaming<String>,
    ) -> Result<impl Stream<Item = Result<String, Status>>, Status> {
        cx.reply().insert("x-before", &before)?;
        // It borrows the context as long as it lives.
        Ok(items.map(move |item| Ok(format!("{before}{}{}", item?, cx.metadata("mark").unwrap_or_default()))))
    }

    async fn slow(&self, mut items: Streaming<String>) -> Result<u32, Status> {
        let mut allowed = self.0.allowed.subscribe();
        for read in 0.. {
            let waits = allowed.wait_for(|allowed| *allowed > read as usize).await;
            waits.map_err(|_| Status::internal("the test is over"))?;
            if items.next().await.transpose()?.is_none() {
                return Ok(read);
            }
            self.0.read.send_modify(|read| *read += 1);
        }
        Err(Status::out_of_range("too many"))
    }

    async fn plain(&self) -> Result<(), Status> {
        Ok(())
    }
}

pub(crate) fn feed(tested: &Tested) -> FeedClient {
    let client = testing::client(Server::new().service(FeedServer::new(tested.clone())));
    client.with_timeout(Duration::from_secs(600)).into()
}

pub(crate) async fn all<T, E>(mut items: Streaming<T, E>) -> Vec<Result<T, E>> {
    let mut all = Vec::new();
    while let Some(item) = soon(items.next()).await {
        all.push(item);
    }
    all
}

pub(crate) fn numbers(to: u32) -> Vec<Result<u32, Status>> {
    (1..=to).map(Ok).collect()
}
