//! Every task of the process panics once and does its work afterwards: a whole gateway in this process, with its real
//! tasks, threads and sockets.
//!
//! Where a supervisor gives a task its next turn it panics if a test has told it to (`Supervisor::fail`). That is compiled into
//! unit tests only: a program that is released cannot be told to panic, and pays nothing for it.

use super::prepare;
use super::serve::serve;
use crate::config::Settings;
use crate::config::testing::Folder;
use crate::control::Plane;
use crate::lame_duck::LameDuck;
use crate::privilege::Ports;
use crate::supervise::Task;
use crate::telemetry::log::LogStats;
use callgate_protocol::{Hello, Limits, Outbound};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UdpSocket, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Far more than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// A gateway that serves, an instance that accepts connections and offers nothing, and the DNS server that knows it.
struct Rig {
    folder: Folder,
    plane: Arc<Plane>,
    http: SocketAddr,
    admin: SocketAddr,
    socket: PathBuf,
    instance: TcpListener,
    questions: Arc<AtomicU64>,
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
    end: JoinHandle<io::Result<()>>,
}

impl Rig {
    async fn start() -> Rig {
        let instance = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dns = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let folder = Folder::new();
        let socket = folder.path("upgrade.sock");
        let text = format!(
            "[server]\nlisten = ['127.0.0.1:0']\nworkers = 1\nheader_timeout = '1s'\n\
             [admin]\nlisten = '127.0.0.1:0'\n[traces]\nendpoint = 'http://127.0.0.1:9/'\n[tables]\nwatch = ['routes']\n\
             [upgrade]\nsocket = {socket:?}\n[dns]\nservers = ['{}']\nmin_ttl = '100ms'\n",
            dns.local_addr().unwrap()
        );
        let config = folder.write("gateway.toml", &text);
        let port = instance.local_addr().unwrap().port();
        folder.write(
            "routes/a.toml",
            &format!(
                "[backends.b]\nendpoints = ['dns:name.test.:{port}']\nping_interval = '1h'\n\
                 [[routes]]\nmatch = 'GET /fixed'\nrespond = {{ status = 204 }}\n\
                 [[routes]]\nmatch = 'POST /call'\ncall = 's.m'\nbackend = 'b'\n"
            ),
        );
        let settings = Settings::load(&config).unwrap();
        let gateway = prepare(settings, None, Ports::default(), Arc::<LogStats>::default()).unwrap();
        let http = gateway.listeners.http[0].local_addr().unwrap();
        let admin = gateway.listeners.admin.local_addr().unwrap();
        let (plane, (stop, told)) = (gateway.plane.clone(), watch::channel(false));
        let mut tasks = JoinSet::new();
        let questions = Arc::<AtomicU64>::default();
        tasks.spawn(answer_questions(dns, questions.clone()));
        let end = tokio::spawn(async move { serve(gateway, told, &LameDuck::default()).await });
        Rig { folder, plane, http, admin, socket, instance, questions, tasks, stop, end }
    }

    /// Has the task panic at its next turn.
    fn fail(&self, task: Task) {
        self.plane.shared.supervisor.fail(task);
    }

    fn panics(&self, task: Task) -> u64 {
        self.plane.shared.supervisor.panics().find(|(one, _)| *one == task).map_or(0, |(_, n)| n)
    }

    async fn panicked(&self, task: Task) {
        eventually(async || self.panics(task) == 1).await;
    }

    async fn serves(&self) {
        eventually(async || get(self.http, "/fixed").await.contains(" 204 ")).await;
    }

    /// The next connection to the instance, after the handshake.
    async fn connected(&self) -> TcpStream {
        let accepted = in_time(self.instance.accept()).await;
        let (mut stream, _) = accepted.unwrap();
        let mut hello = Outbound::new(&Hello::new("test", Limits::default(), Vec::new()));
        stream.write_all(&hello.chunk().to_vec()).await.unwrap();
        stream
    }

