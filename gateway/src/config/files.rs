//! Which files watched paths stand for, and how a file is read: so that the loader and the watcher agree on which files count.

use super::diagnostics::{Diagnostic, Diagnostics};
use super::source::{Source, shown};
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

/// The largest file that is read, in bytes: far above any table, and a guard against a path that leads elsewhere.
pub const MAX_FILE: u64 = 16 * 1024 * 1024;

/// How often files that belong together are looked at until two looks in a row agree.
const LOOKS: usize = 4;

/// What watched paths lead to now.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// The files, sorted by path, each once.
    pub(crate) files: Vec<PathBuf>,
    /// Paths that lead to nothing, or cannot be looked into.
    pub(crate) unreadable: Vec<(PathBuf, io::Error)>,
}

/// The files that watched paths stand for: themselves, or a folder's `*.toml` without hidden ones. Symlinks are followed.
pub(crate) fn gather(watch: &[PathBuf]) -> Gathered {
    let mut found = Gathered::default();
    let mut files = BTreeSet::new();
    for path in watch {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => match list(path) {
                Ok(list) => files.extend(list),
                Err(error) => found.unreadable.push((path.clone(), error)),
            },
            Ok(_) => drop(files.insert(path.clone())),
            Err(error) => found.unreadable.push((path.clone(), error)),
        }
    }
    // A file named twice, by itself and by its folder, is one file.
    let mut seen = BTreeSet::new();
    files.retain(|path| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    found.files = files.into_iter().collect();
    found
}

/// A folder's tables. Names that begin with a full stop belong to editors and to Kubernetes (`..data`).
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let named = name.to_string_lossy();
        if named.ends_with(".toml") && !named.starts_with('.') && !entry.path().is_dir() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// Reads a regular file of at most [`MAX_FILE`] bytes.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if metadata.len() > MAX_FILE {
        return Err(io::Error::other(format!("larger than {MAX_FILE} bytes")));
    }
    fs::read(path)
}

/// Reads a file that a table names there.
pub(super) fn named(path: &Path, source: &Arc<Source>, span: &Range<usize>) -> Result<Vec<u8>, Diagnostics> {
    read(path).map_err(|error| {
        let unreadable = Diagnostic::new(format!("cannot read {}: {error}", shown(path)));
        unreadable.at(source, span.clone(), "named here").into()
    })
}

/// What files that belong together hold, when two looks in a row agree: a swap may fall between a certificate and its key, which then do
/// not belong to each other.
pub(super) fn settled<T: PartialEq, E>(mut look: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let mut seen = look()?;
    for _ in 1..LOOKS {
        let again = look()?;
        if again == seen {
            break;
        }
        seen = again;
    }
    Ok(seen)
}

/// Reads a file as a source; what stands in the way is a diagnostic.
pub(super) fn source(path: &Path) -> Result<Source, Diagnostic> {
    let bytes = read(path).map_err(|error| Diagnostic::unreadable(path, &error))?;
    String::from_utf8(bytes).map(|text| Source::new(path, text)).map_err(|error| not_utf8(path, &error))
}

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> Diagnostic {
    let valid = error.utf8_error().valid_up_to();
    let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
    let source = Arc::new(Source::new(path, text));
    // The text before the bad byte is unchanged by the lossy reading, so that the offset holds.
    Diagnostic::new("the file is not UTF-8")
        .at(&source, valid..valid + 1, format!("byte {valid} belongs to no character"))
        .help("TOML files are UTF-8; save it so")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::Folder;

    #[test]
    fn what_is_just_being_replaced_is_looked_at_again_but_not_for_ever() {
        for (seen, expected, looks) in [
            (vec![1, 1], 1, 2),
            (vec![1, 2, 2], 2, 3),
            (vec![1, 2, 1, 1], 1, 4),
            (vec![1, 2, 3, 4], 4, LOOKS),
        ] {
            let mut looked = 0;
            let look = || {
                looked += 1;
                seen.get(looked - 1).copied().ok_or("one look more")
            };
            assert_eq!((settled(look), looked), (Ok(expected), looks), "{seen:?}");
        }
        assert_eq!(settled(|| Err::<u8, _>("missing")), Err("missing"));
    }

    #[test]
    fn a_folder_stands_for_its_toml_files_sorted_without_hidden_ones() {
        let folder = Folder::new();
        for name in ["b.toml", "a.toml", ".hidden.toml", "notes.txt", "..data/real.toml", "dir.toml/x.toml"] {
            folder.write(name, "");
        }
        std::os::unix::fs::symlink("..data/real.toml", folder.path("real.toml")).unwrap();
        let found = gather(&[folder.path(""), folder.path("a.toml")]);
        assert_eq!(found.files, [folder.path("a.toml"), folder.path("b.toml"), folder.path("real.toml")]);
        assert!(found.unreadable.is_empty());
    }
}
