//! Sockets that come from whoever started the process, as systemd passes those of a socket unit (sd_listen_fds(3)).
//!
//! They are not ours: systemd binds them, keeps them over restarts, and removes the files of Unix sockets. A listener is served with the
//! socket that has its address, or else its id as name. A socket that no listener names is an error, because its clients would wait for
//! ever.

use super::socket::Socket;
use crate::config::{ListenAddress, ListenerSettings};
use listenfd::ListenFd;
use rustix::net::sockopt::socket_acceptconn;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;

/// The number of the first descriptor.
const FIRST: usize = 3;

/// More than anybody passes.
const MOST: usize = 1024;

/// The sockets that no listener has taken yet.
#[derive(Default)]
pub(super) struct Passed(Vec<PassedSocket>);

struct PassedSocket {
    /// `FileDescriptorName=` of its unit; by default the unit's own name.
    name: String,
    address: ListenAddress,
    socket: Socket,
}

impl Passed {
    /// Those that were passed to this process. They are asked for once: the environment's words for them are removed.
    ///
    /// # Errors
    ///
    /// For whoever started us: what was passed is no listening socket.
    pub(super) fn to_this_process() -> Result<Passed, String> {
        let variable = |name| std::env::var(name).unwrap_or_default();
        if variable("LISTEN_PID") != std::process::id().to_string() {
            return Ok(Passed::default());
        }
        let count = variable("LISTEN_FDS").parse().unwrap_or(0);
        if count > MOST {
            return Err(format!(
                "error: {count} sockets are passed to the gateway (LISTEN_FDS): at most {MOST} may be"
            ));
        }
        let names = variable("LISTEN_FDNAMES");
        let mut descriptors = ListenFd::from_env();
        let names = names.split(':').chain(std::iter::repeat(""));
        let passed = (0..count).zip(names).map(|(at, name)| {
            PassedSocket::take(&mut descriptors, at, name).map_err(|error| {
                format!(
                    "error: descriptor {} (`{name}`), which is passed to the gateway, cannot be served: {error}\n |\n = help: \
                     a socket unit passes TCP and Unix stream sockets: ListenStream=, and Accept=no",
                    FIRST + at
                )
            })
        });
        passed.collect::<Result<_, _>>().map(Passed)
    }

    /// The socket for that listener, if there is one.
    pub(super) fn take(&mut self, listener: &ListenerSettings) -> Option<Socket> {
        let is_tcp = |address: &ListenAddress| matches!(address, ListenAddress::Tcp(_));
        let named =
            |one: &PassedSocket| one.name == listener.id && is_tcp(&one.address) == is_tcp(&listener.address);
        let by_address = self.0.iter().position(|one| one.address == listener.address);
        let at = by_address.or_else(|| self.0.iter().position(named))?;
        Some(self.0.swap_remove(at).socket)
    }

    /// The TCP socket of that address, if there is one.
    pub(super) fn take_tcp(&mut self, addr: &SocketAddr) -> Option<TcpListener> {
        let at = self.0.iter().position(|one| one.address == ListenAddress::Tcp(*addr))?;
        match self.0.swap_remove(at).socket {
            Socket::Tcp(listener) => Some(listener),
            Socket::Unix(_) => None,
        }
    }

    /// Checks that none is left.
    ///
    /// # Errors
    ///
    /// For whoever started us: which one nobody serves.
    pub(super) fn are_all_taken(&self) -> Result<(), String> {
        let Some(PassedSocket { name, address, .. }) = self.0.first() else { return Ok(()) };
        Err(format!(
            "error: the socket at {address} (`{name}`) is passed to the gateway, and no listener serves it\n |\n = help: add a \
             listener with this address, or with the id `{name}`, to gateway.toml; or remove it from the socket unit"
        ))
    }
}

impl PassedSocket {
    fn take(descriptors: &mut ListenFd, at: usize, name: &str) -> io::Result<PassedSocket> {
        let missing = || io::Error::other("it is not there");
        let (socket, address) = match descriptors.take_tcp_listener(at) {
            Ok(listener) => {
                let listener = listener.ok_or_else(missing)?;
                let address = ListenAddress::Tcp(listener.local_addr()?);
                (Socket::Tcp(listener), address)
            }
            Err(_) => {
                let listener = descriptors.take_unix_listener(at)?.ok_or_else(missing)?;
                let address = unix_address(&listener)?;
                (Socket::Unix(listener), address)
            }
        };
        if !socket_acceptconn(&socket)? {
            return Err(io::Error::other("it does not listen"));
        }
        socket.do_not_wait()?;
        Ok(PassedSocket { name: name.to_owned(), address, socket })
    }
}

/// The address of a Unix socket, as the settings name it.
fn unix_address(listener: &UnixListener) -> io::Result<ListenAddress> {
    let address = listener.local_addr()?;
    if let Some(path) = address.as_pathname() {
        return Ok(ListenAddress::Unix(path.to_owned()));
    }
    let name = abstract_name(&address).ok_or_else(|| io::Error::other("it has no address"))?;
    Ok(ListenAddress::Abstract(std::ffi::OsStr::from_bytes(&name).to_string_lossy().into_owned()))
}

#[cfg(target_os = "linux")]
fn abstract_name(address: &std::os::unix::net::SocketAddr) -> Option<Vec<u8>> {
    use std::os::linux::net::SocketAddrExt;
    address.as_abstract_name().map(<[u8]>::to_vec)
}

#[cfg(not(target_os = "linux"))]
fn abstract_name(_: &std::os::unix::net::SocketAddr) -> Option<Vec<u8>> {
    None
}
