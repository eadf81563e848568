//! What a table is made of, and how a request is looked up in it.

use super::addresses::Reached;
use super::fixed::{FixedRoute, RawParams};
use super::params::{NotUtf8, PathParams, decode_segment};
use super::traffic::Traffic;
use crate::backends::{Ring, Signals};
use crate::config::{BackendSpec, Balance, EndpointAddr, EndpointSpec, Method, RouteSpec};
use crate::limit::Limits;
use crate::overload::{Count, Gauge};
use crate::telemetry::{BackendStats, EndpointStats, RouteStats};
use crate::transport::callgate::Offer;
use arc_swap::ArcSwapOption;
use matchit::Router;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Tells things apart that may carry the same name one after another.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

pub(super) fn next_id() -> u64 {
    NEXT_ID.fetch_add(1, Relaxed)
}

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
    /// Whether its calls go to those very backends.
    pub(super) fn leads_to(&self, backend: &Backend, traffic: Option<&Traffic>) -> bool {
        let ids = |traffic: Option<&Traffic>| -> Vec<u64> {
            traffic.map(|traffic| traffic.backend_ids().collect()).unwrap_or_default()
        };
        self.backend.id == backend.id && ids(self.traffic.as_deref()) == ids(traffic)
    }
}

/// A backend: endpoints that offer the same services.
pub struct Backend {
    /// Which backend this is: a changed backend is another.
    pub id: u64,
    /// What the files say.
    pub spec: BackendSpec,
    /// Its endpoints, in the order of `spec.endpoints`; a name stands there for as many as it has addresses.
    pub endpoints: Vec<Arc<Endpoint>>,
    /// For each of the endpoints its place in `spec.endpoints`.
    declared: Vec<usize>,
    /// What it counts, as long as there is one of its name.
    pub stats: Arc<BackendStats>,
    /// Its calls in flight, where they are bounded; as long as there is one of its name.
    pub gauge: Arc<Gauge>,
    /// Which endpoint is a key's, by its place in `endpoints`; there if calls are spread by keys.
    pub ring: Option<Arc<Ring>>,
}

impl Backend {
    /// A backend with its endpoints, and for each its place in `spec.endpoints`. Its ring is that of the one before, if that had the same ones.
    pub(crate) fn new(
        spec: BackendSpec,
        (endpoints, declared): (Vec<Arc<Endpoint>>, Vec<usize>),
        (stats, gauge): (Arc<BackendStats>, Arc<Gauge>),
        before: Option<&Backend>,
    ) -> Backend {
        let mut backend = Backend { id: next_id(), spec, endpoints, declared, stats, gauge, ring: None };
        if let Balance::Hash(_) = backend.spec.balance {
            let members: Vec<(EndpointAddr, u32)> =
                backend.members().map(|(one, spec)| (one.addr.clone(), spec.placing.weight)).collect();
            let known = before.and_then(|before| before.ring.clone()).filter(|ring| ring.is_of(&members));
            backend.ring = Some(known.unwrap_or_else(|| Arc::new(Ring::new(members))));
        }
        backend
    }

    /// Its endpoints, each with what the files say of it.
    pub fn members(&self) -> impl Iterator<Item = (&Arc<Endpoint>, &EndpointSpec)> {
        self.endpoints.iter().zip(self.declared.iter().map(|at| &self.spec.endpoints[*at]))
    }

    /// Whether its endpoints are those.
    pub(super) fn reaches(&self, reached: &[Reached]) -> bool {
        let mine = self.endpoints.iter().zip(&self.declared);
        mine.map(|(endpoint, at)| (&endpoint.addr, *at))
            .eq(reached.iter().map(|one| (&one.addr, one.declared)))
    }
}

/// One address of a backend. It stays the same as long as address and connection settings do, whatever else changes.
pub struct Endpoint {
    /// Which endpoint this is.
    pub id: u64,
    /// Where it is.
    pub addr: EndpointAddr,
    /// What it counts.
    pub stats: EndpointStats,
    /// What it offered when it was last connected to.
    pub offer: ArcSwapOption<Offer>,
    /// Why the last attempt to connect failed; none while it is connected.
    pub error: ArcSwapOption<String>,
    /// An operator has asked for its drain. It stays so as long as the backend lists the address, even where other
    /// connection settings make another endpoint of it.
    pub drained_by_admin: Arc<AtomicBool>,
    /// Its calls in flight, where they are bounded; kept as the operator's word is.
    pub in_flight: Arc<Count>,
    /// What one worker's connections to it tell the others.
    pub signals: Signals,
}

impl Endpoint {
    /// An endpoint that nobody has connected to yet.
    pub(crate) fn new(addr: EndpointAddr, workers: usize) -> Endpoint {
        Endpoint {
            id: next_id(),
            addr,
            stats: EndpointStats::new(workers),
            offer: ArcSwapOption::empty(),
            error: ArcSwapOption::empty(),
            drained_by_admin: Arc::default(),
            in_flight: Arc::default(),
            signals: Signals::default(),
        }
    }

    /// Whether no new calls may go to it, by what the table in force says of it or by an operator's word.
    pub fn drains(&self, spec: &EndpointSpec) -> bool {
        spec.drain || self.drained_by_admin.load(Relaxed)
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
