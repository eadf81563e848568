//! All names that are followed: written by their tasks, read by control, by the admin port and by a successor. Workers see
//! nothing of it.

use super::{List, Listed, Lists, Report, Said};
use crate::config::{BackendSpec, DiscoveryName};
use crate::telemetry::{NameScrape, NameStats, Resolution};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{Notify, watch};

/// While a list has lost most of its instances and that is not confirmed, its source is asked again within this time.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(2);

/// All names.
#[derive(Debug)]
pub struct Names {
    all: Mutex<BTreeMap<DiscoveryName, Arc<Name>>>,
    /// What the gateway before this one knew, until this one has begun.
    remembered: Mutex<HashMap<DiscoveryName, Vec<Listed>>>,
    /// The names whose lists have changed and were not taken up yet.
    changed: Mutex<BTreeSet<DiscoveryName>>,
    /// Told when there are such. There is one who listens: control.
    has_changed: Notify,
    /// The same for whoever keeps them on disk.
    has_unkept: Notify,
    /// Told when a name was asked for the first time.
    pub(super) asked: watch::Sender<()>,
}

/// One name.
#[derive(Debug)]
pub struct Name {
    /// What its source is asked for.
    pub(super) asked: DiscoveryName,
    /// As people and metrics know it.
    text: String,
    state: Mutex<State>,
    stats: NameStats,
}

/// What is known of a name.
#[derive(Clone, Debug, Default)]
struct State {
    list: Arc<List>,
    left_out: usize,
    ttl: Option<Duration>,
    answered_at: Option<SystemTime>,
    error: Option<String>,
}

/// What people are shown of a name.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// What it lists.
    pub list: Arc<List>,
    /// How many more it has, which are not used because they are too many.
    pub left_out: usize,
    /// How long the last good answer said that it holds.
    pub ttl: Option<Duration>,
    /// When that came, in seconds since 1970.
    pub answered_at: Option<u64>,
    /// What was wrong with the last answer.
    pub error: Option<String>,
}

impl Default for Names {
    fn default() -> Names {
        Names {
            all: Mutex::default(),
            remembered: Mutex::default(),
            changed: Mutex::default(),
            has_changed: Notify::new(),
            has_unkept: Notify::new(),
            asked: watch::Sender::new(()),
        }
    }
}

impl Names {
    /// All of them.
    pub fn all(&self) -> Vec<Arc<Name>> {
        lock(&self.all).values().cloned().collect()
    }

    /// One of them, if it is followed.
    pub fn get(&self, name: &DiscoveryName) -> Option<Arc<Name>> {
        lock(&self.all).get(name).cloned()
    }

    /// Follows one more; what was remembered of it is in force at once.
    pub(super) fn add(&self, asked: &DiscoveryName) -> Arc<Name> {
        let remembered = lock(&self.remembered).remove(asked).unwrap_or_default();
        let is_known = !remembered.is_empty();
        let name = Arc::new(Name::new(asked.clone(), remembered));
        lock(&self.all).insert(asked.clone(), name.clone());
        if is_known {
            self.note_changed([asked.clone()]);
        }
        name
    }

    /// Forgets all but these.
    pub(super) fn keep(&self, named: impl Fn(&DiscoveryName) -> bool) {
        lock(&self.all).retain(|name, _| named(name));
    }

    /// What all of them list.
    pub fn lists(&self) -> Lists {
        self.all().into_iter().map(|name| (name.asked.clone(), name.list())).collect()
    }

    /// What those list that a backend names.
    pub fn lists_of(&self, backend: &BackendSpec) -> Lists {
        let names = backend.discovery_names();
        names.filter_map(|name| Some((name.clone(), self.get(name)?.list()))).collect()
    }

    /// Has names that are followed from now on and before [`begin`](Self::begin) stand for these, for as long as no source
    /// says otherwise: what the gateway before this one knew, or the last run. This one may be started while the servers fail.
    pub fn remember(&self, listed: impl IntoIterator<Item = (DiscoveryName, Listed)>) {
        let mut remembered = lock(&self.remembered);
        for (name, one) in listed {
            remembered.entry(name).or_default().push(one);
        }
    }

    /// Notes that lists have changed.
    pub fn note_changed(&self, names: impl IntoIterator<Item = DiscoveryName>) {
        lock(&self.changed).extend(names);
        self.has_changed.notify_one();
        self.has_unkept.notify_one();
    }

    /// Waits until a list has changed since this was last waited for. Cancel safe.
    pub async fn unkept(&self) {
        self.has_unkept.notified().await;
    }

