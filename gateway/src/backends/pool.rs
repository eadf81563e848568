//! A worker's backends: brought in line with the table, and asked for a connection by every call.

use super::catalog::Catalog;
use super::conn::Conn;
use super::numbers::NumberMap;
use super::peer::{Peer, Surroundings};
use crate::call::CallState;
use crate::routes::{Backend, Table};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
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
    name: String,
    peers: Vec<Rc<Peer>>,
    /// What its calls have come to; kept when a new table changes the backend.
    pub calls: Rc<CallState>,
}

/// The instances that a call has been to in vain, by the ids of their endpoints.
#[derive(Debug, Default)]
pub struct Tried {
    /// They have not accepted it, refused or failed it, and may do better when they are asked again.
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

    /// Brings the pool in line with a table: new endpoints are connected to, gone ones retire, others stay.
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
                let peer = old_peers.remove(&endpoint.id).unwrap_or_else(|| {
                    Peer::start(endpoint.clone(), backend.spec.clone(), self.surroundings.clone())
                });
                peers.insert(endpoint.id, peer.clone());
                peer
            });
            let peers = local.collect();
            let calls = calls.get(backend.spec.name.as_str()).copied().cloned().unwrap_or_default();
            backends
                .insert(backend.id, Rc::new(LocalBackend { name: backend.spec.name.clone(), peers, calls }));
        }
        *self.peers.borrow_mut() = peers;
        *self.backends.borrow_mut() = backends;
        old_peers.values().for_each(|peer| peer.retire());
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
    /// Picks the connection for a call: of two random ones that have room, that with fewer calls in flight. Those that
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
                (Some(a), Some(b)) => return Pick::Ready(if b.in_flight() < a.in_flight() { b } else { a }),
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
