//! One task for each name that is followed: it asks, takes the answers in, and sleeps until it is time to ask again.

use super::ask::Asker;
use super::{Name, Names, lock};
use crate::config::DnsSettings;
use crate::supervise::{Supervisor, Task, supervised};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Names that are asked for at the same time.
const AT_ONCE: usize = 64;

/// Keeps the names followed that the tables list. Ends their tasks when it is dropped.
pub struct Follower {
    names: Arc<Names>,
    settings: DnsSettings,
    asker: Arc<Asker>,
    places: Arc<Semaphore>,
    supervisor: Arc<Supervisor>,
    tasks: HashMap<String, JoinSet<()>>,
}

impl Follower {
    /// Follows no name yet.
    pub fn new(names: Arc<Names>, settings: &DnsSettings, supervisor: Arc<Supervisor>) -> Follower {
        Follower {
            names,
            settings: settings.clone(),
            asker: Arc::new(Asker::new(settings)),
            places: Arc::new(Semaphore::new(AT_ONCE)),
            supervisor,
            tasks: HashMap::new(),
        }
    }

    /// Follows these names as well. Must be called on a runtime.
    pub fn follow(&mut self, hosts: &BTreeSet<String>) {
        for host in hosts {
            if self.tasks.contains_key(host) {
                continue;
            }
            let remembered = lock(&self.names.remembered).remove(host).unwrap_or_default();
            let name = Arc::new(Name::new(host, remembered));
            lock(&self.names.all).insert(host.clone(), name.clone());
            let mut task = JoinSet::new();
            let (names, asker) = (self.names.clone(), self.asker.clone());
            let (places, settings) = (self.places.clone(), self.settings.clone());
            let supervisor = self.supervisor.clone();
            task.spawn(async move {
                supervised!(supervisor, Task::Name, follow(&name, &names, &asker, &places, &settings));
            });
            self.tasks.insert(host.clone(), task);
        }
    }

    /// Forgets all names but these.
    pub fn keep(&mut self, hosts: &BTreeSet<String>) {
        self.tasks.retain(|host, _| hosts.contains(host));
        lock(&self.names.all).retain(|host, _| hosts.contains(host));
    }

    /// Waits until each name was asked for, as long as a look-up may take at most.
    pub async fn first_answers(&self) {
        let mut asked = self.names.asked.subscribe();
        let all = async {
            while !self.names.all().iter().all(|name| name.was_asked()) {
                // The sender is in `names`.
                let _ = asked.changed().await;
            }
        };
        if timeout(self.settings.timeout, all).await.is_err() {
            tracing::warn!("some names have no answer yet; calls to them wait, or are refused");
        }
    }
}

async fn follow(name: &Name, names: &Names, asker: &Asker, places: &Semaphore, settings: &DnsSettings) {
    loop {
        // The semaphore is never closed.
        let place = places.acquire().await;
        let answers = asker.ask(&name.host).await;
        drop(place);
        let first = !name.was_asked();
        let (again, moved) = name.hear(answers, settings);
        if moved {
            names.moved.notify_one();
        }
        if first {
            names.asked.send_replace(());
        }
        sleep(again).await;
    }
}
