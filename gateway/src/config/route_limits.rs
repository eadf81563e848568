//! A route's rate limits: its own, `rate_limit = { … }`, and those that it shares with others by a name of `[limits]`.

use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::name;
use super::rate_limit::{self, MOST, RateLimitSpec};
use super::reader::{Item, Reader, Section};
use super::source::Source;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::DeValue;

const EXPECTED: &str =
    "a table such as { rate = \"100/s\" }, the name of one in [limits], or an array of such";

/// A limit of a route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RateLimit {
    /// The name by which its routes share it.
    pub shared: Option<String>,
    /// What it is.
    pub spec: RateLimitSpec,
}

impl RateLimit {
    /// What it is called in metrics and in replies: its name, or such as `client:100/s`. Each of a route's is another.
    pub fn policy(&self) -> String {
        match &self.shared {
            Some(name) => name.clone(),
            None => format!("{}:{}", self.spec.by, self.spec.rate),
        }
    }
}

/// What a route says of its limits, in the order of the file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RateLimits {
    /// The limits, all of which a request has to keep.
    pub limits: Vec<RateLimit>,
    /// Names that are still to be looked up, and before which limit each stands. None in a checked table.
    wanted: Vec<(usize, String, Range<usize>)>,
}

impl RateLimits {
    /// Reads a route's `rate_limit`.
    pub(super) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> RateLimits {
        let mut all = RateLimits::default();
        match item.value.get_ref() {
            DeValue::Array(values) if values.is_empty() => {
                let complaint = Complaint::new("`rate_limit` is empty", "expected at least one limit");
                reader.complain::<()>(item, complaint.help("for a route without limits leave it out"));
            }
            DeValue::Array(values) if values.len() > MOST => {
                let title = format!("`rate_limit` has {} limits", values.len());
                reader.complain::<()>(item, Complaint::new(title, format!("expected at most {MOST}")));
            }
            DeValue::Array(values) => values.iter().for_each(|value| all.read_one(reader, item, value)),
            _ => all.read_one(reader, item, item.value),
        }
        all
    }

    fn read_one(&mut self, reader: &mut Reader<'_>, item: &Item<'_>, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) => {
                let read = rate_limit::read(reader, "`rate_limit`", table, &value.span());
                let limit = read.map(|spec| RateLimit { shared: None, spec });
                let known: Vec<String> = self.limits.iter().map(RateLimit::policy).collect();
                match limit {
                    Some(limit) if known.contains(&limit.policy()) => {
                        let title = format!("the limit `{}` stands here twice", limit.policy());
                        reader.report(Diagnostic::new(title).at(reader.source, value.span(), "again"));
                    }
                    limit => self.limits.extend(limit),
                }
            }
            DeValue::String(name) => {
                let twice = self.wanted.iter().any(|(_, other, _)| other == name.as_ref());
                if twice {
                    let title = format!("the limit `{name}` stands here twice");
                    reader.report(Diagnostic::new(title).at(reader.source, value.span(), "again"));
                } else {
                    self.wanted.push((self.limits.len(), name.as_ref().to_owned(), value.span()));
                }
            }
            _ => drop(reader.wrong_type::<()>(item.key, value, EXPECTED)),
        }
    }

    /// Whether some are named that [`resolve`](Self::resolve) has to look up.
    pub(super) fn are_wanted(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Puts the shared limits in the place of their names. Where what is missing may stand in a file that could not be
    /// read, nothing is said of it.
    pub(super) fn resolve(
        &mut self,
        shared: &SharedLimits,
        source: &Arc<Source>,
        incomplete: bool,
        found: &mut Vec<Diagnostic>,
    ) {
        for (before, (at, name, span)) in std::mem::take(&mut self.wanted).into_iter().enumerate() {
            match shared.declared.get(&name) {
                Some(Declared { spec: Some(spec), .. }) => {
                    let limit = RateLimit { shared: Some(name), spec: spec.clone() };
                    self.limits.insert((at + before).min(self.limits.len()), limit);
                }
                None if !incomplete => found.push(
                    Diagnostic::new(format!("unknown limit `{name}`"))
                        .at(source, span, "declared in no file")
                        .help_names(&name, shared.names()),
                ),
                // Reported already.
                _ => {}
            }
        }
    }
}

/// The limits that have names, of all files.
#[derive(Default)]
pub(super) struct SharedLimits {
    declared: BTreeMap<String, Declared>,
    /// All their names, once somebody has named another.
    names: OnceCell<Arc<[String]>>,
}

struct Declared {
    source: Arc<Source>,
    span: Range<usize>,
    /// None when it could not be read; reported already.
    spec: Option<RateLimitSpec>,
}

impl SharedLimits {
    fn names(&self) -> &Arc<[String]> {
        self.names.get_or_init(|| self.declared.keys().cloned().collect())
    }

    /// Reads the `limits` of one file.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>, section: &Section<'_>) {
        let Some(item) = section.get("limits") else { return };
        let Some(limits) = reader.table(&item, "tables, each written [limits.name]") else { return };
        for (key, value) in limits {
            let name = key.get_ref().as_ref();
            if let Some(reason) = name::error(name) {
                let title = format!("`{name}` cannot name a limit");
                reader.report(Diagnostic::new(title).at(reader.source, key.span(), reason));
            }
            let item = item.named(key, value);
            let table = reader.table(&item, "a table, written [limits.name]");
            let spec = table.and_then(|table| rate_limit::read(reader, "a limit", table, &key.span()));
            if let Some(first) = self.declared.get(name) {
                reader.report(
                    Diagnostic::new(format!("limit `{name}` is declared twice"))
                        .at(reader.source, key.span(), "again")
                        .at(&first.source, first.span.clone(), "first here"),
                );
                continue;
            }
            let declared = Declared { source: Arc::clone(reader.source), span: key.span(), spec };
            self.declared.insert(name.to_owned(), declared);
        }
    }
}
