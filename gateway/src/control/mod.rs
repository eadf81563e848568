//! The tables' way from their files into force: read whole, checked whole, swapped in one step.
//!
//! Reloads come one at a time through this task, whoever asks for them: a file event, SIGHUP or the admin port. A
//! table with a mistake leaves the old one serving. Changes of members come through it as well.

mod fit;
mod keeping;
mod loss;
mod members;
mod plane;
mod unfit;
pub mod watch;

pub use plane::Plane;
pub use unfit::{Fits, Found, Kind, Unfit};

use crate::config::{BackendSpec, Diagnostics, Tables};
use crate::routes::Table;
use crate::supervise::{Task, supervised};
use loss::{Verdict, Waiting};
use members::MemberUpdates;
use std::collections::HashSet;
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

/// Serves reloads, follows names and keeps what they list, and looks which routes fit, until the task is dropped.
pub async fn run(plane: Arc<Plane>, watcher: Watcher, hangup: Signal, requests: mpsc::Receiver<Request>) {
    let (members, waiting) = (MemberUpdates::new(&plane), Waiting::default());
    let mut control = Control { plane: plane.clone(), members, watcher, hangup, requests, waiting };
    let supervisor = &plane.shared.supervisor;
    let serving = async { supervised!(supervisor, Task::Control, control.serve()) };
    let fitting = async { supervised!(supervisor, Task::FitFollower, fit::follow(&plane)) };
    let keeping = async {
        if plane.state.is_kept() {
            supervised!(supervisor, Task::ListKeeper, keeping::keep(&plane));
        }
    };
    tokio::join!(serving, fitting, keeping);
}

/// What the task knows, and listens to.
struct Control {
    plane: Arc<Plane>,
    members: MemberUpdates,
    watcher: Watcher,
    hangup: Signal,
    requests: mpsc::Receiver<Request>,
    /// Tables that lose much.
    waiting: Waiting,
}

impl Control {
    async fn serve(&mut self) {
        let Control { plane, members, watcher, hangup, requests, waiting } = self;
        let table = plane.shared.table.load_full();
        members.prepare(table.backends.iter().map(|backend| &backend.spec)).await;
        members.follow_table(&table);
        drop(table);
        members.take_up(plane).await;
        plane.names.begin();
        plane.shared.names_begun.send_replace(true);
        loop {
            tokio::select! {
                () = watcher.changed() => files_changed(plane, members, waiting).await,
                () = waiting.due() => files_changed(plane, members, waiting).await,
                _ = hangup.recv() => {
                    end_waiting(plane, waiting);
                    drop(reload(plane, members, "SIGHUP").await);
                }
                () = members.due(&plane.names) => members.take_up(plane).await,
                Some(request) = requests.recv() => {
                    end_waiting(plane, waiting);
                    let result = reload(plane, members, "admin").await;
                    // Whoever asked may have gone.
                    let _ = request.send(result);
                }
            }
        }
    }
}

/// Reads the files and puts them into force if they are sound and new.
async fn reload(plane: &Arc<Plane>, members: &mut MemberUpdates, cause: &'static str) -> Reload {
    match aside(plane, move |plane| load(plane, cause)).await {
        Some(Ok(tables)) => put_into_force(plane, members, tables, cause).await,
        Some(Err(result)) => result,
        None => failed(),
    }
}

/// The same where nobody asked for it: tables that lose most of the routes are put into force when they have stayed so.
async fn files_changed(plane: &Arc<Plane>, members: &mut MemberUpdates, waiting: &mut Waiting) {
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
            drop(put_into_force(plane, members, tables, FILE_EVENT).await);
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
    members: &mut MemberUpdates,
    tables: Tables,
    cause: &'static str,
) -> Reload {
    members.prepare(&tables.backends).await;
    let result = aside(plane, move |plane| take(plane, tables, cause)).await;
    members.follow_table(&plane.shared.table.load());
    result.unwrap_or_else(failed)
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
    plane.shared.table.load().backends.iter().for_each(|backend| backend.refresh_security());
    let before = plane.shared.table.load().hash.clone();
    match Tables::load_unless(&plane.shared.settings.tables.watch, &before) {
        Ok(Some(tables)) => {
            match tables.check_security(false, |spec| is_in_force(&plane.shared.table.load(), spec)) {
                Ok(()) => Ok(tables),
                Err(diagnostics) => Err(refuse(plane, &diagnostics, cause)),
            }
        }
        Ok(None) => Err(unchanged(plane, before, cause)),
        Err(diagnostics) => Err(refuse(plane, &diagnostics, cause)),
    }
}

/// Whether a backend of the table wants the same of its instances as that one: what it has of files stays in force then.
fn is_in_force(table: &Table, spec: &BackendSpec) -> bool {
    let found = table.backends.binary_search_by(|backend| backend.spec.name.cmp(&spec.name));
    found.is_ok_and(|at| table.backends[at].spec.security == spec.security)
}

/// Puts sound tables into force.
pub fn take(plane: &Plane, tables: Tables, cause: &'static str) -> Reload {
    plane.last_error.store(None);
    let before = plane.shared.table.load_full();
    let hash = tables.hash.to_string();
    let table = Table::next(&before, tables, &plane.names.lists(), plane.shared.workers);
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
    plane.shared.room.fit(members::count(&table));
    plane.shared.table.store(Arc::new(table));
    plane.shared.retired.store(Some(before));
    plane.shared.table_changed.send_replace(generation);
    plane.shared.offer_changes.wake();
}

fn unchanged(plane: &Plane, hash: String, cause: &'static str) -> Reload {
    plane.reloads.unchanged.increment();
    // Whoever has taken a mistake back looks for what came of it.
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
