//! Reads a TOML tree by hand, so that one mistake does not hide the next.
//!
//! serde stops at the first error. Here every key is read by itself; what will not do is reported and read as absent,
//! and the walk goes on. Here are tables, lists and what is said of them; `values.rs` reads single values. Whoever walks must therefore treat `None` as "already reported, or not there".

use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::foreign;
use super::shape::{Entry, Shape};
use super::source::Source;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A key and its value.
#[derive(Clone)]
pub(super) struct Item<'t> {
    pub(super) key: &'t str,
    pub(super) key_span: Range<usize>,
    pub(super) value: &'t Spanned<DeValue<'t>>,
    /// What the value may be.
    pub(super) shape: &'static Shape,
}

impl<'t> Item<'t> {
    pub(super) fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// A name in this table, and what is behind it.
    pub(super) fn named<'i>(
        &self,
        name: &'i Spanned<Cow<'_, str>>,
        value: &'i Spanned<DeValue<'i>>,
    ) -> Item<'i> {
        Item { key: name.get_ref(), key_span: name.span(), value, shape: self.shape.behind(name.get_ref()) }
    }
}

/// A table whose keys are known.
pub(super) struct Section<'t> {
    table: &'t DeTable<'t>,
    known: &'static [Entry],
}

impl<'t> Section<'t> {
    /// A table whose other keys the caller has looked at.
    pub(super) fn of_known(table: &'t DeTable<'t>, known: &'static [Entry]) -> Section<'t> {
        Section { table, known }
    }

    pub(super) fn get(&self, key: &'static str) -> Option<Item<'t>> {
        debug_assert!(self.known.iter().any(|entry| entry.key == key), "`{key}` is read but not known");
        let (name, value) = self.table.get_key_value(key)?;
        let entry = self.known.iter().find(|entry| entry.key == key)?;
        Some(Item { key: entry.key, key_span: name.span(), value, shape: &entry.shape })
    }
}

/// Reads one file's tree and gathers what is wrong with it.
pub(super) struct Reader<'s> {
    pub(super) source: &'s Arc<Source>,
    pub(super) found: Vec<Diagnostic>,
}

impl<'s> Reader<'s> {
    pub(super) fn new(source: &'s Arc<Source>) -> Self {
        Reader { source, found: Vec::new() }
    }

