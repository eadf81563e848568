//! Building a table from checked files, as a diff against the one before; and looking requests up in it.

use super::addresses::{Addresses, Reached, reached};
use super::fixed::{FixedRoute, RawParams, next_fixed};
use super::params::{NotUtf8, PathParams, decode_segment};
use super::traffic::Traffic;
use crate::backends::{Offer, Ring, Signals};
use crate::config::{BackendSpec, Balance, EndpointAddr, EndpointSpec, FixedSpec, Method, RouteSpec, Tables};
use crate::limit::{Limits, SharedBuckets};
use crate::overload::{Count, Gauge};
use crate::telemetry::{BackendStats, EndpointStats, RouteStats};
use arc_swap::ArcSwapOption;
use matchit::Router;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Tells things apart that may carry the same name one after another.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

fn next_id() -> u64 {
    NEXT_ID.fetch_add(1, Relaxed)
}

/// Routes and backends, checked and ready to be looked up.
pub struct Table {
    /// Rises with every table.
    pub generation: u64,
    /// The hash of the files.
    pub hash: String,
    /// All routes that call.
    pub routes: Vec<Arc<Route>>,
    /// All routes that call nothing.
    pub fixed: Vec<Arc<FixedRoute>>,
    /// All backends, by name.
    pub backends: Vec<Arc<Backend>>,
    /// For each method the tree of its paths.
    routers: Routers,
}

type Routers = [Router<Leaf>; Method::ALL.len()];

