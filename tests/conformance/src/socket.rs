//! A connection's bytes, with a deadline on every wait.

use crate::frame::{Frame, HEADER};
use crate::verdict::{Step, broken};
use socket2::{Domain, Socket as RawSocket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// The system's buffers of each socket, in bytes. Small, so that what one side does not read the other one cannot write; but
/// several times the largest segment of loopback, or reading on after a pause would wait for the other system's timer.
const SYSTEM_BUFFER: usize = 512 * 1024;

/// Connects.
///
/// # Errors
/// When nobody listens there.
pub fn connect(address: &str) -> io::Result<TcpStream> {
    let (address, socket) = raw(address)?;
    socket.connect(&address.into())?;
    Ok(socket.into())
}

/// Listens.
///
/// # Errors
/// When the address cannot be had.
pub fn listen(address: &str) -> io::Result<TcpListener> {
    let (address, socket) = raw(address)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(128)?;
    Ok(socket.into())
}

fn raw(address: &str) -> io::Result<(SocketAddr, RawSocket)> {
    let mut addresses = address.to_socket_addrs()?;
    let address = addresses.next().ok_or(ErrorKind::AddrNotAvailable)?;
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_recv_buffer_size(SYSTEM_BUFFER)?;
    socket.set_send_buffer_size(SYSTEM_BUFFER)?;
    Ok((address, socket))
}

/// What was read.
#[derive(Debug)]
pub enum Read1 {
    Frame(Frame),
    /// The connection has ended; `true` when it was reset.
    End(bool),
    /// Nothing came in time.
    Nothing,
}

/// A socket, and what was read from it but not yet taken.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    unread: Vec<u8>,
    taken: usize,
    patience: Duration,
}

impl Socket {
    /// Takes a connection over.
    pub fn new(stream: TcpStream, patience: Duration) -> Socket {
        let _ = stream.set_nodelay(true);
        Socket { stream, unread: Vec::new(), taken: 0, patience }
    }

    /// How long is waited for one thing.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Writes everything, whether or not the other side sends something meanwhile.
    pub fn write(&mut self, mut bytes: &[u8]) -> Step {
        let deadline = Instant::now() + self.patience;
        while !bytes.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = self.stream.set_write_timeout(Some(left.max(Duration::from_millis(1))));
            match timeout.and_then(|()| self.stream.write(bytes)) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) => {
                    let seconds = self.patience.as_secs();
                    return broken(format!(
                        "the other side has not read for {seconds} s: {} bytes are left",
                        bytes.len()
                    ));
                }
                Err(error) => return broken(format!("the other side has closed the connection: {error}")),
            }
        }
        Ok(())
    }

    /// Says that nothing more will be written.
    pub fn finish_writing(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
    }

    /// So many bytes, if they come before the deadline.
    pub fn bytes(&mut self, count: usize, deadline: Instant) -> Result<Vec<u8>, Read1> {
        while self.unread.len() - self.taken < count {
            self.more(deadline)?;
        }
        let bytes = self.unread[self.taken..self.taken + count].to_vec();
        self.taken += count;
        Ok(bytes)
    }

    /// The next frame, whatever its length: the rules for frames look at it afterwards.
    pub fn frame(&mut self, deadline: Instant) -> Read1 {
        let read = |socket: &mut Socket| {
            let header = socket.peek_header(deadline)?;
            let length = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
            // A frame that claims too much is not waited for; the rules refuse it by what it claims.
            let bytes = socket.bytes(HEADER + length.min(2 << 20), deadline)?;
            let number = u32::from_le_bytes([header[6], header[7], header[8], header[9]]);
            Ok(Frame { kind: header[4], flags: header[5], number, body: bytes[HEADER..].to_vec() })
        };
        match read(self) {
            Ok(frame) => Read1::Frame(frame),
            Err(other) => other,
        }
    }

    fn peek_header(&mut self, deadline: Instant) -> Result<[u8; HEADER], Read1> {
        while self.unread.len() - self.taken < HEADER {
            self.more(deadline)?;
        }
        let mut header = [0; HEADER];
        header.copy_from_slice(&self.unread[self.taken..self.taken + HEADER]);
        Ok(header)
    }

    fn more(&mut self, deadline: Instant) -> Result<(), Read1> {
        self.unread.drain(..std::mem::take(&mut self.taken));
        let filled = self.unread.len();
        self.unread.resize(filled + CHUNK, 0);
        let read = loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = self.stream.set_read_timeout(Some(left.max(Duration::from_millis(1))));
            match timeout.and_then(|()| self.stream.read(&mut self.unread[filled..])) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.unread.truncate(filled + read.as_ref().copied().unwrap_or(0));
        match read {
            Ok(0) => Err(Read1::End(false)),
            Ok(_) => Ok(()),
            Err(error) if is_timeout(&error) => Err(Read1::Nothing),
            Err(_) => Err(Read1::End(true)),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
