//! A worker's backends: brought in line with the table, and asked for a connection by every call.

use super::catalog::Catalog;
use super::keeper::{Backends, Connections, keep};
use super::numbers::NumberMap;
use super::peer::{Peer, Surroundings};
use super::pick::LocalBackend;
use crate::call::CallState;
use crate::routes::{Backend, Table};
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
    peers: RefCell<NumberMap<u64, Rc<Peer>>>,
    keeper: RefCell<Option<AbortHandle>>,
}

impl Pool {
    /// An empty pool of worker number `worker`, in that zone.
    pub fn new(worker: usize, catalog: Arc<Catalog>, zone: Option<String>) -> Pool {
        let connections = Connections::default();
        let (changed, due) = (Rc::default(), Rc::default());
        Pool {
            surroundings: Surroundings { worker, catalog, changed, due, connections },
            zone,
            generation: Cell::new(0),
            backends: Backends::default(),
            peers: RefCell::default(),
            keeper: RefCell::default(),
        }
    }

    /// The generation of the table that the pool is in line with.
    pub fn generation(&self) -> u64 {
        self.generation.get()
    }

    /// Told whenever some endpoint became or ceased to be reachable, or takes calls again.
    pub fn changed(&self) -> &Notify {
        &self.surroundings.changed
    }

    /// Schemas and programs.
    pub fn catalog(&self) -> &Catalog {
        &self.surroundings.catalog
    }

    /// Brings the pool in line with a table: new endpoints are connected to, gone ones and those that drain retire, others
    /// stay. Must be called on the worker's runtime.
    pub fn sync(&self, table: &Table) {
        if self.generation.replace(table.generation) == table.generation {
            return;
        }
        let mut old_peers = std::mem::take(&mut *self.peers.borrow_mut());
        let old_backends = std::mem::take(&mut *self.backends.borrow_mut());
        let calls: HashMap<&str, &Rc<CallState>> =
            old_backends.values().map(|old| (old.name.as_str(), &old.calls)).collect();
        let mut peers = NumberMap::default();
        let mut backends = NumberMap::default();
        for backend in &table.backends {
            let local = backend.endpoints.iter().map(|endpoint| {
                let peer = old_peers
                    .remove(&endpoint.id)
                    .unwrap_or_else(|| Peer::new(endpoint.clone(), &backend.spec, &self.surroundings));
                peer.monitor.set_spec(backend.spec.health);
                peers.insert(endpoint.id, peer.clone());
                peer
            });
            let calls = calls.get(backend.spec.name.as_str()).copied().cloned().unwrap_or_default();
            let local: Vec<Rc<Peer>> = local.collect();
            // Whose turn it is outlives what changes elsewhere.
            let known = old_backends.get(&backend.id).filter(|old| old.has(&local)).cloned();
            let local = known
                .unwrap_or_else(|| Rc::new(LocalBackend::new(backend, local, calls, self.zone.as_deref())));
            backends.insert(backend.id, local);
        }
        *self.peers.borrow_mut() = peers;
        *self.backends.borrow_mut() = backends;
        old_peers.values().for_each(|peer| peer.retire());
        self.keeper.borrow_mut().get_or_insert_with(|| {
            let keeper = keep(self.backends.clone(), self.surroundings.clone());
            tokio::task::spawn_local(keeper).abort_handle()
        });
        self.heed_drains(table);
        // Who gets calls is known before the next one is made.
        let now = Instant::now();
        for backend in self.backends.borrow().values() {
            backend.review(now);
        }
    }

    /// Leaves the endpoints that drain by now, and connects to those that no longer do. All in one step, so that a call
    /// which finds one of two gone finds the other one coming.
    pub fn heed_drains(&self, table: &Table) {
        let peers = self.peers.borrow();
        for backend in &table.backends {
            for (endpoint, spec) in backend.members() {
                match peers.get(&endpoint.id) {
                    Some(peer) if endpoint.drains(spec) => peer.retire(),
                    Some(peer) => peer.start(&backend.spec, &self.surroundings),
                    None => {}
                }
            }
        }
        drop(peers);
        self.surroundings.due.notify_one();
        self.changed().notify_waiters();
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
        self.peers.borrow_mut().drain().for_each(|(_, peer)| peer.retire());
        self.backends.borrow_mut().clear();
    }

    /// Whether some endpoint's first attempt to connect is still under way.
    pub fn is_settling(&self) -> bool {
        self.peers.borrow().values().any(|peer| peer.is_hopeful() && peer.conn().is_none())
    }
}
