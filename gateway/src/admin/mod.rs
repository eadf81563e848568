//! The operator's port: metrics, health, what is in force, reload and drain. Not for clients: keep it to yourself.

mod drain;
mod instances;
mod limits;
mod names;
mod pages;
mod ready;
mod traffic;

use crate::control::{Reload, Request as ReloadRequest};
use crate::worker::{Ending, Shared};
use drain::Refusal;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;

/// Connections to the admin port at once.
const MAX_CONNECTIONS: usize = 64;

/// How long a client of the admin port may take for a request's head, and a connection may be idle.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the process is told that it ends.
type Stop = watch::Receiver<Option<Ending>>;

/// Serves the admin port until the task is dropped; or until a successor does, and what is open here is answered.
pub async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    reloads: mpsc::Sender<ReloadRequest>,
    stop: Stop,
) {
    let mut connections = JoinSet::new();
    tokio::select! {
        () = accept(&listener, &shared, &reloads, &stop, &mut connections) => {}
        () = handed_over(stop.clone()) => {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn accept(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    reloads: &mpsc::Sender<ReloadRequest>,
    stop: &Stop,
    connections: &mut JoinSet<()>,
) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (shared, reloads, stop) = (shared.clone(), reloads.clone(), stop.clone());
                connections.spawn(async move {
                    serve_connection(stream, shared, reloads, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the admin port cannot accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Waits until a successor has the listening sockets. An operator's eyes stay on a process that is told to stop.
async fn handed_over(mut stop: Stop) {
    if stop.wait_for(|ending| *ending == Some(Ending::HandOver)).await.is_err() {
        std::future::pending().await
    }
}

async fn serve_connection(
    stream: TcpStream,
    shared: Arc<Shared>,
    reloads: mpsc::Sender<ReloadRequest>,
    stop: Stop,
) {
    let service = service_fn(|request| {
        let (shared, reloads) = (shared.clone(), reloads.clone());
        async move { Ok::<_, Infallible>(answer(request, &shared, &reloads).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = handed_over(stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "an admin connection ended early");
    }
}

type Answer = Response<Full<Bytes>>;

async fn answer(
    request: Request<Incoming>,
    shared: &Shared,
    reloads: &mpsc::Sender<ReloadRequest>,
) -> Answer {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match (request.uri().path(), reads) {
        ("/-/reload", _) if request.method() == Method::POST => reload(reloads).await,
        ("/-/drain", _) if request.method() == Method::POST => drain(&request, shared, true).await,
        ("/-/undrain", _) if request.method() == Method::POST => drain(&request, shared, false).await,
        ("/-/reload" | "/-/drain" | "/-/undrain", _) => wrong_method("POST"),
        ("/readyz", true) => ready::readyz(request.uri().query(), shared),
        (path, reads) => match page(path, shared) {
            None => text(StatusCode::NOT_FOUND, format!("no such page\n\n{}", pages::INDEX)),
            Some(_) if !reads => wrong_method("GET, HEAD"),
            Some(page) => page,
        },
    }
}

fn page(path: &str, shared: &Shared) -> Option<Answer> {
    Some(match path {
        "/" => text(StatusCode::OK, pages::INDEX.to_owned()),
        "/metrics" => {
            typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", pages::metrics(shared))
        }
        "/healthz" => text(StatusCode::OK, "ok\n".to_owned()),
        "/readyz" => ready::readyz(None, shared),
        "/routes" => json(StatusCode::OK, &pages::routes(shared)),
        "/backends" => json(StatusCode::OK, &pages::backends(shared)),
        "/config" => json(StatusCode::OK, &pages::config(shared)),
        _ => return None,
    })
}

async fn reload(reloads: &mpsc::Sender<ReloadRequest>) -> Answer {
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

async fn drain(request: &Request<Incoming>, shared: &Shared, drain: bool) -> Answer {
    let query = request.uri().query().unwrap_or_default();
    match drain::change(query, shared, drain).await {
        Ok(told) => json(StatusCode::OK, &told),
        Err(Refusal::BadRequest(why)) => text(StatusCode::BAD_REQUEST, why),
        Err(Refusal::NotFound(why)) => text(StatusCode::NOT_FOUND, why),
        Err(Refusal::NotHeeded(why)) => text(StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

fn wrong_method(allow: &'static str) -> Answer {
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, format!("possible: {allow}\n"));
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    answer
}

fn text(status: StatusCode, body: String) -> Answer {
    typed(status, "text/plain; charset=utf-8", body)
}

fn json(status: StatusCode, body: &serde_json::Value) -> Answer {
    typed(status, "application/json", format!("{body:#}\n"))
}

fn typed(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
