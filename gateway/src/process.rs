//! The process: pingora's server as chassis, with the gateway as its one service. The only module that names pingora.
//!
//! pingora runs services and ends the process; its own graceful stop sleeps for a fixed time, and so does its hand-over
//! of sockets to a successor. So the signals are waited for here, `upgrade` hands the sockets over, and pingora is told to
//! stop when the last request is answered.

use crate::admin;
use crate::cli;
use crate::config::{Settings, Tables};
use crate::control::{self, Drains, Fits, dns::Names, watch::Watcher};
use crate::descriptors;
use crate::front::{self, Room};
use crate::lame_duck::LameDuck;
use crate::listeners::Listeners;
use crate::routes::Table;
use crate::signals;
use crate::supervise::Supervisor;
use crate::telemetry::log::{self, LogStats};
use crate::telemetry::{FrontStats, ReloadStats, UpgradeStats};
use crate::transport::callgate::Catalog;
use crate::upgrade::{Name, Offer, Predecessor, obey, systemd};
use crate::worker::{Ending, Shared};
use crate::workers::Workers;
use arc_swap::{ArcSwap, ArcSwapOption};
use async_trait::async_trait;
use callgate_protocol::Budget;
use pingora_core::server::configuration::ServerConf;
use pingora_core::server::{ListenFds, RunArgs, Server, ShutdownSignal, ShutdownSignalWatch, ShutdownWatch};
use pingora_core::services::Service;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;

/// How long handing over the last accepted connections may take.
const ACCEPT_LIMIT: Duration = Duration::from_secs(2);

