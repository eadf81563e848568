//! The socket of a connection, TCP or Unix, perhaps with TLS over it, whether a client has connected or an instance is connected to.
//! What can be said of one kind only is done here.

use rustix::net::RecvFlags;
use socket2::SockRef;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{IpAddr, Shutdown};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use tokio_rustls::TlsStream;

/// What the kernel holds of an answer that was not sent yet, in bytes; and up to 64 KiB more, since it takes whole packets.
const HELD_BACK: u32 = 32 * 1024;

/// A socket of no runtime.
#[derive(Debug)]
pub enum Stream {
    /// Over the network.
    Tcp(std::net::TcpStream),
    /// Within the machine.
    Unix(std::os::unix::net::UnixStream),
}

/// A socket of a runtime.
#[derive(Debug)]
pub enum AsyncStream {
    /// Over the network.
    Tcp(tokio::net::TcpStream),
    /// Within the machine.
    Unix(tokio::net::UnixStream),
    /// Encrypted, over one of these.
    Tls(Box<TlsStream<AsyncStream>>),
}

impl Stream {
    /// The socket in the calling runtime.
    pub fn into_async(self) -> io::Result<AsyncStream> {
        Ok(match self {
            Stream::Tcp(stream) => AsyncStream::Tcp(tokio::net::TcpStream::from_std(stream)?),
            Stream::Unix(stream) => AsyncStream::Unix(tokio::net::UnixStream::from_std(stream)?),
        })
    }

