//! What a table is made of, and how a request is looked up in it.

use super::params::Captured;
use super::route::Route;
use crate::backends::Backend;
use crate::method::Method;
use matchit::Router;
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
    /// For each method the tree of its paths, which lead to places in `routes`; shared with other tables of the same ones.
    pub(super) routers: Arc<Routers>,
}

pub(super) type Routers = [Router<usize>; Method::ALL.len()];

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
        let routers = Arc::new(std::array::from_fn(|_| Router::new()));
        let (hash, empty, route_ids) = (String::new(), Vec::new(), Arc::default());
        Table { generation: 0, hash, empty, routes, route_ids, backends, routers }
    }

    /// The route that takes a path with a method, and what its parameters caught.
    pub fn route<'t, 'p>(&'t self, method: Method, path: &'p str) -> Option<(&'t Route, Captured<'t, 'p>)> {
        let found = self.routers[method as usize].at(path).ok()?;
        Some((self.routes.get(*found.value)?, Captured::new(found.params)))
    }

    /// Looks a path up, as the request line has it.
    pub fn find<'t, 'p>(&'t self, method: Option<Method>, path: &'p str) -> Found<'t, 'p> {
        if let Some(method) = method
            && let Ok(found) = self.routers[method as usize].at(path)
        {
            return Found::Route(*found.value, Captured::new(found.params));
        }
        let others = self.methods(path);
        if others.is_empty() { Found::Nothing } else { Found::OtherMethods(others) }
    }

    /// The methods with which a path exists.
    pub fn methods(&self, path: &str) -> Vec<Method> {
        let has = |method: &Method| self.routers[*method as usize].at(path).is_ok();
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
        let found = |method, path| match table.find(method, path) {
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
}
