//! One keep-alive connection: at most one request under way, written and read without blocking.

use callgate_bench::message::{Message, Progress};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

/// A connection, and when its request was due.
pub(crate) struct Connection {
    stream: TcpStream,
    due: Option<Instant>,
    unsent: usize,
    answer: Message,
}

/// A request that was answered.
pub(crate) struct Answered {
    /// When it was due.
    pub(crate) due: Instant,
    /// Whether its status was 200.
    pub(crate) ok: bool,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Connection { stream, due: None, unsent: 0, answer: Message::default() })
    }

    /// When the request under way was due.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Begins a request.
    pub(crate) fn send(&mut self, request: &[u8], due: Instant) -> io::Result<()> {
        self.due = Some(due);
        self.unsent = request.len();
        self.write(request)
    }

    /// Goes on with writing and reading as far as the socket lets it.
    pub(crate) fn advance(&mut self, request: &[u8], buffer: &mut [u8]) -> io::Result<Option<Answered>> {
        self.write(request)?;
        loop {
            let size = match self.stream.read(buffer) {
                Ok(0) => {
                    return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server closed a connection"));
                }
                Ok(size) => size,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            };
            // The next bytes come only after the next request, and are told by an event of their own.
            if let Progress::Complete { ok } = self.answer.feed(&buffer[..size])
                && let Some(due) = self.due.take()
            {
                return Ok(Some(Answered { due, ok }));
            }
        }
    }

    fn write(&mut self, request: &[u8]) -> io::Result<()> {
        while self.unsent > 0 {
            match self.stream.write(&request[request.len() - self.unsent..]) {
                Ok(size) => self.unsent -= size,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
