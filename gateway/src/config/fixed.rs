//! Routes that call nothing: a fixed answer, a redirect, or another path's route.
//!
//! They stand beside [`RouteSpec`](super::RouteSpec) and share with it what requests are matched by. None of what a table
//! says of calls (a timeout, a backend, a policy) has a meaning for them, and saying it is a mistake.

use super::complaint::Complaint;
use super::defaults::Defaults;
use super::diagnostics::Diagnostic;
use super::foreign;
use super::method::Method;
use super::path::PathTemplate;
use super::reader::{Item, Reader, Section};
use super::respond::RespondSpec;
use super::route;
use super::source::{Place, Source};
use super::target::{RedirectTarget, RewriteTarget};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use toml::de::DeTable;

const KEYS: &[&str] = &["match", "respond", "redirect", "rewrite"];
/// The keys that make a route one of these.
const ANSWERS: [&str; 3] = ["respond", "redirect", "rewrite"];
const REDIRECT_KEYS: &[&str] = &["to", "status"];
/// Moved or found, and whether the method may change on the way (RFC 9110, 15.4).
const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

/// A checked route that calls nothing. Two are equal when they do the same, wherever they are written.
#[derive(Clone, Debug)]
pub struct FixedSpec {
    /// The requests' method. A `GET` route also answers `HEAD`.
    pub method: Method,
    /// The requests' path.
    pub path: PathTemplate,
    /// What they are answered with.
    pub answer: FixedAnswer,
    /// Where it is written.
    pub place: Place,
}

impl PartialEq for FixedSpec {
    fn eq(&self, other: &Self) -> bool {
        let FixedSpec { method, path, answer, place: _ } = self;
        (method, path, answer) == (&other.method, &other.path, &other.answer)
    }
}

impl Eq for FixedSpec {}

/// What a route does that calls nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FixedAnswer {
    /// It answers itself.
    Respond(RespondSpec),
    /// It sends the client elsewhere.
    Redirect(RedirectSpec),
    /// The request is looked up again, once, under another path.
    Rewrite(RewriteTarget),
}

impl FixedAnswer {
    /// The status of its answers; 200 for a rewrite, whose answers are those of other routes.
    pub fn status(&self) -> u16 {
        match self {
            FixedAnswer::Respond(spec) => spec.status,
            FixedAnswer::Redirect(spec) => spec.status,
            FixedAnswer::Rewrite(_) => 200,
        }
    }
}

impl fmt::Display for FixedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FixedAnswer::Respond(spec) => spec.fmt(f),
            FixedAnswer::Redirect(spec) => write!(f, "redirect {} {}", spec.status, spec.to.text),
            FixedAnswer::Rewrite(target) => write!(f, "rewrite {}", target.path),
        }
    }
}

/// Where a client is sent, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RedirectSpec {
    /// Where to.
    pub to: RedirectTarget,
    /// 301, 302, 303, 307 or 308, the default.
    pub status: u16,
}

/// Whether a route of a table is one that calls nothing.
pub(super) fn is_fixed(table: &DeTable<'_>) -> bool {
    ANSWERS.iter().any(|key| table.contains_key(*key))
}

/// A route that calls nothing, as far as one file alone can tell. What is `None` is reported already.
#[derive(Debug)]
pub(super) struct FixedDraft {
    pub(super) source: Arc<Source>,
    /// Where the route is, for whoever finds it in conflict.
    pub(super) span: Range<usize>,
    pub(super) matched: Option<(Method, PathTemplate)>,
    pub(super) answer: Option<FixedAnswer>,
    /// Where it says what it does.
    pub(super) answer_span: Range<usize>,
    /// How many routes that call are written before it.
    pub(super) after: usize,
    /// What the file puts before its routes' paths.
    pub(super) prefix: Option<PathTemplate>,
}

impl FixedDraft {
    /// Reads everything that stands in one `[[routes]]`.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        table: &DeTable<'_>,
        header: Range<usize>,
        file: &Defaults,
        after: usize,
    ) -> FixedDraft {
        let section = section(reader, table);
        let (matched, span) = route::matched(reader, &section, &header, file);
        let said = only_one(reader, table, &section);
        let path = matched.as_ref().map(|(_, path)| path);
        let answer = said.as_ref().and_then(|item| read_answer(reader, item, path));
        FixedDraft {
            source: Arc::clone(reader.source),
            span,
            answer_span: said.map_or(header, |item| item.span()),
            answer,
            after,
            prefix: file.prefix().cloned(),
            matched: matched.filter(|_| file.paths_are_known()),
        }
    }

    /// The rewrite's target, if it is one.
    pub(super) fn rewrite(&self) -> Option<&RewriteTarget> {
        match &self.answer {
            Some(FixedAnswer::Rewrite(target)) => Some(target),
            _ => None,
        }
    }

    /// The route.
    pub(super) fn finish(self) -> Option<FixedSpec> {
        let (method, path) = self.matched?;
        Some(FixedSpec { method, path, answer: self.answer?, place: self.source.place(self.span.start) })
    }
}

