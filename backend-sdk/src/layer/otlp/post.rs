//! How spans are sent to a collector: one request on a connection of its own, within a deadline.

use callgate_otlp::{Answer, CONTENT_TYPE};
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a request may take, with connecting.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long an answer may be, in bytes.
const LONGEST: usize = 64 << 10;

/// Who collects spans.
pub(super) struct Collector {
    pub(super) uri: Uri,
    pub(super) fields: HeaderMap,
}

impl Collector {
    /// Sends a request once.
    pub(super) async fn post(&self, body: Vec<u8>) -> Answer {
        let asked = timeout(DEADLINE, self.ask(body)).await;
        match asked {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                tracing::debug!(collector = %self.uri, %error, "spans are not taken");
                Answer::Unreachable
            }
            Err(_) => Answer::Unreachable,
        }
    }

    async fn ask(&self, body: Vec<u8>) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        let host = self.uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let stream = TcpStream::connect((host, self.uri.port_u16().unwrap_or(80))).await?;
        let (mut send, drive) = http1::handshake(TokioIo::new(stream)).await?;
        let target = self.uri.path_and_query().map_or("/", |target| target.as_str());
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target.parse()?;
        *request.headers_mut() = self.fields.clone();
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        request.headers_mut().insert(header::HOST, HeaderValue::from_str(authority)?);
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        let asked = async {
            let reply = send.send_request(request).await?;
            let seconds =
                reply.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let status = reply.status().as_u16();
            let body = Limited::new(reply.into_body(), LONGEST).collect().await?.to_bytes();
            Ok(Answer::of(status, seconds, &body))
        };
        let mut asked = std::pin::pin!(asked);
        tokio::select! {
            answer = &mut asked => answer,
            // All of the answer may be here already.
            _ = drive => asked.await,
        }
    }
}
