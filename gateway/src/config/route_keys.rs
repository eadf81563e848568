//! All keys of a route, from the lists that declare them, and which of them routes with an action take.

use super::keys::{self, Key};
use super::{local_reply, policy};
use std::sync::LazyLock;

/// Every key.
pub(super) fn all() -> impl Iterator<Item = &'static Key> {
    keys::KEYS.iter().chain(policy::KEYS).chain(local_reply::KEYS)
}

/// The keys that say what a route does: it has one of them.
pub(super) fn actions() -> impl Iterator<Item = &'static Key> {
    [&keys::CALL].into_iter().chain(local_reply::KEYS).chain([&keys::REWRITE])
}

/// The names of the keys that a route with that action takes.
pub(super) fn of_action(action: &str) -> &'static [&'static str] {
    static OF_CALLS: LazyLock<Vec<&str>> = LazyLock::new(|| all().map(|key| key.name).collect());
    static OF_OTHERS: LazyLock<Vec<&str>> =
        LazyLock::new(|| all().filter(|key| !key.of_calls).map(|key| key.name).collect());
    if action == keys::CALL.name { &OF_CALLS } else { &OF_OTHERS }
}
