//! The tables' way from their files into force: read whole, checked whole, swapped in one step.
//!
//! Reloads come one at a time through this task, whoever asks for them: a file event, SIGHUP or the admin port. A
//! table with a mistake leaves the old one serving. Names that lead elsewhere come through it as well.

pub mod dns;
mod fit;
mod loss;
mod plane;
pub mod watch;

pub use fit::{Fits, Found, Kind, Unfit};
pub use plane::Plane;

use crate::config::{Diagnostics, Tables};
use crate::routes::Table;
use crate::supervise::{Task, supervised};
use dns::Follower;
use loss::{Verdict, Waiting};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use watch::Watcher;

/// Why tables are read that nobody asked for.
const FILE_EVENT: &str = "file event";

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

/// Serves reloads, follows names, and looks which routes fit, until the task is dropped.
pub async fn run(plane: Arc<Plane>, watcher: Watcher, hangup: Signal, requests: mpsc::Receiver<Request>) {
    let follower =
        Follower::new(plane.names.clone(), &plane.shared.settings.dns, plane.shared.supervisor.clone());
    let waiting = Waiting::default();
    let mut control = Control { plane: plane.clone(), follower, watcher, hangup, requests, waiting };
    let supervisor = &plane.shared.supervisor;
    let serving = async { supervised!(supervisor, Task::Control, control.serve()) };
    let fitting = async { supervised!(supervisor, Task::FitFollower, fit::follow(&plane)) };
    tokio::join!(serving, fitting);
}

/// What the task knows, and listens to.
struct Control {
    plane: Arc<Plane>,
    follower: Follower,
    watcher: Watcher,
    hangup: Signal,
    requests: mpsc::Receiver<Request>,
    /// Tables that lose much.
    waiting: Waiting,
}

impl Control {
    async fn serve(&mut self) {
        let Control { plane, follower, watcher, hangup, requests, waiting } = self;
        follower.follow(&hosts(&plane.shared.table.load()));
        follower.first_answers().await;
        follow_names(plane).await;
        plane.names.begin();
        plane.shared.names_begun.send_replace(true);
        loop {
            tokio::select! {
                () = watcher.changed() => files_changed(plane, follower, waiting).await,
                () = waiting.due() => files_changed(plane, follower, waiting).await,
                _ = hangup.recv() => {
                    end_waiting(plane, waiting);
                    drop(reload(plane, follower, "SIGHUP").await);
                }
                () = plane.names.moved() => follow_names(plane).await,
                Some(request) = requests.recv() => {
                    end_waiting(plane, waiting);
                    let result = reload(plane, follower, "admin").await;
                    // Whoever asked may have gone.
                    let _ = request.send(result);
                }
            }
        }
    }
}

/// Reads the files and puts them into force if they are sound and new.
async fn reload(plane: &Arc<Plane>, follower: &mut Follower, cause: &'static str) -> Reload {
    match aside(plane, move |plane| load(plane, cause)).await {
        Some(Ok(tables)) => put_into_force(plane, follower, tables, cause).await,
        Some(Err(result)) => result,
        None => failed(),
    }
}

/// The same where nobody asked for it: tables that lose most of the routes are put into force when they have stayed so.
async fn files_changed(plane: &Arc<Plane>, follower: &mut Follower, waiting: &mut Waiting) {
    let read = |plane: &Plane| {
        load(plane, FILE_EVENT).map(|tables| (loss::loss(&plane.shared.table.load(), &tables), tables))
    };
    let Some(Ok((loss, tables))) = aside(plane, read).await else {
        return end_waiting(plane, waiting);
    };
    let verdict = waiting.judge(tables.hash, loss.is_some(), Instant::now());
    match (verdict, loss) {
        (Verdict::Wait, _) => {}
        (Verdict::Begin, loss) => {
            let (why, hash) = (loss.unwrap_or_default(), tables.hash.to_string());
            plane.reloads.waited.increment();
            plane.waiting.store(Some(Arc::new(why.clone())));
            tracing::warn!(
                cause = FILE_EVENT,
                hash,
                why,
                "the new tables lose much, and are taken when they have stayed so for two seconds"
            );
        }
        (Verdict::Take, _) => {
            plane.waiting.store(None);
            drop(put_into_force(plane, follower, tables, FILE_EVENT).await);
        }
    }
}

/// What waits is no longer in the files, or is taken in another way.
fn end_waiting(plane: &Plane, waiting: &mut Waiting) {
    if waiting.end() {
        tracing::info!("no tables wait any more");
        plane.waiting.store(None);
    }
}

