//! What server and client share: sockets, and the one loop that moves bytes between a socket and the protocol's two
//! halves.

mod address;
mod input;
mod link;
mod lost;
mod memory;
mod pace;
mod stream;
mod watch;

pub use address::{Address, AddressError};
pub(crate) use link::{Link, Outgoing, Turn};
pub(crate) use lost::Lost;
pub(crate) use memory::{Dial, Port};
pub(crate) use pace::Pace;
pub(crate) use stream::{Listener, Stream};
pub(crate) use watch::{HURRIED, PATIENT};

/// How a process names itself to its peers unless it is told otherwise: `shop pid 4711`.
pub(crate) fn own_identity() -> String {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(|path| path.file_name());
    let name = name.map_or("unnamed".into(), |name| name.to_string_lossy());
    format!("{name} pid {}", std::process::id())
}
