//! What a parser of one value says of it, before anybody knows where the value stands.

use super::diagnostics::Diagnostic;
use std::ops::Range;

/// Why one value will not do: a title for the whole, a label for the underlined place.
#[derive(Debug)]
pub(super) struct Complaint {
    pub(super) title: String,
    pub(super) label: String,
    /// The part of the string that is wrong; all of it without.
    pub(super) within: Option<Range<usize>>,
    notes: Vec<String>,
    helps: Vec<String>,
}

impl Complaint {
    pub(super) fn new(title: impl Into<String>, label: impl Into<String>) -> Complaint {
        Complaint {
            title: title.into(),
            label: label.into(),
            within: None,
            notes: Vec::new(),
            helps: Vec::new(),
        }
    }

    pub(super) fn within(mut self, range: Range<usize>) -> Self {
        self.within = Some(range);
        self
    }

    /// The same, where the string is the end of a longer one.
    pub(super) fn shifted(mut self, by: usize) -> Self {
        self.within = self.within.map(|range| range.start + by..range.end + by);
        self
    }

    /// The same, where so many bytes before the string stand elsewhere. A part that begins there is all of the string.
    pub(super) fn shifted_back(mut self, by: usize) -> Self {
        self.within =
            self.within.filter(|range| range.start >= by).map(|range| range.start - by..range.end - by);
        self
    }

    pub(super) fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    pub(super) fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }

    /// The complaint about a value that stands in no file, such as an environment variable's.
    pub(super) fn without_place(self, name: &str) -> Diagnostic {
        self.notes_to(Diagnostic::new(format!("{name}: {}: {}", self.title, self.label)))
    }

    /// The complaint about a value that stands in no file, in one line.
    pub(super) fn on_one_line(&self) -> String {
        let more = self.notes.iter().chain(&self.helps).map(|text| format!("; {text}"));
        format!("{}: {}{}", self.title, self.label, more.collect::<String>())
    }

    /// Adds the notes and helps.
    pub(super) fn notes_to(&self, diagnostic: Diagnostic) -> Diagnostic {
        let diagnostic = self.notes.iter().fold(diagnostic, Diagnostic::note);
        self.helps.iter().fold(diagnostic, Diagnostic::help)
    }
}
