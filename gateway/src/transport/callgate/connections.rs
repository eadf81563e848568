//! All connections of one worker, and what they share.

use super::catalog::Catalog;
use super::connection::{Connection, ConnectionSpec, WorkerSide};
use super::handshake::{Channel, Instance, TimeLimits, establish};
use super::offer::Offer;
use super::security::TlsInstance;
use super::unreached::NotConnected;
use crate::buffers::Buffers;
use crate::presence::Presence;
use crate::supervise::Supervisor;
use crate::transport::review::ReviewRequest;
use callgate_protocol::Budget;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::yield_now;

/// So much longer than an answer to a ping may take, the peer's system may take to acknowledge bytes.
const UNACKNOWLEDGED: Duration = Duration::from_secs(1);

/// How many connections are looked after before requests have their turn again.
const AT_ONCE: usize = 32;

/// The connections of a worker, those among them that take no calls any more.
pub struct Connections {
    /// The schemas that all workers share.
    catalog: Arc<Catalog>,
    /// What long replies may take together.
    replies: Arc<Budget>,
    worker: WorkerSide,
    all: RefCell<Vec<Weak<Connection>>>,
}

/// A new connection.
pub struct Connected {
    /// What calls are made on.
    pub connection: Rc<Connection>,
    /// What the instance offers.
    pub offer: Arc<Offer>,
    /// Who the instance is, if TLS is spoken with it.
    pub tls: Option<TlsInstance>,
    /// What its task [drives](super::drive).
    pub(crate) channel: Channel,
}

impl Connections {
    /// None yet. Replies become JSON in `buffers`. `room` is told when a connection can take calls again after its backlog was too long.
    /// `supervisor` is told of panics in tasks that send streams.
    pub(crate) fn new(
        catalog: Arc<Catalog>,
        replies: Arc<Budget>,
        buffers: Rc<Buffers>,
        room: Rc<Notify>,
        presence: Rc<Presence>,
        supervisor: Arc<Supervisor>,
    ) -> Connections {
        let worker = WorkerSide { transcoders: Rc::default(), buffers, room, presence, supervisor };
        Connections { catalog, replies, worker, all: RefCell::default() }
    }

    /// Opens a connection to that instance. `review` is raised when something about it changes that a pick goes by. Errors are for
    /// people.
    pub(crate) async fn connect(
        &self,
        instance: Instance<'_>,
        spec: &ConnectionSpec,
        review: Rc<ReviewRequest>,
    ) -> Result<Connected, NotConnected> {
        let limits =
            TimeLimits { connect: spec.connect_timeout, unacknowledged: spec.ping_timeout + UNACKNOWLEDGED };
        let (presence, replies) = (Some(&*self.worker.presence), Some(&self.replies));
        let established = establish(instance, limits, presence, &self.catalog, replies).await?;
        let offer = Arc::new(established.offer);
        let machine = established.machine;
        let addr = instance.addr.clone();
        let connection = Connection::new(addr, spec, &self.worker, review, offer.clone(), machine);
        connection.set_ready(established.ready);
        let connection = Rc::new(connection);
        self.all.borrow_mut().push(Rc::downgrade(&connection));
        Ok(Connected { connection, offer, tls: established.tls, channel: established.channel })
    }

    /// Looks whether the peers are there, `pace` after the last time. Looks at a few at a time, and lets requests be served in
    /// between.
    pub async fn look(&self, pace: Duration) {
        self.all.borrow_mut().retain(|weak| weak.strong_count() > 0);
        let mut at = 0;
        loop {
            let some: Vec<_> = self.all.borrow().iter().skip(at).take(AT_ONCE).cloned().collect();
            if some.is_empty() {
                return;
            }
            // Those that are made meanwhile come last, and need no look yet.
            at += some.len();
            some.iter().filter_map(Weak::upgrade).for_each(|connection| connection.look(pace));
            yield_now().await;
        }
    }
}
