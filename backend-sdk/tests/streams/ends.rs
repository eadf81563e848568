//! How streams end before they are complete.

use crate::feed::{Feed, FeedClient, FeedServer, Tested, all, feed, soon};
use callgate_sdk::{Client, Code, Context, Server, Status, Streaming, testing};
use futures_util::stream;
use std::sync::atomic::Ordering;
use std::time::Duration;

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

#[tokio::test]
async fn a_method_that_panics_in_mid_stream_fails_its_call_and_no_other() {
    let feed = feed(&Tested::new());
    let failure = match soon(feed.panics()).await {
        Err(failure) => failure,
        Ok(items) => all(items).await.pop().expect("no end").expect_err("a failure"),
    };
    assert_eq!((failure.code, &*failure.message), (Code::Internal, "the method failed unexpectedly"));
    soon(feed.plain()).await.expect("the connection goes on");
}

#[tokio::test]
async fn an_item_for_which_there_is_no_room_ends_its_call_and_no_other() {
    let server = Server::new().service(FeedServer::new(Tested::new())).max_buffered(100_000);
    let feed: FeedClient = testing::client(server).into();
    let context = Context::background();
    let long = soon(feed.flood(&context, 200_000)).await.map(drop);
    assert_eq!(long.map_err(|failure| failure.code), Err(Code::ResourceExhausted));
    let items = Streaming::of(stream::iter(["x".repeat(200_000)]));
    let chat = soon(feed.chat(&context, String::new(), items)).await.expect("it was sent");
    let back: Vec<_> = all(chat).await.into_iter().map(|item| item.map_err(|failure| failure.code)).collect();
    assert_eq!(back, [Err(Code::ResourceExhausted)]);
    let mut flood = soon(feed.flood(&context, 50_000)).await.expect("shorter ones need no room");
    assert_eq!(soon(flood.next()).await.expect("no end").expect("an item").len(), 50_000);
}
