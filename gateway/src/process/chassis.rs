//! pingora's server as the chassis, with the gateway as its one service. The only file that names pingora's server.
//!
//! pingora runs services and ends the process; its own graceful stop sleeps for a fixed time, and so does its hand-over
//! of sockets to a successor. So the signals are waited for here, `upgrade` hands the sockets over, and pingora is told to
//! stop when the last request is answered.

use super::Gateway;
use super::serve::serve;
use crate::lame_duck::LameDuck;
use async_trait::async_trait;
use pingora_core::server::configuration::ServerConf;
use pingora_core::server::{ListenFds, RunArgs, Server, ShutdownSignal, ShutdownSignalWatch, ShutdownWatch};
use pingora_core::services::Service;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, mpsc, watch};

/// pingora tells of each of its steps; what is wrong is told. h2 warns of what clients send, as often as they do.
pub(super) const QUIET: [&str; 2] = ["pingora_core=warn", "h2=error"];

/// Runs a gateway until it has ended; well only if it was told to.
pub(super) fn run(gateway: Gateway) -> ExitCode {
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
    server.add_service(Main { gateway: Some(gateway), told_to_drain, lame_duck: lame_duck.clone(), ended });
    let signals = Signals { drain, lame_duck, drained: Mutex::new(drained) };
    server.run(RunArgs { shutdown_signal: Box::new(signals) });
    if well.load(Relaxed) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
