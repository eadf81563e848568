//! What is wrong with a file: what, where, and what to do about it. Whoever has the file's text can underline it.

use std::fmt;
use std::ops::Range;

/// One thing that is wrong. It never has a secret in its words, but the line of the file that it points to may be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    title: String,
    label: String,
    help: Option<String>,
    span: Option<Range<usize>>,
    place: Option<(usize, usize)>,
}

/// All that is wrong with a file; at least one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistake {
    /// One of the file as a whole.
    pub(crate) fn new(title: impl Into<String>) -> Mistake {
        Mistake { title: title.into(), label: String::new(), help: None, span: None, place: None }
    }

    /// The same, at these bytes of the file, where `label` says what is there.
    pub(crate) fn at(self, span: Range<usize>, label: impl Into<String>) -> Mistake {
        Mistake { label: label.into(), span: Some(span), ..self }
    }

    /// The same with its place in the file.
    fn placed(self, file: &[u8]) -> Mistake {
        let Some(span) = self.span else { return self };
        let start = span.start.min(file.len());
        let before = &file[..start];
        let line = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let number = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        // What continues a character of UTF-8 is none by itself.
        let column = before[line..].iter().filter(|byte| **byte & 0xC0 != 0x80).count() + 1;
        let span = Some(start..span.end.clamp(start, file.len()));
        Mistake { span, place: Some((number, column)), ..self }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Mistake {
        Mistake { help: Some(help.into()), ..self }
    }

    /// What is wrong.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What stands at the place; empty if the title says it all.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The bytes of the file that are wrong. `None` if it is about the whole file.
    pub fn span(&self) -> Option<Range<usize>> {
        self.span.clone()
    }

    /// The line and the column, in characters; both count from 1. `None` if it is about the whole file.
    pub fn place(&self) -> Option<(usize, usize)> {
        self.place
    }
}

impl Mistakes {
    /// So many are kept of one file: the first ones.
    pub(crate) const MOST: usize = 100;

    /// `Ok` where nothing is wrong with the file.
    pub(crate) fn none_or(file: &[u8], mut found: Vec<Mistake>) -> Result<(), Mistakes> {
        found.sort_by_key(|mistake| mistake.span.as_ref().map(|span| span.start));
        // Each place is looked for from the file's beginning, so there are few of them.
        found.truncate(Mistakes::MOST);
        let found: Vec<Mistake> = found.into_iter().map(|mistake| mistake.placed(file)).collect();
        if found.is_empty() { Ok(()) } else { Err(Mistakes(found)) }
    }

    /// Each of them, in the order of the file; the first hundred of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Mistake> {
        self.0.iter()
    }
}

/// One of the file as a whole.
impl From<Mistake> for Mistakes {
    fn from(only: Mistake) -> Mistakes {
        Mistakes(vec![only])
    }
}

/// `LINE:COLUMN: TITLE: LABEL; HELP`, on one line.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}: ")?;
        }
        f.write_str(&self.title)?;
        if !self.label.is_empty() {
            write!(f, ": {}", self.label)?;
        }
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "; {help}"))
    }
}

/// A line for each.
impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            write!(f, "{}{mistake}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_columns_in_characters() {
        let file = "ab\nüé = 1\n".as_bytes();
        for (at, place) in [(0, (1, 1)), (1, (1, 2)), (3, (2, 1)), (5, (2, 2)), (7, (2, 3)), (99, (3, 1))] {
            let mistake = Mistake::new("x").at(at..at + 1, "").placed(file);
            assert_eq!(mistake.place(), Some(place), "{at}");
            assert!(mistake.span().is_some_and(|span| span.end <= file.len()));
        }
    }

    #[test]
    fn mistakes_are_told_in_the_order_of_the_file_a_line_for_each() {
        let found = vec![
            Mistake::new("second").at(2..3, "here").help("mend it"),
            Mistake::new("first").at(0..1, "here"),
        ];
        let all = Mistakes::none_or(b"a\nb\n", found).unwrap_err();
        assert_eq!(all.to_string(), "1:1: first: here\n2:1: second: here; mend it");
        assert_eq!(Mistakes::none_or(b"", Vec::new()), Ok(()));
    }
}
