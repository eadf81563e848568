//! The operator's port: metrics, health, what is in force, reload and drain. Not for clients: keep it to yourself.
//!
//! It has a thread of its own, and makes long pages on a second one, so that it keeps nobody waiting who serves clients, and
//! says how the process is whatever else goes on. `connections` has its connections, `guard` says who may do what.

mod access_log;
pub mod ask;
mod attributes;
mod auth;
mod bound;
mod certificates;
mod connections;
mod drain;
mod guard;
mod instances;
mod limits;
mod names;
mod openapi;
mod pages;
mod ready;
mod settings;
mod traffic;

use crate::control::{Plane, Reload, Request as ReloadRequest};
use crate::worker::Shared;
use crate::workers::Ending;
use drain::Refusal;
use guard::Guard;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
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

/// Where the process is told that it ends.
type Stop = watch::Receiver<Option<Ending>>;

/// What the admin port needs.
struct Port {
    plane: Arc<Plane>,
    reloads: mpsc::Sender<ReloadRequest>,
    stop: Stop,
    guard: Guard,
    pages: Arc<Semaphore>,
    actions: Arc<Semaphore>,
}

/// Serves the admin port, on a thread of its own, until the future is dropped; or until a successor does, and what is open
/// here is answered. Panics where that thread does.
pub async fn serve(
    listener: Arc<TcpListener>,
    plane: Arc<Plane>,
    reloads: mpsc::Sender<ReloadRequest>,
    stop: Stop,
) {
    let guard = Guard::new(&plane);
    let [pages, actions] = [(); 2].map(|()| Arc::new(Semaphore::new(MAX_REQUESTS)));
    let port = Port { plane, reloads, stop, guard, pages, actions };
    // The thread ends when its owner does, which is this future.
    let (_owner, owned) = oneshot::channel::<()>();
    let (running, ended) = oneshot::channel::<()>();
    let run = move || {
        let _running = running;
        run(listener, port, owned)
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
fn run(listener: Arc<TcpListener>, port: Port, owned: oneshot::Receiver<()>) -> io::Result<()> {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().thread_name("admin-pages").max_blocking_threads(1);
    let runtime = builder.build_local(LocalOptions::default())?;
    let served = runtime.block_on(async {
        tokio::select! {
            served = connections::serve(listener, Rc::new(port)) => served,
            // The owner has gone.
            _ = owned => Ok(()),
        }
    });
    // A page that is being made is not waited for.
    runtime.shutdown_background();
    served
}

type Reply = Response<Full<Bytes>>;

async fn reply(request: Request<Incoming>, port: &Port) -> Reply {
    let path = request.uri().path();
    if let Some(page) = vital(path, request.uri().query(), &port.plane.shared) {
        return if reads(&request) { page } else { wrong_method("GET, HEAD") };
    }
    // A browser opens it without a token, which it asks for.
    let is_open = path == "/metrics" || (path == "/explore" && reads(&request));
    if !is_open && let Err(refusal) = port.guard.check(&request) {
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
        "/-/reload" | "/-/drain" | "/-/undrain" | "/-/log" => wrong_method("POST"),
        path => match page(path) {
            None => text(StatusCode::NOT_FOUND, format!("no such page\n\n{}", pages::INDEX)),
            Some(_) if !reads(&request) => wrong_method("GET, HEAD"),
            Some(page) => openapi::unless_known(&request, made(page, &port.plane, place).await),
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

/// How a page is made.
type Page = fn(&Plane) -> Reply;

fn page(path: &str) -> Option<Page> {
    Some(match path {
        "/" => |_| text(StatusCode::OK, pages::INDEX.to_owned()),
        "/metrics" => {
            |plane| typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", pages::metrics(plane))
        }
        "/routes" => |plane| json(StatusCode::OK, &pages::routes(plane)),
        "/backends" => |plane| json(StatusCode::OK, &pages::backends(plane)),
        "/certificates" => |plane| json(StatusCode::OK, &certificates::page(&plane.shared)),
        "/config" => |plane| json(StatusCode::OK, &pages::config(plane)),
        "/openapi.json" => openapi::page,
        "/explore" => |_| openapi::explorer(),
        "/exposure" => |plane| typed(StatusCode::OK, "application/json", pages::exposure(plane)),
        _ => return None,
    })
}

/// Has a page made on the thread for that: of 10,000 routes it takes so long that nothing else shall wait for it.
async fn made(page: Page, plane: &Arc<Plane>, place: OwnedSemaphorePermit) -> Reply {
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

fn wrong_method(allow: &'static str) -> Reply {
    let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, format!("possible: {allow}\n"));
    reply.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    reply
}

fn text(status: StatusCode, body: String) -> Reply {
    typed(status, "text/plain; charset=utf-8", body)
}

fn json(status: StatusCode, body: &serde_json::Value) -> Reply {
    typed(status, "application/json", format!("{body:#}\n"))
}

fn typed(status: StatusCode, content_type: &'static str, body: String) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body)));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}
