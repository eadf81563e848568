//! All keys of a route, from the lists that declare them: what the value of each may be, as the file says that reads it, and which
//! of them routes with an action take.

use super::keys::{self, Key};
use super::shape::{Entry, Needed, Shape};
use super::{
    bind, bound_fields, call_ref, fallback, forward_claims, hosts, local_reply, metadata, mode, overload,
    policy, response, retry, rules, shadow, split, stream_limits, timeout, tool, websocket,
};
use super::{body, matcher};
use std::sync::LazyLock;

/// What the values of the keys in `keys.rs` may be.
const SHAPES: &[(&str, Shape)] = &[
    (keys::MATCH.name, matcher::SHAPE),
    (keys::HOSTS.name, hosts::SHAPE),
    (keys::CALL.name, call_ref::SHAPE),
    (keys::REWRITE.name, Shape::Text),
    (keys::BACKEND.name, Shape::Text),
    (keys::MAX_STREAM.name, stream_limits::SHAPE),
    (keys::STREAM_IDLE.name, stream_limits::IDLE),
    (keys::TIMEOUT.name, timeout::SHAPE),
    (keys::MODE.name, mode::SHAPE),
    (keys::IDEMPOTENT.name, Shape::Boolean),
    (keys::IDEMPOTENCY_KEY.name, Shape::Boolean),
    (keys::RETRY.name, retry::SHAPE),
    (keys::BODY.name, body::SHAPE),
    (keys::WEBSOCKET.name, websocket::SHAPE),
    (keys::BIND.name, bound_fields::SHAPE),
    (keys::RESPONSE.name, response::SHAPE),
    (keys::ERRORS.name, response::errors::SHAPE),
    (keys::ETAG.name, response::etag::SHAPE),
    (keys::UNKNOWN_FIELDS.name, bind::UNKNOWN_SHAPE),
    (keys::INT64.name, bind::INT64_SHAPE),
    (keys::DECIMAL.name, bind::DECIMAL_SHAPE),
    (keys::RULES.name, rules::SHAPE),
    (keys::METADATA.name, metadata::SHAPE),
    (keys::FORWARD_CLAIMS.name, forward_claims::SHAPE),
    (keys::PRIORITY.name, overload::PRIORITY),
    (keys::SPLIT.name, split::SHAPE),
    (keys::SPLIT_BY.name, Shape::Text),
    (keys::VERSION.name, Shape::Text),
    (keys::SHADOW.name, shadow::SHAPE),
    (keys::FALLBACK.name, fallback::SHAPE),
    (keys::TOOL.name, tool::SHAPE),
];

/// Every key.
pub(super) fn all() -> impl Iterator<Item = &'static Key> {
    keys::KEYS.iter().chain(policy::KEYS).chain(local_reply::KEYS)
}

/// The keys that say what a route does: it has one of them.
pub(super) fn actions() -> impl Iterator<Item = &'static Key> {
    [&keys::CALL].into_iter().chain(local_reply::KEYS).chain([&keys::REWRITE])
}

/// Every key with what its value may be.
pub(super) fn entries() -> &'static [Entry] {
    static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| all().map(entry).collect());
    &ENTRIES
}

/// The keys that a route with that action takes.
pub(super) fn of_action(action: &str) -> &'static [Entry] {
    static OF_OTHERS: LazyLock<Vec<Entry>> =
        LazyLock::new(|| all().filter(|key| !key.of_calls).map(entry).collect());
    if action == keys::CALL.name { entries() } else { &OF_OTHERS }
}

/// Those that may stand at the top of a file.
pub(super) fn at_top() -> impl Iterator<Item = Entry> {
    all().filter(|key| key.at_top).map(|key| Entry { needed: Needed::No, beside: None, ..entry(key) })
}

fn entry(key: &Key) -> Entry {
    let mut shapes = SHAPES.iter().chain(policy::SHAPES).chain(local_reply::SHAPES);
    let shape = shapes.find(|(name, _)| *name == key.name).map(|(_, shape)| shape.clone());
    debug_assert!(shape.is_some(), "what `{}` may be is not declared", key.name);
    Entry {
        key: key.name,
        shape: shape.unwrap_or(Shape::Text),
        needed: match key.name {
            name if name == keys::MATCH.name => Needed::Yes,
            name if actions().any(|action| action.name == name) => Needed::OneOf(1),
            _ => Needed::No,
        },
        beside: key.of_calls.then_some(keys::CALL.name),
        words: key.words,
    }
}
