//! A worker's backends: brought in line with the table and with their members, and asked for a connection by every call.

use super::backend::Backend;
use super::call_state::CallState;
use super::endpoint_supervisor::{Surroundings, start};
use super::health_reviewer::{Backends, keep};
use super::local_backend::LocalBackend;
use super::local_endpoint::LocalEndpoint;
use super::members::Member;
use crate::number_map::NumberMap;
use crate::presence::Presence;
use crate::reply_buffer::Buffers;
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
    /// The routes of the table that it is in line with, ids by slot.
    routes: RefCell<Arc<[u64]>>,
}

impl Pool {
    /// An empty pool of worker number `worker`, in that zone. `offers` is told when an instance offers something else than before.
    /// Long replies take room of `answers` while they arrive, and replies become JSON in `buffers`.
    pub fn new(
        worker: usize,
        catalog: Arc<Catalog>,
        supervisor: Arc<Supervisor>,
        answers: Arc<Budget>,
        buffers: Rc<Buffers>,
        offers: Arc<Notify>,
        zone: Option<String>,
    ) -> Pool {
        let (changed, due) = (Rc::<Notify>::default(), Rc::default());
        let presence = Rc::new(Presence::new(Instant::now()));
        let connections = Connections::new(catalog, answers, buffers, changed.clone(), presence.clone());
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
        self.heed(&local);
        // Who gets calls is known before the next one is made.
        local.review(Instant::now());
        Rc::new(local)
    }

    /// Leaves the endpoints that drain by now, and connects to those that no longer do. All in one step, so that a call
    /// which finds one of two gone finds the other one coming.
    pub fn heed_drains(&self) {
        self.backends.borrow().values().for_each(|local| self.heed(local));
        self.changed().notify_waiters();
    }

    fn heed(&self, local: &LocalBackend) {
        for (member, one) in local.members.iter().zip(&local.instances.all) {
            if member.drains() {
                one.retire();
            } else {
                start(one, &local.shared.spec, &self.surroundings);
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
mod tests {
    use super::*;
    use crate::backends::testing::links;
    use crate::config::{BackendSpec, EndpointAddr, EndpointSpec};
    use crate::discovery::Lists;
    use crate::transport::Link;
    use std::sync::atomic::Ordering::Relaxed;
    use tokio::task::LocalSet;

    /// A backend of that name with so many instances.
    fn backend(name: &str, instances: u16) -> Arc<Backend> {
        let endpoint = |port| EndpointSpec::from(EndpointAddr::Tcp { host: "10.0.0.1".to_owned(), port });
        let spec = BackendSpec::new(name, (1..=instances).map(endpoint).collect());
        Arc::new(Backend::new(spec, &Lists::default(), None, 1))
    }

    /// A pool whose instances are there at once.
    fn pool() -> Pool {
        let (catalog, budget) = (Arc::default(), Budget::new(0));
        let mut pool = Pool::new(0, catalog, Arc::default(), budget, Rc::default(), Arc::default(), None);
        pool.play_instances();
        pool
    }

    fn ids(ids: &[u64]) -> Arc<[u64]> {
        ids.into()
    }

    async fn local(test: impl Future<Output = ()>) {
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_in_a_table_is_the_same_and_what_is_gone_takes_no_more_calls() {
        local(async {
            let (pool, stays, goes) = (pool(), backend("stays", 2), backend("goes", 1));
            assert!(pool.backend(&stays).is_none());
            pool.sync(1, &[stays.clone(), goes.clone()], &ids(&[1]));
            assert_eq!(pool.generation(), 1);
            let before = pool.backend(&stays).expect("it is in the table");
            let gone = links(&pool.backend(&goes).expect("it is in the table"));
            let changed = pool.changed().notified();
            pool.sync(1, &[], &ids(&[]));
            assert!(pool.backend(&goes).is_some(), "it is in line with that table already");
            pool.sync(2, std::slice::from_ref(&stays), &ids(&[1]));
            changed.await;
            assert!(Rc::ptr_eq(&before, &pool.backend(&stays).expect("it stays")));
            assert!(links(&before).into_iter().all(|link| Link::Memory(link).accepts()));
            assert!(pool.backend(&goes).is_none() && !Link::Memory(gone[0].clone()).accepts());
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_backend_that_has_changed_keeps_what_is_known_of_its_calls() {
        local(async {
            let (pool, before) = (pool(), backend("b", 1));
            pool.sync(1, std::slice::from_ref(&before), &ids(&[]));
            let calls = pool.backend(&before).expect("it is in the table").calls.clone();
            let (next, other) = (backend("b", 2), backend("c", 1));
            pool.sync(2, &[next.clone(), other.clone()], &ids(&[]));
            assert!(Rc::ptr_eq(&calls, &pool.backend(&next).expect("it is in the table").calls));
            assert!(!Rc::ptr_eq(&calls, &pool.backend(&other).expect("it is in the table").calls));
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn links_forget_the_routes_that_are_gone_when_a_table_has_others() {
        local(async {
            let (pool, backend) = (pool(), backend("b", 1));
            pool.sync(1, std::slice::from_ref(&backend), &ids(&[1, 2]));
            let link = links(&pool.backend(&backend).expect("it is in the table")).remove(0);
            let same = ids(&[1, 3]);
            pool.sync(2, std::slice::from_ref(&backend), &same);
            assert_eq!(*link.in_force.borrow(), [1, 3]);
            link.in_force.borrow_mut().clear();
            pool.sync(3, std::slice::from_ref(&backend), &same);
            assert!(link.in_force.borrow().is_empty(), "there is nothing to forget");
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_endpoint_that_drains_is_left_until_it_no_longer_does() {
        local(async {
            let (pool, backend) = (pool(), backend("b", 2));
            pool.sync(1, std::slice::from_ref(&backend), &ids(&[]));
            let local = pool.backend(&backend).expect("it is in the table");
            let there =
                || -> Vec<bool> { local.instances.all.iter().map(|at| at.link().is_some()).collect() };
            for drains in [true, false] {
                backend.endpoints()[1].drained_by_admin.store(drains, Relaxed);
                let changed = pool.changed().notified();
                pool.heed_drains();
                changed.await;
                assert_eq!(there(), [true, !drains]);
            }
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_pool_settles_when_no_first_attempt_is_under_way_and_its_end_lets_everything_go() {
        local(async {
            let (pool, backend) = (pool(), backend("b", 2));
            assert!(!pool.is_settling());
            pool.sync(1, std::slice::from_ref(&backend), &ids(&[]));
            let local = pool.backend(&backend).expect("it is in the table");
            assert!(!pool.is_settling(), "all are there");
            let at = &local.instances.all[1];
            let link = at.link();
            at.set_link(None);
            assert!(pool.is_settling());
            at.set_hopeful(false);
            assert!(!pool.is_settling(), "the attempt has failed");
            at.set_link(link.clone());
            pool.retire();
            assert!(local.instances.all.iter().all(|at| at.is_retired() && at.link().is_none()));
            assert!(link.is_some_and(|link| !link.accepts()) && pool.backend(&backend).is_none());
        })
        .await;
    }
}
