//! Where a gateway can be asked for its listening sockets.
//!
//! By default in the abstract namespace, under a name made of the user and the admin address: it leaves no file behind
//! that could be stale, needs no folder, and is as unique as the port it names, because that namespace is the network's.
//! Anybody may connect to such a socket; whoever is of another user is sent away (see `channel`).

use crate::config::Settings;
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

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

    /// Listens there. A file that nobody listens at any more is in nobody's way.
    ///
    /// # Errors
    ///
    /// The system's; [`ErrorKind::AddrInUse`] where somebody listens.
    pub fn bind(&self) -> io::Result<UnixListener> {
        let bound = UnixListener::bind_addr(&self.address()?);
        let bound = match (bound, self.path()) {
            (Err(error), Some(path)) if error.kind() == ErrorKind::AddrInUse => {
                if self.connect().is_ok() {
                    return Err(error);
                }
                std::fs::remove_file(path)?;
                UnixListener::bind(path)
            }
            (bound, _) => bound,
        }?;
        if let Some(path) = self.path() {
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o600))?;
        }
        Ok(bound)
    }

    fn path(&self) -> Option<&str> {
        (!self.0.starts_with('@')).then_some(&self.0)
    }

    fn address(&self) -> io::Result<SocketAddr> {
        match self.0.strip_prefix('@') {
            Some(name) => abstract_address(name),
            None => SocketAddr::from_pathname(&self.0),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An address in the abstract namespace.
#[cfg(target_os = "linux")]
pub(super) fn abstract_address(name: &str) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name)
}

/// An address in the abstract namespace.
#[cfg(not(target_os = "linux"))]
pub(super) fn abstract_address(_: &str) -> io::Result<SocketAddr> {
    Err(io::Error::new(ErrorKind::Unsupported, "abstract socket names are Linux's alone; name a path"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::Folder;

    #[test]
    fn a_stale_file_is_replaced_and_a_living_one_is_not() {
        let folder = Folder::new();
        let path = folder.write("upgrade.sock", "not even a socket");
        let name = Name::given(&path.display().to_string());
        let first = name.bind().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(name.bind().unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(first);
        assert_eq!(name.connect().unwrap_err().kind(), ErrorKind::ConnectionRefused);
        name.bind().unwrap();
    }
}
