//! Keys that authenticators have at URLs: one task for each URL fetches them, and sleeps until it is time to fetch them again.
//!
//! Workers fetch nothing, and no request waits for it. A token with the name of a key that nobody knows has the keys fetched sooner, once, and
//! then not again for a while, however many such tokens come. While a provider is away it is asked less and less often, whatever comes.

mod fetch;
mod schedule;

use super::Plane;
use crate::auth::{Fetched, KeySet, KeySets};
use crate::config::{AuthSpec, HttpTarget, KeyUrl};
use crate::routes::Table;
use crate::supervise::{Supervisor, Task, supervised};
use schedule::Schedule;
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

/// URLs that are asked at the same time.
const AT_ONCE: usize = 16;
/// So long the keys of a new table are waited for.
const PATIENCE: Duration = Duration::from_secs(6);

/// Keeps the keys fetched that the tables name. Ends its tasks when it is dropped.
pub(super) struct KeyFetches {
    /// With how often each fetches.
    tasks: HashMap<HttpTarget, (Duration, JoinSet<()>)>,
    sets: Arc<KeySets>,
    places: Arc<Semaphore>,
    supervisor: Arc<Supervisor>,
}

/// What came of fetching once, and for how long the answer is good, if it says that.
type Answer = (Fetched, Option<Duration>);

impl KeyFetches {
    /// Fetches nothing yet.
    pub(super) fn new(plane: &Plane) -> KeyFetches {
        let (sets, supervisor) = (plane.key_sets.clone(), plane.shared.supervisor.clone());
        KeyFetches { tasks: HashMap::new(), sets, places: Arc::new(Semaphore::new(AT_ONCE)), supervisor }
    }

    /// Fetches the keys of these authenticators as well, and waits until that was tried for each, for as long as that may take at most. Must be
    /// called on a runtime.
    pub(super) async fn prepare<'s>(&mut self, specs: impl IntoIterator<Item = &'s AuthSpec>) {
        let mut sets = Vec::new();
        for KeyUrl { target, refresh } in specs.into_iter().filter_map(AuthSpec::key_url) {
            if !self.tasks.contains_key(target) {
                self.follow(target, *refresh);
            }
            sets.push(self.sets.at(target));
        }
        let all = async {
            for set in &sets {
                set.tried().await;
            }
        };
        if timeout(PATIENCE, all).await.is_err() {
            tracing::warn!(
                "the keys of some authenticators are not here yet; tokens are refused until they are"
            );
        }
    }

    /// That table is in force: only its keys are fetched.
    pub(super) fn follow_table(&mut self, table: &Table) {
        let mut named: HashMap<HttpTarget, Duration> = HashMap::new();
        for url in table.authenticators.iter().filter_map(|one| one.spec.key_url()) {
            // Where several name one URL, it is fetched as often as any of them wants.
            let refresh = named.entry(url.target.clone()).or_insert(url.refresh);
            *refresh = url.refresh.min(*refresh);
        }
        // One that is to fetch them in another period begins with it.
        self.tasks.retain(|target, (refresh, _)| named.get(target) == Some(refresh));
        self.sets.keep(|target| named.contains_key(target));
        for (target, refresh) in named {
            if !self.tasks.contains_key(&target) {
                self.follow(&target, refresh);
            }
        }
    }

    fn follow(&mut self, target: &HttpTarget, refresh: Duration) {
        let (set, places, supervisor) = (self.sets.at(target), self.places.clone(), self.supervisor.clone());
        let mut task = JoinSet::new();
        task.spawn(async move {
            let fetch = || async {
                // The semaphore is never closed.
                let _place = places.acquire().await;
                fetch::fetch(&set.target).await
            };
            supervised!(supervisor, Task::KeyFetcher, keep(&set, refresh, fetch));
        });
        self.tasks.insert(target.clone(), (refresh, task));
    }
}

/// Fetches keys again and again, for as long as this runs.
async fn keep<F: Future<Output = Answer>>(set: &KeySet, refresh: Duration, fetch: impl Fn() -> F) {
    let mut schedule = Schedule::default();
    loop {
        let (fetched, max_age) = fetch().await;
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if set.hear(fetched, seconds) {
            schedule.succeeded(Instant::now(), refresh, max_age);
        } else {
            schedule.failed(Instant::now());
        }
        let may_ask = schedule.may_ask();
        let asked = async {
            set.wanted().await;
            sleep_until(may_ask.unwrap_or_else(Instant::now)).await;
        };
        tokio::select! {
            () = sleep_until(schedule.next()) => {}
            () = asked, if may_ask.is_some() => schedule.asked(Instant::now()),
        }
    }
}

#[cfg(test)]
mod tests;