fn failed() -> Reload {
    Reload::Refused("an internal error; see the log".to_owned())
}

/// Puts sound tables into force. Names that are new are looked up before, for as long as that may take; one without an answer
/// is one without instances.
async fn put_into_force(
    plane: &Arc<Plane>,
    follower: &mut Follower,
    tables: Tables,
    cause: &'static str,
) -> Reload {
    follower.follow(&dns::hosts(&tables.backends));
    follower.first_answers().await;
    let result = aside(plane, move |plane| take(plane, tables, cause)).await;
    follower.keep(&hosts(&plane.shared.table.load()));
    result.unwrap_or_else(failed)
}

/// The names of the table in force.
fn hosts(table: &Table) -> BTreeSet<String> {
    dns::hosts(table.backends.iter().map(|backend| &backend.spec))
}

/// Puts into force where names lead now, if that makes a difference.
async fn follow_names(plane: &Arc<Plane>) {
    let moving = |plane: &Plane| {
        let before = plane.shared.table.load_full();
        if let Some(table) = Table::moved(&before, &plane.names.addresses(), plane.shared.workers) {
            put(plane, before, table);
        }
    };
    aside(plane, moving).await;
}

/// Does the work on a thread of its own that stands back behind the workers: a large table takes tens of milliseconds, which
/// requests shall not wait for. `None` when it has failed inside, which the log says.
async fn aside<T: Send + 'static>(
    plane: &Arc<Plane>,
    work: impl FnOnce(&Plane) -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = oneshot::channel();
    let plane = plane.clone();
    let work = move || {
        stand_back();
        if let Some(made) = plane.shared.supervisor.catch(Task::TableMaker, || work(&plane)) {
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
fn load(plane: &Plane, cause: &'static str) -> Result<Tables, Reload> {
    let before = plane.shared.table.load().hash.clone();
    match Tables::load_unless(&plane.shared.settings.tables.watch, &before) {
        Ok(Some(tables)) => Ok(tables),
        Ok(None) => Err(unchanged(plane, before, cause)),
        Err(diagnostics) => Err(refuse(plane, &diagnostics, cause)),
    }
}

/// Puts sound tables into force.
pub fn take(plane: &Plane, tables: Tables, cause: &'static str) -> Reload {
    plane.last_error.store(None);
    let before = plane.shared.table.load_full();
    let hash = tables.hash.to_string();
    let table = Table::next(&before, tables, &plane.names.addresses(), plane.shared.workers);
    let known: HashSet<u64> = before.routes.iter().map(|route| route.id).collect();
    let kept = table.routes.iter().filter(|route| known.contains(&route.id)).count();
    let (routes, backends) = (table.routes.len(), table.backends.len());
    tracing::info!(cause, hash, routes, kept, backends, "tables taken");
    put(plane, before, table);
    plane.reloads.succeeded.increment();
    plane.reloads.taken_at.set(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs());
    Reload::Taken(hash)
}

/// Puts a table into force in the place of that one.
fn put(plane: &Plane, before: Arc<Table>, table: Table) {
    let generation = table.generation;
    plane.shared.room.fit(table.backends.iter().map(|backend| backend.endpoints.len()).sum());
    plane.shared.table.store(Arc::new(table));
    plane.shared.retired.store(Some(before));
    plane.shared.table_changed.send_replace(generation);
    plane.shared.offers_changed.notify_one();
}

fn unchanged(plane: &Plane, hash: String, cause: &'static str) -> Reload {
    plane.reloads.unchanged.increment();
    // Whoever has taken a mistake back looks for an answer to it.
    if plane.last_error.swap(None).is_some() {
        tracing::info!(cause, hash, "tables sound again, and as they were");
    }
    Reload::Unchanged(hash)
}

fn refuse(plane: &Plane, diagnostics: &Diagnostics, cause: &'static str) -> Reload {
    plane.reloads.failed.increment();
    let rendered = diagnostics.render(false);
    // The same mistake is found again with every look; the log has it once.
    let known = plane.last_error.load().as_ref().is_some_and(|last| **last == rendered);
    if !known {
        tracing::error!(
            cause,
            mistakes = diagnostics.len(),
            "tables refused, the old ones stay: {}",
            diagnostics.summary()
        );
        plane.last_error.store(Some(Arc::new(rendered.clone())));
    }
    Reload::Refused(rendered)
}
