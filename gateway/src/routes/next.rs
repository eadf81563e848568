//! The next table: built from checked files, as a diff against the one before.

use super::careless::{Careless, differ};
use super::own_calls::{self, OwnCall, next_own_calls};
use super::route::{Route, next_routes};
use super::table::Table;
use super::trees::Trees;
use crate::auth::Authenticators;
use crate::backends::next_backends;
use crate::config::{Tables, TrailingSlash};
use crate::discovery::Lists;
use std::collections::HashMap;
use std::sync::Arc;

impl Table {
    /// The next table; its backends have the members that these sources list. What did not change against `before` is taken
    /// over with its connections, counters and health.
    pub fn next(before: &Table, tables: Tables, lists: &Lists, workers: usize) -> Table {
        let Tables { hash, backends, routes, authenticators, empty, .. } = tables;
        let backends = next_backends(&before.backends, backends, lists, workers);
        let authenticators = Authenticators::next(&before.authenticators, authenticators, workers);
        let kept = own_calls::kept(&before.own_calls, &authenticators);
        let routes = next_routes((&before.routes, kept), routes, (&backends, &authenticators), workers);
        let own_calls = next_own_calls(&before.own_calls, &authenticators, (&routes, &backends));
        let trees = next_trees(before, &routes);
        let careless = next_careless(before, &routes, &trees);
        let route_ids = next_ids(before, &routes, &own_calls);
        let tools = next_tools(&routes);
        let minds_slashes = routes.iter().any(|route| route.policy.trailing_slash != TrailingSlash::Strict);
        let (generation, hash) = (before.generation + 1, hash.to_string());
        Table {
            generation,
            hash,
            empty,
            routes,
            route_ids,
            backends,
            authenticators,
            own_calls,
            trees,
            tools,
            minds_slashes,
            careless,
        }
    }
}

/// The places of the routes that are tools.
fn next_tools(routes: &[Arc<Route>]) -> HashMap<Box<str>, usize> {
    let name = |(at, route): (usize, &Arc<Route>)| {
        let tool = route.action.call()?.spec.tool.as_ref()?;
        Some((tool.name.as_str().into(), at))
    };
    routes.iter().enumerate().filter_map(name).collect()
}

/// The ids of routes and own calls by slot: those of the table before, if they are the same.
fn next_ids(before: &Table, routes: &[Arc<Route>], own: &[OwnCall]) -> Arc<[u64]> {
    let own = own.iter().map(|own| (own.call.slot, own.call.route));
    let all: Vec<(usize, u64)> = routes.iter().map(|route| (route.slot, route.id)).chain(own).collect();
    let slots = all.iter().map(|(slot, _)| slot + 1).max().unwrap_or_default();
    let mut ids = vec![0; slots];
    all.into_iter().for_each(|(slot, id)| ids[slot] = id);
    if *before.route_ids == *ids { before.route_ids.clone() } else { ids.into() }
}

/// The trees of all paths: those of the table before, if the same paths are in the same places.
fn next_trees(before: &Table, routes: &[Arc<Route>]) -> Arc<Trees> {
    let matchers = |routes| <[Arc<Route>]>::iter(routes).map(|route| &route.matcher);
    if matchers(routes).eq(matchers(&before.routes)) {
        return before.trees.clone();
    }
    Arc::new(Trees::of(routes))
}

