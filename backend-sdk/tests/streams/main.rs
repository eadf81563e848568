//! Services and callers that stream, through real stubs in one process.

use callgate_sdk::layer::{Call, Layer, Next, Outcome};
use callgate_sdk::{
    Client, Code, Context, ReplyMetadata, Server, Status, Stream, Streaming, service, testing,
};
use futures_util::{StreamExt, stream};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{self, Poll};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Longer than anything here takes; a test that waits for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("happens soon")
}

#[service]
trait Feed {
    /// The numbers up to that one.
    #[idempotent]
    async fn count(&self, to: u32) -> Result<impl Stream<Item = Result<u32, Status>>, Status>;

    /// Fails before its stream, or after so many items.
    #[idempotent]
    async fn fails(&self, after: Option<u32>) -> Result<impl Stream<Item = Result<u32, Status>>, Status>;

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

    /// Nothing of a stream.
    async fn plain(&self) -> Result<(), Status>;
}

#[derive(Clone)]
struct Tested(Arc<Shared>);

struct Shared {
    calls: AtomicUsize,
    /// Items that `flood` was asked for.
    made: watch::Sender<usize>,
    /// Streams of `flood` that are there.
    open: watch::Sender<usize>,
}

impl Tested {
    fn new() -> Tested {
        Tested(Arc::new(Shared {
            calls: AtomicUsize::new(0),
            made: watch::Sender::new(0),
            open: watch::Sender::new(0),
        }))
    }

