//! Names that endpoints give as `dns:host:port`: looked up again and again, each by a task of its own, for as long as the
//! tables list them. Where they lead is told to the control task, which makes the next table of it: so a table changes in
//! one place only, whether its files do or its names.
//!
//! ```text
//! mod       all names: what control and the admin port read
//! follow    the tasks, and which names have one
//! state     what a name's answers come to
//! ask       the questions
//! ```

mod ask;
mod follow;
mod state;

pub use follow::Follower;

use crate::backends::Addresses;
use crate::config::{Address, BackendSpec, DnsSettings};
use crate::telemetry::{NameScrape, NameStats, Resolution};
use state::{Answers, State};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// The hosts that the endpoints of those backends have looked up.
pub fn hosts<'b>(backends: impl IntoIterator<Item = &'b BackendSpec>) -> BTreeSet<String> {
    let endpoints = backends.into_iter().flat_map(|backend| &backend.endpoints);
    let host = |addr: &Address| match addr {
        Address::Named(name) => Some(name.host.clone()),
        Address::At(_) => None,
    };
    endpoints.filter_map(|endpoint| host(&endpoint.addr)).collect()
}

/// All names that are followed. Written by their tasks, read by control and by the admin port; workers see nothing of it.
#[derive(Debug)]
pub struct Names {
    all: Mutex<BTreeMap<String, Arc<Name>>>,
    /// Where the gateway before this one was led, until this one has begun.
    remembered: Mutex<Addresses>,
    /// Some name leads elsewhere. There is one who listens: control.
    moved: Notify,
    /// Told when a name was asked for the first time.
    asked: watch::Sender<()>,
}

/// One name.
#[derive(Debug)]
pub struct Name {
    host: String,
    state: Mutex<State>,
    stats: NameStats,
}

/// What people are shown of a name.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The addresses in use.
    pub addresses: Vec<IpAddr>,
    /// How many more it has, which are not used because they are too many.
    pub left_out: usize,
    /// How long the last good answer said that it holds.
    pub ttl: Option<Duration>,
    /// When that came, in seconds since 1970.
    pub answered_at: Option<u64>,
    /// Why the last look-up brought no addresses, or not those of both families.
    pub error: Option<String>,
}

impl Default for Names {
    fn default() -> Names {
        Names {
            all: Mutex::default(),
            remembered: Mutex::default(),
            moved: Notify::new(),
            asked: watch::Sender::new(()),
        }
    }
}

impl Names {
    /// All of them, by host.
    pub fn all(&self) -> Vec<Arc<Name>> {
        lock(&self.all).values().cloned().collect()
    }

    /// One of them, if it is followed.
    pub fn get(&self, host: &str) -> Option<Arc<Name>> {
        lock(&self.all).get(host).cloned()
    }

    /// Where they lead.
    pub fn addresses(&self) -> Addresses {
        let each = |name: Arc<Name>| (name.host.clone(), lock(&name.state).addresses.clone());
        self.all().into_iter().map(each).collect()
    }

    /// Has names lead there that are followed from now on and before [`begin`](Self::begin), for as long as no server says
    /// otherwise: what the gateway before this one knew, who may be upgraded while the servers fail.
    pub fn remember(&self, addresses: impl IntoIterator<Item = (String, IpAddr)>) {
        let mut remembered = lock(&self.remembered);
        for (host, ip) in addresses {
            remembered.entry(host).or_default().push(ip);
        }
    }

    /// Waits until some name leads elsewhere than when this was last asked.
    pub async fn moved(&self) {
        self.moved.notified().await;
    }

    /// The first answers are in force, or that the servers were silent is: what was remembered has done its part.
    pub fn begin(&self) {
        *lock(&self.remembered) = Addresses::default();
    }
}

impl Name {
    fn new(host: &str, addresses: Vec<IpAddr>) -> Name {
        let state = Mutex::new(State::leading_to(addresses));
        Name { host: host.to_owned(), state, stats: NameStats::default() }
    }

    /// Takes two answers in and logs what they change; when to ask again, and whether the name leads elsewhere now.
    fn hear(&self, answers: Answers, settings: &DnsSettings) -> (Duration, bool) {
        let mut state = lock(&self.state);
        let before = state.clone();
        let heard = state.hear(answers, Instant::now(), settings);
        let after = state.clone();
        drop(state);
        self.stats.looked_up(heard.outcome);
        self.log(&before, &after);
        (heard.again, heard.moved)
    }

    fn log(&self, before: &State, after: &State) {
        let name = &self.host;
        let in_use = after.addresses.len();
        // The same mistake comes with every look-up; the log has it once.
        match (&before.error, &after.error) {
            (None, Some(error)) => tracing::warn!(name, in_use, error, "a name has no good answer"),
            (Some(_), None) => tracing::info!(name, in_use, "a name has a good answer again"),
            (Some(before), Some(error)) if before != error => {
                tracing::debug!(name, in_use, error, "a name has no good answer");
            }
            _ => {}
        }
        if before.addresses != after.addresses {
            let (added, removed) =
                (new(&before.addresses, &after.addresses), new(&after.addresses, &before.addresses));
            tracing::info!(name, in_use, ?added, ?removed, "a name leads elsewhere");
        }
        if after.left_out > 0 && before.left_out != after.left_out {
            tracing::warn!(name, in_use, left_out = after.left_out, "a name has too many addresses");
        }
    }

    fn was_asked(&self) -> bool {
        Resolution::ALL.iter().any(|outcome| self.stats.count(*outcome) > 0)
    }

    /// For people.
    pub fn shown(&self) -> Shown {
        let state = lock(&self.state).clone();
        let seconds =
            |time: std::time::SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Shown {
            addresses: state.addresses,
            left_out: state.left_out,
            ttl: state.ttl,
            answered_at: state.answered_at.map(seconds),
            error: state.error,
        }
    }

    /// For a scrape.
    pub fn scrape(&self) -> NameScrape<'_> {
        NameScrape { host: &self.host, addresses: lock(&self.state).addresses.len(), stats: &self.stats }
    }
}

/// What is in `after` and not in `before`, both sorted.
fn new<'a>(before: &[IpAddr], after: &'a [IpAddr]) -> Vec<&'a IpAddr> {
    after.iter().filter(|ip| before.binary_search(ip).is_err()).collect()
}

/// Whoever has panicked with the lock has left nothing half done: values are replaced whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
