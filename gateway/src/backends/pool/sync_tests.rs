//! What a pool keeps from table to table, and what it lets go.

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
        let there = || -> Vec<bool> { local.instances.all.iter().map(|at| at.link().is_some()).collect() };
        for drains in [true, false] {
            backend.endpoints()[1].drained_by_admin.store(drains, Relaxed);
            let changed = pool.changed().notified();
            pool.follow_drains();
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
