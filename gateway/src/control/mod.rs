//! The tables' way from their files into force: read whole, checked whole, swapped in one step.
//!
//! Reloads come one at a time through this task, whoever asks for them: a file event, SIGHUP or the admin port. A
//! table with a mistake leaves the old one serving. Changes of members come through it as well.

mod admin_tokens;
mod certificates;
mod fit;
mod keeping;
mod key_fetches;
mod loss;
mod members;
mod outside;
mod plan;
mod plane;
mod ratchet;
mod read;
mod reload_log;
mod unfit;
pub mod watch;

pub use admin_tokens::AdminTokensInForce;
pub use plan::{Plan, plan};
pub use plane::Plane;
pub use ratchet::{refused as refuse_exposure, remember as remember_exposure};
pub use read::{Read, check, first};
pub use reload_log::{Outcome, PastReload, ReloadLog};
pub use unfit::{Fits, Found, Kind, Unfit};

use crate::openapi::publish;
use crate::priority::stand_back;
use crate::routes::{Table, changes};
use crate::supervise::{Task, supervised};
use certificates::TlsFiles;
use loss::{Verdict, Waiting};
use outside::Outside;
use read::load;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use watch::Watcher;

/// Why tables are read that nobody asked for.
const FILE_EVENT: &str = "file event";

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

/// What is watched.
pub struct Watched {
    /// The tables.
    pub tables: Watcher,
    /// The files that they name, and those that the settings name. It follows none yet.
    pub tls: Watcher,
}

/// Serves reloads, follows names and keeps what they list, and looks which routes fit, until the task is dropped.
pub async fn run(plane: Arc<Plane>, watched: Watched, hangup: Signal, requests: mpsc::Receiver<Request>) {
    let (outside, waiting) = (Outside::new(&plane), Waiting::default());
    let (watcher, tls) = (watched.tables, TlsFiles::new(watched.tls));
    let mut control = Control { plane: plane.clone(), outside, watcher, tls, hangup, requests, waiting };
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
    outside: Outside,
    watcher: Watcher,
    tls: TlsFiles,
    hangup: Signal,
    requests: mpsc::Receiver<Request>,
    /// Tables that lose much.
    waiting: Waiting,
}

impl Control {
    async fn serve(&mut self) {
        let Control { plane, outside, watcher, tls, hangup, requests, waiting } = self;
        let table = plane.shared.table.load_full();
        let backends = table.backends.iter().map(|backend| &backend.spec);
        outside.prepare(backends, table.authenticators.iter().map(|one| &*one.spec)).await;
        outside.follow_table(&table);
        drop(table);
        outside.members.take_up(plane).await;
        plane.names.begin();
        plane.shared.names_begun.send_replace(true);
        loop {
            tokio::select! {
                () = outside.members.due(&plane.names) => {
                    outside.members.take_up(plane).await;
                    continue;
                }
                () = watcher.changed() => files_changed(plane, outside, waiting).await,
                () = waiting.due() => files_changed(plane, outside, waiting).await,
                () = tls.due() => {
                    tls.look(plane).await;
                    // What they were refused for may be mended.
                    if plane.unsound.load().is_some() {
                        files_changed(plane, outside, waiting).await;
                    }
                }
                _ = hangup.recv() => {
                    end_waiting(plane, waiting);
                    tls.look(plane).await;
                    drop(reload(plane, outside, "SIGHUP").await);
                }
                Some(request) = requests.recv() => {
                    end_waiting(plane, waiting);
                    tls.look(plane).await;
                    let result = reload(plane, outside, "admin").await;
                    // Whoever asked may have gone.
                    let _ = request.send(result);
                }
            }
            if tls.is_behind(plane) {
                tls.look(plane).await;
            }
        }
    }
}

/// Reads the files and puts them into force if they are sound and new.
async fn reload(plane: &Arc<Plane>, outside: &mut Outside, cause: &'static str) -> Reload {
    match aside(plane, move |plane| load(plane, cause)).await {
        Some(Ok(read)) => put_into_force(plane, outside, read, cause).await,
        Some(Err(result)) => result,
        None => failed(),
    }
}

