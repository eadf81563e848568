//! A worker: one thread with a runtime of its own, its own client connections and its own connections to every
//! instance. Workers share the table, which they read, and nothing that they write on a request's way.
//!
//! Here is what a worker is and what workers share ([`Shared`]), for all that happens on a request's way. What a worker's thread does
//! is in `workers`, above the front.

mod drains;
mod listener;
mod listener_tls;
mod per_client;
mod replay;
mod request_ids;
mod room;
mod route_ref;
mod shared;
mod unheard;

pub use drains::Drains;
pub use listener::Listener;
pub use listener_tls::ListenerTls;
pub use per_client::{ClientPlace, PerClient};
pub use replay::{Kept, Replay};
pub use request_ids::RequestIds;
pub use room::{Place, Room};
pub use route_ref::RouteRef;
pub use shared::Shared;
pub use unheard::{UnderWay, Unheard};

use crate::auth::{Logins, Verified};
use crate::backends::Pool;
use crate::buffers::Buffers;
use crate::http_client;
use crate::routes::Table;
use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

/// A worker's state, shared by its tasks.
pub struct Worker {
    /// Its number, from 0.
    pub id: usize,
    /// What it shares with others.
    pub shared: Arc<Shared>,
    /// Its connections to the instances.
    pub pool: Pool,
    /// What requests are read into and replies written from, while nobody uses it.
    pub buffers: Rc<Buffers>,
    /// The tokens that it has verified lately.
    pub verified: Verified,
    /// The connections by which services are asked who calls.
    pub asked: http_client::Pool,
    /// The turns of those who show a password.
    pub logins: Logins,
    /// Makes request ids.
    pub ids: RequestIds,
    /// Copies of calls that are under way.
    pub copies: Rc<Unheard>,
    /// The last requests, where they are kept.
    pub replay: Option<Box<Replay>>,
    /// Calls under way whose clients are only told that they are.
    pub notified: Rc<Unheard>,
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
    pub fn new(id: usize, shared: Arc<Shared>) -> Worker {
        let (catalog, supervisor) = (shared.catalog.clone(), shared.supervisor.clone());
        let (answers, offers) = (shared.answers.clone(), shared.offer_changes.clone());
        let zone = shared.settings.server.zone.clone();
        let buffers = Rc::<Buffers>::default();
        let pool = Pool::new(id, catalog, supervisor, answers, buffers.clone(), offers, zone);
        let table = Rc::new(LocalTable(shared.table.load_full()));
        let replay = Replay::new(shared.settings.replay.keep, shared.workers).map(Box::new);
        Worker {
            replay,
            id,
            shared,
            pool,
            buffers,
            verified: Verified::default(),
            asked: http_client::Pool::default(),
            logins: Logins::default(),
            ids: RequestIds::new(),
            copies: Rc::default(),
            notified: Rc::default(),
            table: RefCell::new(table),
            generation: Cell::new(0),
        }
    }

    /// The table in force. When it is a new one, the worker's connections are brought in line with it first.
    pub fn table(&self) -> Rc<LocalTable> {
        let current = self.shared.table.load();
        if current.generation != self.generation.get() {
            self.pool.sync(current.generation, &current.backends, &current.route_ids);
            *self.table.borrow_mut() = Rc::new(LocalTable(Arc::clone(&current)));
            // Last, so that it is tried again after a panic.
            self.generation.set(current.generation);
        }
        self.table.borrow().clone()
    }
}
