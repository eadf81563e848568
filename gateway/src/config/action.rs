//! What a route does with a request that its steps let pass: one of four things, in a closed list. Adding one adds a file,
//! which reads its key, and a line to each `match` here.
//!
//! What only a call has (a backend, a timeout, how HTTP becomes a method's fields) lies in [`CallSpec`]. So no other action has
//! a field of which nobody knows what it means there; and a key that an action does not take is a mistake that is told.

use super::call::{CallDraft, CallSpec};
use super::diagnostics::Diagnostic;
use super::path::PathTemplate;
use super::reader::{Item, Reader, Section};
use super::redirect::{self, RedirectSpec};
use super::respond::RespondSpec;
use super::target::RewriteTarget;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use toml::de::DeTable;

/// The keys that say what a route does. Each has one of them.
const ACTIONS: [&str; 4] = ["call", "respond", "redirect", "rewrite"];

/// What a route does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ActionSpec {
    /// It calls a method of a backend.
    Call(Arc<CallSpec>),
    /// It answers itself.
    Respond(Arc<RespondSpec>),
    /// It sends the client elsewhere.
    Redirect(Arc<RedirectSpec>),
    /// The request is looked up again, once, under another path.
    Rewrite(Arc<RewriteTarget>),
}

impl ActionSpec {
    /// The call, if it is one.
    pub fn call(&self) -> Option<&Arc<CallSpec>> {
        match self {
            ActionSpec::Call(call) => Some(call),
            ActionSpec::Respond(_) | ActionSpec::Redirect(_) | ActionSpec::Rewrite(_) => None,
        }
    }

    /// The status with which it may answer beside the gateway's own. A rewrite's answers are those of other routes.
    pub fn own_status(&self) -> u16 {
        match self {
            ActionSpec::Call(call) => call.policy.own_status(),
            ActionSpec::Respond(spec) => spec.status,
            ActionSpec::Redirect(spec) => spec.status,
            ActionSpec::Rewrite(_) => 200,
        }
    }
}

impl fmt::Display for ActionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActionSpec::Call(call) => call.call.fmt(f),
            ActionSpec::Respond(spec) => spec.fmt(f),
            ActionSpec::Redirect(spec) => spec.fmt(f),
            ActionSpec::Rewrite(target) => write!(f, "rewrite {}", target.path),
        }
    }
}

/// An action as far as one file alone can tell.
#[derive(Debug)]
pub(super) enum ActionDraft {
    /// A call, whose backend is still to be found.
    Call(Box<CallDraft>),
    /// Any other.
    Other(ActionSpec),
    /// One that will not do; reported already.
    Bad,
}

/// The key that makes a route what it is: the first of those that call nothing, or else `call`.
pub(super) fn kind(table: &DeTable<'_>) -> &'static str {
    let other = ACTIONS.into_iter().find(|key| *key != "call" && table.contains_key(*key));
    other.unwrap_or("call")
}

/// Reports a second key that says what a route does.
pub(super) fn only_one(reader: &mut Reader<'_>, table: &DeTable<'_>) {
    let said = ACTIONS.into_iter().filter_map(|key| table.get_key_value(key));
    let mut spans: Vec<Range<usize>> = said.map(|(key, _)| key.span()).collect();
    spans.sort_by_key(|span| span.start);
    if let [first, second, ..] = spans.as_slice() {
        reader.report(
            Diagnostic::new("a route has one of `call`, `respond`, `redirect` and `rewrite`")
                .at(reader.source, second.clone(), "another one")
                .at(reader.source, first.clone(), "one is here"),
        );
    }
}

/// Reads an action that is no call. `matched` is the route's path, if that could be read.
pub(super) fn read_other(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    kind: &'static str,
    matched: Option<&PathTemplate>,
) -> ActionDraft {
    let read = |item: Item<'_>| match kind {
        "respond" => RespondSpec::read(reader, &item).map(Arc::new).map(ActionSpec::Respond),
        "redirect" => redirect::read(reader, &item, matched).map(Arc::new).map(ActionSpec::Redirect),
        _ => {
            // Which parameters there are nobody knows where the match could not be read.
            let matched = matched?;
            reader
                .text(&item, "a path such as \"/v2/orders/{id}\"", |text| RewriteTarget::parse(text, matched))
                .map(Arc::new)
                .map(ActionSpec::Rewrite)
        }
    };
    section.get(kind).and_then(read).map_or(ActionDraft::Bad, ActionDraft::Other)
}