/// What a path leads to.
#[derive(Clone, Copy)]
enum Leaf {
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
    fn leads_to(&self, backend: &Backend, traffic: Option<&Traffic>) -> bool {
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
    fn reaches(&self, reached: &[Reached]) -> bool {
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
        let routers = std::array::from_fn(|_| Router::new());
        Table { generation: 0, hash: String::new(), routes, fixed, backends, routers }
    }

    /// The next table, where names lead to those addresses. What did not change against `before` is taken over with its
    /// connections, counters and health.
    pub fn next(before: &Table, tables: Tables, addresses: &Addresses, workers: usize) -> Table {
        let Tables { hash, backends, routes, fixed, .. } = tables;
        Table::make(before, hash.to_string(), backends, routes, fixed, addresses, workers)
    }

    /// The same table where names lead elsewhere now; `None` when that makes no difference to it.
    pub fn moved(before: &Table, addresses: &Addresses, workers: usize) -> Option<Table> {
        if before.backends.iter().all(|backend| backend.reaches(&reached(&backend.spec, addresses))) {
            return None;
        }
        let backends = before.backends.iter().map(|backend| backend.spec.clone()).collect();
        let routes = before.routes.iter().map(|route| route.spec.clone()).collect();
        let fixed = before.fixed.iter().map(|route| route.spec.clone()).collect();
        Some(Table::make(before, before.hash.clone(), backends, routes, fixed, addresses, workers))
    }

    fn make(
        before: &Table,
        hash: String,
        backends: Vec<BackendSpec>,
        routes: Vec<RouteSpec>,
        fixed: Vec<FixedSpec>,
        addresses: &Addresses,
        workers: usize,
    ) -> Table {
        let backends = next_backends(before, backends, addresses, workers);
        let routes = next_routes(before, routes, &backends, workers);
        let fixed = next_fixed(&before.fixed, fixed, workers);
        let mut routers: Routers = std::array::from_fn(|_| Router::new());
        let calling = routes.iter().map(|route| (route.spec.method, &route.spec.path));
        let calling = calling.enumerate().map(|(at, key)| (key, Leaf::Route(at)));
        let others = fixed.iter().map(|route| (route.spec.method, &route.spec.path));
        let others = others.enumerate().map(|(at, key)| (key, Leaf::Fixed(at)));
        for ((method, path), leaf) in calling.chain(others) {
            if let Err(error) = routers[method as usize].insert(path.as_str(), leaf) {
                // The checks of the files insert the same patterns into the same kind of tree.
                tracing::error!(route = path.as_str(), %error, "a checked route does not go into the table");
            }
        }
        Table { generation: before.generation + 1, hash, routes, fixed, backends, routers }
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

fn next_backends(
    before: &Table,
    specs: Vec<BackendSpec>,
    addresses: &Addresses,
    workers: usize,
) -> Vec<Arc<Backend>> {
    let known: HashMap<&str, &Arc<Backend>> =
        before.backends.iter().map(|backend| (backend.spec.name.as_str(), backend)).collect();
    let next = |spec: BackendSpec| {
        let old = known.get(spec.name.as_str()).copied();
        let reached = reached(&spec, addresses);
        if let Some(old) = old.filter(|old| old.spec == spec && old.reaches(&reached)) {
            return old.clone();
        }
        // An endpoint survives when its address does and nothing about how to connect changed.
        let keep = old.filter(|old| old.spec.connects_like(&spec));
        let endpoint = |next: &Reached| {
            let before = old.and_then(|old| old.endpoints.iter().find(|endpoint| endpoint.addr == next.addr));
            match before {
                Some(before) if keep.is_some() => before.clone(),
                Some(before) => Arc::new(Endpoint {
                    drained_by_admin: before.drained_by_admin.clone(),
                    in_flight: before.in_flight.clone(),
                    ..Endpoint::new(next.addr.clone(), workers)
                }),
                None => Arc::new(Endpoint::new(next.addr.clone(), workers)),
            }
        };
        let endpoints = reached.iter().map(endpoint).collect();
        let declared = reached.iter().map(|one| one.declared).collect();
        let stats = old.map_or_else(|| Arc::new(BackendStats::new(workers)), |old| old.stats.clone());
        let gauge = old.map_or_else(|| Arc::new(Gauge::new(workers)), |old| old.gauge.clone());
        Arc::new(Backend::new(spec, (endpoints, declared), (stats, gauge), old.map(Arc::as_ref)))
    };
    specs.into_iter().map(next).collect()
}

fn next_routes(
    before: &Table,
    specs: Vec<RouteSpec>,
    backends: &[Arc<Backend>],
    workers: usize,
) -> Vec<Arc<Route>> {
    let known: HashMap<(Method, &str), &Arc<Route>> =
        before.routes.iter().map(|route| ((route.spec.method, route.spec.path.as_str()), route)).collect();
    let backends: HashMap<&str, &Arc<Backend>> = backends.iter().map(|b| (b.spec.name.as_str(), b)).collect();
    // A route that keeps its place in the table (method and path) keeps its slot and its counters.
    let keys = specs.iter().map(|spec| (spec.method, spec.path.as_str()));
    let taken: HashSet<usize> = keys.filter_map(|key| known.get(&key)).map(|route| route.slot).collect();
    let mut free = (0..).filter(|slot| !taken.contains(slot));
    let mut shared = SharedBuckets::of(before.routes.iter().map(|route| &route.limits));
    let mut routes = Vec::with_capacity(specs.len());
    for spec in &specs {
        let Some(backend) = backends.get(spec.backend.as_str()).copied() else {
            continue;
        };
        let old = known.get(&(spec.method, spec.path.as_str())).copied();
        let mut limits = || Limits::next(spec, old.map(|old| &old.limits), &mut shared, workers);
        let traffic = Traffic::next(spec, &backends, old.and_then(|old| old.traffic.as_deref()), workers);
        let traffic = traffic.map(Box::new);
        // The counters have one place for a status of the route's own.
        let status = spec.policy.own_status();
        let stats = match old {
            Some(old) if old.spec.policy.own_status() == status => old.stats.clone(),
            _ => Arc::new(RouteStats::answering(workers, status)),
        };
        let route = match old {
            Some(old) if old.spec == *spec && old.leads_to(backend, traffic.as_deref()) => old.clone(),
            Some(old) => Arc::new(Route {
                // Programs depend on the route's own lines only, so a changed backend does not make it another route.
                id: if old.spec == *spec { old.id } else { next_id() },
                slot: old.slot,
                spec: spec.clone(),
                backend: backend.clone(),
                traffic,
                stats,
                limits: limits(),
                in_flight: old.in_flight.clone(),
            }),
            None => Arc::new(Route {
                id: next_id(),
                slot: free.next().unwrap_or_default(),
                spec: spec.clone(),
                backend: backend.clone(),
                traffic,
                stats,
                limits: limits(),
                in_flight: Arc::default(),
            }),
        };
        routes.push(route);
    }
    routes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    const TWO_BACKENDS: &str = r#"
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

    fn next(before: &Table, text: &str) -> Table {
        let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
        Table::next(before, tables, &Addresses::default(), 1)
    }

    fn route<'t>(table: &'t Table, path: &str) -> &'t Arc<Route> {
        table.routes.iter().find(|route| route.spec.path.as_str() == path).expect("the route is there")
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
        let (old, new) = (&first.backends[0].endpoints, &second.backends[0].endpoints);
        assert!(Arc::ptr_eq(&old[1], &new[1]));
        assert_ne!(old[0].id, new[0].id);
        let kept = route(&second, "/one/{id}");
        assert_eq!(kept.id, route(&first, "/one/{id}").id, "its programs still hold");
        assert!(Arc::ptr_eq(&kept.backend, &second.backends[0]), "its calls go to the new set");
    }

    #[test]
    fn other_connection_settings_make_other_endpoints() {
        let first = next(&Table::empty(), TWO_BACKENDS);
        let changed = TWO_BACKENDS.replace("[backends.b]", "[backends.b]\n ping_interval = \"3s\"");
        let second = next(&first, &changed);
        assert_ne!(first.backends[1].endpoints[0].id, second.backends[1].endpoints[0].id);
        assert!(Arc::ptr_eq(&first.backends[0], &second.backends[0]));
    }

    #[test]
    fn an_endpoint_whose_drain_changes_stays_the_same_and_an_operators_word_outlives_other_settings() {
        let first = next(&Table::empty(), TWO_BACKENDS);
        let drained = TWO_BACKENDS.replace("\"127.0.0.1:1\"", "{ address = \"127.0.0.1:1\", drain = true }");
        let second = next(&first, &drained);
        let states = |table: &Table| -> Vec<bool> {
            table.backends[0].members().map(|(endpoint, spec)| endpoint.drains(spec)).collect()
        };
        assert_eq!((states(&first), states(&second)), (vec![false, false], vec![true, false]));
        assert!(Arc::ptr_eq(&first.backends[0].endpoints[0], &second.backends[0].endpoints[0]));
        second.backends[0].endpoints[1].drained_by_admin.store(true, Relaxed);
        let third = next(&second, &TWO_BACKENDS.replace("[backends.a]", "[backends.a]\n max_calls = 7"));
        assert_ne!(third.backends[0].endpoints[1].id, second.backends[0].endpoints[1].id);
        assert_eq!(states(&third), [false, true]);
        let without = next(&third, &TWO_BACKENDS.replace(", \"127.0.0.1:2\"", ""));
        assert_eq!(states(&next(&without, TWO_BACKENDS)), [false, false], "what is listed again is new");
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
