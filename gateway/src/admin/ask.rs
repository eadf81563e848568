//! Asks the admin port of a gateway that runs, for the command line.

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest page, in bytes.
const MAX_PAGE: usize = 64 << 20;

/// The page of that path at the port of that URL, such as `http://127.0.0.1:8081`.
///
/// # Errors
///
/// For people: it cannot be asked, or does not say.
pub fn page(url: &str, path: &str, token: Option<&str>) -> Result<Vec<u8>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let asked = runtime.block_on(async { timeout(PATIENCE, get(url, path, token)).await });
    let asked: Result<Vec<u8>, String> =
        asked.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")));
    asked.map_err(|why| format!("{url}: {why}"))
}

async fn get(url: &str, path: &str, token: Option<&str>) -> Result<Vec<u8>, String> {
    let base: Uri = url.parse().map_err(|error| format!("this is no URL: {error}"))?;
    let (Some("http"), Some(host)) = (base.scheme_str(), base.host()) else {
        return Err("expected a URL such as http://127.0.0.1:8081".to_owned());
    };
    let port = base.port_u16().unwrap_or(80);
    let unbracketed = host.trim_start_matches('[').trim_end_matches(']');
    let stream =
        TcpStream::connect((unbracketed, port)).await.map_err(|error| format!("cannot connect: {error}"))?;
    let (mut send, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let mut request = Request::get(path).header(HOST, format!("{host}:{port}"));
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(|error| error.to_string())?;
    // The connection ends when nobody can ask any more.
    let asked = async move {
        let reply = send.send_request(request).await.map_err(|error| error.to_string())?;
        let status = reply.status();
        let body =
            Limited::new(reply.into_body(), MAX_PAGE).collect().await.map_err(|error| error.to_string())?;
        Ok::<_, String>((status, body.to_bytes()))
    };
    let (asked, _) = tokio::join!(asked, async {
        // What goes wrong with it, whoever asks hears.
        let _ = connection.await;
    });
    match asked? {
        (StatusCode::OK, body) => Ok(body.to_vec()),
        (StatusCode::UNAUTHORIZED, _) => Err("it asks for a token: set CALLGATE_ADMIN_TOKEN".to_owned()),
        (status, body) => Err(format!("{status}: {}", String::from_utf8_lossy(&body).trim_end())),
    }
}