    /// Parses the file; `None` after syntax errors, which are reported, all of them.
    pub(super) fn document(&mut self) -> Option<Spanned<DeTable<'s>>> {
        let (document, errors) = DeTable::parse_recoverable(self.source.text());
        for error in &errors {
            let end = self.source.text().len();
            let span = error.span().unwrap_or(end..end);
            self.report(Diagnostic::new(format!("not valid TOML: {}", error.message())).at(
                self.source,
                span,
                "",
            ));
        }
        errors.is_empty().then_some(document)
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Takes a table apart; keys that are not known are reported.
    pub(super) fn section<'t>(
        &mut self,
        what: &str,
        table: &'t DeTable<'t>,
        known: &'static [Entry],
    ) -> Section<'t> {
        self.section_beside(what, table, known, &[], "")
    }

    /// The same, where some keys belong elsewhere: `where_to` says where.
    pub(super) fn section_beside<'t>(
        &mut self,
        what: &str,
        table: &'t DeTable<'t>,
        known: &'static [Entry],
        elsewhere: &[&str],
        where_to: &str,
    ) -> Section<'t> {
        let belongs = |key: &str| elsewhere.contains(&key);
        self.unknown(what, table, known, belongs);
        for key in table.keys().filter(|key| belongs(key.get_ref())) {
            self.report(self.not_known(what, key).help(where_to));
        }
        Section { table, known }
    }

    /// Reports the keys of a table that are not known, but for those that the caller looks at.
    pub(super) fn unknown(
        &mut self,
        what: &str,
        table: &DeTable<'_>,
        known: &'static [Entry],
        looked_at: impl Fn(&str) -> bool,
    ) {
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if known.iter().any(|entry| entry.key == name) || looked_at(name) {
                continue;
            }
            let unknown = self.not_known(what, key);
            self.report(match foreign::help(what, name) {
                Some(help) => unknown.help(help),
                None => unknown.help_names(name, known),
            });
        }
    }

    fn not_known(&self, what: &str, key: &Spanned<Cow<'_, str>>) -> Diagnostic {
        let title = format!("unknown key `{}` in {what}", key.get_ref());
        Diagnostic::new(title).at(self.source, key.span(), "not known here")
    }

    pub(super) fn table<'t>(&mut self, item: &Item<'t>, expected: &str) -> Option<&'t DeTable<'t>> {
        debug_assert!(item.shape.is_table(), "`{}` is read as a table", item.key);
        match item.value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => self.wrong_type(item.key, item.value, expected),
        }
    }

    /// The items of an array.
    pub(super) fn array<'t>(
        &mut self,
        item: &Item<'t>,
        expected: &str,
    ) -> Option<&'t [Spanned<DeValue<'t>>]> {
        debug_assert!(item.shape.is_list(), "`{}` is read as an array", item.key);
        match item.value.get_ref() {
            DeValue::Array(items) => Some(items),
            _ => self.wrong_type(item.key, item.value, expected),
        }
    }

    /// Reads an array of strings; those that will not do are reported and left out.
    pub(super) fn texts<T>(
        &mut self,
        item: &Item<'_>,
        expected: &str,
        mut parse: impl FnMut(&str) -> Result<T, Complaint>,
    ) -> Option<Vec<(T, Range<usize>)>> {
        let mut all = Vec::new();
        for value in self.array(item, &format!("an array of strings such as {expected}"))? {
            let one = Item { value, ..item.clone() };
            if let Some(parsed) =
                self.text(&one, &format!("an array of strings such as {expected}"), &mut parse)
            {
                all.push((parsed, value.span()));
            }
        }
        Some(all)
    }

    /// Reports what a list has twice.
    pub(super) fn twice<'a, T: Eq + Hash + Display + 'a>(
        &mut self,
        what: &str,
        all: impl Iterator<Item = (&'a T, &'a Range<usize>)>,
    ) {
        let mut seen = HashMap::new();
        for (one, span) in all {
            let first = seen.entry(one).or_insert(span);
            if !std::ptr::eq(*first, span) {
                self.report(
                    Diagnostic::new(format!("{what} `{one}` is listed twice"))
                        .at(self.source, span.clone(), "again")
                        .at(self.source, first.clone(), "first here"),
                );
            }
        }
    }

    /// Reports a value of the wrong type.
    pub(super) fn wrong_type<T>(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        expected: &str,
    ) -> Option<T> {
        let is = match value.get_ref() {
            DeValue::Integer(_) => "an integer",
            DeValue::Array(_) => "an array",
            DeValue::String(_) => "a string",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Table(_) => "a table",
        };
        let title = format!("`{key}` must be {expected}");
        self.report(Diagnostic::new(title).at(self.source, value.span(), format!("this is {is}")));
        None
    }

    /// Reports what a parser said of a value.
    pub(super) fn complain<T>(&mut self, item: &Item<'_>, complaint: Complaint) -> Option<T> {
        let span = self.span_within(item.value, complaint.within.clone());
        let diagnostic = Diagnostic::new(&complaint.title).at(self.source, span, &complaint.label);
        self.report(complaint.notes_to(diagnostic));
        None
    }

    /// The span of a part of a string, where the string stands in the file as it is: without escapes.
    fn span_within(&self, value: &Spanned<DeValue<'_>>, part: Option<Range<usize>>) -> Range<usize> {
        match (part, self.first_byte(value)) {
            (Some(part), Some(first)) => first + part.start..first + part.end,
            _ => self.source.clamp(value.span()),
        }
    }

    /// Where a string's own first byte stands, if the string stands in the file as it is.
    pub(super) fn first_byte(&self, value: &Spanned<DeValue<'_>>) -> Option<usize> {
        let DeValue::String(text) = value.get_ref() else { return None };
        let span = self.source.clamp(value.span());
        let written = &self.source.text()[span.clone()];
        // One quote, or three, behind which a line may end that is not the string's.
        let opening = ["\"\"\"\n", "'''\n", "\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find(|one| written.starts_with(one))?;
        let quote = opening.trim_end().len();
        let inner = written.get(opening.len()..written.len().saturating_sub(quote))?;
        (inner == text.as_ref()).then_some(span.start + opening.len())
    }
}

/// Replaces a default by what could be read.
pub(super) fn set<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}
