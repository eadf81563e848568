//! A worker's backends: brought in line with the table, and asked for a connection by every call.

use super::backend::Backend;
use super::call_state::CallState;
use super::endpoint::Endpoint;
use super::endpoint_supervisor::{Surroundings, start};
use super::health_reviewer::{Backends, keep};
use super::local_backend::LocalBackend;
use super::local_endpoint::LocalEndpoint;
use crate::number_map::NumberMap;
use crate::presence::Presence;
use crate::routes::Table;
use crate::supervise::{Supervisor, Task, supervised};
use crate::transport::callgate::{Catalog, Connections};
use callgate_protocol::Budget;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// All backends, as one worker sees them.
pub struct Pool {
    surroundings: Surroundings,
    /// Where the gateway is.
    zone: Option<String>,
    generation: Cell<u64>,
    backends: Backends,
    reviewer: RefCell<Option<AbortHandle>>,
    /// The routes of the table that it is in line with: ids by slot.
    routes: RefCell<Arc<[u64]>>,
}

impl Pool {
    /// An empty pool of worker number `worker`, in that zone. `offers` is told when an instance offers something else than before.
    /// Long replies take room of `answers` while they arrive.
    pub fn new(
        worker: usize,
        catalog: Arc<Catalog>,
        supervisor: Arc<Supervisor>,
        answers: Arc<Budget>,
        offers: Arc<Notify>,
        zone: Option<String>,
    ) -> Pool {
        let (changed, due) = (Rc::<Notify>::default(), Rc::default());
        let presence = Rc::new(Presence::new(Instant::now()));
        let connections = Connections::new(catalog, answers, changed.clone(), presence.clone());
        let connections = Rc::new(connections);
        let surroundings = Surroundings { worker, supervisor, changed, due, offers, connections, presence };
        Pool {
            surroundings,
            zone,
            generation: Cell::new(0),
            backends: Backends::default(),
            reviewer: RefCell::default(),
            routes: RefCell::new(Arc::default()),
        }
    }

    /// The generation of the table that the pool is in line with.
    pub fn generation(&self) -> u64 {
        self.generation.get()
    }

    /// Told whenever some endpoint became or ceased to be reachable, takes calls again, or has room again for what is to be
    /// sent to it.
    pub fn changed(&self) -> &Notify {
        &self.surroundings.changed
    }

    /// Brings the pool in line with a table: new endpoints are connected to, gone ones and those that drain retire. What the
    /// table before had as well is not looked at. Must be called on the worker's runtime.
    pub fn sync(&self, table: &Table) {
        if self.generation.get() == table.generation {
            return;
        }
        // What is in force stays until all of it is replaced, whatever panics meanwhile.
        let mut old = self.backends.borrow().clone();
        let mut backends = NumberMap::with_capacity_and_hasher(table.backends.len(), Default::default());
        let mut others = Vec::new();
        for backend in &table.backends {
            match old.remove(&backend.id) {
                Some(known) => drop(backends.insert(backend.id, known)),
                None => others.push(backend),
            }
        }
        let calls: HashMap<&str, &Rc<CallState>> =
            old.values().map(|old| (old.name.as_str(), &old.calls)).collect();
        let peers = old.values().flat_map(|old| &old.instances.all);
        let mut peers: NumberMap<u64, Rc<LocalEndpoint>> =
            peers.map(|peer| (peer.endpoint.id, peer.clone())).collect();
        let now = Instant::now();
        for backend in others {
            let calls = calls.get(backend.spec.name.as_str()).copied().cloned().unwrap_or_default();
            let local = self.take_up(backend, &mut peers, calls);
            // Who gets calls is known before the next one is made.
            local.review(now);
            backends.insert(backend.id, local);
        }
        peers.values().for_each(|peer| peer.retire());
        *self.backends.borrow_mut() = backends;
        self.forget_gone_routes(table);
        self.generation.set(table.generation);
        self.reviewer.borrow_mut().get_or_insert_with(|| {
            let (backends, surroundings) = (self.backends.clone(), self.surroundings.clone());
            let reviewer = async move {
                let supervisor = &surroundings.supervisor;
                supervised!(supervisor, Task::HealthReviewer, keep(&backends, &surroundings));
            };
            tokio::task::spawn_local(reviewer).abort_handle()
        });
        self.changed().notify_waiters();
    }

    /// Has the connections forget routes that are gone, if the table has other routes than the one before.
    fn forget_gone_routes(&self, table: &Table) {
        let before = self.routes.replace(table.route_ids.clone());
        if Arc::ptr_eq(&before, &table.route_ids) {
            return;
        }
        let backends = self.backends.borrow();
        let links = backends.values().flat_map(|backend| &backend.instances.all).filter_map(|at| at.link());
        links.for_each(|link| link.forget_gone(&table.route_ids));
    }

    /// A backend that is new or has changed, with those of the peers that are still its own.
    fn take_up(
        &self,
        backend: &Backend,
        peers: &mut NumberMap<u64, Rc<LocalEndpoint>>,
        calls: Rc<CallState>,
    ) -> Rc<LocalBackend> {
        let own = |endpoint: &Arc<Endpoint>| {
            let known = peers.remove(&endpoint.id);
            let local = known.unwrap_or_else(|| self.new_endpoint(endpoint, backend));
            local.monitor.set_spec(backend.spec.health);
            local
        };
        let own = backend.endpoints.iter().map(own).collect();
        let local = LocalBackend::new(backend, own, calls, self.surroundings.worker, self.zone.as_deref());
        self.heed(backend, &local);
        Rc::new(local)
    }

    fn new_endpoint(&self, endpoint: &Arc<Endpoint>, backend: &Backend) -> Rc<LocalEndpoint> {
        let Surroundings { worker, due, .. } = &self.surroundings;
        Rc::new(LocalEndpoint::new(endpoint.clone(), &backend.spec, *worker, due.clone()))
    }

    /// Leaves the endpoints that drain by now, and connects to those that no longer do. All in one step, so that a call
    /// which finds one of two gone finds the other one coming.
    pub fn heed_drains(&self, table: &Table) {
        let backends = self.backends.borrow();
        for backend in &table.backends {
            if let Some(local) = backends.get(&backend.id) {
                self.heed(backend, local);
            }
        }
        self.changed().notify_waiters();
    }

    fn heed(&self, backend: &Backend, local: &LocalBackend) {
        for ((endpoint, spec), local) in backend.members().zip(&local.instances.all) {
            match endpoint.drains(spec) {
                true => local.retire(),
                false => start(local, &backend.spec, &self.surroundings),
            }
        }
    }

    /// The worker's side of a backend; `None` when a later table no longer has it.
    pub fn backend(&self, backend: &Backend) -> Option<Rc<LocalBackend>> {
        self.backends.borrow().get(&backend.id).cloned()
    }

    /// Retires everything: for the worker's end.
    pub fn retire(&self) {
        if let Some(reviewer) = self.reviewer.borrow_mut().take() {
            reviewer.abort();
        }
        let backends = std::mem::take(&mut *self.backends.borrow_mut());
        backends.values().flat_map(|backend| &backend.instances.all).for_each(|peer| peer.retire());
    }

    /// Whether some endpoint's first attempt to connect is still under way.
    pub fn is_settling(&self) -> bool {
        let backends = self.backends.borrow();
        let mut all = backends.values().flat_map(|backend| &backend.instances.all);
        all.any(|at| at.is_hopeful() && at.link().is_none())
    }
}
