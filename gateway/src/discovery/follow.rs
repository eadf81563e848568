//! One task for each name that is followed: it asks, takes the answer in, and sleeps until it is time to ask again.

use super::dns::{Asker, Hosts, Services};
use super::{Name, Names, Query, Source};
use crate::config::DnsSettings;
use crate::supervise::{Supervisor, Task, supervised};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Names that are asked for at the same time.
const AT_ONCE: usize = 64;

/// Keeps the names followed that the tables list. Ends their tasks when it is dropped.
pub struct Follower {
    tasks: BTreeMap<Query, JoinSet<()>>,
    asker: Arc<Asker>,
    surroundings: Surroundings,
}

/// What each task needs.
#[derive(Clone)]
struct Surroundings {
    names: Arc<Names>,
    settings: DnsSettings,
    places: Arc<Semaphore>,
    supervisor: Arc<Supervisor>,
}

impl Follower {
    /// Follows no name yet.
    pub fn new(names: Arc<Names>, settings: &DnsSettings, supervisor: Arc<Supervisor>) -> Follower {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let surroundings = Surroundings { names, settings: settings.clone(), places, supervisor };
        Follower { tasks: BTreeMap::new(), asker: Arc::new(Asker::new(settings)), surroundings }
    }

    /// Follows these names as well. Must be called on a runtime.
    pub fn follow(&mut self, queries: &BTreeSet<Query>) {
        for query in queries {
            if self.tasks.contains_key(query) {
                continue;
            }
            let name = self.surroundings.names.add(query);
            let (known, settings) = (name.list(), &self.surroundings.settings);
            let mut task = JoinSet::new();
            match query {
                Query::Host(host) => {
                    let source = Hosts::of(host, &known.listed, self.asker.clone(), settings);
                    task.spawn(follow(name, source, self.surroundings.clone()));
                }
                Query::Service(service) => {
                    let source = Services::of(service, &known.listed, self.asker.clone(), settings);
                    task.spawn(follow(name, source, self.surroundings.clone()));
                }
            }
            self.tasks.insert(query.clone(), task);
        }
    }

    /// Forgets all names but these.
    pub fn keep(&mut self, named: impl Fn(&Query) -> bool) {
        self.tasks.retain(|query, _| named(query));
        self.surroundings.names.keep(named);
    }

    /// Waits until each name was asked for, as long as a look-up may take at most.
    pub async fn first_answers(&self) {
        let names = &self.surroundings.names;
        let mut asked = names.asked.subscribe();
        let all = async {
            while !names.all().iter().all(|name| name.was_asked()) {
                // The sender is in `names`.
                let _ = asked.changed().await;
            }
        };
        if timeout(self.surroundings.settings.timeout, all).await.is_err() {
            tracing::warn!("some names have no answer yet; calls to them wait, or are refused");
        }
    }
}

async fn follow(name: Arc<Name>, mut source: impl Source, surroundings: Surroundings) {
    let supervisor = &surroundings.supervisor;
    supervised!(supervisor, Task::Name, ask_again_and_again(&name, &mut source, &surroundings));
}

async fn ask_again_and_again(name: &Name, source: &mut impl Source, surroundings: &Surroundings) {
    let Surroundings { names, settings, places, .. } = surroundings;
    loop {
        // The semaphore is never closed.
        let place = places.acquire().await;
        let report = source.ask().await;
        drop(place);
        let first = !name.was_asked();
        let (again, changed) = name.hear(report, settings.min_ttl);
        if changed {
            names.note_changed([name.query.clone()]);
        }
        if first {
            names.asked.send_replace(());
        }
        sleep(again).await;
    }
}
