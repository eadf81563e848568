//! The tables' way from their files into force: read whole, checked whole, swapped in one step.
//!
//! Reloads come one at a time through this task, whoever asks for them: a file event, SIGHUP or the admin port. A
//! table with a mistake leaves the old one serving. Names that lead elsewhere come through it as well.

pub mod dns;
mod drain;
pub mod watch;

pub use drain::Drains;

use crate::config::{Diagnostics, Tables};
use crate::routes::Table;
use crate::supervise::{Task, supervised};
use crate::worker::Shared;
use dns::Follower;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, oneshot};
use watch::Watcher;

/// The nice value of the thread that reads tables: it gets about a tenth of a core that workers want all of.
const NICE: i32 = 10;

/// What a reload came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reload {
    /// New tables are in force: their hash.
    Taken(String),
    /// The files say what they said before: the hash.
    Unchanged(String),
    /// The files have mistakes: the diagnostics, rendered. The old tables stay.
    Refused(String),
}

/// Somebody who asks for a reload and waits for what it came to.
pub type Request = oneshot::Sender<Reload>;

/// Serves reloads, and follows names, until the task is dropped.
pub async fn run(shared: Arc<Shared>, watcher: Watcher, hangup: Signal, requests: mpsc::Receiver<Request>) {
    let follower = Follower::new(shared.names.clone(), &shared.settings.dns, shared.supervisor.clone());
    let mut control = Control { shared: shared.clone(), follower, watcher, hangup, requests };
    supervised!(shared.supervisor, Task::Control, control.serve());
}

/// What the task knows, and listens to.
struct Control {
    shared: Arc<Shared>,
    follower: Follower,
    watcher: Watcher,
    hangup: Signal,
    requests: mpsc::Receiver<Request>,
}

impl Control {
    async fn serve(&mut self) {
        let Control { shared, follower, watcher, hangup, requests } = self;
        follower.follow(&hosts(&shared.table.load()));
        follower.first_answers().await;
        follow_names(shared).await;
        shared.names.begin();
        loop {
            tokio::select! {
                () = watcher.changed() => drop(reload(shared, follower, "file event").await),
                _ = hangup.recv() => drop(reload(shared, follower, "SIGHUP").await),
                () = shared.names.moved() => follow_names(shared).await,
                Some(request) = requests.recv() => {
                    let result = reload(shared, follower, "admin").await;
                    // Whoever asked may have gone.
                    let _ = request.send(result);
                }
            }
        }
    }
}

/// Reads the files and puts them into force if they are sound and new. Names that are new are looked up before, for as long
/// as that may take; one without an answer is one without instances.
async fn reload(shared: &Arc<Shared>, follower: &mut Follower, cause: &'static str) -> Reload {
    let failed = || Reload::Refused("an internal error; see the log".to_owned());
    let tables = match aside(shared, move |shared| load(shared, cause)).await {
        Some(Ok(tables)) => tables,
        Some(Err(result)) => return result,
        None => return failed(),
    };
    follower.follow(&dns::hosts(&tables.backends));
    follower.first_answers().await;
    let result = aside(shared, move |shared| take(shared, tables, cause)).await;
    follower.keep(&hosts(&shared.table.load()));
    result.unwrap_or_else(failed)
}

/// The names of the table in force.
fn hosts(table: &Table) -> BTreeSet<String> {
    dns::hosts(table.backends.iter().map(|backend| &backend.spec))
}

/// Puts into force where names lead now, if that makes a difference.
async fn follow_names(shared: &Arc<Shared>) {
    let moving = |shared: &Shared| {
        let before = shared.table.load_full();
        if let Some(table) = Table::moved(&before, &shared.names.addresses(), shared.workers) {
            put(shared, before, table);
        }
    };
    aside(shared, moving).await;
}

/// Does the work on a thread of its own that stands back behind the workers: a large table takes tens of milliseconds, which
/// requests shall not wait for. `None` when it has failed inside, which the log says.
async fn aside<T: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Shared) -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = oneshot::channel();
    let shared = shared.clone();
    let work = move || {
        stand_back();
        if let Some(made) = shared.supervisor.catch(Task::TableMaker, || work(&shared)) {
            // Whoever waits may be gone with the process.
            let _ = done.send(made);
        }
    };
    let started = std::thread::Builder::new().name("tables".to_owned()).spawn(work);
    if let Err(error) = started {
        tracing::error!(%error, "no thread to make the tables in");
    }
    let result = result.await.ok();
    if result.is_none() {
        tracing::error!("making the tables failed inside");
    }
    result
}

/// Lowers the calling thread's priority. Linux keeps a nice value for each thread; where this is not possible all is as it
/// was.
fn stand_back() {
    let thread = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(thread), NICE) {
        tracing::debug!(%error, "tables are read with the priority of everything else");
    }
}

/// Reads the files; what comes of it when there is nothing to take.
fn load(shared: &Shared, cause: &'static str) -> Result<Tables, Reload> {
    let before = shared.table.load().hash.clone();
    match Tables::load_unless(&shared.settings.tables.watch, &before) {
        Ok(Some(tables)) => Ok(tables),
        Ok(None) => Err(unchanged(shared, before, cause)),
        Err(diagnostics) => Err(refuse(shared, &diagnostics, cause)),
    }
}

/// Puts sound tables into force.
pub fn take(shared: &Shared, tables: Tables, cause: &'static str) -> Reload {
    shared.last_error.store(None);
    let before = shared.table.load_full();
    let hash = tables.hash.to_string();
    let table = Table::next(&before, tables, &shared.names.addresses(), shared.workers);
    let known: HashSet<u64> = before.routes.iter().map(|route| route.id).collect();
    let kept = table.routes.iter().filter(|route| known.contains(&route.id)).count();
    let fixed: HashSet<_> = before.fixed.iter().map(Arc::as_ptr).collect();
    let kept = kept + table.fixed.iter().filter(|route| fixed.contains(&Arc::as_ptr(route))).count();
    let (routes, backends) = (table.len(), table.backends.len());
    tracing::info!(cause, hash, routes, kept, backends, "tables taken");
    put(shared, before, table);
    shared.reloads.succeeded.increment();
    shared.reloads.taken_at.set(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs());
    Reload::Taken(hash)
}

/// Puts a table into force in the place of that one.
fn put(shared: &Shared, before: Arc<Table>, table: Table) {
    let generation = table.generation;
    shared.room.fit(table.backends.iter().map(|backend| backend.endpoints.len()).sum());
    shared.table.store(Arc::new(table));
    shared.retired.store(Some(before));
    shared.table_changed.send_replace(generation);
}

fn unchanged(shared: &Shared, hash: String, cause: &'static str) -> Reload {
    shared.reloads.unchanged.increment();
    // Whoever has taken a mistake back looks for an answer to it.
    if shared.last_error.swap(None).is_some() {
        tracing::info!(cause, hash, "tables sound again, and as they were");
    }
    Reload::Unchanged(hash)
}

fn refuse(shared: &Shared, diagnostics: &Diagnostics, cause: &'static str) -> Reload {
    shared.reloads.failed.increment();
    let rendered = diagnostics.render(false);
    // The same mistake is found again with every look; the log has it once.
    let known = shared.last_error.load().as_ref().is_some_and(|last| **last == rendered);
    if !known {
        tracing::error!(
            cause,
            mistakes = diagnostics.len(),
            "tables refused, the old ones stay: {}",
            diagnostics.summary()
        );
        shared.last_error.store(Some(Arc::new(rendered.clone())));
    }
    Reload::Refused(rendered)
}
