//! A client connection as bytes: for what no HTTP library would send.

use crate::PATIENCE;
use std::fmt::Debug;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// What a connection's socket can do, TCP or Unix.
trait Socket: AsyncRead + AsyncWrite + Debug + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Debug + Send + Unpin> Socket for S {}

/// A connection to a gateway.
#[derive(Debug)]
pub struct Raw {
    socket: Box<dyn Socket>,
    unread: Vec<u8>,
}

impl Raw {
    /// Connects.
    pub async fn connect(addr: SocketAddr) -> Raw {
        let socket = in_time("a connection", TcpStream::connect(addr)).await.expect("the gateway listens");
        Raw { socket: Box::new(socket), unread: Vec::new() }
    }

    /// Connects to a Unix socket.
    pub async fn connect_unix(path: &Path) -> Raw {
        let socket = in_time("a connection", UnixStream::connect(path)).await.expect("the gateway listens");
        Raw { socket: Box::new(socket), unread: Vec::new() }
    }

    /// Goes on with a connection that is there.
    pub fn over(socket: impl AsyncRead + AsyncWrite + Debug + Send + Unpin + 'static) -> Raw {
        Raw { socket: Box::new(socket), unread: Vec::new() }
    }

    /// Writes all of it.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        in_time("writing", self.socket.write_all(bytes.as_ref())).await.expect("the gateway reads");
    }

    /// Says that nothing more will be written.
    pub async fn end(&mut self) {
        self.socket.shutdown().await.expect("the socket is open");
    }

    /// Reads one answer: its head, and as much body as `content-length` says. `None` when the connection ended before.
    pub async fn answer(&mut self) -> Option<(String, String)> {
        let head = loop {
            if let Some(end) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                let body = self.unread.split_off(end + 4);
                break String::from_utf8(std::mem::replace(&mut self.unread, body)).expect("a head in ASCII");
            }
            if !self.more().await {
                return None;
            }
        };
        let length = header(&head, "content-length").map_or(0, |text| text.parse().expect("a length"));
        while self.unread.len() < length {
            if !self.more().await {
                return None;
            }
        }
        let rest = self.unread.split_off(length);
        let body = String::from_utf8(std::mem::replace(&mut self.unread, rest)).expect("a body in UTF-8");
        Some((head, body))
    }

    /// Reads until that holds of all that has come, or to the connection's end. All that has come.
    pub async fn read_until(&mut self, holds: impl Fn(&str) -> bool) -> String {
        loop {
            let text = String::from_utf8_lossy(&self.unread).into_owned();
            if holds(&text) || !self.more().await {
                return text;
            }
        }
    }

    /// Reads one answer's head, and then to the connection's end; how many bytes that was.
    pub async fn head(&mut self) -> Option<(String, usize)> {
        while self.more().await {}
        let end = self.unread.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let body = self.unread.split_off(end);
        Some((String::from_utf8(std::mem::take(&mut self.unread)).expect("a head in ASCII"), body.len()))
    }

    /// Reads one answer and gives its status; 0 when the connection ended before.
    pub async fn status(&mut self) -> u16 {
        let answer = self.answer().await;
        answer.map_or(0, |(head, _)| head[9..12].parse().expect("a status of three digits"))
    }

    /// Whether the gateway has closed the connection, with nothing more to read.
    pub async fn ended(&mut self) -> bool {
        self.unread.is_empty() && !self.more().await
    }

    /// The same, where it matters how: panics when the connection was reset.
    pub async fn ended_without_reset(&mut self) -> bool {
        let read = in_time("the end", self.socket.read_buf(&mut self.unread)).await;
        read.expect("the connection is not reset") == 0 && self.unread.is_empty()
    }

    async fn more(&mut self) -> bool {
        let read = in_time("an answer", self.socket.read_buf(&mut self.unread)).await;
        read.unwrap_or(0) > 0
    }
}

/// The value of a head's header.
pub fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}
