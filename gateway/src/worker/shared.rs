//! What workers share, and share with those that control them. A request reads of it; what it writes are counters of its own worker.

use super::{Drains, Listener, ListenerTls, Room};
use crate::access_log::AccessLog;
use crate::backends::OfferChanges;
use crate::certificates::{Certificates, Dated, Kind};
use crate::config::Settings;
use crate::routes::Table;
use crate::supervise::Supervisor;
use crate::telemetry::FrontStats;
use crate::traces::Traces;
use crate::transport::callgate::Catalog;
use arc_swap::{ArcSwap, ArcSwapOption};
use callgate_protocol::Budget;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::sync::{broadcast, watch};

/// Changes of members that a worker may be behind without looking at all backends.
const MEMBER_CHANGES: usize = 256;

/// What all threads of the process share.
pub struct Shared {
    /// What `gateway.toml` says.
    pub settings: Settings,
    /// Where clients connect, in the order of the settings.
    pub listeners: Vec<Arc<Listener>>,
    /// How many workers there are.
    pub workers: usize,
    /// The table in force.
    pub table: ArcSwap<Table>,
    /// The table before it, kept until the next: it is freed where tables are made, not on a worker's way.
    pub retired: ArcSwapOption<Table>,
    /// The certificates in force.
    pub certificates: Arc<Certificates>,
    /// Told the generation of each new table.
    pub table_changed: watch::Sender<u64>,
    /// Told the id of each backend whose members have changed. Who lags behind looks at all of them.
    pub members_changed: broadcast::Sender<u64>,
    /// Told when an operator changes which endpoints drain.
    pub drains: Drains,
    /// Schemas.
    pub catalog: Arc<Catalog>,
    /// Which backends may offer something else than before.
    pub offer_changes: Arc<OfferChanges>,
    /// What long request bodies may take together, in bytes.
    pub bodies: Arc<Budget>,
    /// What long answers may take together, in bytes.
    pub answers: Arc<Budget>,
    /// The access log.
    pub access_log: AccessLog,
    /// Traces, where they are on.
    pub traces: Option<Arc<Traces>>,
    /// The front's counters.
    pub front: FrontStats,
    /// Begins anew what has panicked.
    pub supervisor: Arc<Supervisor>,
    /// Room for client connections, and how many there are.
    pub room: Arc<Room>,
    /// What names list is in force, as far as that could be found out for the first table.
    pub names_begun: watch::Sender<bool>,
    /// How many workers' first attempts to connect to every endpoint are not through.
    pub unsettled: watch::Sender<usize>,
    /// The process is about to end, or a lame duck: each answer is its connection's last.
    pub draining: AtomicBool,
    /// The tables in the files have mistakes, so that those in force are older.
    pub tables_are_refused: AtomicBool,
}

impl Shared {
    /// For those settings, with no table yet, in a process that may have so many descriptors.
    pub fn new(settings: Settings, supervisor: Arc<Supervisor>, descriptors: Option<usize>) -> Shared {
        let server = &settings.server;
        let workers = server.workers;
        let budget = |bytes| Budget::new(usize::try_from(bytes).unwrap_or(usize::MAX));
        let certificates = Arc::<Certificates>::default();
        let listeners = settings.listeners.iter().map(|one| {
            let (resolver, keys) = (certificates.resolver(), certificates.tickets.keys());
            let tls = one.tls.as_ref().map(|tls| ListenerTls::new(tls, one.http2, resolver, &keys, workers));
            Arc::new(Listener::new(one, tls))
        });
        Shared {
            listeners: listeners.collect(),
            certificates,
            workers,
            table: ArcSwap::from_pointee(Table::empty()),
            retired: ArcSwapOption::empty(),
            table_changed: watch::Sender::new(0),
            members_changed: broadcast::Sender::new(MEMBER_CHANGES),
            drains: Drains::new(workers),
            catalog: Arc::new(Catalog::default()),
            offer_changes: Arc::default(),
            bodies: budget(server.max_body_memory),
            answers: budget(server.max_answer_memory),
            access_log: AccessLog::new(&settings.access_log),
            traces: settings.traces.as_ref().map(|settings| Arc::new(Traces::new(settings))),
            front: FrontStats::new(workers),
            supervisor,
            room: Room::new(server.max_connections, workers, descriptors),
            names_begun: watch::Sender::new(false),
            unsettled: watch::Sender::new(workers),
            draining: AtomicBool::new(false),
            tables_are_refused: AtomicBool::new(false),
            settings,
        }
    }

    /// Has the listeners with TLS serve their next connections by the ticket keys in force, and by what the files say now of clients'
    /// certificates. Reads files.
    pub fn renew_tls(&self) {
        for listener in &self.listeners {
            let Some(tls) = &listener.tls else { continue };
            let keys = self.certificates.tickets.keys();
            if let Err(error) = tls.renew(self.certificates.resolver(), &keys) {
                let listener = &listener.id;
                tracing::error!(
                    listener,
                    error,
                    "the certificates of clients are judged by the files of before"
                );
            }
        }
    }

    /// What is in force of files of TLS and good for a time only.
    pub fn dated(&self) -> Vec<Dated> {
        let mut all: Vec<Dated> = Dated::of(&self.certificates.all()).collect();
        all.extend(self.table.load().backends.iter().filter_map(|backend| {
            let until = backend.security().expires()?.as_secs();
            let own = backend.spec.security.tls.as_ref()?.own.as_ref()?;
            let (name, file) = (backend.spec.name.clone(), own.cert.display().to_string());
            Some(Dated { kind: Kind::OfBackend, name, file, until })
        }));
        all.extend(self.listeners.iter().filter_map(|listener| {
            let (until, file) = listener.tls.as_ref()?.revoked()?;
            Some(Dated { kind: Kind::Revoked, name: listener.id.clone(), file, until: until.as_secs() })
        }));
        all
    }

    /// Whether requests can be answered: everything was tried once, and the process is not about to end.
    pub fn is_ready(&self) -> bool {
        *self.unsettled.borrow() == 0 && !self.draining.load(Relaxed) && self.supervisor.failed().is_none()
    }

    /// Waits until everything was tried once.
    pub async fn settled(&self) {
        // Fails only when the sender is gone, which is here.
        let _ = self.unsettled.subscribe().wait_for(|unsettled| *unsettled == 0).await;
    }

    /// Waits until the first answers of names are in force; or that their servers were silent is.
    pub async fn names_have_begun(&self) {
        // Fails only when the sender is gone, which is here.
        let _ = self.names_begun.subscribe().wait_for(|begun| *begun).await;
    }
}
