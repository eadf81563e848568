//! All keys of a table file: what it declares, what it says once for all of its routes, and what is its alone.

use super::keys;
use super::shape::{Entry, Shape};
use super::{
    accepted, auth, backend, certificate, ignored_query, rate_limit, route_auth, route_keys, trailing_slash,
};
use std::sync::LazyLock;

/// What a file declares.
const DECLARED: [Entry; 4] = [
    Entry::new("backends", Shape::Names(&[], &backend::SHAPE), "instances that offer the same methods"),
    Entry::new("routes", ROUTES, "which requests become which calls"),
    Entry::new("limits", Shape::Names(&[], &rate_limit::NAMED), "rate limits that several routes share"),
    Entry::new("certificates", certificate::SHAPE, "the certificates of listeners with TLS"),
];
const ROUTES: Shape = Shape::List(&Shape::Made(route_keys::entries), 0..=usize::MAX);
/// The keys that are a file's alone.
const OF_FILES: [Entry; 4] = [
    Entry::new(keys::PREFIX, Shape::Text, "a path that is put before the paths of the file's routes"),
    Entry::new(
        keys::TRAILING_SLASH,
        trailing_slash::SHAPE,
        "what becomes of a path that is a route's but for a slash at its end",
    ),
    Entry::new(keys::IGNORE_QUERY, ignored_query::SHAPE, "parameters of queries that others add to links"),
    Entry::new(
        keys::ACCEPT_EXPOSURE,
        accepted::SHAPE,
        "the change that opens something and is meant, by what its refusal has printed",
    ),
];

/// The keys of a table file.
pub(super) fn entries() -> &'static [Entry] {
    static KEYS: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        let auth = Shape::OneOf(&[route_auth::SHAPE, Shape::Names(&[], &auth::SHAPE)]);
        let top = route_keys::at_top().map(|entry| match entry.key {
            // As a table it declares authenticators.
            keys::AUTH => Entry { shape: auth.clone(), ..entry },
            _ => entry,
        });
        DECLARED.into_iter().chain(top).chain(OF_FILES).collect()
    });
    &KEYS
}