/// The same where nobody asked for it: tables that lose most of the routes are put into force when they have stayed so.
async fn files_changed(plane: &Arc<Plane>, outside: &mut Outside, waiting: &mut Waiting) {
    let look = |plane: &Plane| {
        let loses = |read: &Read| {
            loss::loss(&plane.shared.table.load(), &plane.shared.certificates.all(), &read.tables)
        };
        load(plane, FILE_EVENT).map(|read| (loses(&read), read))
    };
    let Some(Ok((loss, read))) = aside(plane, look).await else {
        return end_waiting(plane, waiting);
    };
    let verdict = waiting.judge(read.tables.hash, loss.is_some(), Instant::now());
    match (verdict, loss) {
        (Verdict::Wait, _) => {}
        (Verdict::Begin, loss) => {
            let (why, hash) = (loss.unwrap_or_default(), read.tables.hash.to_string());
            plane.reloads.waited.increment();
            plane.waiting.store(Some(Arc::new(why.clone())));
            plane.reload_log.left(FILE_EVENT, Outcome::Waited, &hash, Some(&why));
            tracing::warn!(
                cause = FILE_EVENT,
                hash,
                why,
                "the new tables lose much, and are taken when they have stayed so for two seconds"
            );
        }
        (Verdict::Take, _) => {
            plane.waiting.store(None);
            drop(put_into_force(plane, outside, read, FILE_EVENT).await);
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
/// is one without instances. So are keys fetched; without any, no token is taken.
async fn put_into_force(
    plane: &Arc<Plane>,
    outside: &mut Outside,
    read: Read,
    cause: &'static str,
) -> Reload {
    outside.prepare(&read.tables.backends, read.tables.authenticators.iter().map(Arc::as_ref)).await;
    let result = aside(plane, move |plane| take(plane, read, cause)).await;
    outside.follow_table(&plane.shared.table.load());
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
        tracing::error!(%error, "no thread for work beside the workers");
    }
    let result = result.await.ok();
    if result.is_none() {
        tracing::error!("work beside the workers failed inside");
    }
    result
}

/// Puts sound tables into force, and their certificates with them.
pub fn take(plane: &Plane, read: Read, cause: &'static str) -> Reload {
    let Read { tables, certificates, ways } = read;
    plane.tell_error(None);
    let opened = ratchet::taken(plane, &tables, ways);
    let before = plane.shared.table.load_full();
    let hash = tables.hash.to_string();
    let table = Table::next(&before, tables, &plane.names.lists(), plane.shared.workers);
    table.authenticators.iter().for_each(|one| one.attach(&plane.key_sets));
    let known: HashSet<u64> = before.routes.iter().map(|route| route.id).collect();
    let kept = table.routes.iter().filter(|route| known.contains(&route.id)).count();
    let (routes, backends) = (table.routes.len(), table.backends.len());
    let is_without = certificates.entries().is_empty();
    let said = changes(&before, &table).into_iter().chain(opened).collect();
    plane.shared.certificates.put(certificates);
    put(plane, before, table);
    plane.reload_log.taken(cause, &hash, said);
    plane.reloads.succeeded.increment();
    plane.reloads.taken_at.set(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs());
    // In force first and told then: whoever reads the log finds what it says.
    tracing::info!(cause, hash, routes, kept, backends, "tables taken");
    if let Some(listener) = plane.shared.listeners.iter().find(|one| one.tls.is_some() && is_without) {
        let listener = &listener.id;
        tracing::warn!(
            listener,
            "a listener speaks TLS, and no table has [[certificates]]: its clients are refused"
        );
    }
    Reload::Taken(hash)
}

/// Puts a table into force in the place of that one.
fn put(plane: &Plane, before: Arc<Table>, table: Table) {
    let generation = table.generation;
    // What there is already stays until it is looked at beside everything else.
    publish(&table, &plane.shared.settings.server.error_types, true);
    plane.shared.room.fit(members::count(&table));
    plane.shared.table.store(Arc::new(table));
    plane.shared.retired.store(Some(before));
    plane.shared.table_changed.send_replace(generation);
    plane.shared.offer_changes.wake();
}