    /// Waits until `flood` has no stream any more.
    async fn is_quiet(&self) {
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

    async fn plain(&self) -> Result<(), Status> {
        Ok(())
    }
}

fn feed(tested: &Tested) -> FeedClient {
    testing::client(Server::new().service(FeedServer::new(tested.clone()))).into()
}

async fn all<T, E>(mut items: Streaming<T, E>) -> Vec<Result<T, E>> {
    let mut all = Vec::new();
    while let Some(item) = soon(items.next()).await {
        all.push(item);
    }
    all
}

fn numbers(to: u32) -> Vec<Result<u32, Status>> {
    (1..=to).map(Ok).collect()
}

#[tokio::test]
async fn a_service_streams_and_its_client_reads_in_order() {
    let feed = feed(&Tested::new());
    for to in [0, 1, 15, 16, 17, 5000] {
        assert_eq!(all(soon(feed.count(to)).await.expect("it streams")).await, numbers(to));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_streams_and_calls_share_a_connection() {
    let feed = feed(&Tested::new());
    let streams: Vec<_> = (0..50)
        .map(|_| {
            let feed = feed.clone();
            tokio::spawn(async move { all(feed.count(2000).await.expect("it streams")).await })
        })
        .collect();
    for _ in 0..100 {
        soon(feed.plain()).await.expect("it is answered");
    }
    for stream in streams {
        assert_eq!(soon(stream).await.expect("no panic"), numbers(2000));
    }
}

#[tokio::test]
async fn a_failure_comes_in_the_place_of_the_stream_or_behind_its_items() {
    let tested = Tested::new();
    let feed = feed(&tested);
    let head = soon(feed.fails(None)).await.expect_err("no stream");
    assert_eq!((head.code, &*head.message), (Code::Unavailable, "not at all"));
    assert!(tested.0.calls.swap(0, Ordering::Relaxed) > 1, "nothing has streamed: it is sent again");
    let items = all(soon(feed.fails(Some(3))).await.expect("it streams")).await;
    let failure = Err(Status::unavailable("no more"));
    assert_eq!(items, [Ok(0), Ok(1), Ok(2), failure]);
    assert_eq!(tested.0.calls.load(Ordering::Relaxed), 1, "what has streamed is not sent again");
}

#[tokio::test]
async fn a_slow_reader_stops_its_writer_and_nobody_else() {
    let tested = Tested::new();
    let feed = feed(&tested);
    let mut flood = soon(feed.flood(&Context::background(), 1000)).await.expect("it streams");
    // Whatever is under way, at most: the credit, what waits for its turn, and what is in hand.
    let most = 16 + 16 + 2;
    for _ in 0..200 {
        soon(feed.plain()).await.expect("others go on");
    }
    let made = *tested.0.made.borrow();
    assert!((16..=most).contains(&made), "{made}");
    for _ in 0..1000 {
        assert_eq!(soon(flood.next()).await.expect("no end").expect("an item").len(), 1000);
    }
    let made = *tested.0.made.borrow();
    assert!((1000..=1000 + most).contains(&made), "{made}");
    assert_eq!(all(soon(feed.count(100)).await.expect("it streams")).await, numbers(100));
}

#[tokio::test]
async fn items_longer_than_a_frame_and_than_the_credit_come_whole() {
    let feed = feed(&Tested::new());
    let mut flood = soon(feed.flood(&Context::background(), 300_000)).await.expect("it streams");
    for _ in 0..20 {
        assert_eq!(soon(flood.next()).await.expect("no end").expect("an item").len(), 300_000);
    }
    let long = vec!["y".repeat(200_000); 5];
    let items = Streaming::of(stream::iter(long.clone()));
    let back = soon(feed.chat(&Context::background(), String::new(), items)).await.expect("it streams");
    let back = all(back).await;
    assert_eq!(back, long.into_iter().map(Ok).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_client_that_drops_its_stream_drops_the_methods() {
    let tested = Tested::new();
    let feed = feed(&tested);
    let mut flood = soon(feed.flood(&Context::background(), 10)).await.expect("it streams");
    soon(flood.next()).await.expect("no end").expect("an item");
    assert_eq!(*tested.0.open.borrow(), 1);
    drop(flood);
    tested.is_quiet().await;
    soon(feed.plain()).await.expect("the connection goes on");
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline() {
    let tested = Tested::new();
    let feed = feed(&tested);
    let context = Context::background().with_timeout(Duration::from_millis(300));
    let mut flood = soon(feed.flood(&context, 10)).await.expect("it streams");
    let failure = loop {
        if let Err(failure) = soon(flood.next()).await.expect("no end") {
            break failure;
        }
    };
    assert_eq!(failure.code, Code::DeadlineExceeded);
    assert!(soon(flood.next()).await.is_none());
    tested.is_quiet().await;
}

#[tokio::test]
async fn a_caller_streams_beside_its_arguments() {
    let feed = feed(&Tested::new());
    let items = Streaming::of(stream::iter(1..=5000));
    assert_eq!(soon(feed.sum(7, items)).await, Ok(7 + 5000 * 5001 / 2));
    assert_eq!(soon(feed.sum(7, Streaming::of(stream::empty()))).await, Ok(7));
    let fails = stream::iter([Ok(1), Err(Status::aborted("changed my mind"))]);
    let failure = soon(feed.sum(7, Streaming::of_results(fails))).await.expect_err("the caller gave up");
    assert_eq!(failure.code, Code::Aborted);
}

#[tokio::test]
async fn both_stream_and_each_item_may_wait_for_the_other_side() {
    let feed = feed(&Tested::new());
    let (put, mut items) = mpsc::unbounded_channel::<String>();
    let items = stream::poll_fn(move |cx| items.poll_recv(cx));
    let reply = ReplyMetadata::new();
    let context = Context::background().with_metadata("mark", "!").expect("fits").with_reply(&reply);
    let mut chat = soon(feed.chat(&context, "> ".into(), Streaming::of(items))).await.expect("it streams");
    for item in ["a", "b", "c"] {
        put.send(item.into()).expect("it is read");
        assert_eq!(soon(chat.next()).await, Some(Ok(format!("> {item}!"))));
    }
    drop(put);
    assert_eq!(soon(chat.next()).await, None);
    assert_eq!(reply.get("x-before").as_deref(), Some("> "), "it comes beside the end");
}

#[tokio::test]
async fn an_object_streams_as_what_is_in_it() {
    let tested = Tested::new();
    let object: Arc<dyn DynFeed> = Arc::new(tested.clone());
    let feed: FeedClient = testing::client(Server::new().service(FeedServer::new(object))).into();
    assert_eq!(all(soon(feed.count(40)).await.expect("it streams")).await, numbers(40));
    let head = soon(feed.fails(None)).await.expect_err("no stream");
    assert_eq!(head.message, "not at all");
    let context = Context::background().with_metadata("mark", "?").expect("fits");
    let items = Streaming::of(stream::iter(["a".to_owned(), "b".to_owned()]));
    let chat = all(soon(feed.chat(&context, "= ".into(), items)).await.expect("it streams")).await;
    assert_eq!(chat, [Ok("= a?".to_owned()), Ok("= b?".to_owned())]);
    drop(soon(feed.flood(&Context::background(), 10)).await.expect("it streams"));
    tested.is_quiet().await;
}

#[tokio::test]
async fn a_drain_lets_streams_go_on_and_its_end_does_not() {
    let tested = Tested::new();
    let server = Server::new().service(FeedServer::new(tested.clone()));
    let (client, handle) = testing::connect(server, Client::builder());
    let feed = FeedClient::new(client);
    let mut flood = soon(feed.flood(&Context::background(), 10)).await.expect("it streams");
    handle.drain();
    for _ in 0..500 {
        soon(flood.next()).await.expect("no end").expect("it goes on");
    }
    handle.stop();
    let failure = loop {
        if let Err(failure) = soon(flood.next()).await.expect("no end") {
            break failure;
        }
    };
    assert_eq!((failure.code, failure.not_executed), (Code::Unavailable, false));
    tested.is_quiet().await;
}

/// Notes when calls begin and how they end.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Layer for Notes {
    async fn call(&self, call: Call, next: Next) -> Outcome {
        let what = format!("{} {}", call.side().name(), call.name());
        self.0.lock().expect("no panic").push(format!("{what} begins"));
        let outcome = next.run(call).await;
        let code = outcome.as_ref().err().map(|status| status.code.name());
        self.0.lock().expect("no panic").push(format!("{what} ends: {}", code.unwrap_or("ok")));
        outcome
    }
}

#[tokio::test]
async fn layers_see_the_beginning_and_the_end_of_streams() {
    let (served, called) = (Notes::default(), Notes::default());
    let server = Server::new().service(FeedServer::new(Tested::new())).layer(served.clone());
    let (client, _handle) = testing::connect(server, Client::builder().layer(called.clone()));
    let feed = FeedClient::new(client);
    assert_eq!(all(soon(feed.count(100)).await.expect("it streams")).await, numbers(100));
    all(soon(feed.fails(Some(1))).await.expect("it streams")).await;
    assert_eq!(soon(feed.sum(1, Streaming::of(stream::iter([2])))).await, Ok(3));
    for (notes, side) in [(served, "server"), (called, "client")] {
        let expected = [
            "feed.count begins",
            "feed.count ends: ok",
            "feed.fails begins",
            "feed.fails ends: unavailable",
            "feed.sum begins",
            "feed.sum ends: ok",
        ];
        let expected: Vec<_> = expected.iter().map(|note| format!("{side} {note}")).collect();
        assert_eq!(*notes.0.lock().expect("no panic"), expected);
    }
}

/// Why nothing is sold.
#[derive(Debug, PartialEq, callgate_sdk::Error)]
enum Refusal {
    #[error("{left} are left", code = "not_found")]
    Sold { left: u32 },
    #[error(status)]
    Other(Status),
}

/// What a shelf has in this version and the one before.
macro_rules! shelf {
    ($version:ident { $($field:ident: $type:ty),* }) => {
        #[allow(dead_code)]
        mod $version {
            use super::Refusal;
            use callgate_sdk::{Message, Stream, Streaming, service};
            use serde::{Deserialize, Serialize};

            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
            pub(super) struct Item {
                $(pub(super) $field: $type,)*
            }

            #[service(name = "shelf")]
            pub(super) trait Shelf {
                /// Gives back what it is given, until it is sold.
                async fn browse(
                    &self,
                    items: Streaming<Item>,
                ) -> Result<impl Stream<Item = Result<Item, Refusal>>, Refusal>;
            }
        }
    };
}

shelf!(before { name: String, left: u32 });
shelf!(after { left: u32, note: Option<String>, name: String });

struct Shelf;

impl after::Shelf for Shelf {
    async fn browse(
        &self,
        items: Streaming<after::Item>,
    ) -> Result<impl Stream<Item = Result<after::Item, Refusal>>, Refusal> {
        Ok(items.map(|item| match item? {
            after::Item { left: 0, .. } => Err(Refusal::Sold { left: 0 }),
            item => Ok(item),
        }))
    }
}

#[tokio::test]
async fn items_are_converted_between_versions_and_a_typed_error_ends_a_stream() {
    let client = testing::client(Server::new().service(after::ShelfServer::new(Shelf)));
    let shelf = before::ShelfClient::new(client);
    let item = |left| before::Item { name: "tea".into(), left };
    let items = Streaming::of(stream::iter([item(3), item(2), item(0), item(1)]));
    let seen = all(soon(before::Shelf::browse(&shelf, items)).await.expect("it streams")).await;
    assert_eq!(seen, [Ok(item(3)), Ok(item(2)), Err(Refusal::Sold { left: 0 })]);
}
