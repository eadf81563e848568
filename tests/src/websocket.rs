//! A client of WebSockets that writes and reads frames itself, so that it can send what no library would.

use crate::PATIENCE;
use std::fmt::Debug;
use std::future::Future;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What every request for a WebSocket says, but for its path and host.
pub const UPGRADE: &str = "upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\n\
                           sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// What its reply says.
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

trait Socket: AsyncRead + AsyncWrite + Debug + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Debug + Send + Unpin> Socket for S {}

/// A WebSocket.
#[derive(Debug)]
pub struct WebSocket {
    socket: Box<dyn Socket>,
    unread: Vec<u8>,
}

/// A frame that has come: its first byte, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(pub u8, pub Vec<u8>);

impl Frame {
    /// A whole text.
    pub fn text(text: &str) -> Frame {
        Frame(0x81, text.as_bytes().to_owned())
    }

    /// A close with that code, and its reason.
    pub fn close(code: u16, reason: &str) -> Frame {
        Frame(0x88, [&code.to_be_bytes()[..], reason.as_bytes()].concat())
    }

    /// Its code, if it is a close.
    pub fn code(&self) -> Option<u16> {
        let code = self.1.get(..2).filter(|_| self.0 == 0x88)?;
        Some(u16::from_be_bytes([code[0], code[1]]))
    }

    /// Its reason, if it is a close.
    pub fn reason(&self) -> String {
        String::from_utf8(self.1.get(2..).unwrap_or_default().to_owned()).expect("a reason in UTF-8")
    }
}

impl WebSocket {
    /// Begins one by that path.
    pub async fn connect(addr: SocketAddr, path: &str) -> WebSocket {
        match WebSocket::ask(addr, path, "").await {
            Ok(open) => open,
            Err(head) => panic!("no WebSocket: {head}"),
        }
    }

    /// Asks for one with these lines more; what is answered where there is none.
    pub async fn ask(addr: SocketAddr, path: &str, lines: &str) -> Result<WebSocket, String> {
        let socket = in_time("a connection", TcpStream::connect(addr)).await.expect("the gateway listens");
        WebSocket::over(socket, path, lines).await
    }

    /// The same over a socket that is there.
    pub async fn over(
        socket: impl AsyncRead + AsyncWrite + Debug + Send + Unpin + 'static,
        path: &str,
        lines: &str,
    ) -> Result<WebSocket, String> {
        let mut open = WebSocket { socket: Box::new(socket), unread: Vec::new() };
        open.write(format!("GET {path} HTTP/1.1\r\nhost: shop.example\r\n{UPGRADE}{lines}\r\n")).await;
        let end = loop {
            if let Some(end) = open.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            assert!(open.more().await, "the connection ended within a head");
        };
        let head: Vec<u8> = open.unread.drain(..end).collect();
        let head = String::from_utf8(head).expect("a head in ASCII");
        if head.starts_with("HTTP/1.1 101 ") && head.contains(ACCEPT) { Ok(open) } else { Err(head) }
    }

    /// Writes bytes as they are.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        in_time("writing", self.socket.write_all(bytes.as_ref())).await.expect("the gateway reads");
    }

    /// Sends a frame with a mask.
    pub async fn send(&mut self, Frame(first, payload): Frame) {
        self.write(frame(first, &payload)).await;
    }

    /// Sends a text.
    pub async fn say(&mut self, text: &str) {
        self.send(Frame::text(text)).await;
    }

    /// The next frame; none at the connection's end.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((head, length)) = self.head()
                && self.unread.len() >= head + length
            {
                let first = self.unread[0];
                let payload = self.unread[head..head + length].to_owned();
                self.unread.drain(..head + length);
                return Some(Frame(first, payload));
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// The texts that come until it is closed, and with which frame.
    pub async fn rest(&mut self) -> (Vec<String>, Option<Frame>) {
        let mut texts = Vec::new();
        loop {
            match self.next().await {
                Some(Frame(0x81, text)) => texts.push(String::from_utf8(text).expect("a text in UTF-8")),
                Some(Frame(0x89 | 0x8a, _)) => {}
                other => return (texts, other),
            }
        }
    }

    /// Whether its connection has ended with nothing more to read.
    pub async fn ended(&mut self) -> bool {
        self.unread.is_empty() && !self.more().await
    }

    /// The lengths of the head and of what is in the frame that has begun.
    fn head(&self) -> Option<(usize, usize)> {
        let second = *self.unread.get(1)?;
        assert_eq!(second & 0x80, 0, "a server masks nothing");
        let wide = match second {
            126 => 2,
            127 => 8,
            short => return Some((2, usize::from(short))),
        };
        let length = self.unread.get(2..2 + wide)?;
        Some((2 + wide, length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))))
    }

    async fn more(&mut self) -> bool {
        let read = in_time("a frame", self.socket.read_buf(&mut self.unread)).await;
        read.unwrap_or(0) > 0
    }
}

/// A frame with a mask.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut out = vec![first];
    match payload.len() {
        length @ 0..=125 => out.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            out.push(0xfe);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(0xff);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend(mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    out
}

async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}
