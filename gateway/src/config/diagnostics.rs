//! What is wrong with the files, told as the Rust compiler would: the place, the line, what was expected, and the
//! nearest right name, which is looked for only where the mistake is shown.
//!
//! All mistakes of all files are gathered and shown together; a person fixes them in one go.

mod json;

use super::source::{Source, shown};
use super::suggest::{Names, Work};
use annotate_snippets::{AnnotationKind, Element, Group, Level, Renderer, Snippet, normalize_untrusted_str};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

/// How many diagnostics are rendered in full; the rest is counted.
pub(super) const MAX_RENDERED: usize = 100;

/// Everything that is wrong with the files; at least one thing.
#[derive(Clone, Debug)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// `Ok` where nothing is wrong. Sorted by file and place.
    pub(super) fn none_or(mut found: Vec<Diagnostic>) -> Result<(), Diagnostics> {
        found.sort_by_cached_key(Diagnostic::order);
        // What is read once for each of several matches is told once.
        found.dedup_by(|one, before| one.is_like(before));
        if found.is_empty() { Ok(()) } else { Err(Diagnostics(found)) }
    }

    /// Each of them.
    pub(super) fn into_found(self) -> Vec<Diagnostic> {
        self.0
    }

    /// All of them, as a text of many lines, with or without terminal colours.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut work = Work::for_one_text();
        let shown = self.0.iter().take(MAX_RENDERED);
        let mut parts: Vec<String> =
            shown.map(|diagnostic| diagnostic.render(&renderer, &mut work)).collect();
        if self.0.len() > MAX_RENDERED {
            parts.push(format!("… and {} more errors", self.0.len() - MAX_RENDERED));
        }
        parts.join("\n\n")
    }

    /// One line: the first one's place and title, and how many more there are.
    pub fn summary(&self) -> String {
        let first = self.0.first().map(Diagnostic::summary).unwrap_or_default();
        match self.0.len() {
            0 | 1 => first,
            count => format!("{first} (and {} more)", count - 1),
        }
    }

    /// How many there are; never zero.
    #[expect(clippy::len_without_is_empty, reason = "there is always at least one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// All that is well; or everything that is wrong with any.
pub(crate) fn collect<T>(
    results: impl IntoIterator<Item = Result<T, Diagnostics>>,
) -> Result<Vec<T>, Diagnostics> {
    let (mut all, mut found) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(one) => all.push(one),
            Err(Diagnostics(more)) => found.extend(more),
        }
    }
    Diagnostics::none_or(found).map(|()| all)
}

