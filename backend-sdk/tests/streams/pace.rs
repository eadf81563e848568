//! A stream goes at the pace of its reader: what waits between the two is bounded, however long the stream is.

use crate::feed::{Feed, FeedClient, FeedServer, Tested, all, feed, numbers, soon};
use callgate_sdk::{Client, Context, Server, Streaming};
use futures_util::stream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Items that the reader's side gives credit for, which is renewed when half of it was used.
const CREDIT: usize = 512;
/// Items under way, at most: the reader's credit, those that wait in the server for their turn, and one in each hand.
const MOST: usize = CREDIT + 128 + 2;

#[tokio::test]
async fn a_slow_reader_stops_its_writer_and_nobody_else() {
    let tested = Tested::new();
    let feed = feed(&tested);
    let mut flood = soon(feed.flood(&Context::background(), 100)).await.expect("it streams");
    for _ in 0..200 {
        soon(feed.plain()).await.expect("others go on");
    }
    let made = *tested.0.made.borrow();
    assert!((CREDIT..=MOST).contains(&made), "{made}");
    for _ in 0..1000 {
        assert_eq!(soon(flood.next()).await.expect("no end").expect("an item").len(), 100);
    }
    let made = *tested.0.made.borrow();
    assert!((1000..=1000 + MOST).contains(&made), "{made}");
    assert_eq!(all(soon(feed.count(100)).await.expect("it streams")).await, numbers(100));
}

#[tokio::test]
async fn a_method_that_reads_slowly_stops_its_caller() {
    let (tested, made) = (Tested::new(), Arc::new(AtomicUsize::new(0)));
    let (feed, items) = (feed(&tested), 20_000);
    let of_test = made.clone();
    let texts = (0..items).map(move |_| {
        made.fetch_add(1, Ordering::Relaxed);
        "x".repeat(100)
    });
    let slow = feed.clone();
    let call = tokio::spawn(async move { slow.slow(Streaming::of(stream::iter(texts))).await });
    let mut read = tested.0.read.subscribe();
    for allowed in (1000..items as usize).step_by(1000) {
        tested.0.allowed.send_replace(allowed);
        soon(read.wait_for(|read| *read == allowed)).await.expect("the sender is here");
        for _ in 0..20 {
            soon(feed.plain()).await.expect("others go on");
        }
        let made = of_test.load(Ordering::Relaxed);
        // The caller's credit, and what it has in hand.
        assert!((allowed + CREDIT / 2..=allowed + CREDIT + 2).contains(&made), "{made} of {allowed}");
    }
    tested.0.allowed.send_replace(usize::MAX);
    assert_eq!(soon(call).await.expect("no panic"), Ok(items));
}

#[tokio::test]
async fn of_long_items_few_wait() {
    let tested = Tested::new();
    let feed = feed(&tested);
    let mut flood = soon(feed.flood(&Context::background(), 20_000)).await.expect("it streams");
    for read in 1..=500 {
        soon(flood.next()).await.expect("no end").expect("an item");
        soon(feed.plain()).await.expect("others go on");
        let waiting = *tested.0.made.borrow() - read;
        // Four of them pass 64 KiB.
        assert!(waiting <= 4 + 4 + 2, "{waiting} behind {read}");
    }
}

/// Reads that many items, and pauses now and then. `look` is asked with the number of those that were read.
async fn read_with_pauses(feed: &FeedClient, tested: &Tested, items: usize, mut look: impl FnMut(usize)) {
    let mut flood = soon(feed.flood(&Context::background(), 100)).await.expect("it streams");
    for read in 1..=items {
        soon(flood.next()).await.expect("no end").expect("an item");
        let waiting = *tested.0.made.borrow() - read;
        assert!(waiting <= MOST, "{waiting} behind {read}");
        if read % 1000 == 0 {
            // The writer fills what there is, but for the credit that is renewed late, and then stands still.
            let mut made = tested.0.made.subscribe();
            soon(made.wait_for(|made| *made >= read + MOST - CREDIT / 2)).await.expect("the sender is here");
            for _ in 0..10 {
                soon(feed.plain()).await.expect("others go on");
            }
            let waiting = *made.borrow() - read;
            assert!(waiting <= MOST, "{waiting} behind {read}");
            look(read);
        }
    }
}

#[tokio::test]
async fn however_long_a_stream_is_the_same_few_items_wait() {
    let tested = Tested::new();
    read_with_pauses(&feed(&tested), &tested, 100_000, |_| {}).await;
}

/// Bytes of memory that this process has.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux says so");
    let pages: usize = statm.split(' ').nth(1).expect("the second field").parse().expect("a number");
    pages * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a million items take long where nothing is optimised"]
async fn a_million_items_to_a_reader_that_pauses_take_no_memory() {
    let tested = Tested::new();
    let server = Server::new().service(FeedServer::new(tested.clone())).listen("127.0.0.1:0");
    let bound = server.bind().await.expect("it listens");
    let address = bound.addresses()[0].to_string();
    tokio::spawn(bound.serve());
    let client = Client::builder().endpoint(address).timeout(Duration::from_secs(600));
    let feed = FeedClient::new(client.build().expect("an address"));
    let mut before = 0;
    read_with_pauses(&feed, &tested, 1_000_000, |read| {
        if read == 10_000 {
            before = resident();
        }
    })
    .await;
    let grown = resident().saturating_sub(before);
    println!("{before} bytes, and {grown} more after a million items");
    assert!(grown < 1024 * 1024, "{grown} bytes more than after 10,000 items");
}
