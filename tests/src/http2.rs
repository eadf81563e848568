//! A client of HTTP/2: one connection, as a program that knows what it does with streams has it.

use crate::{Answer, PATIENCE};
use h2::client::{Builder, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use http::{Request, Response};
use hyper::body::Bytes;
use std::future::Future;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A connection.
pub struct Http2 {
    send: SendRequest<Bytes>,
    /// Ends with the connection.
    ends: JoinHandle<Result<(), h2::Error>>,
}

/// A stream whose request was sent.
pub struct Sent {
    /// For its body, and to give it up.
    pub send: SendStream<Bytes>,
    reply: h2::client::ResponseFuture,
}

impl Http2 {
    /// Connects.
    pub async fn connect(addr: SocketAddr) -> Http2 {
        Http2::connect_with(addr, &Builder::new()).await
    }

    /// The same with settings of its own.
    pub async fn connect_with(addr: SocketAddr, builder: &Builder) -> Http2 {
        let socket = in_time("a connection", TcpStream::connect(addr)).await.expect("the gateway listens");
        Http2::over(socket, builder).await
    }

    /// Speaks it over a stream that is there.
    pub async fn over(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        builder: &Builder,
    ) -> Http2 {
        let (send, connection) =
            in_time("settings", builder.handshake(stream)).await.expect("it speaks HTTP/2");
        Http2 { send, ends: tokio::spawn(connection) }
    }

    /// A request to that path.
    pub fn request(method: &str, path: &str) -> Request<()> {
        let uri = format!("http://shop.example{path}");
        Request::builder().method(method).uri(uri).body(()).expect("a request")
    }

    /// Sends a request's head, behind which a body comes or not.
    pub async fn begin(&mut self, request: Request<()>, has_body: bool) -> Sent {
        let mut send = in_time("room for a stream", self.send.clone().ready()).await.expect("it is open");
        let (reply, send) = send.send_request(request, !has_body).expect("a sound request");
        Sent { send, reply }
    }

    /// Sends a request without a body. The error is the connection's: it may have taken the request or not.
    pub async fn try_get(&mut self, request: Request<()>) -> Result<Answer, h2::Error> {
        self.ask(request).await
    }

    /// The same for several at once.
    pub fn ask(
        &self,
        request: Request<()>,
    ) -> impl Future<Output = Result<Answer, h2::Error>> + Send + use<> {
        let send = self.send.clone();
        async move {
            let mut send = in_time("room for a stream", send.ready()).await?;
            let (reply, send) = send.send_request(request, true)?;
            Sent { send, reply }.answer().await
        }
    }

    /// Sends a request without a body, and gives the reply.
    pub async fn get(&mut self, path: &str) -> Answer {
        let sent = self.begin(Http2::request("GET", path), false).await;
        sent.answer().await.expect("a reply")
    }

    /// Sends JSON, and gives the reply.
    pub async fn post(&mut self, path: &str, json: &str) -> Answer {
        let mut sent = self.begin(Http2::request("POST", path), true).await;
        sent.send.send_data(Bytes::copy_from_slice(json.as_bytes()), true).expect("it is open");
        sent.answer().await.expect("a reply")
    }

    /// Whether another request can be sent.
    pub async fn is_open(&self) -> bool {
        in_time("a word", self.send.clone().ready()).await.is_ok()
    }

    /// Ends the connection without a word.
    pub fn cut(self) {
        self.ends.abort();
    }

    /// Waits for the connection's end; the reason of the GOAWAY, if it was no peaceful one.
    pub async fn ended(self) -> Option<Reason> {
        // Without anybody who could send more, the client's side would end it.
        let Http2 { send, ends } = self;
        let ended = in_time("the end", ends).await.expect("no panic");
        drop(send);
        ended.err().and_then(|error| error.reason())
    }
}

impl Sent {
    /// Waits for a head before that of the reply.
    pub async fn informed(&mut self) -> Option<Result<Response<()>, h2::Error>> {
        in_time("a word", std::future::poll_fn(|cx| self.reply.poll_informational(cx))).await
    }

    /// Waits for the reply's head.
    pub async fn head(self) -> Result<(SendStream<Bytes>, Response<RecvStream>), h2::Error> {
        Ok((self.send, in_time("a head", self.reply).await?))
    }

    /// Waits for the whole reply.
    pub async fn answer(self) -> Result<Answer, h2::Error> {
        let (_send, response) = self.head().await?;
        let (head, mut incoming) = response.into_parts();
        let mut body = Vec::new();
        while let Some(bytes) = in_time("a body", incoming.data()).await {
            let bytes = bytes?;
            body.extend_from_slice(&bytes);
            incoming.flow_control().release_capacity(bytes.len())?;
        }
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: body.into() })
    }

    /// Waits until the gateway resets the stream.
    pub async fn reset(self) -> Option<Reason> {
        self.answer().await.err().and_then(|error| error.reason())
    }
}

async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}
