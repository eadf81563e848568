//! How an endpoint is connected to: over TCP or at a Unix socket.

use crate::config::EndpointAddr;
use crate::stream::AsyncStream;
use socket2::SockRef;
use std::io;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};

/// Connects. A host name is resolved, and its addresses are tried in turn. Bytes that the peer's system does not acknowledge for
/// `user_timeout` end the connection.
pub(super) async fn connect(addr: &EndpointAddr, user_timeout: Duration) -> io::Result<AsyncStream> {
    match addr {
        EndpointAddr::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            // Writes are batched here; the kernel must not hold them back for more.
            stream.set_nodelay(true)?;
            SockRef::from(&stream).set_tcp_user_timeout(Some(user_timeout))?;
            Ok(AsyncStream::Tcp(stream))
        }
        EndpointAddr::Unix(path) => UnixStream::connect(path).await.map(AsyncStream::Unix),
    }
}
