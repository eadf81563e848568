//! What tests of a client need: servers that say who they are, a virtual address before them, and names that a test has
//! written.

use super::Client;
use super::builder::DEFAULT_TIMEOUT;
use super::introduction::Introduction;
use super::pool::{Pool, Settings};
use super::resolve::Resolve;
use crate::connection::Dial;
use crate::{Handle, Server, Status, service};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

/// Longer than anything here takes; a test that waits for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("happens soon")
}

#[service(name = "which")]
pub(crate) trait Which {
    /// Who answers.
    #[idempotent]
    async fn who(&self) -> Result<String, Status>;

    /// The same, once that is allowed.
    async fn wait(&self) -> Result<String, Status>;
}

/// A server.
pub(crate) struct Instance {
    pub(crate) name: &'static str,
    /// Whether all calls fail.
    pub(crate) fails: AtomicBool,
    /// Whether they fail so that another instance may do better.
    pub(crate) is_away: AtomicBool,
    /// Whether calls of `who` are never answered.
    pub(crate) hangs: AtomicBool,
    pub(crate) calls: AtomicUsize,
    /// Calls of `wait` that have begun.
    pub(crate) waiting: Semaphore,
    pub(crate) gate: Semaphore,
}

struct Shared(Arc<Instance>);

impl Which for Shared {
    async fn who(&self) -> Result<String, Status> {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        if self.0.fails.load(Ordering::Relaxed) {
            return Err(Status::internal("as it was told"));
        }
        if self.0.is_away.load(Ordering::Relaxed) {
            return Err(Status::unavailable("away, as it was told"));
        }
        if self.0.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        Ok(self.0.name.into())
    }

    async fn wait(&self) -> Result<String, Status> {
        self.0.waiting.add_permits(1);
        self.0.gate.acquire().await.map_err(|_| Status::internal("the gate is closed"))?.forget();
        Ok(self.0.name.into())
    }
}

/// A server that runs.
pub(crate) struct Running {
    pub(crate) instance: Arc<Instance>,
    pub(crate) address: SocketAddr,
    pub(crate) handle: Handle,
    pub(crate) task: JoinHandle<()>,
}

pub(crate) async fn run(name: &'static str) -> Running {
    run_with(name, Server::new()).await
}

/// A server with these settings.
pub(crate) async fn run_with(name: &'static str, server: Server) -> Running {
    let instance = Arc::new(Instance {
        name,
        fails: AtomicBool::new(false),
        is_away: AtomicBool::new(false),
        hangs: AtomicBool::new(false),
        calls: AtomicUsize::new(0),
        waiting: Semaphore::new(0),
        gate: Semaphore::new(0),
    });
    let server = server.service(WhichServer::new(Shared(instance.clone())));
    let bound = server.listen("127.0.0.1:0").bind().await.expect("the address is free");
    let address = bound.addresses()[0].to_string().parse().expect("an address");
    Running { instance, address, handle: bound.handle(), task: tokio::spawn(bound.serve()) }
}

/// A virtual address: each connection to it goes on to where it leads at that time.
pub(crate) struct Virtual {
    pub(crate) address: SocketAddr,
    pub(crate) leads_to: watch::Sender<SocketAddr>,
    /// Nothing comes through in either direction, as with a process that was stopped.
    pub(crate) frozen: watch::Sender<bool>,
    /// Connections that were made to it so far.
    pub(crate) accepted: watch::Receiver<usize>,
    _task: JoinSet<()>,
}

impl Virtual {
    pub(crate) async fn of(first: SocketAddr) -> Virtual {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("is bound");
        let (leads_to, target) = watch::channel(first);
        let (count, accepted) = watch::channel(0);
        let frozen = watch::Sender::new(false);
        let thaws = frozen.subscribe();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((from, _)) = listener.accept().await {
                let to = *target.borrow();
                count.send_modify(|accepted| *accepted += 1);
                let thaws = thaws.clone();
                connections.spawn(async move {
                    if let Ok(to) = TcpStream::connect(to).await {
                        let ((from, into), (back, out)) = (from.into_split(), to.into_split());
                        tokio::join!(pass_on(from, out, thaws.clone()), pass_on(back, into, thaws));
                    }
                });
            }
        });
        Virtual { address, leads_to, frozen, accepted, _task: task }
    }
}

/// One direction of a connection; ends with its sender.
async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut thaws: watch::Receiver<bool>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let goes_on = thaws.wait_for(|frozen| !frozen).await.is_ok();
        if !goes_on || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// What is said of a name, whatever it is.
#[derive(Clone, Debug)]
pub(crate) struct Script(Arc<Mutex<Result<Vec<SocketAddr>, &'static str>>>, watch::Sender<usize>);

impl Script {
    pub(crate) fn of(first: Result<Vec<SocketAddr>, &'static str>) -> Script {
        Script(Arc::new(Mutex::new(first)), watch::Sender::new(0))
    }

    /// What is said from now on.
    pub(crate) fn say(&self, answer: Result<Vec<SocketAddr>, &'static str>) {
        *self.0.lock().expect("no panic") = answer;
    }

    pub(crate) fn answer(&self) -> io::Result<Vec<SocketAddr>> {
        let answer = self.0.lock().expect("no panic").clone().map_err(io::Error::other);
        self.1.send_modify(|asked| *asked += 1);
        answer
    }

    /// Waits until it was asked that many times from now on, and what the ones before the last have led to was done.
    pub(crate) async fn is_asked(&self, times: usize) {
        let mut asked = self.1.subscribe();
        let until = *asked.borrow() + times;
        soon(asked.wait_for(|asked| *asked >= until)).await.expect("the sender is here");
    }
}

pub(crate) fn settings(script: Script) -> Settings {
    Settings {
        introduction: Introduction { identity: "a test".into(), tokens: None },
        max_age: Duration::from_secs(3600),
        look_again: Duration::from_millis(10),
        hedge_after: None,
        resolve: Resolve::Script(script),
        dial: Dial::Sockets,
    }
}

pub(crate) fn client_with(endpoints: &[String], settings: &Settings) -> Client {
    let addresses = endpoints.iter().map(|one| one.parse().expect("an address")).collect();
    let pool = Pool::new(addresses, settings, &tokio::runtime::Handle::current());
    Client { pool: Arc::new(pool), timeout: DEFAULT_TIMEOUT, caller: None, layers: None }
}

/// A client of these endpoints that looks names up by the script, and often.
pub(crate) fn client(endpoints: &[String], max_age: Duration, script: Script) -> Client {
    client_with(endpoints, &Settings { max_age, ..settings(script) })
}

/// A client of these addresses, which are no names.
pub(crate) fn of(endpoints: &[SocketAddr]) -> Client {
    let endpoints: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
    client_with(&endpoints, &settings(Script::of(Err("nobody asks"))))
}

/// Waits until that is so.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    soon(async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Waits until so many of the client's endpoints can be called.
pub(crate) async fn is_connected(client: &Client, to: usize) {
    until(|| client.pool.members.read().seats.iter().filter(|seat| seat.usable().is_some()).count() == to)
        .await;
}

/// What the client is told when it asks who is there.
pub(crate) async fn who(client: &Client) -> Result<String, Status> {
    soon(WhichClient::new(client.clone()).who()).await
}

/// Waits until the client has had an answer from this one.
pub(crate) async fn reaches(client: &Client, name: &str) {
    soon(async { while who(client).await.as_deref() != Ok(name) {} }).await
}
