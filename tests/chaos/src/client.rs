//! The client: HTTP/1.1 over connections that it keeps, and no second attempt at anything.
//!
//! The one thing that it does again is a request of which no byte has left, because the kept connection turned out to be
//! closed before it was written: every client that keeps connections does that, and nobody has seen the request.

use crate::tally::Outcome;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No answer by then is none: far beyond every timeout of the gateway.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of one server.
pub(crate) struct Client {
    addr: SocketAddr,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
    connects: AtomicU64,
    unsent: AtomicU64,
}

impl Client {
    /// A client of that server.
    pub(crate) fn new(addr: SocketAddr) -> Client {
        Client { addr, idle: Mutex::default(), connects: AtomicU64::new(0), unsent: AtomicU64::new(0) }
    }

    /// Connections made so far.
    pub(crate) fn connects(&self) -> u64 {
        self.connects.load(Relaxed)
    }

    /// Requests of which a kept connection had taken no byte when it closed, and that another one took.
    pub(crate) fn unsent(&self) -> u64 {
        self.unsent.load(Relaxed)
    }

    /// Sends a request and reads the answer: status and body.
    pub(crate) async fn send(&self, method: &str, path: &str, body: String) -> Result<(u16, Bytes), String> {
        let request = Request::builder().method(method).uri(path).header("host", self.addr.to_string());
        let request = request.header("content-type", "application/json").body(Full::new(Bytes::from(body)));
        let request = request.map_err(|error| error.to_string())?;
        timeout(PATIENCE, self.exchange(request)).await.unwrap_or(Err(format!("none within {PATIENCE:?}")))
    }

    async fn exchange(&self, mut request: Request<Full<Bytes>>) -> Result<(u16, Bytes), String> {
        loop {
            let mut sender = self.connection().await?;
            match sender.try_send_request(request).await {
                Ok(response) => {
                    let answer = read(response).await?;
                    self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
                    return Ok(answer);
                }
                Err(mut error) => match error.take_message() {
                    Some(unsent) => {
                        self.unsent.fetch_add(1, Relaxed);
                        request = unsent;
                    }
                    None => return Err(format!("{:?}", error.into_error())),
                },
            }
        }
    }

    /// A kept connection that is open, or a new one.
    async fn connection(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        loop {
            let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut kept) = kept else { return self.connect().await };
            if kept.ready().await.is_ok() {
                return Ok(kept);
            }
        }
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        self.connects.fetch_add(1, Relaxed);
        let socket = TcpStream::connect(self.addr).await.map_err(|error| format!("connecting: {error}"))?;
        socket.set_nodelay(true).map_err(|error| error.to_string())?;
        let (sender, connection) =
            handshake(TokioIo::new(socket)).await.map_err(|error| format!("{error:?}"))?;
        // Ends when the sender is dropped or the server closes.
        tokio::spawn(connection);
        Ok(sender)
    }
}

async fn read(response: hyper::Response<Incoming>) -> Result<(u16, Bytes), String> {
    let status = response.status().as_u16();
    let body =
        response.into_body().collect().await.map_err(|error| format!("the body broke off: {error:?}"))?;
    Ok((status, body.to_bytes()))
}

/// Judges an answer by what it should have been: members and their values.
pub(crate) fn judge(answer: Result<(u16, Bytes), String>, expected: &[(&str, serde_json::Value)]) -> Outcome {
    let (status, body) = match answer {
        Ok(answer) => answer,
        Err(error) => return Outcome::NoAnswer(error),
    };
    let text = || String::from_utf8_lossy(&body).into_owned();
    if status != 200 {
        return Outcome::Error(status.to_string(), text());
    }
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    match expected.iter().all(|(member, value)| json[*member] == *value) {
        true => Outcome::Good,
        false => Outcome::Wrong(text()),
    }
}
