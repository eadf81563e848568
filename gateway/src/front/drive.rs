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
use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;

/// A connection on the books; taken off however its task ends.
pub(super) struct Registered {
    worker: Rc<Worker>,
    connection: Rc<Connection>,
    /// Its place among those of its client, if these are bounded.
    client_place: Cell<Option<ClientPlace>>,
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
        connection.place.set(Some(place));
        Registered { worker, connection, client_place: Cell::new(client_place) }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.worker.shared.front.workers.of(self.worker.id).connections.decrement();
        self.connection.strike();
    }
}

/// Serves a connection until it ends.
///
/// It is no `async fn`, which would keep the place of what it is given a second time for as long as the connection is open.
pub(super) fn serve(registered: Registered, stream: AsyncStream) -> impl Future<Output = ()> {
    // On the heap, so that an open connection does not keep the place.
    let begun = Box::pin(begin(registered.worker.clone(), registered.connection.clone(), stream));
    async move {
        let Registered { worker, client_place, .. } = &registered;
        let served = async {
            let Some((wire, place)) = begun.await else { return };
            if place.is_some() {
                client_place.set(place);
            }
            speak(worker, &wire).await;
        };
        worker.shared.supervisor.guard(Task::ClientConnection, served).await;
    }
}

/// What comes before the first request: a PROXY header, a TLS handshake. Gives the socket, and the connection's place among those of its
/// client where that header had to say who that is. `None` where it ends before.
async fn begin(
    worker: Rc<Worker>,
    connection: Rc<Connection>,
    mut stream: AsyncStream,
) -> Option<(Rc<Wire>, Option<ClientPlace>)> {
    let place = proxy::pass(&connection, &mut stream).await.ok()?;
    let stream = match &connection.listener.tls {
        None => stream,
        Some(tls) => Box::pin(tls::handshake(&worker, &connection, tls, stream)).await?,
    };
    Some((Rc::new(Wire::new(stream, connection)), place))
}

/// Speaks what its client speaks. What most clients do not need lies on the heap, so that an idle connection keeps no place for it.
async fn speak(worker: &Rc<Worker>, wire: &Rc<Wire>) {
    let begun = match wire.connection.listener.http2 {
        Http2::Alpn if wire.has_agreed_on_http2() => return Box::pin(http2::serve(worker, wire)).await,
        Http2::Off | Http2::Alpn => None,
        Http2::PriorKnowledge => match Box::pin(http2::sniff(wire)).await {
            Spoken::Http2 => return Box::pin(http2::serve(worker, wire)).await,
            Spoken::Http1(begun) => Some(begun),
            Spoken::Nothing => return,
        },
    };
    http1::serve(worker, wire, begun).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an open connection has in memory: its task and itself, beside its socket. The allocator has places of 384 and of 256 bytes, and
    /// larger ones after that. In the first is what the runtime has of a task (104), in the second what counts the owners (16).
    #[test]
    fn an_open_connection_keeps_little() {
        fn task<A, B, F>(_: fn(A, B) -> F) -> usize {
            size_of::<F>()
        }
        let kept = (task(serve), size_of::<Connection>());
        assert!(kept.0 <= 280 && kept.1 <= 240, "{kept:?}");
    }
}