    /// Has calls return at once that would wait.
    pub fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.set_nonblocking(true),
            Stream::Unix(stream) => stream.set_nonblocking(true),
        }
    }

    /// The other end's address, as that of an [`AsyncStream`].
    pub fn peer(&self) -> Option<IpAddr> {
        match self {
            Stream::Tcp(stream) => stream.peer_addr().ok().map(|addr| addr.ip().to_canonical()),
            Stream::Unix(_) => None,
        }
    }

    /// Has small answers sent at once.
    pub fn do_not_delay(&self) {
        if let Stream::Tcp(stream) = self {
            let _ = stream.set_nodelay(true);
        }
    }

    /// Says that nothing more will be written.
    pub fn end_writing(&self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(bytes),
            Stream::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncStream {
    /// The other end's address: an IPv4 address as such, whatever kind of socket it came by. That of a Unix socket is not known.
    pub fn peer(&self) -> Option<IpAddr> {
        match self {
            AsyncStream::Tcp(stream) => stream.peer_addr().ok().map(|addr| addr.ip().to_canonical()),
            AsyncStream::Unix(_) => None,
            AsyncStream::Tls(stream) => stream.get_ref().0.peer(),
        }
    }

    /// The user of the process at the other end of a Unix socket, as it was when that connected. A process of another user namespace may
    /// have none here.
    pub fn user(&self) -> Option<u32> {
        match self {
            AsyncStream::Unix(stream) => stream.peer_cred().ok().map(|peer| peer.uid()),
            AsyncStream::Tcp(_) | AsyncStream::Tls(_) => None,
        }
    }

    /// Has the kernel hold back no more than it needs to keep sending, so that what a client has read is seen soon.
    pub fn hold_back_little(&self) {
        let socket = SockRef::from(self);
        let told = match self {
            AsyncStream::Tcp(_) => socket.set_tcp_notsent_lowat(HELD_BACK),
            // The whole buffer: it takes bytes again when three quarters of it were read.
            AsyncStream::Unix(_) => socket.set_send_buffer_size(2 * HELD_BACK as usize),
            AsyncStream::Tls(stream) => return stream.get_ref().0.hold_back_little(),
        };
        // Without, the steps are larger, and a slow client may be taken for one that does not read.
        if let Err(error) = told {
            tracing::debug!(%error, "the kernel cannot be told how much of an answer to hold back");
        }
    }

    /// Has the connection be reset when it is closed, so that what the kernel still has for it is freed at once. A Unix socket's bytes
    /// are with the other end already.
    pub fn reset_at_close(&self) {
        match self {
            AsyncStream::Tcp(stream) => drop(stream.set_zero_linger()),
            AsyncStream::Unix(_) => {}
            AsyncStream::Tls(stream) => stream.get_ref().0.reset_at_close(),
        }
    }

    /// What was agreed on in the TLS handshake to be spoken within.
    pub fn alpn(&self) -> Option<&[u8]> {
        match self {
            AsyncStream::Tls(stream) => stream.get_ref().1.alpn_protocol(),
            _ => None,
        }
    }

    /// Waits until the first bytes tell what is asked of them, and leaves them where they are. So many of them tell in any case.
    ///
    /// # Errors
    /// The stream has ended before: `ConnectionAborted` without a byte, `UnexpectedEof` otherwise.
    pub async fn peek_until<const MOST: usize, T>(&self, ask: impl Fn(&[u8]) -> Option<T>) -> io::Result<T> {
        let mut bytes = [0; MOST];
        loop {
            let ready = match self {
                AsyncStream::Tcp(stream) => stream.ready(Interest::READABLE).await?,
                AsyncStream::Unix(stream) => stream.ready(Interest::READABLE).await?,
                // What comes before TLS was taken before.
                AsyncStream::Tls(_) => return Err(ErrorKind::Unsupported.into()),
            };
            let mut there = 0;
            // As long as they do not tell, there is nothing to be read: more must come.
            let look = || {
                let (read, _) = rustix::net::recv(self, &mut bytes, RecvFlags::PEEK)?;
                there = read;
                ask(&bytes[..read]).ok_or(ErrorKind::WouldBlock.into())
            };
            let asked = match self {
                AsyncStream::Tcp(stream) => stream.try_io(Interest::READABLE, look),
                AsyncStream::Unix(stream) => stream.try_io(Interest::READABLE, look),
                AsyncStream::Tls(_) => return Err(ErrorKind::Unsupported.into()),
            };
            match asked {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if ready.is_read_closed() {
                        let kind =
                            if there == 0 { ErrorKind::ConnectionAborted } else { ErrorKind::UnexpectedEof };
                        return Err(kind.into());
                    }
                }
                asked => return asked,
            }
        }
    }

    /// Waits until something can be read, if only the end or an error. With TLS it may turn out to be no data.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            AsyncStream::Tcp(stream) => stream.poll_read_ready(cx),
            AsyncStream::Unix(stream) => stream.poll_read_ready(cx),
            // What is decrypted already, or the end, is no longer in the socket.
            AsyncStream::Tls(stream) if !stream.get_ref().1.wants_read() => Poll::Ready(Ok(())),
            AsyncStream::Tls(stream) => stream.get_ref().0.poll_read_ready(cx),
        }
    }

    /// Whether the other end sends nothing more behind what is unread, and whether it has gone, as far as the runtime has heard.
    pub fn has_closed(&self) -> (bool, bool) {
        let both = Interest::READABLE | Interest::WRITABLE;
        let ready = match self {
            AsyncStream::Tcp(stream) => now(stream.ready(both)),
            AsyncStream::Unix(stream) => now(stream.ready(both)),
            AsyncStream::Tls(stream) => return stream.get_ref().0.has_closed(),
        };
        (ready.is_read_closed(), ready.is_write_closed())
    }

    /// Whether something can be read, of which the runtime may not have heard yet.
    pub fn has_come(&self) -> bool {
        if let AsyncStream::Tls(stream) = self
            && !stream.get_ref().1.wants_read()
        {
            return true;
        }
        self.peek().is_ok_and(|first| first.is_some())
    }

    /// The first byte that can be read of the socket, which stays there; `None` at the end.
    pub fn peek(&self) -> io::Result<Option<u8>> {
        let mut first = [0];
        let read = rustix::net::recv(self, &mut first, RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
        Ok((read.0 > 0).then_some(first[0]))
    }

    /// Says with TLS that all was said, as far as that can be said without waiting; whoever does not hear it takes the connection for
    /// one that was cut (RFC 8446, 6.1). The end of a plain socket says so by itself.
    pub fn say_the_end(&mut self) {
        if let AsyncStream::Tls(stream) = self {
            let _ = Pin::new(&mut **stream).poll_shutdown(&mut Context::from_waker(Waker::noop()));
        }
    }
}

/// What is known of a socket at the moment.
fn now(ready: impl Future<Output = io::Result<Ready>>) -> Ready {
    match pin!(ready).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(ready)) => ready,
        _ => Ready::EMPTY,
    }
}

impl AsFd for AsyncStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            AsyncStream::Tcp(stream) => stream.as_fd(),
            AsyncStream::Unix(stream) => stream.as_fd(),
            AsyncStream::Tls(stream) => stream.get_ref().0.as_fd(),
        }
    }
}

impl AsyncRead for AsyncStream {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            AsyncStream::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            AsyncStream::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
            AsyncStream::Tls(stream) => Pin::new(&mut **stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for AsyncStream {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            AsyncStream::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            AsyncStream::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            AsyncStream::Tls(stream) => Pin::new(&mut **stream).poll_write(cx, bytes),
        }
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            AsyncStream::Tcp(_) | AsyncStream::Unix(_) => Poll::Ready(Ok(())),
            AsyncStream::Tls(stream) => Pin::new(&mut **stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            AsyncStream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            AsyncStream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            AsyncStream::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            AsyncStream::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
            AsyncStream::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
            AsyncStream::Tls(stream) => Pin::new(&mut **stream).poll_write_vectored(cx, buffers),
        }
    }
}
