//! The process's listening sockets: those that its settings name, taken over from the gateway before it or bound anew.
//!
//! ```text
//! mod         all of them, and how a successor finds them
//! activation  those that systemd passes
//! socket      one for clients: TCP or Unix
//! files       the files of Unix sockets: who removes them
//! accept      from the socket to a worker, or to a refusal
//! ```

mod accept;
mod activation;
mod files;
mod socket;

pub use accept::accept;
pub use files::SocketFiles;
pub use socket::Socket;

use crate::config::{ListenAddress, ListenerSettings, Settings};
use crate::privilege::Ports;
use crate::upgrade::{Name, Predecessor};
use activation::Passed;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;

/// Connections that may wait in the kernel to be accepted; it may have a lower bound of its own (net.core.somaxconn).
const BACKLOG: i32 = 4096;

/// The kind, among what a successor is offered, of Unix sockets for clients.
const UNIX_KIND: &str = "http";

/// The same of Unix sockets that were passed to the process, whose files are not its own.
const PASSED_KIND: &str = "passed";

/// All of them.
pub struct Listeners {
    /// For clients, in the order of the settings.
    pub http: Vec<Socket>,
    /// For the operator.
    pub admin: TcpListener,
    /// For a successor; none where it cannot be had and nobody has asked for it by name.
    pub upgrade: Option<UnixListener>,
    /// The files of those for clients.
    pub files: SocketFiles,
    /// The same sockets once more, by the names under which a successor finds them.
    pub offered: Vec<(String, OwnedFd)>,
}

impl Listeners {
    /// Opens what the settings name; what is there already is taken from `before`, or from whoever started the process. What is to
    /// be bound below port 1024, `ports` binds.
    ///
    /// # Errors
    ///
    /// For whoever started us: the address, what is wrong with it, what may help.
    pub fn open(
        settings: &Settings,
        name: &Name,
        ports: &Ports,
        mut before: Option<&mut Predecessor>,
    ) -> Result<Self, String> {
        let mut passed = Passed::to_this_process()?;
        let mut take = |name: &str| before.as_mut().and_then(|before| before.take(name));
        let (mut offered, mut files, mut http) = (Vec::new(), SocketFiles::default(), Vec::new());
        for listener in &settings.listeners {
            let (name, passed_name) = (offered_as(&listener.address), passed_as(&listener.address));
            let (name, socket) = if let Some(taken) = take(&name) {
                files.taken(listener);
                (name, Socket::taken(&listener.address, taken))
            } else if let Some(taken) = take(&passed_name) {
                (passed_name, Socket::taken(&listener.address, taken))
            } else if let Some(socket) = passed.take(listener) {
                (passed_name, socket)
            } else {
                let socket = Socket::bind(listener, ports).map_err(|error| explain(listener, &error))?;
                files.bound(listener);
                (name, socket)
            };
            offered.push((name, again(&socket)?));
            http.push(socket);
        }
        let addr = &settings.admin.listen;
        let admin = match take(&format!("tcp {addr}")) {
            Some(taken) => TcpListener::from(taken),
            None => match passed.take_tcp(addr) {
                Some(listener) => listener,
                None => ports
                    .bind(addr, socket::bind_tcp)
                    .map_err(|error| explain_tcp(addr, "[admin]", &error))?,
            },
        };
        passed.are_all_taken()?;
        offered.push((format!("tcp {addr}"), again(&admin)?));
        let upgrade = match take(&format!("unix {name}")) {
            Some(taken) => Some(UnixListener::from(taken)),
            None => bind_upgrade(settings, name)?,
        };
        if let Some(socket) = &upgrade {
            offered.push((format!("unix {name}"), again(socket)?));
        }
        let left = before.map(|before| before.left(UNIX_KIND)).unwrap_or_default();
        files.left(left.iter().filter_map(|address| address.strip_prefix("unix:")).map(Into::into).collect());
        Ok(Listeners { http, admin, upgrade, files, offered })
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

/// The name under which a successor finds the socket of that address.
fn offered_as(address: &ListenAddress) -> String {
    match address {
        ListenAddress::Tcp(addr) => format!("tcp {addr}"),
        ListenAddress::Unix(_) | ListenAddress::Abstract(_) => format!("{UNIX_KIND} {address}"),
    }
}

/// The same of one that was passed to the process: it matters for those that have a file.
fn passed_as(address: &ListenAddress) -> String {
    match address {
        ListenAddress::Tcp(addr) => format!("tcp {addr}"),
        ListenAddress::Unix(_) | ListenAddress::Abstract(_) => format!("{PASSED_KIND} {address}"),
    }
}

fn again(socket: &impl AsFd) -> Result<OwnedFd, String> {
    socket.as_fd().try_clone_to_owned().map_err(|error| format!("error: a socket cannot be kept: {error}"))
}

fn explain(listener: &ListenerSettings, error: &io::Error) -> String {
    let address = &listener.address;
    let help = match (address, error.kind()) {
        (ListenAddress::Tcp(addr), _) => return explain_tcp(addr, "[server]", error),
        (_, ErrorKind::AddrInUse) => {
            format!("see who has it: ss -lxp src '{address}'; or set another `address`")
        }
        (ListenAddress::Unix(path), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
            let folder = path.parent().unwrap_or(path).display().to_string();
            format!("the folder {folder} must be there, and the gateway's user may write it")
        }
        (_, ErrorKind::AlreadyExists) => "remove it, or set another `address`".to_owned(),
        _ => "look at `address`, `mode` and `group` of this listener in gateway.toml".to_owned(),
    };
    format!("error: cannot listen on {address}: {error}\n |\n = help: {help}")
}

fn explain_tcp(addr: &SocketAddr, section: &str, error: &io::Error) -> String {
    let help = match error.kind() {
        ErrorKind::AddrInUse => {
            format!("see who has it: ss -ltnp 'sport = :{}'; or", addr.port())
        }
        ErrorKind::AddrNotAvailable => "this machine has no such address;".to_owned(),
        ErrorKind::PermissionDenied => {
            "ports below 1024 need a socket unit of systemd or the capability CAP_NET_BIND_SERVICE, which a gateway has at its \
             start only: a new one needs a restart and no upgrade in place; or"
                .to_owned()
        }
        _ => String::new(),
    };
    let help = format!("{help} set `listen` in {section} of gateway.toml to another");
    format!("error: cannot listen on {addr}: {error}\n |\n = help: {}", help.trim_start())
}

/// A gateway without an upgrade socket serves as well as any: only whoever has named one is told by an error.
fn bind_upgrade(settings: &Settings, name: &Name) -> Result<Option<UnixListener>, String> {
    match name.bind() {
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
