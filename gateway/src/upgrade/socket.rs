//! Where a gateway can be asked for its listening sockets.
//!
//! By default in the abstract namespace, under a name made of the user and the admin address: it leaves no file behind
//! that could be stale, needs no folder, and is as unique as the port it names, because that namespace is the network's.
//! Anybody may connect to such a socket; whoever is of another user is sent away (see `channel`).

use crate::config::Settings;
use crate::unix_socket::{self, Access};
use std::fmt;
use std::io;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::Path;

/// It is for the gateway's own user.
const OWN: Access = Access { mode: 0o600, group: None };

/// Successors that may wait to be heard.
const BACKLOG: i32 = 128;

/// The name of an upgrade socket: `@` and a name in the abstract namespace, or a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name(String);

impl Name {
    /// The one that `--upgrade=SOCKET` gives.
    pub fn given(name: &str) -> Name {
        Name(name.to_owned())
    }

    /// The one of a gateway with those settings.
    pub fn of(settings: &Settings) -> Name {
        let user = rustix::process::geteuid().as_raw();
        let auto = || format!("@callgate-{user}-{}", settings.admin.listen);
        Name(settings.upgrade.socket.clone().unwrap_or_else(auto))
    }

    /// Connects to whoever listens there.
    pub(super) fn connect(&self) -> io::Result<UnixStream> {
        UnixStream::connect_addr(&self.address()?)
    }

    /// Listens there, without waiting in accepts. A socket that nobody listens at any more is in nobody's way.
    ///
    /// # Errors
    ///
    /// Those of [`unix_socket::listen`].
    pub fn bind(&self) -> io::Result<UnixListener> {
        match self.path() {
            Some(path) => unix_socket::listen(Path::new(path), OWN, BACKLOG),
            None => unix_socket::listen_at(&self.address()?, BACKLOG),
        }
    }

    fn path(&self) -> Option<&str> {
        (!self.0.starts_with('@')).then_some(&self.0)
    }

    fn address(&self) -> io::Result<SocketAddr> {
        match self.0.strip_prefix('@') {
            Some(name) => unix_socket::abstract_address(name),
            None => SocketAddr::from_pathname(&self.0),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::Folder;
    use std::io::ErrorKind;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_stale_socket_is_replaced_and_other_files_are_not() {
        let folder = Folder::new();
        let path = folder.path("upgrade.sock");
        let name = Name::given(&path.display().to_string());
        let first = name.bind().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(name.bind().unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(first);
        assert_eq!(name.connect().unwrap_err().kind(), ErrorKind::ConnectionRefused);
        name.bind().unwrap();
        std::fs::remove_file(&path).unwrap();
        folder.write("upgrade.sock", "not even a socket");
        assert_eq!(name.bind().unwrap_err().kind(), ErrorKind::AlreadyExists);
    }
}
