//! What a table is made of, and how a request is looked up in it.

use super::action::CallAction;
use super::careless::Careless;
use super::own_calls::OwnCall;
use super::params::Captured;
use super::route::Route;
use super::trees::Trees;
use crate::auth::Authenticators;
use crate::backends::Backend;
use crate::method::Method;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Routes and backends, checked and ready to be looked up.
pub struct Table {
    /// Rises with every table.
    pub generation: u64,
    /// The hash of the files.
    pub hash: String,
    /// The files in which nothing stands.
    pub empty: Vec<PathBuf>,
    /// All routes, in the order of the files.
    pub routes: Vec<Arc<Route>>,
    /// The ids of these by slot, 0 where a slot is free; the same object as in the table before if they are the same.
    pub route_ids: Arc<[u64]>,
    /// All backends, by name.
    pub backends: Vec<Arc<Backend>>,
    /// All authenticators.
    pub authenticators: Authenticators,
    /// What these ask of methods.
    pub own_calls: Vec<OwnCall>,
    /// The trees of their paths, which lead to places in `routes`; shared with other tables of the same ones.
    pub(super) trees: Arc<Trees>,
    /// The places of the routes that are tools, by their names.
    pub(super) tools: HashMap<Box<str>, usize>,
    /// Some routes take paths that are theirs but for a slash at their end.
    pub(super) minds_slashes: bool,
    /// Where routes ask different things of their clients: what their paths are to somebody careless.
    pub(super) careless: Option<Arc<Careless>>,
}

impl Table {
    /// An empty table, before the first.
    pub fn empty() -> Table {
        let (routes, backends) = (Vec::new(), Vec::new());
        let (hash, empty, route_ids) = (String::new(), Vec::new(), Arc::default());
        Table {
            generation: 0,
            hash,
            empty,
            routes,
            route_ids,
            backends,
            authenticators: Authenticators::default(),
            own_calls: Vec::new(),
            trees: Arc::default(),
            tools: HashMap::new(),
            minds_slashes: false,
            careless: None,
        }
    }

    /// What the authenticator of that id asks.
    pub fn own_call(&self, authenticator: u64) -> Option<&OwnCall> {
        self.own_calls.iter().find(|own| own.authenticator.id == authenticator)
    }

    /// All calls that it makes, each with its place: those of routes by the routes' places, and the gateway's own behind them.
    pub fn calls(&self) -> impl Iterator<Item = (usize, &CallAction)> {
        let of_routes = self.routes.iter().map(|route| route.action.call());
        let all = of_routes.chain(self.own_calls.iter().map(|own| Some(&own.call)));
        all.enumerate().filter_map(|(place, call)| Some((place, call?)))
    }

    /// The call of that place.
    pub fn call_at(&self, place: usize) -> Option<&CallAction> {
        match place.checked_sub(self.routes.len()) {
            None => self.routes[place].action.call(),
            Some(own) => self.own_calls.get(own).map(|own| &own.call),
        }
    }

    /// Where the call of that place is written.
    pub fn written_at(&self, place: usize) -> String {
        match place.checked_sub(self.routes.len()) {
            None => self.routes[place].place.to_string(),
            Some(own) => {
                self.own_calls.get(own).map(|own| own.authenticator.spec.defined()).unwrap_or_default()
            }
        }
    }

    /// Whether a request's host says which routes there are for it. Where it does not, nobody need look for it.
    #[inline]
    pub fn asks_for_hosts(&self) -> bool {
        self.trees.ask_for_hosts()
    }

    /// The place of the route that is the tool of that name.
    pub fn tool(&self, name: &str) -> Option<usize> {
        self.tools.get(name).copied()
    }

    /// Whether some routes take paths that are theirs but for a slash at their end.
    pub fn minds_slashes(&self) -> bool {
        self.minds_slashes
    }