/// Runs the gateway until it is told to end. `upgrade` has it take over from a running gateway, by default from the one
/// of these settings. Errors are for whoever started it: what was wrong, on standard error. Any end but the one that was
/// asked for has a status above 0.
pub fn run(config: &Path, upgrade: Option<Option<String>>) -> ExitCode {
    // From here on nothing else writes to standard error. Dropped last, with a deadline for the last lines.
    let log = match log::Writer::start() {
        Ok(log) => log,
        Err(error) => {
            cli::complain(&format!("error: cannot log: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match start(config, upgrade, &log) {
        Ok(gateway) => gateway.run(),
        Err(error) => {
            log.lines().put(format!("{error}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn start(config: &Path, upgrade: Option<Option<String>>, log: &log::Writer) -> Result<Gateway, String> {
    signals::ignore_meaningless().map_err(|error| format!("error: signals cannot be heard: {error}"))?;
    let settings = Settings::load(config).map_err(|error| error.to_string())?;
    log::start(&settings.log, "pingora_core=warn", log.lines());
    prepare(settings, upgrade, log.lines().stats())
}

fn prepare(
    settings: Settings,
    upgrade: Option<Option<String>>,
    log: Arc<LogStats>,
) -> Result<Gateway, String> {
    let supervisor = Arc::new(Supervisor::default());
    // Watched first and read then, so that no change falls in between.
    let watcher = Watcher::start(&settings.tables.watch, supervisor.clone())
        .map_err(|error| format!("error: cannot watch the tables: {error}"))?;
    let tables = Tables::load(&settings.tables.watch).map_err(|error| error.to_string())?;
    let name = Name::of(&settings);
    let before = upgrade.map(|other| other.map_or_else(|| name.clone(), |other| Name::given(&other)));
    let mut before = before.map(|name| Predecessor::ask(&name)).transpose()?;
    let listeners = Listeners::open(&settings, &name, before.as_mut())?;
    let workers = settings.server.workers;
    let shared = Arc::new(Shared {
        workers,
        table: ArcSwap::from_pointee(Table::empty()),
        retired: ArcSwapOption::empty(),
        table_changed: watch::channel(0).0,
        drains: Drains::new(workers),
        names: Arc::new(Names::default()),
        catalog: Arc::new(Catalog::default()),
        fits: Fits::default(),
        bodies: Budget::new(usize::try_from(settings.server.max_body_memory).unwrap_or(usize::MAX)),
        answers: Budget::new(usize::try_from(settings.server.max_answer_memory).unwrap_or(usize::MAX)),
        front: FrontStats::new(workers),
        reloads: ReloadStats::default(),
        upgrades: UpgradeStats::default(),
        log,
        supervisor,
        last_error: ArcSwapOption::empty(),
        waiting: ArcSwapOption::empty(),
        room: Room::new(settings.server.max_connections, workers, descriptors::raise_limit()),
        unsettled: watch::channel(workers).0,
        draining: AtomicBool::new(false),
        settings,
    });
    if let Some(before) = &mut before {
        shared.names.remember(std::mem::take(&mut before.addresses));
        shared.upgrades.succeeded.set(before.upgrades.0 + 1);
        shared.upgrades.failed.set(before.upgrades.1);
    }
    control::take(&shared, tables, "start");
    if let Some(before) = &before {
        // No worker runs yet, so that none connects to an endpoint that drains.
        obey(&shared.table.load(), &before.words);
    }
    Ok(Gateway { shared, listeners, watcher, name, before })
}

/// Everything that may fail has not failed: what remains is to run.
struct Gateway {
    shared: Arc<Shared>,
    listeners: Listeners,
    watcher: Watcher,
    /// Of the upgrade socket.
    name: Name,
    /// The gateway to take over from.
    before: Option<Predecessor>,
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
        let well = Arc::new(AtomicBool::new(false));
        let ended = Ended { well: well.clone(), told: drained_tx };
        let lame_duck = Arc::new(LameDuck::default());
        server.add_service(Main { gateway: Some(self), told_to_drain, lame_duck: lame_duck.clone(), ended });
        let signals = Signals { drain, lame_duck, drained: Mutex::new(drained) };
        server.run(RunArgs { shutdown_signal: Box::new(signals) });
        if well.load(Relaxed) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Waits for the signal to end, then for the drain; or for an end that nobody asked for.
struct Signals {
    drain: watch::Sender<bool>,
    lame_duck: Arc<LameDuck>,
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
        tracing::info!(signal = told, "told to stop");
        if told == "SIGINT" {
            // Somebody sits before it and wants it to stop.
            self.lame_duck.cut_short();
        }
        self.drain.send_replace(true);
        loop {
            tokio::select! {
                _ = drained.recv() => {
                    tracing::info!("drained");
                    break;
                }
                () = next(&mut interrupt) => {
                    if !self.lame_duck.cut_short() {
                        tracing::warn!("interrupted, not waiting for the drain");
                        break;
                    }
                }
            }
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
    lame_duck: Arc<LameDuck>,
    ended: Ended,
}

/// Where the service says that it has ended, and whether it ended well. It has not until it says so: it may panic, or be
/// interrupted.
struct Ended {
    well: Arc<AtomicBool>,
    told: mpsc::Sender<()>,
}

#[async_trait]
impl Service for Main {
    async fn start_service(
        &mut self,
        _fds: Option<ListenFds>,
        _shutdown: ShutdownWatch,
        _listeners_per_fd: usize,
    ) {
        let Some(gateway) = self.gateway.take() else {
            return;
        };
        let told_to_drain = self.told_to_drain.clone();
        match serve(gateway, told_to_drain, &self.lame_duck).await {
            Ok(()) => self.ended.well.store(true, Relaxed),
            Err(error) => tracing::error!(%error, "the gateway cannot run"),
        }
        let _ = self.ended.told.send(()).await;
    }

    fn name(&self) -> &str {
        "callgate"
    }
}

/// Serves until told to drain, or until a successor serves, and returns when that is done. A worker that ends before is an
/// error, and ends all: a process that lacks one would go on to take connections for it. So is a task that panics again and
/// again.
async fn serve(gateway: Gateway, told: watch::Receiver<bool>, lame_duck: &LameDuck) -> io::Result<()> {
    let Gateway { shared, listeners, watcher, name, before } = gateway;
    let Listeners { http, admin, upgrade, offered } = listeners;
    let hangup: Signal = signal(SignalKind::hangup())?;
    let offer = Offer::new(shared.clone(), name, upgrade, offered)?;
    let workers = Workers::start(&shared)?;
    let (reloads, reload_requests) = mpsc::channel(16);
    // Ended by being dropped, all of them, when this function returns.
    let mut tasks = JoinSet::new();
    tasks.spawn(control::run(shared.clone(), watcher, hangup, reload_requests));
    let (stop, stopped) = watch::channel(None);
    let mut acceptors = JoinSet::new();
    let accept = || {
        tracing::info!(address = %admin.local_addr()?, "admin port open");
        tasks.spawn(admin::serve(Arc::new(admin), shared.clone(), reloads, stopped.clone()));
        for listener in http {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            tracing::info!(address = %listener.local_addr()?, workers = shared.workers, "listening");
            acceptors.spawn(front::accept(listener, shared.clone(), workers.commands(), stopped.clone()));
        }
        Ok(())
    };
    let a_worker_has_ended = || End::failed("a worker has ended".to_owned());
    let mut end = tokio::select! {
        end = serve_until_told(&shared, before, offer, accept, told.clone()) => end,
        () = workers.one_has_ended() => a_worker_has_ended(),
        task = shared.supervisor.has_failed() => {
            End::failed(format!("the task `{}` panics again and again", task.name()))
        }
    };
    if end.ending == Ending::Stop {
        systemd::stopping();
    }
    shared.draining.store(true, Relaxed);
    if end.ending == Ending::Stop && end.error.is_none() {
        tokio::select! {
            () = lame_duck.wait(shared.settings.server.lame_duck) => {}
            () = workers.one_has_ended() => end = a_worker_has_ended(),
        }
    }
    tracing::info!("draining");
    stop.send_replace(Some(end.ending));
    let accepted = async { while acceptors.join_next().await.is_some() {} };
    if tokio::time::timeout(ACCEPT_LIMIT, accepted).await.is_err() {
        tracing::warn!("workers did not take the last connections in time");
    }
    let ended = workers.end(&shared.settings, end.ending, told).await;
    end.error.map_or(ended, Err)
}

/// What the process's end is like.
struct End {
    ending: Ending,
    error: Option<io::Error>,
}

impl End {
    fn failed(why: String) -> End {
        End { ending: Ending::Stop, error: Some(io::Error::other(why)) }
    }
}

/// Begins to `accept` and serves: at once, or in place of the gateway before, when everything is prepared.
async fn serve_until_told(
    shared: &Arc<Shared>,
    before: Option<Predecessor>,
    offer: Offer,
    accept: impl FnOnce() -> io::Result<()>,
    mut told: watch::Receiver<bool>,
) -> End {
    let first = before.is_none();
    // The gateway before goes on, with what waits in the queues.
    let unbegun = if first { Ending::Stop } else { Ending::HandOver };
    let taken_over = take_over(shared, before, accept);
    let began = tokio::select! {
        began = taken_over => began,
        // Fails only when the sender is gone, which is as good as being told.
        _ = told.wait_for(|told| *told) => {
            return End { ending: unbegun, error: None };
        }
    };
    if let Err(error) = began {
        return End { ending: unbegun, error: Some(error) };
    }
    let ready = async {
        // Of a successor the gateway before tells.
        if first {
            shared.settled().await;
            systemd::ready();
        }
        std::future::pending().await
    };
    let ending = tokio::select! {
        ending = offer.run(told) => ending,
        never = ready => never,
    };
    End { ending, error: None }
}

async fn take_over(
    shared: &Arc<Shared>,
    before: Option<Predecessor>,
    accept: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let Some(before) = before else {
        return accept();
    };
    let process = before.process;
    let mut before = before.resume()?;
    before.prepare(shared.settled()).await.map_err(io::Error::other)?;
    accept()?;
    let words = before.take_over().await.map_err(io::Error::other)?;
    if !words.is_empty() {
        obey(&shared.table.load(), &words);
        shared.drains.tell().await;
    }
    tracing::info!(process, "serving in place of the gateway before");
    Ok(())
}

#[cfg(test)]
mod tests;
