//! The way to a server: a socket, TLS where the URL says so, and HTTP/1.1 over it.

use super::Failed;
use crate::config::HttpUrl;
use crate::stream::AsyncStream;
use callgate_tls::explain;
use callgate_tls::rustls::ClientConfig;
use callgate_tls::rustls::pki_types::ServerName;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, TlsStream};

/// The longest head of a reply, in bytes, and how many fields it may have.
const MAX_HEAD: usize = 32 * 1024;
const MAX_FIELDS: usize = 100;

/// A connection: what sends its requests, and what drives it meanwhile.
pub(super) struct Connection {
    pub(super) send: SendRequest<Full<Bytes>>,
    pub(super) drive: http1::Connection<TokioIo<AsyncStream>, Full<Bytes>>,
}

/// Connects, in as long as that takes. The system looks names up.
pub(super) async fn connect(url: &HttpUrl, tls: Option<Arc<ClientConfig>>) -> Result<Connection, Failed> {
    let unreachable = |why: String| Failed::Unreachable(why);
    let stream =
        TcpStream::connect((url.host(), url.port())).await.map_err(|error| unreachable(error.to_string()))?;
    // Without it, all is well but slower.
    let _ = stream.set_nodelay(true);
    let stream = match (url.is_https(), tls) {
        (false, _) => AsyncStream::Tcp(stream),
        (true, Some(config)) => {
            let name = ServerName::try_from(url.host().to_owned())
                .map_err(|_| unreachable(format!("no certificate can be for `{}`", url.host())))?;
            let connected = TlsConnector::from(config).connect(name, AsyncStream::Tcp(stream)).await;
            let stream = connected.map_err(|error| unreachable(format!("no TLS: {}", explain(&error))))?;
            AsyncStream::Tls(Box::new(TlsStream::Client(stream)))
        }
        (true, None) => return Err(unreachable("nothing says whose certificates count".to_owned())),
    };
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_HEAD).max_headers(MAX_FIELDS);
    let shaken = builder.handshake(TokioIo::new(stream)).await;
    let (send, drive) = shaken.map_err(|error| unreachable(error.to_string()))?;
    Ok(Connection { send, drive })
}