    /// Looks a path of a host up, as the request line has it: a route's place in the list, and what its path's parameters caught.
    #[inline]
    pub fn find<'t, 'p>(
        &'t self,
        method: Method,
        host: Option<&str>,
        path: &'p str,
    ) -> Option<(usize, Captured<'t, 'p>)> {
        self.trees.find(method, host, path)
    }

    /// Whether a path, which was found to be that of the route `at`, can be read as that of a route which asks something else of its clients.
    #[inline]
    pub fn is_ambiguous(&self, method: Method, host: Option<&str>, path: &str, at: usize) -> bool {
        self.careless.as_ref().is_some_and(|careless| careless.confuses(&self.routes, method, host, path, at))
    }

    /// The methods with which a path of a host exists.
    pub fn methods(&self, host: Option<&str>, path: &str) -> Vec<Method> {
        let has = |method: &Method| self.trees.find(*method, host, path).is_some();
        Method::ALL.iter().copied().filter(has).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::next::tests::{TWO_BACKENDS, next};
    use super::*;

    #[test]
    fn a_path_is_found_with_decoded_parameters_or_its_methods_are_told() {
        let table = next(&Table::empty(), TWO_BACKENDS);
        let found = |method, path| match table.find(method, None, path) {
            Some((_, params)) => params.decoded().map_or("not utf-8".to_owned(), |params| params.join(",")),
            None => table.methods(None, path).iter().map(|m| m.as_str()).collect::<Vec<_>>().join(","),
        };
        assert_eq!(found(Method::Get, "/one/a%2Fb"), "a/b");
        assert_eq!(found(Method::Post, "/two/x/y%20z"), "x/y z");
        assert_eq!(found(Method::Get, "/one/%ff"), "not utf-8");
        assert_eq!(found(Method::Post, "/one/1"), "GET");
        assert_eq!(found(Method::Get, "/one/1/2"), "");
    }

    #[test]
    fn a_host_is_looked_up_before_the_wildcard_that_has_it_and_that_before_all() {
        let route =
            |hosts: &str, path: &str| format!("[[routes]]\nmatch = 'GET {path}'\nrespond = {{}}\n{hosts}\n");
        let text = [
            route("", "/a"),
            route("hosts = ['*.a.example']", "/a"),
            route("hosts = ['b.a.example', '[::1]', '127.0.0.1']", "/a"),
            route("hosts = ['*.a.example']", "/wild"),
            route("", "/all"),
            route("hosts = ['b.a.example']", "/own").replace("GET", "PUT"),
            route("", "/own"),
        ];
        let table = next(&Table::empty(), &text.concat());
        assert!(table.asks_for_hosts());
        let at = |host: &str, path: &str| table.find(Method::Get, Some(host), path).map(|(at, _)| at);
        for (host, path, expected) in [
            ("b.a.example", "/a", Some(2)),
            ("B.A.example.:8080", "/a", Some(2)),
            ("[::1]:80", "/a", Some(2)),
            ("127.0.0.1", "/a", Some(2)),
            ("c.a.example", "/a", Some(1)),
            ("c.d.a.example", "/a", Some(0)),
            ("a.example", "/a", Some(0)),
            (".a.example", "/a", Some(0)),
            ("", "/a", Some(0)),
            ("b.a.example", "/wild", Some(3)),
            ("b.a.example", "/all", Some(4)),
            ("a.example", "/wild", None),
            ("b.a.example", "/nowhere", None),
        ] {
            assert_eq!(at(host, path), expected, "{host} {path}");
        }
        assert!(matches!(table.find(Method::Get, None, "/a"), Some((0, _))), "no host");
        assert_eq!(table.methods(Some("b.a.example"), "/own"), [Method::Get, Method::Put]);
        assert_eq!(table.methods(Some("c.a.example"), "/own"), [Method::Get]);
        assert_eq!(table.routes[2].matcher.name(), "b.a.example,[::1],127.0.0.1/a");
    }
}
