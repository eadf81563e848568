//! What layers see of calls that stream.

use crate::feed::{Feed, FeedClient, FeedServer, Tested, all, numbers, soon};
use callgate_sdk::layer::{Call, Layer, Next, Outcome};
use callgate_sdk::{Client, Server, Streaming, testing};
use futures_util::stream;
use std::sync::{Arc, Mutex};

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
