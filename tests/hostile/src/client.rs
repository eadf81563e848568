//! A connection to a server of HTTP/2: bytes go out as they are given, and what comes is read all the while.

use crate::frame::{Frame, PREFACE};
use crate::heard::Heard;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// [`Client::patience`] of tests. Long, because the machine may be slow; never used as a measure.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a connection's socket can do, TCP or TLS.
pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// A connection.
pub struct Client {
    reader: ReadHalf<Box<dyn Socket>>,
    writer: WriteHalf<Box<dyn Socket>>,
    unread: Vec<u8>,
    /// How long anything may take that is waited for.
    pub patience: Duration,
    /// What the server has said.
    pub heard: Heard,
}

impl Client {
    /// Connects, and says nothing.
    pub async fn connect(server: SocketAddr) -> io::Result<Client> {
        let socket = TcpStream::connect(server).await?;
        socket.set_nodelay(true)?;
        Ok(Client::over(Box::new(socket)))
    }

    /// The same over a socket that is connected.
    pub fn over(socket: Box<dyn Socket>) -> Client {
        let (reader, writer) = tokio::io::split(socket);
        Client { reader, writer, unread: Vec::new(), patience: PATIENCE, heard: Heard::default() }
    }

    /// Connects, and exchanges settings with the server.
    pub async fn open(server: SocketAddr, settings: &[(u16, u32)]) -> io::Result<Client> {
        let mut client = Client::connect(server).await?;
        client.greet(settings).await;
        Ok(client)
    }

    /// Exchanges settings.
    pub async fn greet(&mut self, settings: &[(u16, u32)]) {
        self.send(PREFACE).await;
        self.send(&Frame::settings(settings).bytes()).await;
        self.wait(|heard| heard.settings_frames > 0 && heard.settings_acks > 0).await;
        self.send(&Frame::settings_ack().bytes()).await;
    }

    /// Sends bytes, unless the server ends the connection before it has read them, which is noted.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.heard.sent(bytes);
        let mut rest = bytes;
        while !rest.is_empty() && !self.heard.ended {
            tokio::select! {
                written = self.writer.write(rest) => match written {
                    Ok(length) if length > 0 => rest = &rest[length..],
                    // What the server has said before can still be read.
                    _ => return,
                },
                come = self.reader.read_buf(&mut self.unread) => self.come(come),
            }
        }
        let _ = self.writer.flush().await;
    }

    /// Says that nothing more is sent.
    pub async fn finish(&mut self) {
        let _ = self.writer.shutdown().await;
    }

    /// Listens until that is so, or the connection has ended; whether it is so.
    pub async fn wait(&mut self, until: impl Fn(&Heard) -> bool) -> bool {
        let patience = self.patience;
        let listen = async {
            while !until(&self.heard) && !self.heard.ended {
                self.listen().await;
            }
        };
        let _ = timeout(patience, listen).await;
        until(&self.heard)
    }

    /// Listens to what comes next.
    pub async fn listen(&mut self) {
        let come = self.reader.read_buf(&mut self.unread).await;
        self.come(come);
    }

    fn come(&mut self, come: io::Result<usize>) {
        self.heard.ended |= come.unwrap_or(0) == 0;
        let mut at = 0;
        while let Some((frame, length)) = Frame::parse(&self.unread[at..]) {
            at += length;
            self.heard.take(frame);
        }
        self.unread.drain(..at);
    }
}
