//! What the service manager is told, by the datagrams of sd_notify(3): that the service is ready, that it is being
//! upgraded and which process it is then, that it ends.
//!
//! It is the old process that names its successor as the service's main one, before it drains: it is the one whose word
//! the manager takes (`NotifyAccess=main`), and it cannot have ended before it has said so.

use crate::unix_socket::abstract_address;
use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Where the manager listens, if there is one.
const VARIABLE: &str = "NOTIFY_SOCKET";

/// How long the manager's queue may be full.
const LIMIT: Duration = Duration::from_secs(1);

/// The service answers requests.
pub fn ready() {
    tell("READY=1");
}

/// The service's next process is being started. To be followed by [`ready`] or [`succeeded`].
pub fn upgrading() {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
    tell(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}"));
}

/// The service goes on in that process.
pub fn succeeded(process: u32) {
    tell(&format!("READY=1\nMAINPID={process}"));
}

/// The service ends.
pub fn stopping() {
    tell("STOPPING=1");
}

fn tell(state: &str) {
    let Some(address) = std::env::var_os(VARIABLE).filter(|address| !address.is_empty()) else {
        return;
    };
    let address = address.to_string_lossy();
    if let Err(error) = send(&address, state) {
        tracing::warn!(%error, address = %address, "the service manager cannot be told");
    }
}

fn send(address: &str, state: &str) -> io::Result<()> {
    let address = match address.strip_prefix('@') {
        Some(name) => abstract_address(name)?,
        None => SocketAddr::from_pathname(address)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(LIMIT))?;
    socket.send_to_addr(state.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::Folder;

    #[test]
    fn a_manager_is_told_wherever_it_listens() {
        let folder = Folder::new();
        let path = folder.write("x", "").with_file_name("notify");
        let name = format!("callgate-test-{}", std::process::id());
        let file = UnixDatagram::bind(&path).unwrap();
        let hidden = UnixDatagram::bind_addr(&abstract_address(&name).unwrap()).unwrap();
        for (address, manager) in [(path.display().to_string(), file), (format!("@{name}"), hidden)] {
            send(&address, "READY=1").unwrap();
            let mut buffer = [0; 64];
            let length = manager.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], b"READY=1");
        }
        assert!(send("vsock:2:1", "READY=1").is_err());
    }
}
