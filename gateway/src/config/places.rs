//! Addresses and paths, as the gateway's own file writes them.

use crate::config::complaint::Complaint;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

/// What an address looks like, for whoever wrote something else.
pub(super) const ADDRESS: &str = "an address such as \"127.0.0.1:8080\"";

/// The system's bound of a Unix socket's address, with room for what ends a path or begins a name.
const MAX_SOCKET_NAME: usize = 106;

/// Reads an IP address and a port.
pub(super) fn address(text: &str) -> Result<SocketAddr, Complaint> {
    text.parse().map_err(|_| {
        let complaint =
            Complaint::new(format!("`{text}` is not an address"), "expected an IP address and a port");
        match text.rsplit_once(':') {
            Some(("" | "*", port)) => complaint.help(format!("write \"0.0.0.0:{port}\" or \"[::]:{port}\"")),
            Some(("localhost", port)) => {
                complaint.help(format!("write \"127.0.0.1:{port}\" or \"[::1]:{port}\""))
            }
            _ => complaint,
        }
    })
}

/// Checks the name of a Unix socket.
pub(super) fn socket_name(name: String) -> Result<String, Complaint> {
    if name.is_empty() {
        return Err(Complaint::new("a socket without a name", "expected a path or a name"));
    }
    if name.contains(char::is_control) {
        return Err(Complaint::new("not a socket's name", "it holds a control character"));
    }
    if name.len() > MAX_SOCKET_NAME {
        let label = format!("{} bytes, and the system takes {MAX_SOCKET_NAME}", name.len());
        return Err(Complaint::new("the socket's name is too long", label));
    }
    Ok(name)
}

/// A path, made absolute. The error says what it is expected to lead to.
pub(super) fn path(file: &Path, text: &str, expected: &str) -> Result<PathBuf, Complaint> {
    match text {
        "" => Err(Complaint::new("an empty path", format!("expected {expected}"))),
        _ if text.contains('\0') => Err(Complaint::new("not a path", "it holds a NUL")),
        _ => Ok(absolute(file, text)),
    }
}

/// A path relative to the file that names it, without the `..` that can be resolved by looking at the text alone.
pub(super) fn absolute(file: &Path, path: &str) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    let joined = folder.join(path);
    let joined = std::path::absolute(&joined).unwrap_or(joined);
    let mut tidy = PathBuf::new();
    for part in joined.components() {
        // Behind a symlink `..` is not where it seems to be.
        let plain = part == Component::ParentDir && tidy.file_name().is_some() && !tidy.is_symlink();
        if plain {
            tidy.pop();
        } else {
            tidy.push(part);
        }
    }
    tidy
}