    /// Waits until a list has changed that was not taken up. Cancel safe.
    pub async fn changed(&self) {
        self.has_changed.notified().await;
    }

    /// The names whose lists have changed since this was last called.
    pub fn take_changed(&self) -> BTreeSet<DiscoveryName> {
        std::mem::take(&mut lock(&self.changed))
    }

    /// The first answers are in force, or that the servers were silent is: what was remembered has done its part. The log says which
    /// names have nothing else.
    pub fn begin(&self) {
        lock(&self.remembered).clear();
        for name in self.all() {
            let state = lock(&name.state).clone();
            let in_use = state.list.listed.len();
            if state.answered_at.is_none() && in_use > 0 {
                tracing::warn!(
                    name = name.text,
                    in_use,
                    "a name has no answer yet: its last good list is used"
                );
            }
        }
    }
}

impl Name {
    fn new(asked: DiscoveryName, remembered: Vec<Listed>) -> Name {
        let state = State { list: Arc::new(List::of(remembered)), ..State::default() };
        Name { text: asked.to_string(), asked, state: Mutex::new(state), stats: NameStats::default() }
    }

    /// What it lists.
    pub fn list(&self) -> Arc<List> {
        lock(&self.state).list.clone()
    }

    /// Takes in what came of asking, and logs what it changes; when to ask again, and whether the list is another one.
    pub(super) fn hear(&self, report: Report, min_ttl: Duration) -> (Duration, bool) {
        let mut state = lock(&self.state);
        let before = state.clone();
        let list = match report.said {
            Said::Lists(listed) => before.list.next(listed),
            Said::Nothing => List::clone(&before.list),
            Said::Gone => List::default(),
        };
        if report.ttl.is_some() {
            (state.ttl, state.answered_at) = (report.ttl, Some(SystemTime::now()));
            state.left_out = report.left_out;
        }
        state.error = report.error;
        let changed = list != *before.list;
        if changed {
            state.list = Arc::new(list);
        }
        let after = state.clone();
        drop(state);
        self.stats.looked_up(report.outcome);
        self.log(&before, &after);
        let soon =
            if after.list.unconfirmed.is_empty() { Duration::MAX } else { CONFIRMED_WITHIN.max(min_ttl) };
        (report.again.min(soon), changed)
    }

    fn log(&self, before: &State, after: &State) {
        let name = &self.text;
        let in_use = after.list.listed.len();
        // The same mistake comes with every look-up; the log has it once.
        match (&before.error, &after.error) {
            (None, Some(error)) => tracing::warn!(name, in_use, error, "a name has no good answer"),
            (Some(_), None) => tracing::info!(name, in_use, "a name has a good answer again"),
            (Some(before), Some(error)) if before != error => {
                tracing::debug!(name, in_use, error, "a name has no good answer");
            }
            _ => {}
        }
        if before.list.listed != after.list.listed {
            let added = new(&before.list.listed, &after.list.listed);
            let removed = new(&after.list.listed, &before.list.listed);
            tracing::info!(name, in_use, ?added, ?removed, "a name stands for other instances");
        }
        let unconfirmed = after.list.unconfirmed.len();
        if unconfirmed > 0 && before.list.unconfirmed != after.list.unconfirmed {
            tracing::warn!(
                name,
                in_use,
                unconfirmed,
                "a name has lost most of its instances; those that answer stay until that is confirmed"
            );
        }
        if after.left_out > 0 && before.left_out != after.left_out {
            tracing::warn!(name, in_use, left_out = after.left_out, "a name has too many instances");
        }
    }

    pub(super) fn was_asked(&self) -> bool {
        Resolution::ALL.iter().any(|outcome| self.stats.count(*outcome) > 0)
    }

    /// For people.
    pub fn shown(&self) -> Shown {
        let state = lock(&self.state).clone();
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Shown {
            list: state.list,
            left_out: state.left_out,
            ttl: state.ttl,
            answered_at: state.answered_at.map(seconds),
            error: state.error,
        }
    }

    /// For a scrape.
    pub fn scrape(&self) -> NameScrape<'_> {
        NameScrape { name: &self.text, addresses: self.list().listed.len(), stats: &self.stats }
    }
}

/// The addresses in `after` that are not in `before`, both sorted.
fn new(before: &[Listed], after: &[Listed]) -> Vec<IpAddr> {
    after.iter().filter(|one| before.binary_search(one).is_err()).map(|one| one.ip).collect()
}

/// Whoever has panicked with the lock has left nothing half done: values are replaced whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
