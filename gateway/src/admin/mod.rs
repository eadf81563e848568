//! The operator's port: metrics, health, what is in force, reload and drain. Not for clients: keep it to yourself.
//!
//! It has a thread of its own, and makes long pages on a second one, so that it keeps nobody waiting who serves clients, and
//! says how the process is whatever else goes on. `connections` has its connections, `guard` says who may do what.

mod access_log;
pub mod ask;
mod asked;
mod attributes;
mod auth;
mod bound;
mod by_path;
mod certificates;
mod connections;
mod drain;
mod guard;
mod history;
mod instances;
mod limits;
mod names;
mod openapi;
mod overview;
mod page;
mod pages;
mod plan;
mod ready;
mod replayed;
mod replies;
mod settings;
mod traffic;
mod unread;
mod why;

use crate::control::{Plane, Reload, Request as ReloadRequest};
use crate::supervise::{Task, supervised};
use crate::worker::Shared;
use crate::workers::{Command, Ending};
use drain::Refusal;
use guard::Guard;
use history::History;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, StatusCode};
use replies::{Reply, compact, json, text, wrong_method};
use std::io;
use std::net::TcpListener;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Pages that are made or wait to be, and as many requests that do something.
const MAX_REQUESTS: usize = 16;

/// How long a page may take to be made, those before it included.
const PAGE_LIMIT: Duration = Duration::from_secs(30);

/// How long a question may take to come.
const QUESTION_LIMIT: Duration = Duration::from_secs(10);

/// How long a worker may take to say what it has kept.
const REPLAY_LIMIT: Duration = Duration::from_secs(2);

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

async fn reply(request: Request<Incoming>, port: &Port) -> Reply {
    let path = request.uri().path();
    if let Some(page) = vital(path, request.uri().query(), &port.plane.shared) {
        return if reads(&request) { page } else { wrong_method("GET, HEAD") };
    }
    if reads(&request)
        && let Some(file) = port.files.find(&request)
    {
        return port.guard.check_host(&request).map_or_else(guard::Refused::into_reply, |_| file);
    }
    // A browser opens it without a token, which it asks for.
    if reads(&request) && path == "/explore" {
        return port
            .guard
            .check_host(&request)
            .map_or_else(guard::Refused::into_reply, |_| openapi::explorer());
    }
    if path != "/metrics"
        && let Err(refusal) = port.guard.check(&request)
    {
        return refusal.into_reply();
    }
    let posts = request.method() == Method::POST;
    let kind = if posts { &port.actions } else { &port.pages };
    let Ok(place) = kind.clone().try_acquire_owned() else {
        return text(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{MAX_REQUESTS} requests are under way here\n"),
        );
    };
    match path {
        "/-/reload" if posts => reload(&port.reloads).await,
        "/-/drain" if posts => drain(&request, &port.plane.shared, true).await,
        "/-/undrain" if posts => drain(&request, &port.plane.shared, false).await,
        "/-/log" if posts => change_access_log(&request, &port.plane.shared),
        "/-/why" if posts => explain(request, port).await,
        "/-/plan" if posts => plan(request, port, place).await,
        "/-/reload" | "/-/drain" | "/-/undrain" | "/-/log" | "/-/why" | "/-/plan" => wrong_method("POST"),
        path => match by_path::page(path) {
            None => text(StatusCode::NOT_FOUND, format!("no such page\n\n{}", pages::INDEX)),
            Some(_) if !reads(&request) => wrong_method("GET, HEAD"),
            // It is short, and nobody else has it.
            Some(_) if path == "/overview/history" => compact(&port.history.shown()),
            Some(page) => {
                let query = request.uri().query().unwrap_or_default().to_owned();
                let page = made(move |plane| page(plane, &query), &port.plane, place).await;
                openapi::unless_known(&request, page)
            }
        },
    }
}

