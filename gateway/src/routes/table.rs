//! What a table is made of, and how a request is looked up in it.

use super::addresses::Reached;
use super::params::Captured;
use super::route::Route;
use crate::backends::{Offer, Ring, Signals};
use crate::config::{BackendSpec, Balance, EndpointAddr, EndpointSpec};
use crate::method::Method;
use crate::overload::{Count, Gauge};
use crate::telemetry::{BackendStats, EndpointStats};
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
