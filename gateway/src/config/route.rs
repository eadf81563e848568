//! A route's declaration: which requests it takes, which policy they meet, and what is done with them.

use super::action::{self, ActionDraft, ActionSpec};
use super::call::CallDraft;
use super::complaint::Complaint;
use super::defaults::Defaults;
use super::diagnostics::Diagnostic;
use super::hosts::SaidHosts;
use super::keys;
use super::local_reply::check_tools;
use super::matcher::{MAX_MATCHES, Matcher};
use super::path::PathTemplate;
use super::policy::RoutePolicy;
use super::reader::{Item, Reader, Section};
use super::response::ReplySpec;
use super::route_keys;
use super::said_by_cors;
use super::source::{Place, Source};
use std::ops::Range;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

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
    pub(super) mode: Range<usize>,
    pub(super) body: Range<usize>,
    /// Each field of `bind`.
    pub(super) bound: Vec<Range<usize>>,
    pub(super) response: Range<usize>,
    pub(super) tool: Range<usize>,
    /// By the number of a field that the response picks: where it is used.
    pub(super) picked: Vec<Range<usize>>,
    /// By the number of an error that has a status: where its name stands.
    pub(super) errors: Vec<Range<usize>>,
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
    /// Reads everything that stands in one `[[routes]]`: a route for each of its matches.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        table: &DeTable<'_>,
        header: Range<usize>,
        file: &Defaults,
    ) -> Vec<Draft> {
        let section = section(reader, table, action::kind(table));
        let example = "match = \"GET /v1/orders/{id}\"";
        let matched = required(reader, &section, keys::MATCH.name, &header, example);
        let Some(item) = matched else {
            return vec![Draft::read_one(reader, table, &section, None, header.clone(), &header, file)];
        };
        let one = |reader: &mut Reader<'_>, item: Item<'_>| {
            let span = item.span();
            Draft::read_one(reader, table, &section, Some(item), span, &header, file)
        };
        let DeValue::Array(items) = item.value.get_ref() else { return vec![one(reader, item)] };
        let complaint = match items.len() {
            0 => Complaint::new("`match` is empty", "expected at least one").help(format!("write {example}")),
            1..=MAX_MATCHES => {
                return items.iter().map(|value| one(reader, Item { value, ..item.clone() })).collect();
            }
            count => {
                Complaint::new(format!("more than {MAX_MATCHES} matches"), format!("{count} are too many"))
            }
        };
        reader.complain::<()>(&item, complaint);
        vec![Draft::read_one(reader, table, &section, None, item.span(), &header, file)]
    }

    /// Reads a route of that match, which is written at `span`; the route at `header`.
    fn read_one(
        reader: &mut Reader<'_>,
        table: &DeTable<'_>,
        section: &Section<'_>,
        matched: Option<Item<'_>>,
        span: Range<usize>,
        header: &Range<usize>,
        file: &Defaults,
    ) -> Draft {
        let kind = action::kind(table);
        let expected = "a string such as \"GET /v1/orders/{id}\", or an array of such";
        let matcher =
            matched.and_then(|item| reader.text(&item, expected, |text| Matcher::parse(text, file.prefix())));
        let hosts = SaidHosts::read(reader, section).or(&file.hosts);
        let path = matcher.as_ref().map(|matcher| &matcher.path);
        let action = match kind {
            "call" => {
                let call = required(reader, section, keys::CALL.name, header, "call = \"orders.get\"");
                ActionDraft::Call(CallDraft::read(reader, section, call, matcher.as_ref(), file))
            }
            other => {
                action::only_one(reader, table);
                check_tools(reader, section, matcher.as_ref());
                action::read_other(reader, section, other, path)
            }
        };
        let policy = RoutePolicy::read(reader, section);
        if let Some(item) = section.get(keys::CLIENTS) {
            policy.clients.check_within(file.clients(), reader, &item);
        }
        if let (ActionDraft::Call(draft), Some(true), Some(item)) =
            (&action, policy.compress, section.get(keys::COMPRESS))
            && draft.reply().is_some_and(ReplySpec::is_of_items)
        {
            let complaint = Complaint::new("a stream is not compressed", "the route streams its replies");
            reader.complain::<()>(&item, complaint.help("remove it"));
        }
        let policy = file.policy(policy);
        said_by_cors::check(&policy.cors, reader, section, &action);
        let spot = |key| section.get(key).map_or(span.clone(), |item| item.span());
        let call = match &action {
            ActionDraft::Call(draft) => Some(draft),
            _ => None,
        };
        let of_call = |key| if call.is_some() { spot(key) } else { span.clone() };
        let written = Written {
            place: reader.source.place(span.start),
            matched: span.clone(),
            action: spot(kind),
            mode: of_call(keys::MODE.name),
            body: of_call(keys::BODY.name),
            bound: match &action {
                ActionDraft::Call(draft) => draft.bound.clone(),
                _ => Vec::new(),
            },
            response: of_call(keys::RESPONSE.name),
            tool: of_call(keys::TOOL.name),
            picked: call.map(|draft| draft.picked.clone()).unwrap_or_default(),
            errors: call.map(|draft| draft.errors.clone()).unwrap_or_default(),
        };
        Draft {
            source: Arc::clone(reader.source),
            file: file.file,
            prefix: file.prefix.clone(),
            policy,
            matcher: matcher.filter(|_| file.paths_are_known()).zip(hosts).map(|(one, hosts)| one.of(hosts)),
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

/// Takes the table of a route with that action apart. Keys that only other actions take are known, and have no effect here.
fn section<'t>(reader: &mut Reader<'_>, table: &'t DeTable<'t>, action: &'static str) -> Section<'t> {
    let own = route_keys::of_action(action);
    if action == keys::CALL.name {
        return reader.section("a route", table, own);
    }
    let no_effect = |key: &str| route_keys::all().any(|known| known.of_calls && known.name == key);
    for key in table.keys().filter(|key| no_effect(key.get_ref())) {
        let name = key.get_ref();
        reader.report(
            Diagnostic::new(format!("`{name}` has no effect"))
                .at(reader.source, key.span(), format!("a route with `{action}` calls nothing"))
                .help("remove it"),
        );
    }
    reader.unknown("a route", table, own, no_effect);
    Section::of_known(table, own)
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