    async fn reload(&self) -> String {
        ask(self.admin, "POST /-/reload HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await
    }

    /// Adds a route and waits until it is there.
    async fn add_route(&self, name: &str) {
        let text = format!("[[routes]]\nmatch = 'GET /{name}'\nrespond = {{ status = 204 }}\n");
        self.folder.write(&format!("routes/{name}.toml"), &text);
        eventually(async || get(self.http, &format!("/{name}")).await.contains(" 204 ")).await;
    }

    async fn ends(mut self) -> io::Result<()> {
        self.tasks.abort_all();
        self.stop.send_replace(true);
        in_time(&mut self.end).await.unwrap()
    }
}

/// Says of every name that it leads to this machine, for no time.
async fn answer_questions(socket: UdpSocket, questions: Arc<AtomicU64>) {
    let mut buffer = [0; 1500];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        questions.fetch_add(1, Relaxed);
        // The question ends with the name's empty label, a type and a class.
        let end = buffer[12..length].iter().position(|byte| *byte == 0).unwrap() + 12 + 5;
        let is_ipv4 = buffer[end - 3] == 1;
        let mut answer = buffer[..end].to_vec();
        answer[2..4].copy_from_slice(&[0x85, 0x80]);
        answer[6..12].copy_from_slice(&[0, u8::from(is_ipv4), 0, 0, 0, 0]);
        if is_ipv4 {
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
        }
        socket.send_to(&answer, from).await.unwrap();
    }
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it does not take for ever")
}