/// Both, if all is well; or everything that is wrong with either.
pub(crate) fn both<A, B>(
    one: Result<A, Diagnostics>,
    other: Result<B, Diagnostics>,
) -> Result<(A, B), Diagnostics> {
    match (one, other) {
        (Err(Diagnostics(mut found)), Err(Diagnostics(more))) => {
            found.extend(more);
            found.sort_by_cached_key(Diagnostic::order);
            Err(Diagnostics(found))
        }
        (one, other) => Ok((one?, other?)),
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Diagnostic {
    title: String,
    /// The first is where it is; the others are where it comes from.
    labels: Vec<Label>,
    /// A file that has no text to show, for the order.
    path: Option<PathBuf>,
    notes: Vec<String>,
    helps: Vec<Help>,
}

/// What to do about it.
#[derive(Clone, Debug)]
enum Help {
    Text(String),
    /// To write the nearest of these names instead.
    Names {
        wrong: String,
        right: Names,
    },
}

impl From<Diagnostic> for Diagnostics {
    fn from(only: Diagnostic) -> Self {
        Diagnostics(vec![only])
    }
}

#[derive(Clone, Debug)]
struct Label {
    source: Arc<Source>,
    span: Range<usize>,
    text: String,
}

impl Diagnostic {
    pub(super) fn new(title: impl Into<String>) -> Diagnostic {
        Diagnostic {
            title: title.into(),
            labels: Vec::new(),
            path: None,
            notes: Vec::new(),
            helps: Vec::new(),
        }
    }

    /// A path that cannot be read.
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
        Diagnostic {
            path: Some(path.to_path_buf()),
            ..Diagnostic::new(format!("cannot read {}: {error}", shown(path)))
        }
    }

    /// Underlines a span: the first call is where it is, further ones where it comes from.
    pub(super) fn at(mut self, source: &Arc<Source>, span: Range<usize>, text: impl Into<String>) -> Self {
        self.labels.push(Label { source: Arc::clone(source), span: source.clamp(span), text: text.into() });
        self
    }

    pub(super) fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    pub(super) fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(Help::Text(text.into()));
        self
    }

    /// Help with the nearest of the right names, or with all of them where none is near.
    pub(super) fn help_names(mut self, wrong: &str, right: impl Into<Names>) -> Self {
        self.helps.push(Help::Names { wrong: wrong.to_owned(), right: right.into() });
        self
    }

    fn order(&self) -> (PathBuf, usize) {
        match self.labels.first() {
            Some(label) => (label.source.path().to_path_buf(), label.span.start),
            None => (self.path.clone().unwrap_or_default(), 0),
        }
    }

    /// Whether it says the same of the same place.
    fn is_like(&self, other: &Diagnostic) -> bool {
        let place =
            |one: &Diagnostic| one.labels.first().map(|label| (label.span.clone(), label.text.clone()));
        self.title == other.title && self.order() == other.order() && place(self) == place(other)
    }

    fn summary(&self) -> String {
        match self.labels.first() {
            Some(label) => format!("{}: {}", label.source.place(label.span.start), self.title),
            None => self.title.clone(),
        }
    }

    fn render(&self, renderer: &Renderer, work: &mut Work) -> String {
        let group = Level::ERROR.primary_title(self.title.as_str()).elements(self.snippets());
        let notes = self.notes.iter().map(|note| Level::NOTE.message(normalize_untrusted_str(note)));
        let helps = self.helps.iter().filter_map(|help| match help {
            Help::Text(text) => Some(text.clone()),
            Help::Names { wrong, right } => right.help(wrong, work),
        });
        let helps = helps.map(|help| Level::HELP.message(normalize_untrusted_str(&help)));
        let group: Group<'_> = group.elements(notes).elements(helps);
        renderer.render(&[group])
    }

    /// One snippet a file, in the order in which the labels name the files.
    fn snippets(&self) -> Vec<Element<'_>> {
        let mut files: Vec<&Arc<Source>> = Vec::new();
        for label in &self.labels {
            if !files.iter().any(|file| Arc::ptr_eq(file, &label.source)) {
                files.push(&label.source);
            }
        }
        let snippet = |file: &Arc<Source>| {
            let own = self.labels.iter().enumerate().filter(|(_, label)| Arc::ptr_eq(file, &label.source));
            // Not the whole file, which may be large: the lines that have labels, and those between.
            let lines = own.clone().map(|(_, label)| file.lines_of(&label.span));
            let all = lines.reduce(|all, more| all.start.min(more.start)..all.end.max(more.end));
            let all = all.unwrap_or_default();
            let annotations = own.map(|(index, label)| {
                let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                let span = label.span.start - all.start..label.span.end - all.start;
                kind.span(span).label(normalize_untrusted_str(&label.text))
            });
            let text = file.text()[all.clone()].to_owned();
            let first = file.line_of(all.start);
            Snippet::source(text).line_start(first).path(shown(file.path())).annotations(annotations).into()
        };
        files.into_iter().map(snippet).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, text: &str) -> Arc<Source> {
        Arc::new(Source::new(name, text))
    }

    #[test]
    fn a_summary_is_one_line_with_the_first_place_and_a_count() {
        let file = source("a.toml", "one\ntwo\n");
        let second = Diagnostic::new("second").at(&file, 4..7, "here");
        let first = Diagnostic::new("first").at(&file, 0..3, "here");
        let both = Diagnostics::none_or(vec![second, first]).unwrap_err();
        assert_eq!(both.summary(), "a.toml:1:1: first (and 1 more)");
        assert_eq!(both.len(), 2);
    }

    #[test]
    fn control_characters_from_a_file_do_not_reach_the_terminal() {
        let file = source("a.toml", "\u{1b}[31m = 1\n");
        let all =
            Diagnostic::new("\u{1b}[31m").at(&file, 0..5, "\u{1b}[31m").help("\u{1b}[31m").note("\u{1b}");
        let text = Diagnostics::none_or(vec![all]).unwrap_err().to_string();
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn a_flood_of_errors_is_counted_instead_of_shown() {
        let file = source("a.toml", "x\n");
        let many = (0..MAX_RENDERED + 5).map(|n| Diagnostic::new(format!("bad {n}")).at(&file, 0..1, ""));
        let many = many.collect();
        let text = Diagnostics::none_or(many).unwrap_err().to_string();
        assert!(text.ends_with("… and 5 more errors"), "{text}");
    }
}
