//! A listening socket for clients, TCP or Unix: bound anew or taken over, and what it accepts.

use super::BACKLOG;
use crate::config::{ListenAddress, ListenerSettings};
use crate::privilege::Ports;
use crate::stream::Stream;
use crate::unix_socket::{self, Access};
use nix::unistd::Group;
use rustix::net::{SocketFlags, accept_with};
use socket2::SockRef;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;

/// A socket of no runtime, which does not wait in accepts.
pub enum Socket {
    /// Over the network.
    Tcp(TcpListener),
    /// Within the machine.
    Unix(UnixListener),
}

/// A socket of a runtime.
pub(super) enum AsyncSocket {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

impl Socket {
    /// Listens where the settings say.
    pub(super) fn bind(settings: &ListenerSettings, ports: &Ports) -> io::Result<Socket> {
        match &settings.address {
            ListenAddress::Tcp(addr) => ports.bind(addr, bind_tcp).map(Socket::Tcp),
            ListenAddress::Unix(path) => {
                unix_socket::listen(path, access(settings)?, BACKLOG).map(Socket::Unix)
            }
            ListenAddress::Abstract(name) => {
                unix_socket::listen_at(&unix_socket::abstract_address(name)?, BACKLOG).map(Socket::Unix)
            }
        }
    }

    /// One that another process has bound to that address.
    pub(super) fn taken(address: &ListenAddress, socket: OwnedFd) -> Socket {
        match address {
            ListenAddress::Tcp(_) => Socket::Tcp(socket.into()),
            ListenAddress::Unix(_) | ListenAddress::Abstract(_) => Socket::Unix(socket.into()),
        }
    }

    /// Its IP address with the port that the system has chosen; none of a Unix socket.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match self {
            Socket::Tcp(listener) => listener.local_addr().ok(),
            Socket::Unix(_) => None,
        }
    }

    /// Accepts no longer wait from here on.
    pub(super) fn do_not_wait(&self) -> io::Result<()> {
        match self {
            Socket::Tcp(listener) => listener.set_nonblocking(true),
            Socket::Unix(listener) => listener.set_nonblocking(true),
        }
    }

    /// What has been accepted by the kernel; an error where nothing has.
    pub(super) fn accept(&self) -> io::Result<Stream> {
        match self {
            Socket::Tcp(listener) => listener.accept().map(|(stream, _)| Stream::Tcp(stream)),
            Socket::Unix(listener) => listener.accept().map(|(stream, _)| Stream::Unix(stream)),
        }
    }

    /// The socket in the calling runtime.
    pub(super) fn into_async(self) -> io::Result<AsyncSocket> {
        Ok(match self {
            Socket::Tcp(listener) => AsyncSocket::Tcp(tokio::net::TcpListener::from_std(listener)?),
            Socket::Unix(listener) => AsyncSocket::Unix(tokio::net::UnixListener::from_std(listener)?),
        })
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Tcp(listener) => listener.as_fd(),
            Socket::Unix(listener) => listener.as_fd(),
        }
    }
}

impl AsyncSocket {
    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<Stream> {
        match self {
            AsyncSocket::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.into_std().map(Stream::Tcp)
            }
            AsyncSocket::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.into_std().map(Stream::Unix)
            }
        }
    }

    /// What the kernel has accepted, if anything; without the runtime, which needs a descriptor more.
    pub(super) fn accept_now(&self) -> Option<Stream> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        match self {
            AsyncSocket::Tcp(listener) => {
                accept_with(listener, flags).ok().map(|socket| Stream::Tcp(socket.into()))
            }
            AsyncSocket::Unix(listener) => {
                accept_with(listener, flags).ok().map(|socket| Stream::Unix(socket.into()))
            }
        }
    }

    /// The socket of no runtime.
    pub(super) fn into_std(self) -> io::Result<Socket> {
        Ok(match self {
            AsyncSocket::Tcp(listener) => Socket::Tcp(listener.into_std()?),
            AsyncSocket::Unix(listener) => Socket::Unix(listener.into_std()?),
        })
    }
}

/// Listens at an IP address and a port.
pub(super) fn bind_tcp(addr: &SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(addr)?;
    // The standard library asks for 128, which a burst of new connections overruns.
    SockRef::from(&listener).listen(BACKLOG)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Who may connect to a Unix socket.
///
/// # Errors
///
/// The system has no such group.
pub(super) fn access(settings: &ListenerSettings) -> io::Result<Access> {
    let number = |name: &String| match name.parse() {
        Ok(number) => Ok(number),
        Err(_) => match Group::from_name(name)? {
            Some(group) => Ok(group.gid.as_raw()),
            None => Err(io::Error::new(ErrorKind::InvalidInput, format!("there is no group `{name}`"))),
        },
    };
    Ok(Access { mode: settings.mode, group: settings.group.as_ref().map(number).transpose()? })
}
