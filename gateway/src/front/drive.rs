//! The task of a connection: what is spoken on it, until it ends.

use super::connection::Connection;
use super::http1;
use super::http2::{self, Spoken};
use super::proxy;
use super::tls;
use super::wire::Wire;
use crate::config::Http2;
use crate::stream::AsyncStream;
use crate::supervise::Task;
use crate::worker::{ClientPlace, Place, Worker};
use std::rc::Rc;

/// A connection on the books; taken off however its task ends.
pub(super) struct Registered {
    worker: Rc<Worker>,
    connection: Rc<Connection>,
    _client_place: Option<ClientPlace>,
}

impl Registered {
    pub(super) fn new(
        worker: Rc<Worker>,
        connection: Rc<Connection>,
        place: Place,
        client_place: Option<ClientPlace>,
    ) -> Registered {
        let counters = worker.shared.front.workers.of(worker.id);
        counters.connections.increment();
        counters.accepted.increment();
        *connection.place.borrow_mut() = Some(place);
        Registered { worker, connection, _client_place: client_place }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.worker.shared.front.workers.of(self.worker.id).connections.decrement();
        self.connection.strike();
    }
}

/// Serves a connection until it ends.
pub(super) async fn serve(registered: Registered, mut stream: AsyncStream) {
    let Registered { worker, connection, .. } = &registered;
    let served = async {
        let Ok(_client_place) = proxy::pass(connection, &mut stream).await else { return };
        let stream = match &connection.listener.tls {
            None => stream,
            // On the heap, so that a connection does not keep the place.
            Some(tls) => match Box::pin(tls::handshake(worker, connection, tls, stream)).await {
                Some(stream) => stream,
                None => return,
            },
        };
        let wire = Rc::new(Wire::new(stream, connection.clone()));
        speak(worker, &wire).await;
    };
    worker.shared.supervisor.guard(Task::ClientConnection, served).await;
}

/// Speaks what its client speaks. What most clients do not need lies on the heap, so that an idle connection keeps no place for it.
async fn speak(worker: &Rc<Worker>, wire: &Rc<Wire>) {
    match wire.connection.listener.http2 {
        Http2::Alpn if wire.has_agreed_on_http2() => Box::pin(http2::serve(worker, wire)).await,
        Http2::Off | Http2::Alpn => http1::serve(worker, wire).await,
        Http2::PriorKnowledge => match Box::pin(http2::sniff(wire)).await {
            Spoken::Http2 => Box::pin(http2::serve(worker, wire)).await,
            Spoken::Http1(begun) => http1::serve_begun(worker, wire, begun).await,
            Spoken::Nothing => {}
        },
    }
}
