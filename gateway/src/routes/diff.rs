//! What differs between two tables: which routes, backends and endpoints are new in the second one, changed, or gone. In words it is told by
//! [`changes`](super::changes) and, with what the tables say of each thing, by `callgate plan`.

use super::route::Route;
use super::table::Table;
use crate::backends::Backend;
use crate::config::{BackendSpec, EndpointSpec};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// How one thing differs.
#[derive(Debug, PartialEq, Eq)]
pub enum Difference<'t, T> {
    /// It is new.
    Added(&'t T),
    /// It was the first, and is the second.
    Changed(&'t T, &'t T),
    /// It is gone.
    Removed(&'t T),
}

/// Routes that differ: in the order of the later table, and behind them those that are gone.
pub fn routes<'t>(before: &'t Table, after: &'t Table) -> Vec<Difference<'t, Arc<Route>>> {
    differences(&before.routes, &after.routes, |route| &route.matcher, |one, other| one.id == other.id)
}

/// Backends that differ, in the same order.
pub fn backends<'t>(before: &'t Table, after: &'t Table) -> Vec<Difference<'t, Arc<Backend>>> {
    differences(&before.backends, &after.backends, |backend| backend.spec.name.as_str(), Arc::ptr_eq)
}

/// Endpoints of a backend that differ, in the same order.
pub(super) fn endpoints<'t>(
    before: &'t BackendSpec,
    after: &'t BackendSpec,
) -> Vec<Difference<'t, EndpointSpec>> {
    differences(&before.endpoints, &after.endpoints, |one| one.addr.to_string(), |one, other| one == other)
}

fn differences<'t, T, K: Eq + Hash>(
    before: &'t [T],
    after: &'t [T],
    key: impl Fn(&'t T) -> K,
    is_same: impl Fn(&T, &T) -> bool,
) -> Vec<Difference<'t, T>> {
    let mut known: HashMap<K, &T> = before.iter().map(|one| (key(one), one)).collect();
    let mut found = Vec::new();
    for one in after {
        match known.remove(&key(one)) {
            None => found.push(Difference::Added(one)),
            Some(old) if is_same(old, one) => {}
            Some(old) => found.push(Difference::Changed(old, one)),
        }
    }
    let gone = before.iter().filter(|one| known.contains_key(&key(one)));
    found.extend(gone.map(Difference::Removed));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_changed_or_gone_is_told_in_order_and_what_moved_is_not() {
        let before = [("a", 1), ("b", 2), ("c", 3), ("d", 4)];
        let after = [("d", 4), ("e", 5), ("b", 9), ("a", 1)];
        let found = differences(&before, &after, |one| one.0, |one, other| one == other);
        let expected = [
            Difference::Added(&("e", 5)),
            Difference::Changed(&("b", 2), &("b", 9)),
            Difference::Removed(&("c", 3)),
        ];
        assert_eq!(found, expected);
    }
}
