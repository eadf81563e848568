//! What the tests of files share: a folder of one's own that goes away with its owner.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// A fresh folder, removed when dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("callgate-test-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        // macOS hands out a temporary folder behind a symlink; tests compare resolved paths.
        let path = fs::canonicalize(env::temp_dir()).unwrap().join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// A path in the folder; the folder itself for "".
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.0.clone() } else { self.0.join(name) }
    }

    /// Writes a file, and makes the folders above it.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
