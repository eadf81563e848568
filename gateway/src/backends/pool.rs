//! A worker's backends: brought in line with the table, and asked for a connection by every call.

use super::keeper::{Backends, Connections, keep};
use super::peer::{Peer, Surroundings};
use super::pick::LocalBackend;
use crate::backends::{Backend, Endpoint};
use crate::call::CallState;
use crate::number_map::NumberMap;
use crate::presence::Presence;
use crate::routes::Table;
use crate::supervise::{Supervisor, Task, supervised};
use crate::transport::callgate::Catalog;
use crate::transport::callgate::Transcoders;
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
    keeper: RefCell<Option<AbortHandle>>,
    transcoders: Transcoders,
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
        let connections = Connections::default();
        let (changed, due) = (Rc::default(), Rc::default());
        let presence = Rc::new(Presence::new(Instant::now()));
        let surroundings = Surroundings {
            worker,
            catalog,
            supervisor,
            answers,
            changed,
            due,
            offers,
            connections,
            presence,
        };
        Pool {
            surroundings,
            zone,
            generation: Cell::new(0),
            backends: Backends::default(),
            keeper: RefCell::default(),
            transcoders: Transcoders::default(),
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

    /// The worker's programs.
    pub fn transcoders(&self) -> &Transcoders {
        &self.transcoders
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
        let peers = old.values().flat_map(|old| &old.peers);
        let mut peers: NumberMap<u64, Rc<Peer>> =
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
        self.keeper.borrow_mut().get_or_insert_with(|| {
            let (backends, surroundings) = (self.backends.clone(), self.surroundings.clone());
            let keeper = async move {
                let supervisor = &surroundings.supervisor;
                supervised!(supervisor, Task::HealthReviewer, keep(&backends, &surroundings));
            };
            tokio::task::spawn_local(keeper).abort_handle()
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
        let conns = backends.values().flat_map(|backend| &backend.peers).filter_map(|peer| peer.conn());
        conns.for_each(|conn| conn.forget_gone(&table.route_ids));
    }

    /// A backend that is new or has changed, with those of the peers that are still its own.
    fn take_up(
        &self,
        backend: &Backend,
        peers: &mut NumberMap<u64, Rc<Peer>>,
        calls: Rc<CallState>,
    ) -> Rc<LocalBackend> {
        let own = |endpoint: &Arc<Endpoint>| {
            let known = peers.remove(&endpoint.id);
            let peer =
                known.unwrap_or_else(|| Peer::new(endpoint.clone(), &backend.spec, &self.surroundings));
            peer.monitor.set_spec(backend.spec.health);
            peer
        };
        let own = backend.endpoints.iter().map(own).collect();
        let local = LocalBackend::new(backend, own, calls, self.zone.as_deref());
        self.heed(backend, &local);
        Rc::new(local)
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
        for ((endpoint, spec), peer) in backend.members().zip(&local.peers) {
            match endpoint.drains(spec) {
                true => peer.retire(),
                false => peer.start(&backend.spec, &self.surroundings),
            }
        }
    }

    /// The worker's side of a backend; `None` when a later table no longer has it.
    pub fn backend(&self, backend: &Backend) -> Option<Rc<LocalBackend>> {
        self.backends.borrow().get(&backend.id).cloned()
    }

    /// Retires everything: for the worker's end.
    pub fn retire(&self) {
        if let Some(keeper) = self.keeper.borrow_mut().take() {
            keeper.abort();
        }
        let backends = std::mem::take(&mut *self.backends.borrow_mut());
        backends.values().flat_map(|backend| &backend.peers).for_each(|peer| peer.retire());
    }

    /// Whether some endpoint's first attempt to connect is still under way.
    pub fn is_settling(&self) -> bool {
        let backends = self.backends.borrow();
        let mut peers = backends.values().flat_map(|backend| &backend.peers);
        peers.any(|peer| peer.is_hopeful() && peer.conn().is_none())
    }
}
