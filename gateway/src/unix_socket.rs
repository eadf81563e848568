//! Listening Unix sockets: their files' access, and what to do about a file that is there already.

use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;

/// Who may connect to a socket: its file's mode and group. The owner is the process's user.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// The permissions.
    pub mode: u32,
    /// The group's number; the process's own without.
    pub group: Option<u32>,
}

impl Access {
    /// Gives the file of that path this access.
    ///
    /// # Errors
    ///
    /// The system's, as a rule because the process does not belong to the group.
    pub fn give(self, path: &Path) -> io::Result<()> {
        fs::set_permissions(path, PermissionsExt::from_mode(self.mode))?;
        if let Some(group) = self.group {
            chown(path, None, Some(group))?;
        }
        Ok(())
    }
}

/// Listens at a path, without waiting in accepts. A socket that nobody listens at any more is in nobody's way and is replaced.
///
/// # Errors
///
/// The system's; [`ErrorKind::AddrInUse`] where somebody listens, [`ErrorKind::AlreadyExists`] where the file is no socket.
pub fn listen(path: &Path, access: Access, backlog: i32) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let address = SockAddr::unix(path)?;
    if let Err(error) = socket.bind(&address) {
        if error.kind() != ErrorKind::AddrInUse {
            return Err(error);
        }
        remove_stale(path, error)?;
        socket.bind(&address)?;
    }
    // Nobody can connect before it listens, and so nobody before the file has its access.
    let listening = access.give(path).and_then(|()| socket.listen(backlog));
    if let Err(error) = listening.and_then(|()| socket.set_nonblocking(true)) {
        let _ = fs::remove_file(path);
        return Err(error);
    }
    Ok(UnixListener::from(OwnedFd::from(socket)))
}

/// Removes a socket that nobody listens at. The error is `in_use` where somebody does, or where that cannot be found out.
fn remove_stale(path: &Path, in_use: io::Error) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "a file that is no socket is there"));
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // Where the queue of a living one is full, this would wait.
    probe.set_nonblocking(true)?;
    match probe.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        _ => Err(in_use),
    }
}

/// Listens at an address that has no file, without waiting in accepts.
///
/// # Errors
///
/// The system's; [`ErrorKind::AddrInUse`] where somebody listens.
pub fn listen_at(address: &SocketAddr, backlog: i32) -> io::Result<UnixListener> {
    let listener = UnixListener::bind_addr(address)?;
    SockRef::from(&listener).listen(backlog)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// An address in the abstract namespace.
#[cfg(target_os = "linux")]
pub fn abstract_address(name: &str) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name)
}

/// An address in the abstract namespace.
#[cfg(not(target_os = "linux"))]
pub fn abstract_address(_: &str) -> io::Result<SocketAddr> {
    Err(io::Error::new(ErrorKind::Unsupported, "abstract socket names are Linux's alone; name a path"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail so")]
mod tests {
    use super::*;
    use crate::config::testing::Folder;
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::UnixStream;

    const PRIVATE: Access = Access { mode: 0o600, group: None };

    #[test]
    fn a_stale_socket_is_replaced_and_a_living_one_is_not() {
        let folder = Folder::new();
        let path = folder.path("x.sock");
        let first = listen(&path, PRIVATE, 8).unwrap();
        assert_eq!(listen(&path, PRIVATE, 8).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(first);
        assert!(UnixStream::connect(&path).is_err(), "the file is there, and nobody listens");
        let second = listen(&path, PRIVATE, 8).unwrap();
        UnixStream::connect(&path).unwrap();
        second.accept().unwrap();
    }

    #[test]
    fn a_living_socket_whose_queue_is_full_is_not_replaced() {
        let folder = Folder::new();
        let path = folder.path("x.sock");
        let _listener = listen(&path, PRIVATE, 0).unwrap();
        let _waits = UnixStream::connect(&path).unwrap();
        assert_eq!(listen(&path, PRIVATE, 8).unwrap_err().kind(), ErrorKind::AddrInUse);
    }

    #[test]
    fn a_file_that_is_no_socket_stays() {
        let folder = Folder::new();
        let path = folder.write("notes", "dear diary");
        assert_eq!(listen(&path, PRIVATE, 8).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "dear diary");
    }

    #[test]
    fn a_socket_has_its_mode_and_group_and_is_gone_where_it_cannot_have_them() {
        let folder = Folder::new();
        let path = folder.path("x.sock");
        let own = rustix::process::getgid().as_raw();
        let access = Access { mode: 0o624, group: Some(own) };
        let _listener = listen(&path, access, 8).unwrap();
        let file = fs::metadata(&path).unwrap();
        assert_eq!((file.mode() & 0o777, file.gid()), (0o624, own));
        if !rustix::process::geteuid().is_root() {
            let path = folder.path("y.sock");
            listen(&path, Access { mode: 0o600, group: Some(u32::MAX - 7) }, 8).unwrap_err();
            assert!(!path.exists());
        }
    }
}
