//! What the gateway keeps on disk for the next start: small files in the folder that `[server] state` names.
//!
//! A file is replaced whole, by renaming: who reads it sees the old content or the new one, also after a crash. Keeping something is
//! never worth an outage: a folder that fails while the gateway serves is told in the log once, and the gateway goes on.
//!
//! One gateway uses a folder at a time. Its [`Lock`] is a locked file; the lock belongs to the open file and not to the process, so that an
//! upgrade in place hands it over like a listening socket.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The largest file, in bytes: larger ones are neither written nor read.
pub const MAX_FILE: usize = 4 << 20;

/// The file that is locked.
const LOCK: &str = "lock";

/// The folder, if the settings name one. Without, nothing is kept.
#[derive(Debug, Default)]
pub struct State {
    folder: Option<PathBuf>,
    /// The last write or read has failed, and the log says so.
    fails: AtomicBool,
}

/// Keeps other gateways away from the folder until it is dropped.
#[derive(Debug)]
pub struct Lock(File);

impl State {
    /// Prepares the folder: makes it where it is missing, with access for its user only, and locks it. The lock comes from the gateway
    /// before, or is taken anew.
    ///
    /// # Errors
    ///
    /// For whoever started us: the folder, what is wrong with it, what may help.
    pub fn open(folder: &Path, lock: Option<OwnedFd>) -> Result<(State, Lock), String> {
        let explain = |error: &io::Error| {
            let help = match error.kind() {
                ErrorKind::WouldBlock => "another gateway uses it: each needs a folder of its own",
                _ => "set `state` in [server] of gateway.toml to a folder that the gateway's user may write",
            };
            format!("error: cannot keep state in {}: {error}\n |\n = help: {help}", folder.display())
        };
        let lock = match lock {
            Some(lock) => make(folder).map(|()| File::from(lock)),
            None => make(folder).and_then(|()| locked(&folder.join(LOCK))),
        };
        let lock = Lock(lock.map_err(|error| explain(&error))?);
        Ok((State { folder: Some(folder.to_owned()), fails: AtomicBool::new(false) }, lock))
    }

    /// Whether there is a folder.
    pub fn is_kept(&self) -> bool {
        self.folder.is_some()
    }

    /// Replaces the file of that name. Waits for the disk: not for threads that serve. The log says once that it fails, and once that it
    /// does no longer.
    pub fn write(&self, name: &'static str, content: &[u8]) {
        let Some(folder) = &self.folder else { return };
        let written = if content.len() > MAX_FILE {
            Err(io::Error::new(ErrorKind::FileTooLarge, format!("it would have {} bytes", content.len())))
        } else {
            replace(folder, name, content)
        };
        self.note(&folder.join(name), written);
    }

    /// The content of the file of that name; none where there is none, or none that can be read. Waits for the disk.
    pub fn read(&self, name: &'static str) -> Option<Vec<u8>> {
        let path = self.folder.as_ref()?.join(name);
        match content(&path) {
            Ok(content) => Some(content),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                self.note(&path, Err(error));
                None
            }
        }
    }

    fn note(&self, path: &Path, done: io::Result<()>) {
        let path = path.display();
        match done {
            Ok(()) if self.fails.swap(false, Relaxed) => {
                tracing::info!(%path, "state is kept again");
            }
            Err(error) if !self.fails.swap(true, Relaxed) => {
                tracing::warn!(%path, %error, "state cannot be kept");
            }
            _ => {}
        }
    }
}

impl AsFd for Lock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Makes the folder, unless it is there.
fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Opens and locks a file, which also shows whether the folder can be written.
fn locked(path: &Path) -> io::Result<File> {
    let file = private().truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(ErrorKind::WouldBlock, "it is locked")),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// For files that are for the gateway's user only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

/// Writes a new file beside the one of that name and puts it in its place.
fn replace(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    // Two processes may write for a moment, while one of them hands over.
    let new = folder.join(format!("{name}.{}", std::process::id()));
    let mut file = private().truncate(true).open(&new)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    let replaced = written.and_then(|()| fs::rename(&new, folder.join(name)));
    if replaced.is_err() {
        let _ = fs::remove_file(&new);
    }
    replaced
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(MAX_FILE as u64 + 1).read_to_end(&mut content)?;
    if content.len() > MAX_FILE {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("it has more than {MAX_FILE} bytes")));
    }
    Ok(content)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail so")]
mod tests {
    use super::*;
    use crate::config::testing::Folder;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_written_is_read_after_a_restart_by_its_user_only() {
        let folder = Folder::new();
        let path = folder.path("some/where");
        let (state, lock) = State::open(&path, None).unwrap();
        assert_eq!(state.read("names"), None);
        state.write("names", b"first");
        state.write("names", b"second");
        drop((state, lock));
        let (state, _lock) = State::open(&path, None).unwrap();
        assert_eq!(state.read("names").as_deref(), Some(&b"second"[..]));
        assert_eq!((mode(&path), mode(&path.join("names"))), (0o700, 0o600));
        let files = fs::read_dir(&path).unwrap().count();
        assert_eq!(files, 2, "the file and the lock, and nothing that is left over");
    }

    #[test]
    fn a_second_gateway_is_refused_and_a_successor_is_not() {
        let folder = Folder::new();
        let (_, lock) = State::open(&folder.path("s"), None).unwrap();
        let refused = State::open(&folder.path("s"), None).unwrap_err();
        assert!(refused.contains("another gateway uses it"), "{refused}");
        let handed_over = lock.as_fd().try_clone_to_owned().unwrap();
        let (_, of_successor) = State::open(&folder.path("s"), Some(handed_over)).unwrap();
        drop(lock);
        assert!(State::open(&folder.path("s"), None).is_err(), "the successor holds the lock on");
        drop(of_successor);
        State::open(&folder.path("s"), None).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_one_is_an_error_at_the_start() {
        let folder = Folder::new();
        let file = folder.write("file", "x");
        for path in [file.clone(), file.join("beneath")] {
            let error = State::open(&path, None).unwrap_err();
            assert!(error.contains(&path.display().to_string()) && error.contains("`state`"), "{error}");
        }
    }

    #[test]
    fn failures_while_serving_are_borne() {
        let folder = Folder::new();
        let (state, _lock) = State::open(&folder.path("s"), None).unwrap();
        state.write("large", &vec![0; MAX_FILE + 1]);
        assert_eq!(state.read("large"), None);
        folder.write("s/large", &"x".repeat(MAX_FILE + 1));
        assert_eq!(state.read("large"), None);
        fs::remove_dir_all(folder.path("s")).unwrap();
        state.write("names", b"x");
        assert_eq!(state.read("names"), None);
        fs::create_dir(folder.path("s")).unwrap();
        state.write("names", b"x");
        assert_eq!(state.read("names").as_deref(), Some(&b"x"[..]));
    }

    #[test]
    fn without_a_folder_nothing_is_kept() {
        let state = State::default();
        state.write("names", b"x");
        assert_eq!(state.read("names"), None);
    }
}
