//! The task of a connection: what is spoken on it, until it ends.

use super::connection::Connection;
use super::http1;
use super::wire::Wire;
use crate::config::Protocol;
use crate::stream::AsyncStream;
use crate::supervise::Task;
use crate::worker::{Place, Worker};
use std::rc::Rc;

/// A connection on the books; taken off however its task ends.
pub(super) struct Registered {
    worker: Rc<Worker>,
    connection: Rc<Connection>,
    place: Option<Place>,
}

impl Registered {
    pub(super) fn new(worker: Rc<Worker>, connection: Rc<Connection>, place: Place) -> Registered {
        let counters = worker.shared.front.workers.of(worker.id);
        counters.connections.increment();
        counters.accepted.increment();
        Registered { worker, connection, place: Some(place) }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.worker.shared.front.workers.of(self.worker.id).connections.decrement();
        if let (Some(heir), Some(place)) = (self.connection.strike(), self.place.take()) {
            // Nobody may wait for it any more; then it is given back.
            let _ = heir.send(place);
        }
    }
}

/// Serves a connection until it ends.
pub(super) async fn serve(registered: Registered, stream: AsyncStream) {
    let Registered { worker, connection, .. } = &registered;
    let wire = Rc::new(Wire::new(stream, connection.clone()));
    let served = match connection.listener.protocol {
        Protocol::Http1 => http1::serve(worker, &wire),
    };
    worker.shared.supervisor.guard(Task::ClientConnection, served).await;
}
