//! A worker: one thread with a runtime of its own, its own client connections and its own connections to every
//! instance. Workers share the table, which they read, and nothing that they write on a request's way.

use crate::backends::Pool;
use crate::config::Settings;
use crate::control::{Drains, Fits, dns::Names};
use crate::front::{self, Connections, Place, Room};
use crate::routes::Table;
use crate::supervise::{Supervisor, Task, supervised};
use crate::telemetry::{FrontStats, ReloadStats, UpgradeStats, log::LogStats};
use crate::transport::callgate::Catalog;
use arc_swap::{ArcSwap, ArcSwapOption};
use callgate_protocol::Budget;
use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, oneshot, watch};

/// What all threads of the process share.
pub struct Shared {
    /// What `gateway.toml` says.
    pub settings: Settings,
    /// How many workers there are.
    pub workers: usize,
    /// The table in force.
    pub table: ArcSwap<Table>,
    /// The table before it, kept until the next: it is freed where tables are made, not on a worker's way.
    pub retired: ArcSwapOption<Table>,
    /// Told the generation of each new table.
    pub table_changed: watch::Sender<u64>,
    /// Told when an operator changes which endpoints drain.
    pub drains: Drains,
    /// Where the names lead that endpoints give.
    pub names: Arc<Names>,
    /// Schemas.
    pub catalog: Arc<Catalog>,
    /// Which routes do not fit what instances offer.
    pub fits: Fits,
    /// What long request bodies may take together, in bytes.
    pub bodies: Arc<Budget>,
    /// What long answers may take together, in bytes.
    pub answers: Arc<Budget>,
    /// The front's counters.
    pub front: FrontStats,
    /// The reloads' counters.
    pub reloads: ReloadStats,
    /// The upgrades' counters.
    pub upgrades: UpgradeStats,
    /// What the log has lost.
    pub log: Arc<LogStats>,
    /// Begins anew what has panicked.
    pub supervisor: Arc<Supervisor>,
    /// Why the tables were last refused, rendered; none when the files in place are in force.
    pub last_error: ArcSwapOption<String>,
    /// Why tables that were read wait to be taken, if some do.
    pub waiting: ArcSwapOption<String>,
    /// Room for client connections, and how many there are.
    pub room: Arc<Room>,
    /// How many workers' first attempts to connect to every endpoint are not through.
    pub unsettled: watch::Sender<usize>,
    /// The process is about to end, or a lame duck: each answer is its connection's last.
    pub draining: AtomicBool,
}

impl Shared {
    /// Whether requests can be answered: everything was tried once, and the process is not about to end.
    pub fn is_ready(&self) -> bool {
        *self.unsettled.borrow() == 0 && !self.draining.load(Relaxed) && self.supervisor.failed().is_none()
    }

    /// Waits until everything was tried once.
    pub async fn settled(&self) {
        // Fails only when the sender is gone, which is here.
        let _ = self.unsettled.subscribe().wait_for(|unsettled| *unsettled == 0).await;
    }
}

/// What a worker is told.
pub enum Command {
    /// A client has connected, and has this place.
    Serve(std::net::TcpStream, Place),
    /// The connection that has been idle longest is to close; its place is for whoever asks. Dropped when none is idle.
    MakeRoom(oneshot::Sender<Place>),
    /// No new connections: finish with those that are open, then end. May be said again with less patience.
    Drain(Ending),
}

/// Why a process ends, and so how much time its clients have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was told to stop: idle connections close at once.
    Stop,
    /// A successor has its listening sockets: connections close with their next answer, or when they were idle for as
    /// long as any may be.
    HandOver,
}

/// A worker's state, shared by its tasks.
pub struct Worker {
    /// Its number, from 0.
    pub id: usize,
    /// What it shares with others.
    pub shared: Arc<Shared>,
    /// Its connections to the instances.
    pub pool: Pool,
    /// Makes request ids.
    pub ids: front::RequestIds,
    /// Copies of calls that are under way.
    pub copies: Cell<usize>,
    table: RefCell<Rc<LocalTable>>,
    generation: Cell<u64>,
}

/// The table in force, counted within the worker.
pub struct LocalTable(Arc<Table>);

impl Deref for LocalTable {
    type Target = Table;

    fn deref(&self) -> &Table {
        &self.0
    }
}

