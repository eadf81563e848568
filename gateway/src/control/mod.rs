//! The tables' way from their files into force: read whole, checked whole, swapped in one step.
//!
//! Reloads come one at a time through this task, whoever asks for them: a file event, SIGHUP or the admin port. A
//! table with a mistake leaves the old one serving.

pub mod watch;

use crate::config::{Diagnostics, Tables};
use crate::routes::Table;
use crate::worker::Shared;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, oneshot};
use watch::Watcher;

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

/// Reads the files and puts them into force if they are sound and new.
async fn reload(shared: &Arc<Shared>, cause: &'static str) -> Reload {
    let watch = shared.settings.tables.watch.clone();
    let loaded = tokio::task::spawn_blocking(move || Tables::load(&watch)).await;
    match loaded {
        Ok(Ok(tables)) => take(shared, tables, cause),
        Ok(Err(diagnostics)) => refuse(shared, &diagnostics, cause),
        Err(error) => {
            tracing::error!(%error, "reading the tables failed inside");
            Reload::Refused("an internal error; see the log".to_owned())
        }
    }
}

/// Puts sound tables into force.
pub fn take(shared: &Shared, tables: Tables, cause: &'static str) -> Reload {
    let mended = shared.last_error.swap(None).is_some();
    let before = shared.table.load_full();
    let hash = tables.hash.to_string();
    if before.generation > 0 && before.hash == hash {
        shared.reloads.unchanged.increment();
        // Whoever has taken a mistake back looks for an answer to it.
        if mended {
            tracing::info!(cause, hash, "tables sound again, and as they were");
        }
        return Reload::Unchanged(hash);
    }
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
