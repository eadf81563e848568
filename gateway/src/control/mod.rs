//! The tables' way from their files into force: read whole, checked whole, swapped in one step.
//!
//! Reloads come one at a time through this task, whoever asks for them: a file event, SIGHUP or the admin port. A
//! table with a mistake leaves the old one serving.

mod drain;
pub mod watch;

pub use drain::Drains;

use crate::config::{Diagnostics, Tables};
use crate::routes::Table;
use crate::worker::Shared;
use std::collections::HashSet;
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

/// Serves reloads until the task is dropped.
pub async fn run(
    shared: Arc<Shared>,
    mut watcher: Watcher,
    mut hangup: Signal,
    mut requests: mpsc::Receiver<Request>,
) {
    loop {
        tokio::select! {
            () = watcher.changed() => drop(reload(&shared, "file event").await),
            _ = hangup.recv() => drop(reload(&shared, "SIGHUP").await),
            Some(request) = requests.recv() => {
                let result = reload(&shared, "admin").await;
                // Whoever asked may have gone.
                let _ = request.send(result);
            }
        }
    }
}

/// Reads the files and puts them into force if they are sound and new, on a thread of its own that stands back behind the
/// workers: a large table takes tens of milliseconds, which requests shall not wait for.
async fn reload(shared: &Arc<Shared>, cause: &'static str) -> Reload {
    let (done, result) = oneshot::channel();
    let work = {
        let shared = shared.clone();
        move || {
            stand_back();
            // Whoever waits may be gone with the process.
            let _ = done.send(reload_now(&shared, cause));
        }
    };
    let started = std::thread::Builder::new().name("tables".to_owned()).spawn(work);
    if let Err(error) = started {
        tracing::error!(%error, "no thread to read the tables in");
    }
    result.await.unwrap_or_else(|_| {
        tracing::error!("reading the tables failed inside");
        Reload::Refused("an internal error; see the log".to_owned())
    })
}

/// Lowers the calling thread's priority. Linux keeps a nice value for each thread; where this is not possible all is as it
/// was.
fn stand_back() {
    let thread = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(thread), NICE) {
        tracing::debug!(%error, "tables are read with the priority of everything else");
    }
}

fn reload_now(shared: &Shared, cause: &'static str) -> Reload {
    let before = shared.table.load().hash.clone();
    match Tables::load_unless(&shared.settings.tables.watch, &before) {
        Ok(Some(tables)) => take(shared, tables, cause),
        Ok(None) => unchanged(shared, before, cause),
        Err(diagnostics) => refuse(shared, &diagnostics, cause),
    }
}

/// Puts sound tables into force.
pub fn take(shared: &Shared, tables: Tables, cause: &'static str) -> Reload {
    shared.last_error.store(None);
    let before = shared.table.load_full();
    let hash = tables.hash.to_string();
    let table = Table::next(&before, tables, shared.workers);
    let known: HashSet<u64> = before.routes.iter().map(|route| route.id).collect();
    let kept = table.routes.iter().filter(|route| known.contains(&route.id)).count();
    let (routes, backends) = (table.routes.len(), table.backends.len());
    tracing::info!(cause, hash, routes, kept, backends, "tables taken");
    let generation = table.generation;
    shared.table.store(Arc::new(table));
    shared.retired.store(Some(before));
    shared.table_changed.send_replace(generation);
    shared.reloads.succeeded.increment();
    shared.reloads.taken_at.set(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs());
    Reload::Taken(hash)
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
