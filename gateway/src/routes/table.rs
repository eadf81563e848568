//! What a table is made of, and how a request is looked up in it.

use super::params::Captured;
use super::route::Route;
use super::trees::Trees;
use crate::backends::Backend;
use crate::method::Method;
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
    /// The trees of their paths, which lead to places in `routes`; shared with other tables of the same ones.
    pub(super) trees: Arc<Trees>,
}

/// What a path was found to be.
pub enum Found<'t, 'p> {
    /// A route's place in the list, and what its path's parameters caught.
    Route(usize, Captured<'t, 'p>),
    /// The path exists, but not with this method; those with which it does.
    OtherMethods(Vec<Method>),
    /// No such path.
    Nothing,
}

impl Table {
    /// An empty table, before the first.
    pub fn empty() -> Table {
        let (routes, backends) = (Vec::new(), Vec::new());
        let (hash, empty, route_ids) = (String::new(), Vec::new(), Arc::default());
        Table { generation: 0, hash, empty, routes, route_ids, backends, trees: Arc::default() }
    }

    /// Whether a request's host says which routes there are for it. Where it does not, nobody need look for it.
    #[inline]
    pub fn asks_for_hosts(&self) -> bool {
        self.trees.ask_for_hosts()
    }

    /// The route that takes a path of a host with a method, and what its parameters caught.
    pub fn route<'t, 'p>(
        &'t self,
        method: Method,
        host: Option<&str>,
        path: &'p str,
    ) -> Option<(&'t Route, Captured<'t, 'p>)> {
        let (at, captured) = self.trees.find(method, host, path)?;
        Some((self.routes.get(at)?, captured))
    }

    /// Looks a path of a host up, as the request line has it.
    pub fn find<'t, 'p>(
        &'t self,
        method: Option<Method>,
        host: Option<&str>,
        path: &'p str,
    ) -> Found<'t, 'p> {
        if let Some(method) = method
            && let Some((at, captured)) = self.trees.find(method, host, path)
        {
            return Found::Route(at, captured);
        }
        let others = self.methods(host, path);
        if others.is_empty() { Found::Nothing } else { Found::OtherMethods(others) }
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
            Found::Route(_, params) => {
                params.decoded().map_or("not utf-8".to_owned(), |params| params.join(","))
            }
            Found::OtherMethods(methods) => methods.iter().map(|m| m.as_str()).collect::<Vec<_>>().join(","),
            Found::Nothing => "nothing".to_owned(),
        };
        assert_eq!(found(Some(Method::Get), "/one/a%2Fb"), "a/b");
        assert_eq!(found(Some(Method::Post), "/two/x/y%20z"), "x/y z");
        assert_eq!(found(Some(Method::Get), "/one/%ff"), "not utf-8");
        assert_eq!(found(Some(Method::Post), "/one/1"), "GET");
        assert_eq!(found(None, "/one/1"), "GET");
        assert_eq!(found(Some(Method::Get), "/one/1/2"), "nothing");
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
        let at = |host: &str, path: &str| match table.find(Some(Method::Get), Some(host), path) {
            Found::Route(at, _) => Some(at),
            Found::OtherMethods(_) | Found::Nothing => None,
        };
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
        assert!(matches!(table.find(Some(Method::Get), None, "/a"), Found::Route(0, _)), "no host");
        assert_eq!(table.methods(Some("b.a.example"), "/own"), [Method::Get, Method::Put]);
        assert_eq!(table.methods(Some("c.a.example"), "/own"), [Method::Get]);
        assert_eq!(table.routes[2].matcher.name(), "b.a.example,[::1],127.0.0.1/a");
    }
}
