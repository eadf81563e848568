//! The process's listening sockets: those that its settings name, taken over from the gateway before it or bound anew.

mod accept;

pub use accept::accept;

use crate::config::Settings;
use crate::upgrade::{Name, Predecessor};
use socket2::SockRef;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;

/// Connections that may wait in the kernel to be accepted; it may have a lower bound of its own (net.core.somaxconn).
const BACKLOG: i32 = 4096;

/// All of them.
pub struct Listeners {
    /// For clients.
    pub http: Vec<TcpListener>,
    /// For the operator.
    pub admin: TcpListener,
    /// For a successor; none where it cannot be had and nobody has asked for it by name.
    pub upgrade: Option<UnixListener>,
    /// The same sockets once more, by the names under which a successor finds them.
    pub offered: Vec<(String, OwnedFd)>,
}

impl Listeners {
    /// Opens what the settings name; what is there already is taken from `before`.
    ///
    /// # Errors
    ///
    /// For whoever started us: the address, what is wrong with it, what may help.
    pub fn open(
        settings: &Settings,
        name: &Name,
        mut before: Option<&mut Predecessor>,
    ) -> Result<Self, String> {
        let mut offered = Vec::new();
        let mut open = |addr: &SocketAddr, section| {
            let taken = before.as_mut().and_then(|before| before.tcp(addr));
            let socket =
                taken.map_or_else(|| bind(addr), Ok).map_err(|error| explain(addr, section, &error))?;
            offered.push((format!("tcp {addr}"), again(&socket)?));
            Ok::<_, String>(socket)
        };
        let http =
            settings.server.listen.iter().map(|addr| open(addr, "server")).collect::<Result<_, _>>()?;
        let admin = open(&settings.admin.listen, "admin")?;
        let upgrade = match before.and_then(|before| before.unix(name)) {
            Some(taken) => Some(taken),
            None => bind_upgrade(settings, name)?,
        };
        if let Some(socket) = &upgrade {
            offered.push((format!("unix {name}"), again(socket)?));
        }
        Ok(Listeners { http, admin, upgrade, offered })
    }

    /// Offers something else to a successor as well.
    ///
    /// # Errors
    ///
    /// For whoever started us: there is no descriptor left.
    pub fn offer(&mut self, name: String, what: &impl AsFd) -> Result<(), String> {
        self.offered.push((name, again(what)?));
        Ok(())
    }
}

fn again(socket: &impl AsFd) -> Result<OwnedFd, String> {
    socket.as_fd().try_clone_to_owned().map_err(|error| format!("error: a socket cannot be kept: {error}"))
}

fn bind(addr: &SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(addr)?;
    // The standard library asks for 128, which a burst of new connections overruns.
    SockRef::from(&listener).listen(BACKLOG)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn explain(addr: &SocketAddr, section: &str, error: &io::Error) -> String {
    let help = match error.kind() {
        ErrorKind::AddrInUse => {
            format!("see who has it: ss -ltnp 'sport = :{}'; or", addr.port())
        }
        ErrorKind::AddrNotAvailable => "this machine has no such address;".to_owned(),
        ErrorKind::PermissionDenied => {
            "ports below 1024 need the capability CAP_NET_BIND_SERVICE; or".to_owned()
        }
        _ => String::new(),
    };
    let help = format!("{help} set `listen` in [{section}] of gateway.toml to another");
    format!("error: cannot listen on {addr}: {error}\n |\n = help: {}", help.trim_start())
}

/// A gateway without an upgrade socket serves as well as any: only whoever has named one is told by an error.
fn bind_upgrade(settings: &Settings, name: &Name) -> Result<Option<UnixListener>, String> {
    let bound = name.bind().and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    match bound {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if settings.upgrade.socket.is_some() => Err(format!(
            "error: cannot listen on {name}: {error}\n |\n = help: set `socket` in [upgrade] of gateway.toml to another"
        )),
        Err(error) => {
            tracing::warn!(%error, socket = %name, "cannot be upgraded in place");
            Ok(None)
        }
    }
}
