//! One task for each name that is followed: it asks the name's source, takes the report in, and sleeps until it is time to ask again.

use super::{Name, Names, Source, Tools, ask};
use crate::config::{DiscoveryName, DnsSettings};
use crate::supervise::{Supervisor, Task, supervised};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Names that are asked for at the same time.
const AT_ONCE: usize = 64;

/// Keeps the names followed that the tables list. Ends their tasks when it is dropped.
pub struct Follower {
    tasks: BTreeMap<DiscoveryName, JoinSet<()>>,
    asking: Asking,
}

/// What each task needs.
#[derive(Clone)]
pub(super) struct Asking {
    names: Arc<Names>,
    /// What sources ask with.
    pub(super) tools: Arc<Tools>,
    places: Arc<Semaphore>,
    supervisor: Arc<Supervisor>,
}

impl Follower {
    /// Follows no name yet.
    pub fn new(names: Arc<Names>, settings: &DnsSettings, supervisor: Arc<Supervisor>) -> Follower {
        let (tools, places) = (Arc::new(Tools::new(settings)), Arc::new(Semaphore::new(AT_ONCE)));
        Follower { tasks: BTreeMap::new(), asking: Asking { names, tools, places, supervisor } }
    }

    /// Follows these names as well. Must be called on a runtime.
    pub fn follow<'n>(&mut self, names: impl Iterator<Item = &'n DiscoveryName>) {
        for asked in names {
            if self.tasks.contains_key(asked) {
                continue;
            }
            let name = self.asking.names.add(asked);
            let mut task = JoinSet::new();
            task.spawn(ask(name, self.asking.clone()));
            self.tasks.insert(asked.clone(), task);
        }
    }

    /// Forgets all names but these.
    pub fn keep(&mut self, named: impl Fn(&DiscoveryName) -> bool) {
        self.tasks.retain(|name, _| named(name));
        self.asking.names.keep(named);
    }

    /// Waits until each name was asked for, as long as a look-up may take at most.
    pub async fn first_answers(&self) {
        let names = &self.asking.names;
        let mut asked = names.asked.subscribe();
        let all = async {
            while !names.all().iter().all(|name| name.was_asked()) {
                // The sender is in `names`.
                let _ = asked.changed().await;
            }
        };
        if timeout(self.asking.tools.dns.timeout, all).await.is_err() {
            tracing::warn!("some names have no answer yet; calls to them wait, or are refused");
        }
    }
}

impl Asking {
    /// Asks a name's source again and again, for as long as this runs.
    pub(super) async fn ask(&self, name: &Name, mut source: impl Source) {
        let supervisor = &self.supervisor;
        supervised!(supervisor, Task::Name, self.ask_again_and_again(name, &mut source));
    }

    async fn ask_again_and_again(&self, name: &Name, source: &mut impl Source) {
        loop {
            // The semaphore is never closed.
            let place = self.places.acquire().await;
            let report = source.ask().await;
            drop(place);
            let first = !name.was_asked();
            let (again, changed) = name.hear(report, self.tools.dns.min_ttl);
            if changed {
                self.names.note_changed([name.asked.clone()]);
            }
            if first {
                self.names.asked.send_replace(());
            }
            sleep(again).await;
        }
    }
}

#[cfg(test)]
mod tests;