impl Worker {
    /// A worker without connections. To be made on its own thread.
    fn new(id: usize, shared: Arc<Shared>) -> Worker {
        let (catalog, supervisor) = (shared.catalog.clone(), shared.supervisor.clone());
        let (answers, offers) = (shared.answers.clone(), shared.fits.changed.clone());
        let pool = Pool::new(id, catalog, supervisor, answers, offers, shared.settings.server.zone.clone());
        let table = Rc::new(LocalTable(shared.table.load_full()));
        Worker {
            id,
            shared,
            pool,
            ids: front::RequestIds::new(),
            copies: Cell::new(0),
            table: RefCell::new(table),
            generation: Cell::new(0),
        }
    }

    /// The table in force. When it is a new one, the worker's connections are brought in line with it first.
    pub fn table(&self) -> Rc<LocalTable> {
        let current = self.shared.table.load();
        if current.generation != self.generation.get() {
            self.pool.sync(&current);
            *self.table.borrow_mut() = Rc::new(LocalTable(Arc::clone(&current)));
            // Last, so that it is tried again after a panic.
            self.generation.set(current.generation);
        }
        self.table.borrow().clone()
    }
}

/// Runs worker number `id` on the calling thread until it has drained.
pub fn run(id: usize, shared: Arc<Shared>, commands: mpsc::Receiver<Command>) -> std::io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let worker = Rc::new(Worker::new(id, shared));
        worker.table();
        let follower = tokio::task::spawn_local(follow_tables(worker.clone()));
        serve(&worker, commands).await;
        follower.abort();
        worker.pool.retire();
    });
    // Without waiting: a name that is being looked up in a thread of its own cannot be told to stop.
    runtime.shutdown_background();
    Ok(())
}

async fn serve(worker: &Rc<Worker>, mut commands: mpsc::Receiver<Command>) {
    let connections = Connections::new(worker.clone());
    let supervisor = &worker.shared.supervisor;
    let ending = supervised!(supervisor, Task::Worker, serve_until_told(&connections, &mut commands));
    if ending == Some(Ending::HandOver) {
        let told = async {
            // With less patience, or never again.
            supervised!(supervisor, Task::Worker, serve_until_told(&connections, &mut commands))
        };
        tokio::select! {
            () = connections.leave() => {}
            _ = told => {}
        }
    }
    connections.drain().await;
}

/// Serves what has connected until the word to drain, which is also what the end of all commands means.
async fn serve_until_told(connections: &Connections, commands: &mut mpsc::Receiver<Command>) -> Ending {
    loop {
        match commands.recv().await {
            Some(Command::Serve(stream, place)) => connections.serve(stream, place),
            Some(Command::MakeRoom(heir)) => connections.make_room(heir),
            Some(Command::Drain(ending)) => return ending,
            None => return Ending::Stop,
        }
    }
}

/// Brings an idle worker in line with each new table and with what operators say of drains, so that connections are made
/// before they are needed, and left before anybody asks.
async fn follow_tables(worker: Rc<Worker>) {
    // Said once, however often this is begun.
    let mut settled = false;
    let supervisor = &worker.shared.supervisor;
    supervised!(supervisor, Task::TableFollower, follow_tables_and_drains(&worker, &mut settled));
}

async fn follow_tables_and_drains(worker: &Worker, settled: &mut bool) {
    let mut changed = worker.shared.table_changed.subscribe();
    let mut drains = worker.shared.drains.listen();
    loop {
        worker.table();
        tokio::select! {
            result = changed.changed() => if result.is_err() { return },
            result = drains.changed() => {
                if result.is_err() {
                    return;
                }
                let word = *drains.borrow_and_update();
                worker.pool.heed_drains(&worker.table());
                worker.shared.drains.heeded(worker.id, word);
            }
            () = settle(worker), if !*settled => {
                *settled = true;
                worker.shared.unsettled.send_modify(|unsettled| *unsettled -= 1);
            }
        }
    }
}

/// Waits until every endpoint was tried, those among them that names lead to.
async fn settle(worker: &Worker) {
    worker.shared.names.begun().await;
    worker.table();
    loop {
        let changed = worker.pool.changed().notified();
        if !worker.pool.is_settling() {
            return;
        }
        changed.await;
    }
}
