//! A route's declaration: which requests it takes, which policy they meet, and what is done with them.

use super::action::{self, ActionDraft, ActionSpec};
use super::call::CallDraft;
use super::defaults::Defaults;
use super::diagnostics::Diagnostic;
use super::foreign;
use super::matcher::Matcher;
use super::path::PathTemplate;
use super::policy::RoutePolicy;
use super::reader::{Item, Reader, Section};
use super::source::{Place, Source};
use std::ops::Range;
use std::sync::Arc;
use toml::de::DeTable;

/// The keys of every route.
const KEYS: &[&str] = &["match", "rate_limit", "max_in_flight", "respond", "redirect", "rewrite"];
/// Those of a route that calls: all that there are.
const CALL_KEYS: &[&str] = &[
    "match",
    "call",
    "backend",
    "timeout",
    "idempotent",
    "retry",
    "rate_limit",
    "body",
    "response",
    "unknown_fields",
    "int64",
    "max_in_flight",
    "priority",
    "metadata",
    "respond",
    "redirect",
    "rewrite",
    "split",
    "version",
    "shadow",
    "fallback",
];

/// A checked route. Two are equal when they do the same, wherever they are written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouteSpec {
    /// The requests that it takes.
    pub matcher: Matcher,
    /// What these have to pass; mostly the same for all routes of a file, and then there once.
    pub policy: Arc<RoutePolicy>,
    /// What is done with those that do.
    pub action: ActionSpec,
    /// Where all that stands.
    pub written: Written,
}

/// Where a route and its parts are written. All are equal: what only moved in its file has not changed.
#[derive(Clone, Debug)]
pub struct Written {
    /// The route.
    pub place: Place,
    pub(super) matched: Range<usize>,
    pub(super) action: Range<usize>,
    pub(super) body: Range<usize>,
    pub(super) response: Range<usize>,
}

impl PartialEq for Written {
    fn eq(&self, _: &Written) -> bool {
        true
    }
}

impl Eq for Written {}

/// A route as far as one file alone can tell. What is `None` is reported already.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) source: Arc<Source>,
    /// Its file's place among all.
    pub(super) file: usize,
    /// What its file puts before the paths of its routes.
    pub(super) prefix: Option<Arc<PathTemplate>>,
    /// Where the route is, for whoever finds it in conflict.
    pub(super) span: Range<usize>,
    pub(super) matcher: Option<Matcher>,
    pub(super) policy: Arc<RoutePolicy>,
    pub(super) action: ActionDraft,
    pub(super) written: Written,
}

impl Draft {
    /// Reads everything that stands in one `[[routes]]`.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        table: &DeTable<'_>,
        header: Range<usize>,
        file: &Defaults,
    ) -> Draft {
        let kind = action::kind(table);
        let section = section(reader, table, kind);
        let matched = required(reader, &section, "match", &header, "match = \"GET /v1/orders/{id}\"");
        let span = matched.as_ref().map_or(header.clone(), Item::span);
        let expected = "a string such as \"GET /v1/orders/{id}\"";
        let matcher =
            matched.and_then(|item| reader.text(&item, expected, |text| Matcher::parse(text, file.prefix())));
        let path = matcher.as_ref().map(|matcher| &matcher.path);
        action::only_one(reader, table);
        let action = match kind {
            "call" => {
                let call = required(reader, &section, "call", &header, "call = \"orders.get\"");
                ActionDraft::Call(Box::new(CallDraft::read(reader, &section, call, path, file)))
            }
            other => action::read_other(reader, &section, other, path),
        };
        let spot = |key| section.get(key).map_or(span.clone(), |item| item.span());
        let calls = matches!(action, ActionDraft::Call(_));
        let of_call = |key| if calls { spot(key) } else { span.clone() };
        let written = Written {
            place: reader.source.place(span.start),
            matched: spot("match"),
            action: spot(kind),
            body: of_call("body"),
            response: of_call("response"),
        };
        Draft {
            source: Arc::clone(reader.source),
            file: file.file,
            prefix: file.prefix.clone(),
            policy: file.policy(RoutePolicy::read(reader, &section)),
            matcher: matcher.filter(|_| file.paths_are_known()),
            action,
            written,
            span,
        }
    }

    /// The route, with the backend that was found for it if it calls.
    pub(super) fn finish(self, backend: Option<String>) -> Option<RouteSpec> {
        let matcher = self.matcher?;
        let action = match self.action {
            ActionDraft::Call(draft) => ActionSpec::Call(Arc::new(draft.finish(matcher.method, backend?)?)),
            ActionDraft::Other(action) => action,
            ActionDraft::Bad => return None,
        };
        Some(RouteSpec { matcher, policy: self.policy, action, written: self.written })
    }
}

/// Takes the table apart. Keys of routes that call are known to others, and have no effect there.
fn section<'t>(reader: &mut Reader<'_>, table: &'t DeTable<'t>, kind: &'static str) -> Section<'t> {
    if kind == "call" {
        return reader.section("a route", table, CALL_KEYS);
    }
    for key in table.keys() {
        let name = key.get_ref().as_ref();
        if KEYS.contains(&name) || name == "call" {
            continue;
        }
        let diagnostic = match CALL_KEYS.contains(&name) {
            true => Diagnostic::new(format!("`{name}` has no effect"))
                .at(reader.source, key.span(), format!("a route with `{kind}` calls nothing"))
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

fn required<'t>(
    reader: &mut Reader<'_>,
    section: &Section<'t>,
    key: &'static str,
    header: &Range<usize>,
    example: &str,
) -> Option<Item<'t>> {
    let item = section.get(key);
    if item.is_none() {
        reader.report(
            Diagnostic::new(format!("a route needs `{key}`"))
                .at(reader.source, header.clone(), "this one has none")
                .help(format!("write {example}")),
        );
    }
    item
}
