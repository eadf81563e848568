//! The process: pingora's server as chassis, with the gateway as its one service. The only module that names pingora.
//!
//! pingora runs services, hands listening sockets to a successor, and ends the process; its own graceful stop sleeps
//! for a fixed time, so the signals are waited for here, and the stop is asked for when the last request is answered.

use crate::admin;
use crate::backends::Catalog;
use crate::config::{Settings, Tables};
use crate::control::{self, Drains, watch::Watcher};
use crate::front;
use crate::routes::Table;
use crate::telemetry::{self, FrontStats, ReloadStats};
use crate::worker::{self, Command, Shared};
use arc_swap::{ArcSwap, ArcSwapOption};
use async_trait::async_trait;
use pingora_core::server::configuration::ServerConf;
use pingora_core::server::{ListenFds, RunArgs, Server, ShutdownSignal, ShutdownSignalWatch, ShutdownWatch};
use pingora_core::services::Service;
use socket2::SockRef;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;

/// Commands that may wait for a worker: new connections, of which the kernel holds more.
const COMMAND_QUEUE: usize = 1024;

/// Connections that may wait in the kernel to be accepted; it may have a lower bound of its own (net.core.somaxconn).
const BACKLOG: i32 = 4096;

/// How long handing over the last accepted connections may take.
const ACCEPT_LIMIT: Duration = Duration::from_secs(1);

