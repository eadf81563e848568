//! What a route does with a request that its steps let pass: one of a closed list. It calls, or the request is looked up again,
//! or the gateway replies by itself. Another reply of its own is a line and a file in `local_reply/`.
//!
//! What only a call has (a backend, a timeout, how HTTP becomes a method's fields) lies in [`CallSpec`]. So no other action has
//! a field of which nobody knows what it means there; and a key that an action does not take is a mistake that is told.

use super::call::CallDraft;
use super::call_spec::CallSpec;
use super::diagnostics::Diagnostic;
use super::keys;
use super::local_reply::LocalReply;
use super::path::PathTemplate;
use super::reader::{Reader, Section};
use super::route_keys::actions;
use super::suggest::list;
use super::target::RewriteTarget;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use toml::de::DeTable;

/// What a route does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ActionSpec {
    /// It calls a method of a backend.
    Call(Arc<CallSpec>),
    /// The gateway replies by itself.
    Local(LocalReply),
    /// The request is looked up again, once, under another path.
    Rewrite(Arc<RewriteTarget>),
}

impl ActionSpec {
    /// The call, if it is one.
    pub fn call(&self) -> Option<&Arc<CallSpec>> {
        match self {
            ActionSpec::Call(call) => Some(call),
            ActionSpec::Local(_) | ActionSpec::Rewrite(_) => None,
        }
    }

    /// The status with which it may reply beside the gateway's own. A rewrite's replies are those of other routes.
    pub fn own_status(&self) -> u16 {
        match self {
            ActionSpec::Call(call) => call.policy.own_status(),
            ActionSpec::Local(reply) => reply.status(),
            ActionSpec::Rewrite(_) => 200,
        }
    }
}

impl fmt::Display for ActionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActionSpec::Call(call) => call.call.fmt(f),
            ActionSpec::Local(reply) => reply.fmt(f),
            ActionSpec::Rewrite(target) => write!(f, "rewrite {}", target.path),
        }
    }
}

/// An action as far as one file alone can tell.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "most of them are calls")]
pub(super) enum ActionDraft {
    /// A call, whose backend is still to be found.
    Call(CallDraft),
    /// Any other.
    Other(ActionSpec),
    /// One that will not do; reported already.
    Bad,
}

/// The key that makes a route what it is: the first of those that call nothing, or else `call`.
pub(super) fn kind(table: &DeTable<'_>) -> &'static str {
    let mut others = actions().map(|key| key.name).filter(|name| *name != keys::CALL.name);
    others.find(|name| table.contains_key(*name)).unwrap_or(keys::CALL.name)
}

/// Reports a second key that says what a route does: where there are several, one is not `call`.
pub(super) fn only_one(reader: &mut Reader<'_>, table: &DeTable<'_>) {
    let said = actions().filter_map(|key| table.get_key_value(key.name));
    let mut spans: Vec<Range<usize>> = said.map(|(key, _)| key.span()).collect();
    spans.sort_by_key(|span| span.start);
    if let [first, second, ..] = spans.as_slice() {
        let names: Vec<&str> = actions().map(|key| key.name).collect();
        reader.report(
            Diagnostic::new(format!("a route has one of {}", list(&names, "and")))
                .at(reader.source, second.clone(), "another one")
                .at(reader.source, first.clone(), "one is here"),
        );
    }
}

/// Reads an action that is no call, by its key. `matched` is the route's path, if that could be read.
pub(super) fn read_other(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    key: &'static str,
    matched: Option<&PathTemplate>,
) -> ActionDraft {
    let Some(item) = section.get(key) else { return ActionDraft::Bad };
    if key != keys::REWRITE.name {
        let reply = LocalReply::read(reader, key, &item, matched);
        return reply.map(ActionSpec::Local).map_or(ActionDraft::Bad, ActionDraft::Other);
    }
    // Which parameters there are nobody knows where the match could not be read.
    let Some(matched) = matched else { return ActionDraft::Bad };
    let parse = |text: &str| RewriteTarget::parse(text, matched);
    let target = reader.text(&item, "a path such as \"/v2/orders/{id}\"", parse);
    target.map(Arc::new).map(ActionSpec::Rewrite).map_or(ActionDraft::Bad, ActionDraft::Other)
}
