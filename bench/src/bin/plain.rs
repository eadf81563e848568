//! No gateway: the service as one writes it with hyper and serde_json. It is measured by itself, and stands behind nginx,
//! HAProxy and pingora.

use bytes::Bytes;
use callgate_bench::dealer::{self, Connections};
use callgate_bench::files;
use callgate_bench::orders::{self, Order};
use clap::Parser;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use std::convert::Infallible;
use std::net::SocketAddr;

/// Answers quotes and sums, and keeps files, over HTTP/1.1.
#[derive(Parser)]
struct Options {
    /// Where to listen.
    #[arg(long)]
    listen: SocketAddr,
    /// How many threads serve, each by itself.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Serve on tokio's default runtime instead.
    #[arg(long)]
    default_runtime: bool,
}

fn main() -> std::io::Result<()> {
    let options = Options::parse();
    if options.default_runtime {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(serve_on_all_threads(options.listen));
    }
    dealer::deal(options.listen, options.threads, serve)
}

async fn serve_on_all_threads(address: SocketAddr) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await;
        });
    }
}

async fn serve(mut connections: Connections) {
    while let Some(stream) = connections.recv().await {
        let Ok(stream) = tokio::net::TcpStream::from_std(stream) else {
            continue;
        };
        tokio::task::spawn_local(async move {
            // A client that goes away is no failure of the service.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await;
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    let answer = if let Some(order_id) = quoted(path)
        && request.method() == Method::POST
    {
        let order_id = order_id.to_owned();
        quote(order_id, request.into_body()).await
    } else if path == "/v1/calc/add" && request.method() == Method::GET {
        add(request.uri().query().unwrap_or_default())
    } else if let Some(name) = path.strip_prefix("/v1/files/") {
        let name = name.to_owned();
        file(name, request).await
    } else {
        Err(StatusCode::NOT_FOUND)
    };
    Ok(answer.unwrap_or_else(|status| {
        let mut refusal = Response::default();
        *refusal.status_mut() = status;
        refusal
    }))
}

fn quoted(path: &str) -> Option<&str> {
    path.strip_prefix("/v1/orders/")?.strip_suffix("/quote")
}

async fn quote(order_id: String, body: Incoming) -> Result<Response<Full<Bytes>>, StatusCode> {
    let body = body.collect().await.map_err(|_| StatusCode::BAD_REQUEST)?.to_bytes();
    let order: Order = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    json(&orders::quote(order_id, order))
}

fn add(query: &str) -> Result<Response<Full<Bytes>>, StatusCode> {
    let (mut a, mut b) = (None, None);
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("a", value)) => a = value.parse().ok(),
            Some(("b", value)) => b = value.parse().ok(),
            _ => {}
        }
    }
    let (Some(a), Some(b)) = (a, b) else {
        return Err(StatusCode::BAD_REQUEST);
    };
    json(&orders::add(a, b).ok_or(StatusCode::BAD_REQUEST)?)
}

async fn file(name: String, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, StatusCode> {
    match *request.method() {
        Method::PUT => {
            let content =
                request.into_body().collect().await.map_err(|_| StatusCode::BAD_REQUEST)?.to_bytes();
            json(&files::put(name, content))
        }
        Method::GET => {
            let content = files::get(&name).ok_or(StatusCode::NOT_FOUND)?;
            let answer = Response::builder().header(CONTENT_TYPE, "application/octet-stream");
            answer.body(Full::new(content)).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
        }
        _ => Err(StatusCode::METHOD_NOT_ALLOWED),
    }
}

fn json(value: &impl Serialize) -> Result<Response<Full<Bytes>>, StatusCode> {
    let body = serde_json::to_vec(value).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let answer = Response::builder().header(CONTENT_TYPE, "application/json").body(Full::new(body.into()));
    answer.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
