//! The course of a gateway's life: it takes over or begins, serves, drains and ends.

use super::Gateway;
use crate::admin;
use crate::control::{self, Plane};
use crate::lame_duck::LameDuck;
use crate::listeners::{self, Listeners, SocketFiles};
use crate::upgrade::{Offer, Predecessor, obey, systemd};
use crate::workers::{Ending, Workers};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// How long handing over the last accepted connections may take.
const ACCEPT_LIMIT: Duration = Duration::from_secs(2);

/// Serves until told to drain, or until a successor serves, and returns when that is done. A worker that ends before is an
/// error, and ends all: a process that lacks one would go on to take connections for it. So is a task that panics again and
/// again.
pub(super) async fn serve(
    gateway: Gateway,
    told: watch::Receiver<bool>,
    lame_duck: &LameDuck,
) -> io::Result<()> {
    let Gateway { plane, listeners, state_lock, watched, name, before } = gateway;
    let Listeners { http, admin, upgrade, mut files, offered } = listeners;
    let shared = plane.shared.clone();
    let hangup: Signal = signal(SignalKind::hangup())?;
    let offer = Offer::new(plane.clone(), name, upgrade, offered)?;
    let workers = Workers::start(&shared)?;
    let (reloads, reload_requests) = mpsc::channel(16);
    // Ended by being dropped, all of them, when this function returns.
    let mut tasks = JoinSet::new();
    tasks.spawn(control::run(plane.clone(), watched, hangup, reload_requests));
    let (stop, stopped) = watch::channel(None);
    let mut acceptors = JoinSet::new();
    let accept = || {
        tracing::info!(address = %admin.local_addr()?, "admin port open");
        let served =
            admin::serve(Arc::new(admin), plane.clone(), (reloads, workers.commands()), stopped.clone());
        tasks.spawn(served);
        for (socket, listener) in http.into_iter().zip(&shared.listeners) {
            let chosen = socket.local_addr().map(|addr| addr.to_string());
            let address = chosen.unwrap_or_else(|| listener.address.to_string());
            tracing::info!(address, listener = listener.id, workers = shared.workers, "listening");
            let (listener, shared) = (listener.clone(), shared.clone());
            acceptors.spawn(listeners::accept(socket, listener, shared, workers.commands(), stopped.clone()));
        }
        Ok(())
    };
    let a_worker_has_ended = || End::failed("a worker has ended".to_owned());
    let mut end = tokio::select! {
        end = serve_until_told(&plane, before, offer, &mut files, accept, told.clone()) => end,
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
    // While the sockets still listen: whoever finds no file may bind one.
    drop(files);
    // The next gateway may start while this one answers what it has.
    drop(state_lock);
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
    plane: &Plane,
    before: Option<Predecessor>,
    offer: Offer,
    files: &mut SocketFiles,
    accept: impl FnOnce() -> io::Result<()>,
    mut told: watch::Receiver<bool>,
) -> End {
    let first = before.is_none();
    // The gateway before goes on, with what waits in the queues.
    let unbegun = if first { Ending::Stop } else { Ending::HandOver };
    let taken_over = take_over(plane, before, files, accept);
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
            plane.shared.settled().await;
            systemd::ready();
        }
        std::future::pending().await
    };
    let ending = tokio::select! {
        ending = offer.run(told) => ending,
        never = ready => never,
    };
    if ending == Ending::HandOver {
        files.hand_over();
    }
    End { ending, error: None }
}

async fn take_over(
    plane: &Plane,
    before: Option<Predecessor>,
    files: &mut SocketFiles,
    accept: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let Some(before) = before else {
        return accept();
    };
    let process = before.process;
    let mut before = before.resume()?;
    before.prepare(plane.shared.settled()).await.map_err(io::Error::other)?;
    accept()?;
    let words = before.take_over().await.map_err(io::Error::other)?;
    files.take_over();
    if !words.is_empty() {
        obey(&plane.shared.table.load(), &words);
        plane.shared.drains.tell().await;
    }
    tracing::info!(process, "serving in place of the gateway before");
    Ok(())
}
