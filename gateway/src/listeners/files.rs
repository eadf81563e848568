//! The files of listening Unix sockets: who removes them, and when.
//!
//! The process that serves owns its files. It removes them when it ends, while it still listens: a gateway that is started then finds
//! either a socket that is in use or no file. An upgrade in place hands the files over with the sockets. What a successor
//! has bound and then does not serve is its own, and so is what it has not taken of the gateway before.

use super::socket::access;
use crate::config::{ListenAddress, ListenerSettings};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The files of a process's listeners.
#[derive(Default)]
pub struct SocketFiles {
    /// Removed when this is dropped.
    own: Vec<SocketFile>,
    /// The gateway's before, which goes on for now.
    of_predecessor: Vec<ListenerSettings>,
    /// Of the gateway's before, and not declared any more.
    left: Vec<PathBuf>,
}

/// A socket's file, told from another one of the same path.
struct SocketFile {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl SocketFile {
    fn new(path: &Path) -> SocketFile {
        SocketFile { path: path.to_owned(), identity: identity(path) }
    }

    /// Removes it, unless somebody has put another one in its place.
    fn remove(&self) {
        if self.identity.is_none() || identity(&self.path) != self.identity {
            return;
        }
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the file of a socket cannot be removed");
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

impl SocketFiles {
    /// This process has bound the listener.
    pub(super) fn bound(&mut self, settings: &ListenerSettings) {
        if let ListenAddress::Unix(path) = &settings.address {
            self.own.push(SocketFile::new(path));
        }
    }

    /// The listener's socket comes from the gateway before.
    pub(super) fn taken(&mut self, settings: &ListenerSettings) {
        if matches!(settings.address, ListenAddress::Unix(_)) {
            self.of_predecessor.push(settings.clone());
        }
    }

    /// The gateway before has these as well, and this one is not to listen there.
    pub(super) fn left(&mut self, paths: Vec<PathBuf>) {
        self.left = paths;
    }

    /// This process serves in place of the gateway before: the files are its own from now on, with the access that its settings
    /// give them.
    pub fn take_over(&mut self) {
        for settings in self.of_predecessor.drain(..) {
            let ListenAddress::Unix(path) = &settings.address else { continue };
            if let Err(error) = access(&settings).and_then(|access| access.give(path)) {
                tracing::warn!(path = %path.display(), %error, "a socket's file keeps the access that it had");
            }
            self.own.push(SocketFile::new(path));
        }
        self.left.drain(..).for_each(|path| SocketFile::new(&path).remove());
    }

    /// A successor serves in place of this process: the files are its own.
    pub fn hand_over(&mut self) {
        self.own.clear();
    }
}

impl Drop for SocketFiles {
    fn drop(&mut self) {
        self.own.iter().for_each(SocketFile::remove);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail so")]
mod tests {
    use super::*;
    use crate::config::testing::Folder;
    use crate::config::{Settings, Source};
    use std::os::unix::fs::PermissionsExt;

    fn at(path: &Path) -> ListenerSettings {
        let address = format!("unix:{}", path.display());
        let text = format!("[[listeners]]\naddress = {address:?}\nmode = '0640'\n");
        Settings::parse(Source::new("gateway.toml", text), None).expect("sound settings").listeners.remove(0)
    }

    #[test]
    fn what_was_bound_is_removed_at_the_end_unless_a_successor_has_it_or_it_is_anothers() {
        let folder = Folder::new();
        let bound = |name: &str| {
            let path = folder.write(name, "");
            let mut files = SocketFiles::default();
            files.bound(&at(&path));
            (path, files)
        };
        let (path, files) = bound("own");
        drop(files);
        assert!(!path.exists());
        let (path, mut files) = bound("handed over");
        files.hand_over();
        drop(files);
        assert!(path.exists());
        let (path, files) = bound("another's");
        // Made before the first one goes, so that it cannot be the same.
        let other = folder.write("other", "");
        fs::rename(other, &path).unwrap();
        drop(files);
        assert!(path.exists());
    }

    #[test]
    fn what_was_taken_is_the_predecessors_until_it_has_given_way() {
        let folder = Folder::new();
        let (taken, left) = (folder.write("taken", ""), folder.write("left", ""));
        let files = || {
            let mut files = SocketFiles::default();
            files.taken(&at(&taken));
            files.left(vec![left.clone()]);
            files
        };
        drop(files());
        assert!(taken.exists() && left.exists(), "it goes on");
        let mut files = files();
        files.take_over();
        assert!(taken.exists() && !left.exists());
        assert_eq!(fs::metadata(&taken).unwrap().permissions().mode() & 0o777, 0o640);
        drop(files);
        assert!(!taken.exists());
    }
}