fn reads(request: &Request<Incoming>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

/// How the process is: answered to everybody, whatever else goes on.
fn vital(path: &str, query: Option<&str>, shared: &Shared) -> Option<Reply> {
    Some(match path {
        "/healthz" => text(StatusCode::OK, "ok\n".to_owned()),
        "/readyz" => ready::readyz(query, shared),
        _ => return None,
    })
}

/// Has a page made on the thread for that: of 10,000 routes it takes so long that nothing else shall wait for it.
async fn made(
    page: impl FnOnce(&Plane) -> Reply + Send + 'static,
    plane: &Arc<Plane>,
    place: OwnedSemaphorePermit,
) -> Reply {
    let plane = plane.clone();
    let make = move || {
        let page = page(&plane);
        // Taken until then, whoever has given up waiting.
        drop(place);
        page
    };
    match timeout(PAGE_LIMIT, spawn_blocking(make)).await {
        Ok(Ok(page)) => page,
        Ok(Err(error)) => {
            tracing::error!(%error, "a page of the admin port failed inside");
            text(StatusCode::INTERNAL_SERVER_ERROR, "an internal error; see the log\n".to_owned())
        }
        Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, format!("not made within {PAGE_LIMIT:?}\n")),
    }
}

async fn reload(reloads: &mpsc::Sender<ReloadRequest>) -> Reply {
    let (ask, told) = oneshot::channel();
    if reloads.send(ask).await.is_err() {
        return text(StatusCode::SERVICE_UNAVAILABLE, "the gateway is about to end\n".to_owned());
    }
    match told.await {
        Ok(Reload::Taken(hash)) => {
            json(StatusCode::OK, &serde_json::json!({ "outcome": "ok", "hash": hash }))
        }
        Ok(Reload::Unchanged(hash)) => {
            json(StatusCode::OK, &serde_json::json!({ "outcome": "unchanged", "hash": hash }))
        }
        Ok(Reload::Refused(error)) => json(
            StatusCode::UNPROCESSABLE_ENTITY,
            &serde_json::json!({ "outcome": "failed", "error": error }),
        ),
        Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, "the gateway is about to end\n".to_owned()),
    }
}

/// The body of a request, within the time and the bytes that it may take; or what its client is told.
async fn body(request: Request<Incoming>, most: usize) -> Result<Bytes, Reply> {
    match timeout(QUESTION_LIMIT, Limited::new(request.into_body(), most).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(text(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {most} bytes\n")))
        }
        Ok(Err(error)) => Err(text(StatusCode::BAD_REQUEST, format!("{error}\n"))),
        Err(_) => Err(text(StatusCode::REQUEST_TIMEOUT, format!("not read within {QUESTION_LIMIT:?}\n"))),
    }
}

/// What tables would change, made on the thread for long pages.
async fn plan(request: Request<Incoming>, port: &Port, place: OwnedSemaphorePermit) -> Reply {
    let asked = match body(request, plan::MAX_TABLES).await {
        Ok(asked) => asked,
        Err(reply) => return reply,
    };
    let requests = last_requests(&port.workers).await;
    let page = move |plane: &Plane| match plan::page(plane, &asked, &requests) {
        Ok(plan) => json(StatusCode::OK, &plan),
        Err(mistakes) => text(StatusCode::UNPROCESSABLE_ENTITY, mistakes),
    };
    made(page, &port.plane, place).await
}

/// What the workers have kept of the last requests, as far as they say it soon.
async fn last_requests(workers: &[mpsc::Sender<Command>]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for worker in workers {
        let (tell, told) = oneshot::channel();
        let asked = async {
            worker.send(Command::Replay(tell)).await.ok()?;
            told.await.ok()
        };
        all.extend(timeout(REPLAY_LIMIT, asked).await.ok().flatten().unwrap_or_default());
    }
    all
}

async fn explain(request: Request<Incoming>, port: &Port) -> Reply {
    let question = match body(request, why::MAX_QUESTION).await {
        Ok(question) => question,
        Err(reply) => return reply,
    };
    match why::answer(&question, &port.plane.shared, &port.workers).await {
        Ok(answer) => json(StatusCode::OK, &answer),
        Err(why) => text(StatusCode::BAD_REQUEST, why),
    }
}

fn change_access_log(request: &Request<Incoming>, shared: &Shared) -> Reply {
    match access_log::change(request.uri().query().unwrap_or_default(), &shared.access_log) {
        Ok(told) => json(StatusCode::OK, &told),
        Err(why) => text(StatusCode::BAD_REQUEST, why),
    }
}

async fn drain(request: &Request<Incoming>, shared: &Shared, drain: bool) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    match drain::change(query, shared, drain).await {
        Ok(told) => json(StatusCode::OK, &told),
        Err(Refusal::BadRequest(why)) => text(StatusCode::BAD_REQUEST, why),
        Err(Refusal::NotFound(why)) => text(StatusCode::NOT_FOUND, why),
        Err(Refusal::NotHeeded(why)) => text(StatusCode::SERVICE_UNAVAILABLE, why),
    }
}
