//! Where methods begin: at their connection, or in tasks of their own.

use crate::support::{PATIENCE, Running, run, soon};
use callgate_sdk::{Client, Context, Server, Status, service};
use std::time::Duration;
use tokio::sync::mpsc;

#[service]
trait Places {
    /// In which task it runs; if it is told to, it blocks its thread for a millisecond.
    async fn task(&self, blocks: bool) -> Result<u64, Status>;

    /// In which task it begins, and in which it ends.
    async fn tasks(&self) -> Result<(u64, u64), Status>;

    /// Leaves something behind that says when nobody waits any more; ends at once, or never.
    async fn watched(&self, cx: &Context, name: String, ends: bool) -> Result<(), Status>;
}

/// Told the names of calls for which nobody waits any more.
struct Here(mpsc::UnboundedSender<String>);

fn own_task() -> u64 {
    tokio::task::id().to_string().parse().expect("ids are numbers")
}

impl Places for Here {
    async fn task(&self, blocks: bool) -> Result<u64, Status> {
        if blocks {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(own_task())
    }

    async fn tasks(&self) -> Result<(u64, u64), Status> {
        let begun = own_task();
        tokio::task::yield_now().await;
        Ok((begun, own_task()))
    }

    async fn watched(&self, cx: &Context, name: String, ends: bool) -> Result<(), Status> {
        let (cx, cancelled) = (cx.clone(), self.0.clone());
        tokio::spawn(async move {
            cx.cancelled().await;
            let _ = cancelled.send(name);
        });
        if ends { Ok(()) } else { std::future::pending().await }
    }
}

async fn places() -> (PlacesClient, mpsc::UnboundedReceiver<String>, Running) {
    let (cancelled, told) = mpsc::unbounded_channel();
    let running = run(Server::new().service(PlacesServer::new(Here(cancelled)))).await;
    let client = Client::builder().endpoint(&running.address).timeout(PATIENCE).build().expect("well-formed");
    (PlacesClient::new(client), told, running)
}

/// Calls until two calls after each other run in one task, which is the connection's.
async fn settle(places: &PlacesClient) -> u64 {
    soon(async {
        let mut before = 0;
        loop {
            let task = places.task(false).await.expect("succeeds");
            if std::mem::replace(&mut before, task) == task {
                return task;
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_method_begins_at_its_connection_once_it_is_known_to_be_quick_and_until_it_is_slow() {
    let (places, _told, running) = places().await;
    let first = soon(places.task(false)).await.expect("succeeds");
    let connection = settle(&places).await;
    assert_ne!(first, connection, "nobody knew that it is quick");
    soon(places.task(true)).await.expect("succeeds");
    for _ in 0..15 {
        assert_ne!(soon(places.task(false)).await, Ok(connection));
    }
    assert_eq!(settle(&places).await, connection);
    running.finish().await;
}

#[tokio::test]
async fn on_one_thread_a_method_begins_at_its_connection_and_what_waits_goes_on_in_a_task() {
    let (places, _told, running) = places().await;
    let connection = soon(places.task(false)).await.expect("succeeds");
    for _ in 0..3 {
        let (begun, ended) = soon(places.tasks()).await.expect("succeeds");
        assert_eq!(begun, connection);
        assert_ne!(ended, connection);
    }
    running.finish().await;
}

#[tokio::test]
async fn what_a_call_leaves_behind_hears_of_its_own_end_only() {
    let (places, mut told, running) = places().await;
    let watched = async |name: &str, ends| {
        let cx = Context::background();
        places.watched(&cx, name.into(), ends).await
    };
    soon(watched("answered", true)).await.expect("it ends at once");
    for name in ["first", "second"] {
        tokio::select! {
            biased;
            _ = watched(name, false) => panic!("it never ends"),
            begun = soon(places.tasks()) => assert!(begun.is_ok(), "a call after it was answered, so it has begun"),
        }
        assert_eq!(soon(told.recv()).await.as_deref(), Some(name));
        soon(watched("answered", true)).await.expect("it ends at once");
    }
    running.finish().await;
    assert!(told.try_recv().is_err(), "nobody has cancelled the others");
}
