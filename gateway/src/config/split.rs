//! `split`, `split_by` and `version` of a route: its calls by weight over backends or over the versions of their instances, and by what
//! a request's headers say.

use super::complaint::Complaint;
use super::destination::{self, DestinationSpec};
use super::diagnostics::Diagnostic;
use super::hash_by::{HashBy, hash_by};
use super::keys;
use super::reader::{Item, Reader, Section};
use super::shape::{Entry, Shape};
use crate::fields::FieldName;
use toml::de::{DeTable, DeValue};

/// The keys of a target.
const KEYS: &[Entry] = &[
    Entry::any(1, "backend", Shape::Text, "calls go there"),
    Entry::any(1, "version", Shape::Text, "calls go to instances of that version only"),
    Entry::any(2, "weight", Shape::Integer(0..=1_000_000), "its part of the sum of all weights"),
    Entry::any(
        2,
        "header",
        Shape::OneOf(&[Shape::Text, Shape::SOME_TEXTS]),
        "requests that have it go to this target, whatever the weights",
    ),
];
/// What `split` may be.
pub(super) const SHAPE: Shape = Shape::List(&Shape::Table(KEYS), 1..=MAX_TARGETS);
/// What the whole looks like, for whoever wrote something else.
const TARGETS: &str =
    "an array such as [{ backend = \"shop\", weight = 95 }, { backend = \"shop-next\", weight = 5 }]";
/// What keys look like.
const BY: &str = "a text such as \"identity\" or \"claim:tenant\"";
/// What a header looks like.
const HEADER: &str = "a header such as \"x-canary: yes\", or an array of them";
const MAX_TARGETS: usize = 32;

/// Which instances a route's calls go to, beyond its backend.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SplitSpec {
    /// At most 32, in the order of the file; none: all calls go to the route's backend. Their weights sum to more than 0.
    pub targets: Vec<TargetSpec>,
    /// By what a call's target is chosen, so that those of one key stay together; none: each is drawn by itself.
    pub by: Option<HashBy>,
    /// Only instances that say so of the method's service; for targets without a version of their own.
    pub version: Option<String>,
}

/// A part of a route's calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TargetSpec {
    /// Where they go: a backend, a version, or both.
    pub to: DestinationSpec,
    /// Its part of the sum of all weights; 0 to 1000000.
    pub weight: u32,
    /// Requests that bear one of these come here, whatever the weights.
    pub headers: Vec<HeaderMatch>,
}

/// A header that a request may bear.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderMatch {
    /// Its name.
    pub name: FieldName,
    /// Its value, byte for byte but for spaces around it. `None`: any.
    pub value: Option<String>,
}

impl SplitSpec {
    /// Whether all calls go to any instance of the route's backend.
    pub fn is_plain(&self) -> bool {
        *self == SplitSpec::default()
    }

    /// The first target's backend, where each target names one: then the route itself need not.
    pub(super) fn first_of_named(&self) -> Option<&str> {
        let mut names = self.targets.iter().map(|target| target.to.backend.as_deref());
        let first = names.next().flatten()?;
        names.all(|name| name.is_some()).then_some(first)
    }

    /// Where the calls go, in a word: `shop`, `shop@2`, `shop=95,shop-next=5`.
    pub fn shown(&self, backend: &str) -> String {
        let whole = |to: &DestinationSpec| DestinationSpec {
            backend: Some(to.backend.clone().unwrap_or_else(|| backend.to_owned())),
            version: to.version.clone().or_else(|| self.version.clone()),
            ..DestinationSpec::default()
        };
        if self.targets.is_empty() {
            return whole(&DestinationSpec::default()).to_string();
        }
        let targets: Vec<String> =
            self.targets.iter().map(|target| format!("{}={}", whole(&target.to), target.weight)).collect();
        targets.join(",")
    }

