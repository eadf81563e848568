//! What a table is made of, and how a request is looked up in it.

use super::fixed::{FixedRoute, RawParams};
use super::params::{NotUtf8, PathParams, decode_segment};
use super::traffic::Traffic;
use crate::backends::Backend;
use crate::config::{Method, RouteSpec};
use crate::limit::Limits;
use crate::overload::Count;
use crate::telemetry::RouteStats;
use crate::transport::Binding;
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
    /// All routes that call.
    pub routes: Vec<Arc<Route>>,
    /// The ids of these by slot, 0 where a slot is free; the same object as in the table before if they are the same.
    pub route_ids: Arc<[u64]>,
    /// All routes that call nothing.
    pub fixed: Vec<Arc<FixedRoute>>,
    /// All backends, by name.
    pub backends: Vec<Arc<Backend>>,
    /// For each method the tree of its paths; shared with other tables of the same ones.
    pub(super) routers: Arc<Routers>,
}

pub(super) type Routers = [Router<Leaf>; Method::ALL.len()];

/// What a path leads to.
#[derive(Clone, Copy)]
pub(super) enum Leaf {
    /// A place in `routes`.
    Route(usize),
    /// A place in `fixed`.
    Fixed(usize),
}

/// A route and what belongs to it.
pub struct Route {
    /// Which route this is: a changed route is another.
    pub id: u64,
    /// Its place in tables that workers keep by route; below the number of routes that ever were at once.
    pub slot: usize,
    /// What the files say.
    pub spec: RouteSpec,
    /// Where its calls go, unless `traffic` says more.
    pub backend: Arc<Backend>,
    /// Where else its calls go; none as a rule.
    pub traffic: Option<Box<Traffic>>,
    /// What it counts.
    pub stats: Arc<RouteStats>,
    /// How many requests it takes in a time.
    pub limits: Limits,
    /// Its requests in flight, where they are bounded.
    pub in_flight: Arc<Count>,
}

impl Route {
    /// What links know of it.
    #[inline]
    pub fn binding(&self) -> Binding<'_> {
        let RouteSpec { call, request, response, .. } = &self.spec;
        Binding { id: self.id, slot: self.slot, call, request, response }
    }

    /// Whether its calls go to those very backends.
    pub(super) fn leads_to(&self, backend: &Backend, traffic: Option<&Traffic>) -> bool {
        let ids = |traffic: Option<&Traffic>| -> Vec<u64> {
            traffic.map(|traffic| traffic.backend_ids().collect()).unwrap_or_default()
        };
        self.backend.id == backend.id && ids(self.traffic.as_deref()) == ids(traffic)
    }
}

/// What a path was found to be.
pub enum Found<'t, 'p> {
    /// A route, and the values of its path parameters.
    Route(&'t Route, PathParams<'p>),
    /// A route that calls nothing, and its path parameters as they were sent.
    Fixed(&'t FixedRoute, RawParams<'p>),
    /// A parameter that is not UTF-8.
    NotUtf8,
    /// The path exists, but not with this method; those with which it does.
    OtherMethods(Vec<Method>),
    /// No such path.
    Nothing,
}

impl Table {
    /// An empty table, before the first.
    pub fn empty() -> Table {
        let (routes, fixed, backends) = (Vec::new(), Vec::new(), Vec::new());
        let routers = Arc::new(std::array::from_fn(|_| Router::new()));
        let (hash, empty, route_ids) = (String::new(), Vec::new(), Arc::default());
        Table { generation: 0, hash, empty, routes, route_ids, fixed, backends, routers }
    }

    /// How many routes there are of both kinds.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.routes.len() + self.fixed.len()
    }

    /// Looks a path up, as the request line has it.
    pub fn find<'t, 'p>(&'t self, method: Option<Method>, path: &'p str) -> Found<'t, 'p> {
        if let Some(method) = method
            && let Ok(found) = self.routers[method as usize].at(path)
        {
            let at = match *found.value {
                Leaf::Route(at) => at,
                Leaf::Fixed(at) => {
                    let params = found.params.iter().map(|(_, value)| value).collect();
                    return Found::Fixed(&self.fixed[at], params);
                }
            };
            let params: Result<PathParams<'p>, NotUtf8> =
                found.params.iter().map(|(_, value)| decode_segment(value)).collect();
            return match params {
                Ok(params) => Found::Route(&self.routes[at], params),
                Err(NotUtf8) => Found::NotUtf8,
            };
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
            Found::Route(_, params) => params.join(","),
            Found::Fixed(_, params) => params.join(","),
            Found::NotUtf8 => "not utf-8".to_owned(),
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
