//! A worker's backends: brought in line with the table, and asked for a connection by every call.

use super::catalog::Catalog;
use super::conn::Conn;
use super::numbers::NumberMap;
use super::peer::{Peer, Surroundings};
use crate::routes::{Backend, Table};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::Notify;

/// All backends, as one worker sees them.
pub struct Pool {
    surroundings: Surroundings,
    generation: Cell<u64>,
    backends: RefCell<NumberMap<u64, Rc<LocalBackend>>>,
    peers: RefCell<NumberMap<u64, Rc<Peer>>>,
}

/// A backend, as one worker sees it.
pub struct LocalBackend {
    peers: Vec<Rc<Peer>>,
}

/// The instances that a call has been to in vain, by the ids of their endpoints.
#[derive(Debug, Default)]
pub struct Tried {
    /// They had not accepted it, and may do so when they are asked again.
    pub refused: Vec<u64>,
    /// They do not offer its method.
    pub lacking: Vec<u64>,
}

/// Where a call can go.
pub enum Pick {
    /// On this connection.
    Ready(Rc<Conn>),
    /// Nowhere yet, but a connection is being made: wait for [`Pool::changed`].
    Wait,
    /// Nowhere: every instance is at its bound of calls in flight.
    Busy,
    /// Nowhere: no instance is there.
    None,
}

impl Pool {
    /// An empty pool of worker number `worker`.
    pub fn new(worker: usize, catalog: Arc<Catalog>) -> Pool {
        Pool {
            surroundings: Surroundings { worker, catalog, changed: Rc::new(Notify::new()) },
            generation: Cell::new(0),
            backends: RefCell::default(),
            peers: RefCell::default(),
        }
    }

    /// The generation of the table that the pool is in line with.
    pub fn generation(&self) -> u64 {
        self.generation.get()
    }

    /// Told whenever some endpoint became or ceased to be reachable.
    pub fn changed(&self) -> &Notify {
        &self.surroundings.changed
    }

    /// Schemas and programs.
    pub fn catalog(&self) -> &Catalog {
        &self.surroundings.catalog
    }

    /// Brings the pool in line with a table: new endpoints are connected to, gone ones and those that drain retire, others
    /// stay.
    pub fn sync(&self, table: &Table) {
        if self.generation.replace(table.generation) == table.generation {
            return;
        }
        let mut old_peers = std::mem::take(&mut *self.peers.borrow_mut());
        let mut peers = NumberMap::default();
        let mut backends = NumberMap::default();
        for backend in &table.backends {
            let local = backend.endpoints.iter().map(|endpoint| {
                let peer = old_peers.remove(&endpoint.id).unwrap_or_else(|| Peer::new(endpoint.clone()));
                peers.insert(endpoint.id, peer.clone());
                peer
            });
            backends.insert(backend.id, Rc::new(LocalBackend { peers: local.collect() }));
        }
        *self.peers.borrow_mut() = peers;
        *self.backends.borrow_mut() = backends;
        old_peers.values().for_each(|peer| peer.retire());
        self.heed_drains(table);
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
        self.changed().notify_waiters();
    }

    /// The worker's side of a backend; `None` when a later table no longer has it.
    pub fn backend(&self, backend: &Backend) -> Option<Rc<LocalBackend>> {
        self.backends.borrow().get(&backend.id).cloned()
    }

    /// Retires everything: for the worker's end.
    pub fn retire(&self) {
        self.peers.borrow_mut().drain().for_each(|(_, peer)| peer.retire());
        self.backends.borrow_mut().clear();
    }

    /// Whether some endpoint's first attempt to connect is still under way.
    pub fn is_settling(&self) -> bool {
        self.peers.borrow().values().any(|peer| peer.is_hopeful() && peer.conn().is_none())
    }
}

impl LocalBackend {
    /// Whether every instance is being drained, so that none will be there however long a call waits.
    pub fn drains(&self) -> bool {
        self.peers.iter().all(|peer| peer.is_retired())
    }

    /// Picks the connection for a call: of two random ones that have room, that with less load. Those that
    /// refused the call come last, those that lack its method not at all.
    pub fn pick(&self, tried: &Tried) -> Pick {
        let n = self.peers.len();
        let offering =
            |at: usize| Some(&self.peers[at]).filter(|peer| !tried.lacking.contains(&peer.endpoint.id));
        let with_room = |at: usize| offering(at)?.conn().filter(|conn| conn.has_room());
        let usable = |at: usize| with_room(at).filter(|conn| !tried.refused.contains(&conn.endpoint.id));
        if n > 1 {
            let first = fastrand::usize(..n);
            let second = (first + 1 + fastrand::usize(..n - 1)) % n;
            match (usable(first), usable(second)) {
                (Some(a), Some(b)) => return Pick::Ready(if b.load() < a.load() { b } else { a }),
                (Some(one), None) | (None, Some(one)) => return Pick::Ready(one),
                (None, None) => {}
            }
        }
        let start = if n > 1 { fastrand::usize(..n) } else { 0 };
        let mut all = (0..n).map(|offset| (start + offset) % n);
        if let Some(conn) = all.clone().find_map(usable).or_else(|| all.clone().find_map(with_room)) {
            return Pick::Ready(conn);
        }
        if all.clone().filter_map(offering).any(|peer| peer.conn().is_some()) {
            return Pick::Busy;
        }
        if all.any(|at| offering(at).is_some_and(|peer| peer.is_hopeful())) { Pick::Wait } else { Pick::None }
    }
}
