//! The operator's port: metrics, health, what is in force, reload and drain. Not for clients: keep it to yourself.
//!
//! It has a thread of its own, and makes long pages on a second one, so that it keeps nobody waiting who serves clients, and
//! says how the process is whatever else goes on. `connections` has its connections, `guard` says who may do what, `requests` which
//! reply is a request's.

mod access_log;
mod actions;
pub mod ask;
mod asked;
mod attributes;
mod auth;
mod backends;
mod bound;
mod by_path;
mod certificates;
mod connections;
mod drain;
mod guard;
mod history;
mod in_force;
mod instances;
mod limits;
mod made;
mod names;
mod openapi;
mod overview;
mod page;
mod plan;
mod ready;
mod replayed;
mod replies;
mod requests;
mod routes;
mod scrape;
mod settings;
mod traffic;
mod unread;
mod why;

use crate::control::{Plane, Request as ReloadRequest};
use crate::supervise::{Task, supervised};
use crate::workers::{Command, Ending};
use guard::Guard;
use history::History;
use replies::Reply;
use std::io;
use std::net::TcpListener;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

/// Pages that are made or wait to be, and as many requests that do something.
const MAX_REQUESTS: usize = 16;

/// Where the process is told that it ends.
type Stop = watch::Receiver<Option<Ending>>;

/// What the admin port needs.
struct Port {
    plane: Arc<Plane>,
    reloads: mpsc::Sender<ReloadRequest>,
    workers: Vec<mpsc::Sender<Command>>,
    stop: Stop,
    guard: Guard,
    files: page::Files,
    history: History,
    pages: Arc<Semaphore>,
    actions: Arc<Semaphore>,
}

/// Serves the admin port, on a thread of its own, until the future is dropped; or until a successor does, and what is open
/// here is answered. Panics where that thread does.
pub async fn serve(
    listener: Arc<TcpListener>,
    plane: Arc<Plane>,
    (reloads, workers): (mpsc::Sender<ReloadRequest>, Vec<mpsc::Sender<Command>>),
    stop: Stop,
) {
    let guard = Guard::new(&plane);
    let [pages, actions] = [(); 2].map(|()| Arc::new(Semaphore::new(MAX_REQUESTS)));
    // The thread has a copy of its own, which never moves.
    let made = move || {
        let (files, history) = (page::Files::new(), History::default());
        Port { plane, reloads, workers, stop, guard, files, history, pages, actions }
    };
    // The thread ends when its owner does, which is this future.
    let (_owner, owned) = oneshot::channel::<()>();
    let (running, ended) = oneshot::channel::<()>();
    let run = move || {
        let _running = running;
        run(listener, Rc::new(made()), owned)
    };
    let thread = match thread::Builder::new().name("admin".to_owned()).spawn(run) {
        Ok(thread) => thread,
        Err(error) => {
            tracing::error!(%error, "no thread for the admin port");
            return;
        }
    };
    // Fails when the sender is dropped, which is what is waited for.
    let _ = ended.await;
    match thread.join() {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the admin port cannot be served"),
        Err(panic) => resume_unwind(panic),
    }
}

/// Serves on the calling thread. Pages that take long are made on another one.
fn run(listener: Arc<TcpListener>, port: Rc<Port>, owned: oneshot::Receiver<()>) -> io::Result<()> {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().thread_name("admin-pages").max_blocking_threads(1);
    let runtime = builder.build_local(LocalOptions::default())?;
    let supervisor = port.plane.shared.supervisor.clone();
    let noting = async { supervised!(supervisor, Task::Admin, port.history.keep(&port.plane)) };
    let served = runtime.block_on(async {
        tokio::select! {
            served = connections::serve(listener, port.clone()) => served,
            _ = noting => Ok(()),
            // The owner has gone.
            _ = owned => Ok(()),
        }
    });
    // A page that is being made is not waited for.
    runtime.shutdown_background();
    served
}