/// Runs the gateway until it is told to end. Errors are for whoever started it: what was wrong, on standard error.
pub fn run(config: &Path) -> ExitCode {
    match start(config) {
        Ok(gateway) => gateway.run(),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn start(config: &Path) -> Result<Gateway, String> {
    let settings = Settings::load(config).map_err(|error| error.to_string())?;
    // Watched first and read then, so that no change falls in between.
    let watcher = Watcher::start(&settings.tables.watch)
        .map_err(|error| format!("error: cannot watch the tables: {error}"))?;
    let tables = Tables::load(&settings.tables.watch).map_err(|error| error.to_string())?;
    telemetry::log::start(&settings.log, "pingora_core=warn");
    let listeners =
        settings.server.listen.iter().map(|addr| bind(addr, "server")).collect::<Result<Vec<_>, _>>()?;
    let admin = bind(&settings.admin.listen, "admin")?;
    let workers = settings.server.workers;
    let shared = Arc::new(Shared {
        workers,
        table: ArcSwap::from_pointee(Table::empty()),
        retired: ArcSwapOption::empty(),
        table_changed: watch::channel(0).0,
        drains: Drains::new(workers),
        catalog: Arc::new(Catalog::default()),
        front: FrontStats::new(workers),
        reloads: ReloadStats::default(),
        last_error: ArcSwapOption::empty(),
        load: (0..workers).map(|_| AtomicUsize::new(0)).collect(),
        settled: (0..workers).map(|_| AtomicBool::new(false)).collect(),
        draining: AtomicBool::new(false),
        settings,
    });
    control::take(&shared, tables, "start");
    Ok(Gateway { shared, listeners, admin, watcher })
}

fn bind(addr: &SocketAddr, section: &str) -> Result<TcpListener, String> {
    let bound = TcpListener::bind(addr).and_then(|listener| {
        // The standard library asks for 128, which a burst of new connections overruns.
        SockRef::from(&listener).listen(BACKLOG)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| {
        let help = match error.kind() {
            ErrorKind::AddrInUse => format!("see who has it: ss -ltnp 'sport = :{}'; or", addr.port()),
            ErrorKind::AddrNotAvailable => "this machine has no such address;".to_owned(),
            ErrorKind::PermissionDenied => {
                "ports below 1024 need the capability CAP_NET_BIND_SERVICE; or".to_owned()
            }
            _ => String::new(),
        };
        let help = format!("{help} set `listen` in [{section}] of gateway.toml to another");
        format!("error: cannot listen on {addr}: {error}\n |\n = help: {}", help.trim_start())
    })
}

/// Everything that may fail has not failed: what remains is to run.
struct Gateway {
    shared: Arc<Shared>,
    listeners: Vec<TcpListener>,
    admin: TcpListener,
    watcher: Watcher,
}

impl Gateway {
    fn run(self) -> ExitCode {
        let (drain, told_to_drain) = watch::channel(false);
        let (drained_tx, drained) = mpsc::channel(1);
        // Nothing is left to wait for when our own drain is over.
        let conf = ServerConf {
            threads: 1,
            work_stealing: false,
            grace_period_seconds: Some(0),
            graceful_shutdown_timeout_seconds: Some(1),
            ..ServerConf::default()
        };
        let mut server = Server::new_with_opt_and_conf(None, conf);
        server.bootstrap();
        let failed = Arc::new(AtomicBool::new(false));
        let ended = Ended { failed: failed.clone(), told: drained_tx };
        server.add_service(Main { gateway: Some(self), told_to_drain, ended });
        server.run(RunArgs { shutdown_signal: Box::new(Signals { drain, drained: Mutex::new(drained) }) });
        if failed.load(Relaxed) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// Waits for the signal to end, then for the drain; or for an end that nobody asked for.
struct Signals {
    drain: watch::Sender<bool>,
    drained: Mutex<mpsc::Receiver<()>>,
}

#[async_trait]
impl ShutdownSignalWatch for Signals {
    async fn recv(&self) -> ShutdownSignal {
        let mut drained = self.drained.lock().await;
        let (mut terminate, mut interrupt) =
            (listen(SignalKind::terminate()), listen(SignalKind::interrupt()));
        let told = tokio::select! {
            () = next(&mut terminate) => "SIGTERM",
            () = next(&mut interrupt) => "SIGINT",
            _ = drained.recv() => return ShutdownSignal::FastShutdown,
        };
        tracing::info!(signal = told, "draining");
        self.drain.send_replace(true);
        tokio::select! {
            _ = drained.recv() => tracing::info!("drained"),
            () = next(&mut interrupt) => tracing::warn!("interrupted, not waiting for the drain"),
        }
        ShutdownSignal::FastShutdown
    }
}

/// Listens for a signal from now on: one that comes while nobody waits is there for who waits next.
fn listen(kind: SignalKind) -> Option<Signal> {
    signal(kind).inspect_err(|error| tracing::error!(%error, "a signal cannot be waited for")).ok()
}

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// The gateway as pingora's service.
struct Main {
    gateway: Option<Gateway>,
    told_to_drain: watch::Receiver<bool>,
    ended: Ended,
}

/// Where the service says that it has ended, and whether that was a failure.
struct Ended {
    failed: Arc<AtomicBool>,
    told: mpsc::Sender<()>,
}

#[async_trait]
impl Service for Main {
    async fn start_service(
        &mut self,
        fds: Option<ListenFds>,
        _shutdown: ShutdownWatch,
        _listeners_per_fd: usize,
    ) {
        let Some(gateway) = self.gateway.take() else {
            return;
        };
        if let Some(fds) = &fds {
            offer_to_successor(fds, &gateway.listeners);
        }
        let told_to_drain = self.told_to_drain.clone();
        if let Err(error) = serve(gateway, told_to_drain).await {
            tracing::error!(%error, "the gateway cannot run");
            self.ended.failed.store(true, Relaxed);
        }
        let _ = self.ended.told.send(()).await;
    }

    fn name(&self) -> &str {
        "callgate"
    }
}

/// Notes the listening sockets where an upgrade in place will look for them.
fn offer_to_successor(fds: &ListenFds, listeners: &[TcpListener]) {
    let mut fds = fds.lock();
    for listener in listeners {
        if let Ok(addr) = listener.local_addr() {
            fds.add(addr.to_string(), listener.as_raw_fd());
        }
    }
}

/// Serves until told to drain, and returns when that is done. A worker that ends before is an error, and ends all: a
/// process that lacks one would go on to take connections for it.
async fn serve(gateway: Gateway, mut told_to_drain: watch::Receiver<bool>) -> std::io::Result<()> {
    let Gateway { shared, listeners, admin, watcher } = gateway;
    let hangup: Signal = signal(SignalKind::hangup())?;
    let (commands, threads) = start_workers(&shared)?;
    let (reloads, reload_requests) = mpsc::channel(16);
    // Ended by being dropped, all of them, when this function returns.
    let mut tasks = JoinSet::new();
    let admin = tokio::net::TcpListener::from_std(admin)?;
    tracing::info!(address = %admin.local_addr()?, "admin port open");
    tasks.spawn(admin::serve(admin, shared.clone(), reloads));
    tasks.spawn(control::run(shared.clone(), watcher, hangup, reload_requests));
    let (stop, stopped) = watch::channel(false);
    let mut acceptors = JoinSet::new();
    for listener in listeners {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tracing::info!(address = %listener.local_addr()?, workers = shared.workers, "listening");
        acceptors.spawn(front::accept(listener, shared.clone(), commands.clone(), stopped.clone()));
    }
    let mut gone = JoinSet::new();
    for worker in &commands {
        let worker = worker.clone();
        gone.spawn(async move { worker.closed().await });
    }
    let told = tokio::select! {
        // Fails only when the sender is gone, which is as good as being told.
        _ = told_to_drain.wait_for(|told| *told) => Ok(()),
        _ = gone.join_next() => Err(std::io::Error::other("a worker has ended")),
    };
    shared.draining.store(true, Relaxed);
    stop.send_replace(true);
    let accepted = async { while acceptors.join_next().await.is_some() {} };
    if tokio::time::timeout(ACCEPT_LIMIT, accepted).await.is_err() {
        tracing::warn!("workers did not take the last connections in time");
    }
    end_workers(&shared, commands, threads).await;
    told
}

/// Tells the workers to drain and waits for their end.
async fn end_workers(shared: &Shared, commands: Vec<mpsc::Sender<Command>>, threads: Threads) {
    let ended = async {
        for worker in &commands {
            let _ = worker.send(Command::Drain).await;
        }
        let join = move || threads.into_iter().for_each(|thread| drop(thread.join()));
        let _ = tokio::task::spawn_blocking(join).await;
    };
    // Each worker bounds its own drain; the margin is for one that does not get to it.
    let limit = shared.settings.server.drain_timeout + Duration::from_secs(5);
    if tokio::time::timeout(limit, ended).await.is_err() {
        tracing::warn!("a worker did not end in time");
    }
}

type Threads = Vec<std::thread::JoinHandle<()>>;

fn start_workers(shared: &Arc<Shared>) -> std::io::Result<(Vec<mpsc::Sender<Command>>, Threads)> {
    let mut commands = Vec::new();
    let mut threads = Vec::new();
    for id in 0..shared.workers {
        let (sender, receiver) = mpsc::channel(COMMAND_QUEUE);
        let shared = shared.clone();
        let run = move || {
            if let Err(error) = worker::run(id, shared, receiver) {
                tracing::error!(worker = id, %error, "a worker cannot run");
            }
        };
        threads.push(std::thread::Builder::new().name(format!("worker-{id}")).spawn(run)?);
        commands.push(sender);
    }
    Ok((commands, threads))
}
