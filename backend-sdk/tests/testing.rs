//! Services tested without ports: what goes between two processes goes between a client and a server in memory too.

use callgate_sdk::testing;
use callgate_sdk::{Bytes, Client, Code, Context, Server, Status, service};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};

/// Longer than anything here takes; a test that waits for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("happens soon")
}

#[service]
trait Stage {
    /// Gives back what it gets.
    async fn echo(&self, bytes: Bytes) -> Result<Bytes, Status>;

    /// Says that it has begun, and ends when it may.
    async fn wait(&self, cx: &Context) -> Result<(), Status>;

    /// Fails.
    async fn fail(&self) -> Result<(), Status>;

    /// Who calls, and how much time there is, in whole seconds.
    async fn who(&self, cx: &Context) -> Result<(Option<String>, Option<u64>), Status>;
}

#[derive(Debug, PartialEq)]
enum Happened {
    Started,
    Dropped,
}

struct Play {
    happened: mpsc::UnboundedSender<Happened>,
    gate: Semaphore,
}

/// The service's end is the end of the sender.
struct Shared(Arc<Play>);

fn failure() -> Status {
    Status::failed_precondition("not today").with_details(r#"{"open":["mo","tu"]}"#)
}

impl Stage for Shared {
    async fn echo(&self, bytes: Bytes) -> Result<Bytes, Status> {
        Ok(bytes)
    }

    async fn wait(&self, _cx: &Context) -> Result<(), Status> {
        struct Guard(mpsc::UnboundedSender<Happened>);
        impl Drop for Guard {
            fn drop(&mut self) {
                let _ = self.0.send(Happened::Dropped);
            }
        }
        let _guard = Guard(self.0.happened.clone());
        let _ = self.0.happened.send(Happened::Started);
        self.0.gate.acquire().await.map_err(|_| Status::internal("the gate is closed"))?.forget();
        Ok(())
    }

    async fn fail(&self) -> Result<(), Status> {
        Err(failure())
    }

    async fn who(&self, cx: &Context) -> Result<(Option<String>, Option<u64>), Status> {
        let left = cx.remaining().map(|left| left.as_secs_f64().ceil() as u64);
        Ok((cx.metadata("caller").map(str::to_owned), left))
    }
}

type Events = mpsc::UnboundedReceiver<Happened>;

fn server() -> (Server, Arc<Play>, Events) {
    let (happened, events) = mpsc::unbounded_channel();
    let play = Arc::new(Play { happened, gate: Semaphore::new(0) });
    (Server::new().service(StageServer::new(Shared(play.clone()))), play, events)
}

#[tokio::test]
async fn calls_and_their_failures_pass_whole() {
    let (server, _play, _events) = server();
    let stage = StageClient::new(testing::client(server));
    for size in [0, 10, 100_000, 15_000_000] {
        let bytes = Bytes::from(vec![7; size]);
        assert!(soon(stage.echo(bytes.clone())).await == Ok(bytes), "{size} bytes");
    }
    assert_eq!(soon(stage.fail()).await, Err(failure()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_once_pass_on_the_default_runtime() {
    let (server, _play, _events) = server();
    let client = testing::client(server);
    let calls = (0..2000_u32).map(|number| {
        let stage = StageClient::new(client.clone());
        tokio::spawn(async move { stage.echo(Bytes::from(number.to_le_bytes().to_vec())).await })
    });
    for (number, call) in (0_u32..).zip(calls.collect::<Vec<_>>()) {
        let answer = soon(call).await.expect("no panic");
        assert_eq!(answer, Ok(Bytes::from(number.to_le_bytes().to_vec())));
    }
}

#[tokio::test]
async fn a_deadline_goes_along_and_ends_the_handler() {
    let (server, _play, mut events) = server();
    let (client, _handle) = testing::connect(server, Client::builder().caller("billing"));
    let stage = StageClient::new(client);
    let cx = Context::background().with_timeout(Duration::from_secs(3));
    assert_eq!(soon(stage.who(&cx)).await, Ok((Some("billing".into()), Some(3))));
    let cx = Context::background().with_timeout(Duration::from_millis(20));
    let late = soon(stage.wait(&cx)).await.expect_err("the gate is closed");
    assert_eq!(late.code, Code::DeadlineExceeded);
    assert_eq!(soon(events.recv()).await, Some(Happened::Started));
    assert_eq!(soon(events.recv()).await, Some(Happened::Dropped));
}

#[tokio::test]
async fn dropping_a_call_drops_its_handler() {
    let (server, _play, mut events) = server();
    let stage = StageClient::new(testing::client(server));
    let cx = Context::background();
    tokio::select! {
        _ = stage.wait(&cx) => panic!("the gate is closed"),
        started = soon(events.recv()) => assert_eq!(started, Some(Happened::Started)),
    }
    assert_eq!(soon(events.recv()).await, Some(Happened::Dropped));
    assert!(soon(stage.echo(Bytes::default())).await.is_ok());
}

#[tokio::test]
async fn a_server_that_goes_down_finishes_its_calls_and_takes_no_others() {
    let (server, play, mut events) = server();
    let (client, handle) = testing::connect(server, Client::builder().timeout(PATIENCE));
    let stage = StageClient::new(client.clone());
    let cx = Context::background();
    let running = async {
        assert_eq!(soon(events.recv()).await, Some(Happened::Started));
        handle.drain();
        let later = StageClient::new(client.with_timeout(Duration::from_millis(50)));
        let refused = soon(later.fail()).await.expect_err("the server is going down");
        assert_eq!((refused.code, refused.not_executed), (Code::Unavailable, true), "{refused:?}");
        play.gate.add_permits(1);
    };
    assert_eq!(soon(async { tokio::join!(stage.wait(&cx), running) }).await.0, Ok(()));
}

#[tokio::test]
async fn a_server_that_is_not_ready_is_not_called_until_it_is() {
    let (server, _play, _events) = server();
    let (client, handle) = testing::connect(server, Client::builder().timeout(PATIENCE));
    handle.set_ready(false);
    let stage = StageClient::new(client.clone());
    // It may be that the client has called before it was told; what runs, runs.
    let _ =
        soon(StageClient::new(client.with_timeout(Duration::from_millis(20))).echo(Bytes::default())).await;
    handle.set_ready(true);
    assert!(soon(stage.echo(Bytes::default())).await.is_ok());
}

#[tokio::test]
async fn a_server_has_its_own_limits() {
    let (server, _play, mut events) = server();
    let (client, _handle) = testing::connect(server.max_calls(1), Client::builder().timeout(PATIENCE));
    let stage = StageClient::new(client.clone());
    let cx = Context::background();
    tokio::select! {
        biased;
        _ = stage.wait(&cx) => panic!("the gate is closed"),
        second = async {
            assert_eq!(soon(events.recv()).await, Some(Happened::Started));
            let other = StageClient::new(client.with_timeout(Duration::from_millis(50)));
            soon(other.fail()).await
        } => assert_eq!(second.expect_err("one call runs").code, Code::Unavailable),
    }
}

#[tokio::test]
async fn the_server_ends_with_the_last_clone_of_its_client() {
    let (server, play, mut events) = server();
    let client = testing::client(server);
    let (stage, clone) = (StageClient::new(client.clone()), client.clone());
    drop(play);
    assert!(soon(stage.echo(Bytes::default())).await.is_ok());
    drop((client, stage));
    assert!(soon(StageClient::new(clone.clone()).echo(Bytes::default())).await.is_ok());
    drop(clone);
    assert_eq!(soon(events.recv()).await, None, "the service is gone");
}

#[tokio::test]
async fn addresses_are_not_opened() {
    let (server, _play, _events) = server();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("is bound").to_string();
    let stage = StageClient::new(testing::client(server.listen(address)));
    assert!(soon(stage.echo(Bytes::default())).await.is_ok());
}

#[tokio::test]
#[should_panic(expected = "the server does not start: two services are named stage")]
async fn a_server_that_cannot_start_says_why() {
    let (first, _play, _events) = server();
    let (happened, _events) = mpsc::unbounded_channel();
    let second = Shared(Arc::new(Play { happened, gate: Semaphore::new(0) }));
    drop(testing::client(first.service(StageServer::new(second))));
}
