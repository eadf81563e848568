//! A worker's backends: brought in line with the table and with their members, and asked for a connection by every call.

use super::backend::Backend;
use super::call_state::CallState;
use super::endpoint_connection::Surroundings;
use super::endpoint_supervisor::start;
use super::health_reviewer::{Backends, keep};
use super::local_backend::LocalBackend;
use super::local_endpoint::LocalEndpoint;
use super::members::Member;
use super::offer_changes::OfferChanges;
use crate::buffers::Buffers;
use crate::presence::Presence;
use crate::supervise::{Supervisor, Task, supervised};
use crate::transport::callgate::{Catalog, Connections};
use callgate_protocol::Budget;
use callgate_protocol::connection::NumberMap;
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
    /// The routes of the table that it is in line with, ids by slot.
    routes: RefCell<Arc<[u64]>>,
}

impl Pool {
    /// An empty pool of worker number `worker`, in that zone. `offers` is told of backends whose instances offer something else than before.
    /// Long replies take room of `answers` while they arrive, and replies become JSON in `buffers`.
    pub fn new(
        worker: usize,
        catalog: Arc<Catalog>,
        supervisor: Arc<Supervisor>,
        answers: Arc<Budget>,
        buffers: Rc<Buffers>,
        offers: Arc<OfferChanges>,
        zone: Option<String>,
    ) -> Pool {
        let (changed, due) = (Rc::<Notify>::default(), Rc::default());
        let presence = Rc::new(Presence::new(Instant::now()));
        let (room, here, told) = (changed.clone(), presence.clone(), supervisor.clone());
        let connections = Connections::new(catalog, answers, buffers, room, here, told);
        let connections = Rc::new(connections);
        let surroundings = Surroundings {
            worker,
            supervisor,
            changed,
            due,
            offers,
            connections,
            presence,
            #[cfg(test)]
            played: false,
        };
        Pool {
            surroundings,
            zone,
            generation: Cell::new(0),
            backends: Backends::default(),
            reviewer: RefCell::default(),
            routes: RefCell::new(Arc::default()),
        }
    }

    /// A test plays the instances that are connected to from now on.
    #[cfg(test)]
    pub(crate) fn play_instances(&mut self) {
        self.surroundings.played = true;
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

    /// Brings the pool in line with the table of that generation, which has these backends and routes (ids by slot): new
    /// endpoints are connected to, gone ones and those that drain retire. Backends that the table before had as well are not
    /// looked at. Must be called on the worker's runtime.
    pub fn sync(&self, generation: u64, backends: &[Arc<Backend>], routes: &Arc<[u64]>) {
        if self.generation.get() == generation {
            return;
        }
        // What is in force stays until all of it is replaced, whatever panics meanwhile.
        let mut old = self.backends.borrow().clone();
        let mut all = NumberMap::with_capacity_and_hasher(backends.len(), Default::default());
        let mut others = Vec::new();
        for backend in backends {
            match old.remove(&backend.id) {
                Some(known) => drop(all.insert(backend.id, known)),
                None => others.push(backend),
            }
        }
        let calls: HashMap<&str, &Rc<CallState>> =
            old.values().map(|old| (old.shared.spec.name.as_str(), &old.calls)).collect();
        let mut endpoints = by_endpoint(old.values());
        for backend in others {
            let calls = calls.get(backend.spec.name.as_str()).copied().cloned().unwrap_or_default();
            all.insert(backend.id, self.take_up(backend, &mut endpoints, calls));
        }
        endpoints.values().for_each(|one| one.retire());
        *self.backends.borrow_mut() = all;
        self.forget_gone_routes(routes);
        self.generation.set(generation);
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
    fn forget_gone_routes(&self, routes: &Arc<[u64]>) {
        let before = self.routes.replace(routes.clone());
        if Arc::ptr_eq(&before, routes) {
            return;
        }
        let backends = self.backends.borrow();
        let links = backends.values().flat_map(|backend| &backend.instances.all).filter_map(|at| at.link());
        links.for_each(|link| link.forget_gone(routes));
    }

    /// Brings one backend in line with the members that it has now, if it is one of those in force: new ones are connected to,
    /// gone ones retire. No other backend is looked at. Must be called on the worker's runtime.
    pub fn follow_members(&self, id: u64) {
        let Some(old) = self.backends.borrow().get(&id).cloned() else { return };
        if old.members.generation == old.shared.members().generation {
            return;
        }
        let mut endpoints = by_endpoint([&old]);
        let local = self.take_up(&old.shared, &mut endpoints, old.calls.clone());
        endpoints.values().for_each(|one| one.retire());
        self.backends.borrow_mut().insert(id, local);
        self.changed().notify_waiters();
    }

    /// The same of all backends, for whoever cannot know which have changed.
    pub fn follow_all_members(&self) {
        let all: Vec<u64> = self.backends.borrow().keys().copied().collect();
        all.into_iter().for_each(|id| self.follow_members(id));
    }

    /// A backend that is new or has changed, with those of the endpoints that are still its own.
    fn take_up(
        &self,
        backend: &Arc<Backend>,
        endpoints: &mut NumberMap<u64, Rc<LocalEndpoint>>,
        calls: Rc<CallState>,
    ) -> Rc<LocalBackend> {
        let Surroundings { worker, due, .. } = &self.surroundings;
        let members = backend.members_now();
        let own = |Member { endpoint, .. }: &Member| {
            let known = endpoints.remove(&endpoint.id);
            let local = known.unwrap_or_else(|| {
                Rc::new(LocalEndpoint::new(endpoint.clone(), &backend.spec, *worker, due.clone()))
            });
            local.monitor.set_spec(backend.spec.health);
            local
        };
        let own = members.iter().map(own).collect();
        let local = LocalBackend::new(backend.clone(), members, own, calls, *worker, self.zone.as_deref());
        self.connect_or_retire(&local);
        // Who gets calls is known before the next one is made.
        local.review(Instant::now());
        Rc::new(local)
    }

    /// Leaves the endpoints that drain by now, and connects to those that no longer do. All in one step, so that a call
    /// which finds one of two gone finds the other one coming.
    pub fn follow_drains(&self) {
        self.backends.borrow().values().for_each(|local| self.connect_or_retire(local));
        self.changed().notify_waiters();
    }

    fn connect_or_retire(&self, local: &LocalBackend) {
        for (member, one) in local.members.iter().zip(&local.instances.all) {
            if member.drains() {
                one.retire();
            } else {
                start(one, &local.shared.connecting, &self.surroundings);
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
        backends.values().flat_map(|backend| &backend.instances.all).for_each(|one| one.retire());
    }

    /// Whether some endpoint's first attempt to connect is still under way.
    pub fn is_settling(&self) -> bool {
        let backends = self.backends.borrow();
        let mut all = backends.values().flat_map(|backend| &backend.instances.all);
        all.any(|at| at.is_hopeful() && at.link().is_none())
    }
}

/// The worker's side of these backends' endpoints, by the endpoints' ids.
fn by_endpoint<'b>(
    backends: impl IntoIterator<Item = &'b Rc<LocalBackend>>,
) -> NumberMap<u64, Rc<LocalEndpoint>> {
    let all = backends.into_iter().flat_map(|backend| &backend.instances.all);
    all.map(|one| (one.endpoint.id, one.clone())).collect()
}

#[cfg(test)]
mod tests;
