//! Streams of the service, of the caller, of both, and of trait objects.

use crate::feed::{DynFeed, Feed, FeedClient, FeedServer, Tested, all, feed, numbers, soon};
use callgate_sdk::{Code, Context, ReplyMetadata, Server, Status, Streaming, testing};
use futures_util::stream;
use std::sync::Arc;
use tokio::sync::mpsc;

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
