//! Which calls a client sends again that have run and failed.

#![allow(clippy::unwrap_used, missing_docs)]

use callgate_sdk::{Code, Server, Status, service, testing};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

#[service]
trait Store {
    #[idempotent]
    async fn read(&self) -> Result<u32, Status>;

    async fn write(&self) -> Result<u32, Status>;
}

/// Fails the first calls with that status; how often it has run.
struct Starting {
    fails: u32,
    status: Status,
    ran: AtomicU32,
}

impl Starting {
    fn run(&self) -> Result<u32, Status> {
        let ran = self.ran.fetch_add(1, Relaxed) + 1;
        if ran <= self.fails { Err(self.status.clone()) } else { Ok(ran) }
    }
}

impl Store for Starting {
    async fn read(&self) -> Result<u32, Status> {
        self.run()
    }

    async fn write(&self) -> Result<u32, Status> {
        self.run()
    }
}

fn starting(fails: u32, status: Status) -> (StoreClient, Arc<Starting>) {
    let store = Arc::new(Starting { fails, status, ran: AtomicU32::new(0) });
    let client = testing::client(Server::new().service(StoreServer::new(store.clone())));
    (StoreClient::new(client), store)
}

#[tokio::test]
async fn an_idempotent_call_that_an_instance_could_not_serve_is_sent_again() {
    let (client, store) = starting(2, Status::unavailable("the cache is cold"));
    assert_eq!(client.read().await, Ok(3));
    assert_eq!(store.ran.load(Relaxed), 3);

    let (client, store) = starting(9, Status::unavailable("the cache is cold"));
    assert_eq!(client.read().await.unwrap_err().message, "the cache is cold");
    assert_eq!(store.ran.load(Relaxed), 3, "three times at most");
}

#[tokio::test]
async fn any_other_call_and_any_other_failure_is_not() {
    let (client, store) = starting(1, Status::unavailable("the cache is cold"));
    assert_eq!(client.write().await.unwrap_err().code, Code::Unavailable);
    assert_eq!(store.ran.load(Relaxed), 1);

    let (client, store) = starting(1, Status::internal("it is broken"));
    assert_eq!(client.read().await.unwrap_err().code, Code::Internal);
    assert_eq!(store.ran.load(Relaxed), 1);
}