async fn eventually(mut what: impl AsyncFnMut() -> bool) {
    in_time(async {
        while !what().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// All that comes back until the connection ends; of a connection that breaks, what came before.
async fn ask(addr: SocketAddr, request: &str) -> String {
    let mut stream = in_time(TcpStream::connect(addr)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    rest(&mut stream).await
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let _ = in_time(stream.read_to_end(&mut text)).await;
    String::from_utf8(text).unwrap()
}

async fn get(addr: SocketAddr, path: &str) -> String {
    ask(addr, &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")).await
}

/// What the running gateway says first to who asks for its sockets.
async fn ask_for_sockets(rig: &Rig) -> BufReader<UnixStream> {
    let mut stream = BufReader::new(in_time(UnixStream::connect(&rig.socket)).await.unwrap());
    let mut line = String::new();
    in_time(stream.read_line(&mut line)).await.unwrap();
    assert_eq!(line, format!("callgate 1 {}\n", std::process::id()));
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn control_and_its_threads_take_tables_after_a_panic() {
    let rig = Rig::start().await;
    rig.fail(Task::FitFollower);
    let _conn = rig.connected().await;
    rig.panicked(Task::FitFollower).await;
    let unfit = "callgate_routes_unfit{reason=\"method\"} 1\n";
    eventually(async || get(rig.admin, "/metrics").await.contains(unfit)).await;
    rig.fail(Task::Control);
    assert!(rig.reload().await.contains("unchanged"), "asked for before the panic, answered after it");
    assert_eq!(rig.panics(Task::Control), 1);
    rig.add_route("one").await;
    rig.fail(Task::TableMaker);
    assert!(rig.reload().await.contains("an internal error; see the log"));
    assert!(rig.reload().await.contains("unchanged"));
    rig.fail(Task::FileWatcher);
    rig.add_route("two").await;
    rig.panicked(Task::FileWatcher).await;
    rig.add_route("three").await;
    let asked = rig.questions.load(Relaxed);
    rig.fail(Task::Name);
    rig.panicked(Task::Name).await;
    eventually(async || rig.questions.load(Relaxed) > asked + 1).await;
    let metrics = get(rig.admin, "/metrics").await;
    for task in [Task::FitFollower, Task::Control, Task::TableMaker, Task::FileWatcher, Task::Name] {
        assert!(metrics.contains(&format!("callgate_task_panics_total{{task=\"{}\"}} 1", task.name())));
    }
    rig.ends().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_accepted_served_and_timed_out_after_a_panic() {
    let rig = Rig::start().await;
    for task in [Task::Acceptor, Task::Worker] {
        rig.fail(task);
        assert!(get(rig.http, "/fixed").await.contains(" 204 "), "{task:?} has lost a connection");
        assert_eq!(rig.panics(task), 1);
    }
    rig.fail(Task::Sweeper);
    rig.panicked(Task::Sweeper).await;
    assert_eq!(ask(rig.http, "GET /fixed HTTP/1.1\r\n").await, "", "half a head is waited for no longer");
    rig.fail(Task::ClientConnection);
    assert_eq!(get(rig.http, "/fixed").await, "", "the connection's own panic ends it");
    rig.serves().await;
    eventually(async || rig.plane.shared.front.workers.sum(|one| &one.connections) == 0).await;
    rig.ends().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_keeps_its_connections_and_reviews_them_after_a_panic() {
    let rig = Rig::start().await;
    let mut conn = rig.connected().await;
    rig.fail(Task::BackendConnection);
    // Wakes its task.
    conn.write_all(&[0]).await.unwrap();
    let _ = in_time(conn.read_to_end(&mut Vec::new())).await;
    let mut conn = rig.connected().await;
    rig.fail(Task::Endpoint);
    // Ends it, which its supervisor looks at.
    conn.shutdown().await.unwrap();
    let _conn = rig.connected().await;
    assert_eq!((rig.panics(Task::BackendConnection), rig.panics(Task::Endpoint)), (1, 1));

    rig.fail(Task::HealthReviewer);
    rig.panicked(Task::HealthReviewer).await;
    rig.fail(Task::TableFollower);
    rig.add_route("one").await;
    rig.panicked(Task::TableFollower).await;
    // Nobody asks for it: the follower connects, and fails, which a review writes down.
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    rig.folder.write("routes/b.toml", &format!("[backends.c]\nendpoints = ['{nobody}']\n"));
    let line = format!("endpoint=\"{nobody}\",state=\"unreachable\"}} 1");
    eventually(async || get(rig.admin, "/metrics").await.contains(&line)).await;
    assert!(get(rig.admin, "/readyz").await.contains(" 200 "));
    rig.ends().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_port_and_the_upgrade_socket_answer_after_a_panic() {
    let rig = Rig::start().await;
    rig.serves().await;
    rig.fail(Task::Admin);
    assert!(get(rig.admin, "/healthz").await.contains(" 200 "));
    rig.fail(Task::AdminConnection);
    assert_eq!(get(rig.admin, "/healthz").await, "");
    assert!(get(rig.admin, "/healthz").await.contains(" 200 "));
    rig.fail(Task::Upgrade);
    let mut successor = ask_for_sockets(&rig).await;
    rig.fail(Task::HandOver);
    // Wakes its task.
    successor.write_all(b"hello\n").await.unwrap();
    let mut words = Vec::new();
    let _ = in_time(successor.read_to_end(&mut words)).await;
    eventually(async || rig.plane.upgrades.failed.get() == 1).await;
    drop(ask_for_sockets(&rig).await);
    for task in [Task::Admin, Task::AdminConnection, Task::Upgrade, Task::HandOver] {
        assert_eq!(rig.panics(task), 1, "{task:?}");
    }
    rig.ends().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_are_sent_after_a_panic() {
    let rig = Rig::start().await;
    rig.fail(Task::TraceExporter);
    // Its span wakes it.
    rig.serves().await;
    rig.panicked(Task::TraceExporter).await;
    // Nobody listens there: what is sent then is lost, which shows that it was sent.
    let lost = "callgate_trace_spans_total{fate=\"unreachable\"} 0";
    eventually(async || !get(rig.admin, "/metrics").await.contains(lost)).await;
    rig.ends().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_panics_again_and_again_ends_the_process_after_its_drain() {
    let mut rig = Rig::start().await;
    let _conn = rig.connected().await;
    rig.serves().await;
    let mut client = TcpStream::connect(rig.http).await.unwrap();
    client.write_all(b"POST /call HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n").await.unwrap();
    eventually(async || rig.plane.shared.front.workers.sum(|one| &one.in_flight) == 1).await;
    while rig.plane.shared.supervisor.failed().is_none() {
        rig.fail(Task::Sweeper);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let ready = get(rig.admin, "/readyz").await;
    assert!(ready.contains(" 503 ") && ready.contains("`sweeper` panics again and again"), "{ready}");
    client.write_all(b"{}").await.unwrap();
    assert!(rest(&mut client).await.starts_with("HTTP/1.1 "), "what is open is answered");
    let end = in_time(&mut rig.end).await.unwrap();
    assert!(end.unwrap_err().to_string().contains("`sweeper`"), "which makes the exit status 1");
}
