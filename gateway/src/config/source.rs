//! The text of one file, and where in it a byte stands.
//!
//! Everything a diagnostic says goes back to a span of bytes in a [`Source`]. Reading the watched files is here too, so
//! that the loader and the watcher agree on which files count.

use super::diagnostics::Diagnostic;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fmt, fs, io};

/// The largest file that is read, in bytes: far above any table, and a guard against a path that leads elsewhere.
pub const MAX_FILE: u64 = 16 * 1024 * 1024;

/// A file's name and text.
#[derive(Clone, Debug)]
pub struct Source {
    path: Arc<Path>,
    text: String,
    /// The offset at which each line starts.
    lines: Vec<usize>,
}

impl Source {
    /// Text under a name; nothing is read.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Source {
        let text = text.into();
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Source { path: path.into().into(), lines: std::iter::once(0).chain(starts).collect(), text }
    }

    /// Reads a file; what stands in the way is a diagnostic.
    pub(crate) fn read(path: &Path) -> Result<Source, Diagnostic> {
        let bytes = read(path).map_err(|error| Diagnostic::unreadable(path, &error))?;
        String::from_utf8(bytes).map(|text| Source::new(path, text)).map_err(|error| not_utf8(path, &error))
    }

    /// The file's path, as it was given or found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where an offset in bytes stands.
    pub(super) fn place(&self, offset: usize) -> Place {
        let offset = self.boundary(offset);
        let line = self.line_of(offset).saturating_sub(1);
        let column = self.text[self.lines[line]..offset].chars().count();
        Place {
            file: Arc::clone(&self.path),
            line: u32::try_from(line + 1).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }

    /// The number of the line in which an offset stands, from 1.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset)
    }

    /// The whole lines in which a span within the text stands.
    pub(super) fn lines_of(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.lines.get(self.line_of(span.start) - 1).copied().unwrap_or_default();
        let end = self.lines.get(self.line_of(span.end)).copied().unwrap_or(self.text.len());
        start..end
    }

    /// A span that lies within the text and cuts no character.
    pub(super) fn clamp(&self, span: Range<usize>) -> Range<usize> {
        let start = self.boundary(span.start);
        start..self.boundary(span.end).max(start)
    }

    fn boundary(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        (0..=offset).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }
}

/// A place in a file. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file's path.
    pub file: Arc<Path>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", shown(&self.file), self.line, self.column)
    }
}

/// A path as people see it: relative where it lies in the working folder.
pub(crate) fn shown(path: &Path) -> String {
    let relative = env::current_dir()
        .ok()
        .filter(|here| here.parent().is_some())
        .and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf))
        .filter(|rest| !rest.as_os_str().is_empty());
    relative.as_deref().unwrap_or(path).display().to_string()
}

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
    fn lines_and_columns_count_from_one_and_columns_in_characters() {
        let source = Source::new("x.toml", "ab\nüé = 1\n");
        for (offset, line, column) in [(0, 1, 1), (1, 1, 2), (3, 2, 1), (5, 2, 2), (6, 2, 2), (99, 3, 1)] {
            let place = source.place(offset);
            assert_eq!((place.line, place.column), (line, column), "offset {offset}");
        }
        assert_eq!(source.place(7).to_string(), "x.toml:2:3");
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
