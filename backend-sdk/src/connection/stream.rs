//! TCP and Unix sockets, and what stands for them in tests, behind one type each, so that the rest does not ask which it is.

use super::memory::Accepting;
use super::{Address, Port};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// A connected socket.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Memory(DuplexStream),
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::TlsStream<TcpStream>>),
}

impl Stream {
    /// The user of the process at the other end of a Unix socket, as the kernel knows it.
    pub(crate) fn user(&self) -> Option<u32> {
        let Stream::Unix(stream) = self else { return None };
        stream.peer_cred().ok().map(|peer| peer.uid())
    }

    pub(crate) async fn connect(address: &Address) -> io::Result<Stream> {
        match address {
            Address::Tcp(host_and_port) => Stream::tcp(TcpStream::connect(host_and_port).await?),
            Address::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
        }
    }

    /// Writes are batched by us; the kernel must not hold them back for more.
    fn tcp(stream: TcpStream) -> io::Result<Stream> {
        stream.set_nodelay(true)?;
        Ok(Stream::Tcp(stream))
    }

    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        let polled = match self {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            Stream::Unix(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            Stream::Memory(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => ended(Pin::new(stream).poll_read(cx, &mut buffer)),
        };
        polled.map_ok(|()| buffer.filled().len())
    }

    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Memory(stream) => Pin::new(stream).poll_write(cx, bytes),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    /// Has what was written leave. A socket holds nothing back; TLS keeps what its socket did not take.
    #[inline]
    pub(crate) fn poll_flush(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Tcp(_) | Stream::Unix(_) | Stream::Memory(_) => Poll::Ready(Ok(())),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => Pin::new(stream).poll_flush(_cx),
        }
    }

    /// Tells the peer that nothing more comes.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Memory(stream) => Pin::new(stream).poll_shutdown(cx),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// A process that was killed says no farewell inside TLS. Frames say themselves where they end, so nothing can be cut off unnoticed,
/// and that is an end as that of a socket. What TLS itself complains of is told in words.
#[cfg(feature = "tls")]
fn ended(polled: Poll<io::Result<()>>) -> Poll<io::Result<()>> {
    polled.map(|read| match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(io::Error::other(callgate_tls::explain(&error)))
        }
        read => read,
    })
}

/// A listening socket. A Unix socket's file goes before its listener (the order of the fields), while it is certainly
/// still ours: a successor may bind the path as soon as nobody listens there.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(SocketFile, UnixListener),
    Memory(Accepting),
}

/// The file of a Unix socket on which this process listens.
#[derive(Debug)]
pub(crate) struct SocketFile(PathBuf);

impl Listener {
    pub(crate) async fn bind(address: &Address) -> io::Result<Listener> {
        match address {
            Address::Tcp(host_and_port) => Ok(Listener::Tcp(TcpListener::bind(host_and_port).await?)),
            Address::Unix(path) => {
                let bound = match UnixListener::bind(path) {
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                        remove_stale(path).await?;
                        UnixListener::bind(path)?
                    }
                    other => other?,
                };
                Ok(Listener::Unix(SocketFile(path.clone()), bound))
            }
        }
    }

    /// One for clients of this process, and where they connect to it.
    pub(crate) fn in_memory() -> (Listener, Port) {
        let (port, accepting) = super::memory::port();
        (Listener::Memory(accepting), port)
    }

    /// The address, with the port that the system has chosen where 0 was given.
    pub(crate) fn address(&self) -> io::Result<Address> {
        match self {
            Listener::Tcp(listener) => Ok(Address::Tcp(listener.local_addr()?.to_string())),
            Listener::Unix(file, _) => Ok(Address::Unix(file.0.clone())),
            Listener::Memory(_) => Err(io::ErrorKind::AddrNotAvailable.into()),
        }
    }

    /// The next connection, and who it is for the logs.
    pub(crate) fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Stream, String)>> {
        match self {
            Listener::Tcp(listener) => listener.poll_accept(cx).map(|accepted| {
                let (stream, peer) = accepted?;
                Ok((Stream::tcp(stream)?, peer.to_string()))
            }),
            Listener::Unix(file, listener) => listener
                .poll_accept(cx)
                .map_ok(|(stream, _)| (Stream::Unix(stream), format!("unix:{}", file.0.display()))),
            // When no client is left, none comes any more.
            Listener::Memory(accepting) => match ready!(accepting.poll_recv(cx)) {
                Some(stream) => Poll::Ready(Ok((Stream::Memory(stream), "in memory".into()))),
                None => Poll::Pending,
            },
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Removes a socket's file that a dead process has left. A file of another kind, and a socket on which somebody
/// listens, stay and are an error.
async fn remove_stale(path: &Path) -> io::Result<()> {
    let in_use = |what: &str| io::Error::new(io::ErrorKind::AddrInUse, what);
    if !std::fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(in_use("a file that is no socket is in the way"));
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        _ => Err(in_use("somebody listens there")),
    }
}