/// Takes the table apart. Keys of routes that call are known, and have no effect.
fn section<'t>(reader: &mut Reader<'_>, table: &'t DeTable<'t>) -> Section<'t> {
    let own = ANSWERS.into_iter().find(|key| table.contains_key(*key)).unwrap_or_default();
    for key in table.keys() {
        let name = key.get_ref().as_ref();
        if KEYS.contains(&name) || name == "call" {
            continue;
        }
        let diagnostic = match route::KEYS.contains(&name) {
            true => Diagnostic::new(format!("`{name}` has no effect"))
                .at(reader.source, key.span(), format!("a route with `{own}` calls nothing"))
                .help("remove it"),
            false => {
                let unknown = Diagnostic::new(format!("unknown key `{name}` in a route")).at(
                    reader.source,
                    key.span(),
                    "not known here",
                );
                match foreign::help("a route", name) {
                    Some(help) => unknown.help(help),
                    None => unknown.help_names(name, KEYS),
                }
            }
        };
        reader.report(diagnostic);
    }
    Section::of_known(table, KEYS)
}

/// The one key that says what the route does; a second one is reported.
fn only_one<'t>(reader: &mut Reader<'_>, table: &DeTable<'_>, section: &Section<'t>) -> Option<Item<'t>> {
    let call = table.get_key_value("call").map(|(key, _)| ("call", key.span()));
    let said: Vec<Item<'t>> = ANSWERS.into_iter().filter_map(|key| section.get(key)).collect();
    let mut spans: Vec<(&str, Range<usize>)> =
        call.into_iter().chain(said.iter().map(|item| (item.key, item.key_span.clone()))).collect();
    spans.sort_by_key(|(_, span)| span.start);
    if let [(_, first), (_, second), ..] = spans.as_slice() {
        reader.report(
            Diagnostic::new("a route has one of `call`, `respond`, `redirect` and `rewrite`")
                .at(reader.source, second.clone(), "another one")
                .at(reader.source, first.clone(), "one is here"),
        );
    }
    said.into_iter().next()
}

fn read_answer(
    reader: &mut Reader<'_>,
    item: &Item<'_>,
    matched: Option<&PathTemplate>,
) -> Option<FixedAnswer> {
    match item.key {
        "respond" => RespondSpec::read(reader, item).map(FixedAnswer::Respond),
        "redirect" => read_redirect(reader, item, matched).map(FixedAnswer::Redirect),
        _ => {
            // Which parameters there are nobody knows where the match could not be read.
            let matched = matched?;
            reader
                .text(item, "a path such as \"/v2/orders/{id}\"", |text| RewriteTarget::parse(text, matched))
                .map(FixedAnswer::Rewrite)
        }
    }
}

fn read_redirect(
    reader: &mut Reader<'_>,
    item: &Item<'_>,
    matched: Option<&PathTemplate>,
) -> Option<RedirectSpec> {
    let table = reader.table(item, "a table such as { to = \"/v2/orders/{id}\" }")?;
    let section = reader.section("`redirect`", table, REDIRECT_KEYS);
    let status = match section.get("status") {
        None => Some(308),
        Some(item) => read_redirect_status(reader, &item),
    };
    let Some(to) = section.get("to") else {
        let complaint = Complaint::new("`redirect` needs `to`", "leads nowhere");
        return reader.complain(item, complaint.help("write { to = \"/v2/orders/{id}\" }"));
    };
    let matched = matched?;
    let to = reader.text(&to, "a path or a URI such as \"https://example.com/{id}\"", |text| {
        let target = RedirectTarget::parse(text, matched)?;
        let path = &text[..text.find(['?', '#']).unwrap_or(text.len())];
        match path == matched.as_str() {
            true => Err(Complaint::new("a route redirects to itself", "the client would go in circles")),
            false => Ok(target),
        }
    })?;
    Some(RedirectSpec { to, status: status? })
}

fn read_redirect_status(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<u16> {
    let status = reader.integer(item, 100..=599).and_then(|status| u16::try_from(status).ok())?;
    if REDIRECTS.contains(&status) {
        return Some(status);
    }
    let complaint = Complaint::new(format!("{status} is no redirect"), "expected 301, 302, 303, 307 or 308");
    let help = "308 and 301 are for good, 307 and 302 for now; 303 is followed by a GET";
    reader.complain(item, complaint.help(help))
}
