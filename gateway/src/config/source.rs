//! The text of one file, and where in it a byte stands.
//!
//! Everything a diagnostic says goes back to a span of bytes in a [`Source`].

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fmt};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_columns_in_characters() {
        let source = Source::new("x.toml", "ab\nüé = 1\n");
        for (offset, line, column) in [(0, 1, 1), (1, 1, 2), (3, 2, 1), (5, 2, 2), (6, 2, 2), (99, 3, 1)] {
            let place = source.place(offset);
            assert_eq!((place.line, place.column), (line, column), "offset {offset}");
        }
        assert_eq!(source.place(7).to_string(), "x.toml:2:3");
    }
}
