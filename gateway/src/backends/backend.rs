//! A backend as all workers share it: its endpoints, and how the next table takes over what stays of them.

use super::addresses::{Addresses, Reached, reached};
use super::endpoint::Endpoint;
use super::ring::Ring;
use crate::config::{BackendSpec, Balance, EndpointAddr, EndpointSpec};
use crate::ids::next_id;
use crate::overload::Gauge;
use crate::telemetry::BackendStats;
use std::collections::HashMap;
use std::sync::Arc;

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

    /// Whether its endpoints are those that it would have by these addresses.
    pub(crate) fn is_reached_by(&self, addresses: &Addresses) -> bool {
        self.reaches(&reached(&self.spec, addresses))
    }

    /// Whether its endpoints are those.
    fn reaches(&self, reached: &[Reached]) -> bool {
        let mine = self.endpoints.iter().zip(&self.declared);
        mine.map(|(endpoint, at)| (&endpoint.addr, *at))
            .eq(reached.iter().map(|one| (&one.addr, one.declared)))
    }
}

/// The backends of these specifications, where names lead to those addresses. What did not change against `before` is taken over.
pub(crate) fn next_backends(
    before: &[Arc<Backend>],
    specs: Vec<BackendSpec>,
    addresses: &Addresses,
    workers: usize,
) -> Vec<Arc<Backend>> {
    let known: HashMap<&str, &Arc<Backend>> =
        before.iter().map(|backend| (backend.spec.name.as_str(), backend)).collect();
    let next = |spec: BackendSpec| {
        let old = known.get(spec.name.as_str()).copied();
        let reached = reached(&spec, addresses);
        if let Some(old) = old.filter(|old| old.spec == spec && old.reaches(&reached)) {
            return old.clone();
        }
        // An endpoint survives when its address does and nothing about how to connect changed.
        let keep = old.filter(|old| old.spec.connects_like(&spec));
        let known: HashMap<&EndpointAddr, &Arc<Endpoint>> =
            old.iter().flat_map(|old| &old.endpoints).map(|endpoint| (&endpoint.addr, endpoint)).collect();
        let endpoint = |next: &Reached| match known.get(&next.addr).copied() {
            Some(before) if keep.is_some() => before.clone(),
            Some(before) => Arc::new(Endpoint {
                drained_by_admin: before.drained_by_admin.clone(),
                in_flight: before.in_flight.clone(),
                ..Endpoint::new(next.addr.clone(), workers)
            }),
            None => Arc::new(Endpoint::new(next.addr.clone(), workers)),
        };
        let endpoints = reached.iter().map(endpoint).collect();
        let declared = reached.iter().map(|one| one.declared).collect();
        let stats = old.map_or_else(|| Arc::new(BackendStats::new(workers)), |old| old.stats.clone());
        let gauge = old.map_or_else(|| Arc::new(Gauge::new(workers)), |old| old.gauge.clone());
        Arc::new(Backend::new(spec, (endpoints, declared), (stats, gauge), old.map(Arc::as_ref)))
    };
    specs.into_iter().map(next).collect()
}
