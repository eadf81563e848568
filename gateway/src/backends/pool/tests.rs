//! What a worker keeps, connects to and leaves when tables, members and drains change; the test plays the instances.

use super::*;
use crate::backends::next_backends;
use crate::backends::testing::links;
use crate::config::{Source, Tables};
use crate::discovery::Lists;
use crate::transport::Link;
use std::future::Future;
use std::sync::atomic::Ordering::Relaxed;
use tokio::task::LocalSet;
use tokio::time::{Duration, timeout};

/// A worker's pool, and the backends that it was brought in line with.
struct Rig {
    pool: Pool,
    backends: Vec<Arc<Backend>>,
    generation: u64,
}

impl Rig {
    fn new() -> Rig {
        let (catalog, supervisor) = (Arc::default(), Arc::default());
        let mut pool = Pool::new(0, catalog, supervisor, Budget::new(0), Rc::default(), Arc::default(), None);
        pool.play_instances();
        Rig { pool, backends: Vec::new(), generation: 0 }
    }

    /// The next table is in force, with the backend `b` of that text, and perhaps others behind.
    fn sync(&mut self, text: &str) {
        let tables = Tables::parse(vec![Source::new("t.toml", format!("[backends.b]\n{text}\n"))]);
        let specs = tables.expect("sound tables").backends;
        self.backends = next_backends(&self.backends, specs, &Lists::default(), 1);
        self.generation += 1;
        self.pool.sync(self.generation, &self.backends, &Arc::default());
    }

    fn local(&self, at: usize) -> Rc<LocalBackend> {
        self.pool.backend(&self.backends[at]).expect("the table has it")
    }

    /// The instances of the backend `b`.
    fn instances(&self) -> Vec<Rc<LocalEndpoint>> {
        self.local(0).instances.all.clone()
    }

    /// Whether somebody who waits for a change is told of what that does.
    async fn tells(&self, what: impl FnOnce()) -> bool {
        let changed = self.pool.changed().notified();
        what();
        timeout(Duration::from_millis(1), changed).await.is_ok()
    }
}

async fn locally(test: impl Future<Output = ()>) {
    LocalSet::new().run_until(test).await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_stays_keeps_its_link_a_new_one_gets_one_and_one_that_is_gone_closes() {
    locally(async {
        let mut rig = Rig::new();
        rig.sync("endpoints = ['x:1', 'x:2']\n[backends.c]\nendpoints = ['y:1']");
        let (before, other) = (rig.instances(), rig.local(1));
        let links: Vec<Link> = before.iter().map(|at| at.link().expect("it is connected")).collect();
        rig.sync("endpoints = ['x:2', 'x:3']\n[backends.c]\nendpoints = ['y:1']");
        let after = rig.instances();
        assert!(Rc::ptr_eq(&before[1], &after[0]) && !before[1].is_retired());
        assert!(links[1].accepts());
        assert!(after[1].link().is_some(), "x:3");
        assert!(before[0].is_retired() && before[0].link().is_none());
        assert!(!links[0].accepts(), "what is in flight ends, and nothing begins");
        assert!(Rc::ptr_eq(&other, &rig.local(1)), "another backend is not looked at");
        rig.sync("endpoints = ['x:3']");
        assert!(other.instances.all[0].is_retired(), "it is in no table");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_table_is_taken_up_once_and_whoever_waits_for_an_instance_is_told() {
    locally(async {
        let mut rig = Rig::new();
        rig.sync("endpoints = ['x:1']");
        assert_eq!(rig.pool.generation(), 1);
        let (generation, none) = (rig.generation, Arc::default());
        assert!(!rig.tells(|| rig.pool.sync(generation, &[], &none)).await);
        assert!(rig.pool.backend(&rig.backends[0]).is_some(), "it was that table already");
        assert!(rig.tells(|| rig.pool.sync(generation + 1, &[], &none)).await);
        assert!(rig.pool.backend(&rig.backends[0]).is_none());
        assert_eq!(rig.pool.generation(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_calls_to_a_backend_have_come_to_is_kept_when_its_settings_change() {
    locally(async {
        let mut rig = Rig::new();
        rig.sync("endpoints = ['x:1']");
        let (before, instance) = (rig.local(0), rig.instances().remove(0));
        rig.sync("endpoints = ['x:1']\nretry_budget = '7%'");
        let after = rig.local(0);
        assert_ne!(before.shared.id, after.shared.id);
        assert!(Rc::ptr_eq(&before.calls, &after.calls));
        assert!(Rc::ptr_eq(&instance, &rig.instances()[0]), "and so are the connections");
        rig.sync("endpoints = ['x:1']\nretry_budget = '7%'\nmax_calls = 7");
        assert!(!Rc::ptr_eq(&instance, &rig.instances()[0]), "they are made in another way");
        assert!(instance.is_retired());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_drains_is_left_and_connected_to_again_when_it_no_longer_does() {
    locally(async {
        let mut rig = Rig::new();
        rig.sync("endpoints = ['x:1', { address = 'x:2', drain = true }]");
        let [first, second] = <[_; 2]>::try_from(rig.instances()).ok().expect("two of them");
        assert!(first.link().is_some() && second.is_retired());
        let drain = |drains: bool| first.endpoint.drained_by_admin.store(drains, Relaxed);
        drain(true);
        assert!(first.link().is_some(), "the worker does not know yet");
        assert!(rig.tells(|| rig.pool.follow_drains()).await);
        assert!(first.is_retired() && first.link().is_none());
        drain(false);
        assert!(rig.tells(|| rig.pool.follow_drains()).await);
        assert!(!first.is_retired() && first.link().is_some());
        assert!(second.is_retired(), "the table says so");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn endpoints_settle_when_each_is_connected_or_was_tried_in_vain() {
    locally(async {
        let mut rig = Rig::new();
        rig.sync("endpoints = ['x:1', 'x:2']");
        assert!(!rig.pool.is_settling());
        let at = rig.instances().remove(1);
        at.set_link(None);
        assert!(rig.pool.is_settling());
        at.set_hopeful(false);
        assert!(!rig.pool.is_settling());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_ends_leaves_everything() {
    locally(async {
        let mut rig = Rig::new();
        rig.sync("endpoints = ['x:1', 'x:2']");
        let all = rig.instances();
        rig.pool.retire();
        assert!(all.iter().all(|at| at.is_retired() && at.link().is_none()));
        assert!(rig.pool.backend(&rig.backends[0]).is_none());
        assert!(rig.pool.reviewer.borrow().is_none());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn links_forget_the_routes_that_are_gone_when_a_table_has_others() {
    locally(async {
        let mut rig = Rig::new();
        rig.sync("endpoints = ['x:1']");
        let link = links(&rig.local(0)).remove(0);
        let others: Arc<[u64]> = [1, 3].into();
        for (generation, told) in [(7, true), (8, false)] {
            rig.pool.sync(generation, &rig.backends, &others);
            assert_eq!(*link.in_force.borrow(), if told { &[1, 3][..] } else { &[] }, "{generation}");
            link.in_force.borrow_mut().clear();
        }
    })
    .await;
}