/// What their paths are to somebody careless, where that matters: as in the table before, if the same paths are in the same places.
fn next_careless(before: &Table, routes: &[Arc<Route>], trees: &Arc<Trees>) -> Option<Arc<Careless>> {
    let same = before.careless.as_ref().filter(|_| Arc::ptr_eq(trees, &before.trees));
    differ(routes).then(|| same.cloned().unwrap_or_else(|| Arc::new(Careless::of(routes))))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::Source;
    use crate::method::Method;
    use std::sync::atomic::Ordering::Relaxed;

    pub(in crate::routes) const TWO_BACKENDS: &str = r#"
        [backends.a]
        endpoints = ["127.0.0.1:1", "127.0.0.1:2"]
        [backends.b]
        endpoints = ["127.0.0.1:3"]
        [[routes]]
        match = "GET /one/{id}"
        call = "s.one"
        backend = "a"
        [[routes]]
        match = "POST /two/{*rest}"
        call = "s.two"
        backend = "b"
    "#;

    pub(in crate::routes) fn next(before: &Table, text: &str) -> Table {
        let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
        Table::next(before, tables, &Lists::default(), 1)
    }

    fn route<'t>(table: &'t Table, path: &str) -> &'t Arc<Route> {
        table.routes.iter().find(|route| route.matcher.path.as_str() == path).expect("the route is there")
    }

    #[test]
    fn what_does_not_change_is_the_same_object_in_the_next_table() {
        let first = next(&Table::empty(), TWO_BACKENDS);
        let second = next(&first, &TWO_BACKENDS.replace("s.two", "s.other"));
        for (old, new) in first.backends.iter().zip(&second.backends) {
            assert!(Arc::ptr_eq(old, new));
        }
        assert!(Arc::ptr_eq(route(&first, "/one/{id}"), route(&second, "/one/{id}")));
        let (old, new) = (route(&first, "/two/{*rest}"), route(&second, "/two/{*rest}"));
        assert_ne!(old.id, new.id, "a changed route is another");
        assert!(Arc::ptr_eq(&old.stats, &new.stats), "which goes on counting");
        assert_eq!(old.slot, new.slot);
    }

    #[test]
    fn an_endpoint_that_stays_keeps_its_connections_whatever_comes_or_goes_beside_it() {
        let first = next(&Table::empty(), TWO_BACKENDS);
        let second = next(&first, &TWO_BACKENDS.replace("127.0.0.1:1", "127.0.0.1:9"));
        let (old, new) = (&first.backends[0].endpoints(), &second.backends[0].endpoints());
        assert!(Arc::ptr_eq(&old[1], &new[1]));
        assert_ne!(old[0].id, new[0].id);
        let kept = route(&second, "/one/{id}");
        assert_eq!(kept.id, route(&first, "/one/{id}").id, "its programs still hold");
        assert!(
            Arc::ptr_eq(&kept.action.call().expect("a call").backend, &second.backends[0]),
            "its calls go to the new set"
        );
    }

    #[test]
    fn other_connection_settings_make_other_endpoints() {
        let first = next(&Table::empty(), TWO_BACKENDS);
        let changed = TWO_BACKENDS.replace("[backends.b]", "[backends.b]\n ping_interval = \"3s\"");
        let second = next(&first, &changed);
        assert_ne!(first.backends[1].endpoints()[0].id, second.backends[1].endpoints()[0].id);
        assert!(Arc::ptr_eq(&first.backends[0], &second.backends[0]));
    }

    #[test]
    fn an_endpoint_whose_drain_changes_stays_the_same_and_an_operators_word_outlives_other_settings() {
        let first = next(&Table::empty(), TWO_BACKENDS);
        let drained = TWO_BACKENDS.replace("\"127.0.0.1:1\"", "{ address = \"127.0.0.1:1\", drain = true }");
        let second = next(&first, &drained);
        let states = |table: &Table| -> Vec<bool> {
            table.backends[0].members().iter().map(|member| member.drains()).collect()
        };
        assert_eq!((states(&first), states(&second)), (vec![false, false], vec![true, false]));
        assert!(Arc::ptr_eq(&first.backends[0].endpoints()[0], &second.backends[0].endpoints()[0]));
        second.backends[0].endpoints()[1].drained_by_admin.store(true, Relaxed);
        let third = next(&second, &TWO_BACKENDS.replace("[backends.a]", "[backends.a]\n max_calls = 7"));
        assert_ne!(third.backends[0].endpoints()[1].id, second.backends[0].endpoints()[1].id);
        assert_eq!(states(&third), [false, true]);
        let without = next(&third, &TWO_BACKENDS.replace(", \"127.0.0.1:2\"", ""));
        assert_eq!(states(&next(&without, TWO_BACKENDS)), [false, false], "what is listed again is new");
    }

    #[test]
    fn the_trees_are_made_anew_only_where_paths_or_their_places_change() {
        let first = next(&Table::empty(), TWO_BACKENDS);
        let other = next(&first, &TWO_BACKENDS.replace("s.two", "s.other"));
        assert!(Arc::ptr_eq(&first.trees, &other.trees));
        let (backends, routes) = TWO_BACKENDS.split_once("[[routes]]").expect("routes");
        let (one, two) = routes.split_once("[[routes]]").expect("two of them");
        let turned = next(&first, &format!("{backends}[[routes]]{two}[[routes]]{one}"));
        for table in [&first, &other, &turned] {
            let Some((at, _)) = table.find(Method::Get, None, "/one/1") else { panic!("not found") };
            let found = &table.routes[at];
            assert_eq!(found.matcher.path.as_str(), "/one/{id}");
        }
    }

    #[test]
    fn slots_are_given_again_but_never_twice_at_once() {
        let mut table = next(&Table::empty(), TWO_BACKENDS);
        for round in 0..20 {
            let more = format!(
                "{TWO_BACKENDS}\n[[routes]]\nmatch = \"GET /r{round}\"\ncall = \"s.r\"\nbackend = \"a\"\n"
            );
            table = next(&table, &more);
            let mut slots: Vec<_> = table.routes.iter().map(|route| route.slot).collect();
            slots.sort_unstable();
            slots.dedup();
            assert_eq!(slots.len(), 3);
            assert!(slots.iter().all(|slot| *slot < 4), "{slots:?}");
        }
    }
}