    /// Reads `split` and `version` of a route.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> SplitSpec {
        let version = section.get(keys::VERSION.name).and_then(|item| destination::version(reader, &item));
        let by = section.get(keys::SPLIT_BY.name);
        let by = by.map(|item| (reader.text(&item, BY, hash_by), item));
        let mut spec = SplitSpec { targets: Vec::new(), by: None, version };
        let Some(item) = section.get(keys::SPLIT.name) else {
            if let Some((_, item)) = by {
                let useless = Complaint::new("`split_by` has no effect", "the route has no `split`");
                reader.complain::<()>(&item, useless.help("remove it, or write `split` as well"));
            }
            return spec;
        };
        spec.by = by.and_then(|(by, _)| by);
        let before = reader.found.len();
        for value in reader.array(&item, TARGETS).unwrap_or_default() {
            let one = Item { value, ..item.clone() };
            if let Some(table) = reader.table(&one, TARGETS) {
                spec.targets.push(TargetSpec::read(reader, table, &one));
            }
        }
        if reader.found.len() == before {
            spec.check(reader, section, &item);
        }
        spec
    }

    /// What the targets are together.
    fn check(&self, reader: &mut Reader<'_>, section: &Section<'_>, item: &Item<'_>) {
        let complaint = if self.targets.is_empty() {
            Complaint::new("`split` is empty", "expected at least one arm")
        } else if self.targets.len() > MAX_TARGETS {
            Complaint::new("too many arms", format!("expected {MAX_TARGETS} at most"))
        } else if self.targets.iter().all(|target| target.weight == 0) {
            Complaint::new("no arm of `split` has a weight", "where do requests without a header go?")
                .help("write weight = 100 for one of them")
        } else {
            return self.check_defaults(reader, section);
        };
        reader.complain::<()>(item, complaint);
    }

    /// The route's own `backend` and `version` are for targets that have none.
    fn check_defaults(&self, reader: &mut Reader<'_>, section: &Section<'_>) {
        let named = |of: fn(&DestinationSpec) -> bool| self.targets.iter().all(|target| of(&target.to));
        let useless = [
            (keys::BACKEND.name, named(|to| to.backend.is_some())),
            (keys::VERSION.name, named(|to| to.version.is_some())),
        ];
        for (key, useless) in useless {
            if let Some(item) = section.get(key).filter(|_| useless) {
                let complaint = Complaint::new(
                    format!("`{key}` has no effect"),
                    format!("each arm of `split` has its own `{key}`"),
                );
                reader.complain::<()>(
                    &item,
                    complaint.help("remove it here, or from the arms that are to have it"),
                );
            }
        }
    }
}

impl TargetSpec {
    /// Reads one target. What is wrong with it is reported.
    fn read(reader: &mut Reader<'_>, table: &DeTable<'_>, item: &Item<'_>) -> TargetSpec {
        let section = reader.section("an arm of `split`", table, KEYS);
        let to = DestinationSpec::read(reader, &section, item.span());
        let headers = section.get("header").map(|item| headers(reader, &item)).unwrap_or_default();
        let weight = section.get("weight");
        if section.get("backend").is_none() && section.get("version").is_none() {
            reader.report(
                Diagnostic::new("an arm of `split` needs `backend` or `version`")
                    .at(reader.source, item.span(), "where does it go?")
                    .help(
                        "write { backend = \"shop-next\", weight = 5 }, or { version = \"2\", weight = 5 }",
                    ),
            );
        }
        if weight.is_none() && section.get("header").is_none() {
            reader.report(
                Diagnostic::new("an arm of `split` needs `weight` or `header`")
                    .at(reader.source, item.span(), "which requests does it take?")
                    .help("write weight = 5, or header = \"x-canary: yes\""),
            );
        }
        let weight = weight.and_then(|item| reader.integer(&item)).unwrap_or(0);
        TargetSpec { to, weight: u32::try_from(weight).unwrap_or(0), headers }
    }
}

fn headers(reader: &mut Reader<'_>, item: &Item<'_>) -> Vec<HeaderMatch> {
    let DeValue::Array(values) = item.value.get_ref() else {
        return reader.text(item, HEADER, HeaderMatch::parse).into_iter().collect();
    };
    if values.is_empty() {
        reader.complain::<()>(item, Complaint::new("`header` is empty", "expected at least one"));
    }
    let one = |value| reader.text(&Item { value, ..item.clone() }, HEADER, HeaderMatch::parse);
    values.iter().filter_map(one).collect()
}

impl HeaderMatch {
    fn parse(text: &str) -> Result<HeaderMatch, Complaint> {
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (text.trim(), None),
        };
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            return Err(Complaint::new(
                format!("`{name}` is no header's name"),
                "expected \"name: value\", or \"name\" where any value will do",
            ));
        }
        if value == Some("") {
            let complaint = Complaint::new("a header without its value", "which value?");
            return Err(complaint.help(format!("write \"{name}\" where any will do")));
        }
        if value.is_some_and(|value| value.chars().any(char::is_control)) {
            return Err(Complaint::new("no header has such a value", "control characters cannot occur"));
        }
        Ok(HeaderMatch { name: name.into(), value: value.map(str::to_owned) })
    }
}
