//! A WebSocket from where its client was told that it is one to the end of its connection, and what is counted of it.

use super::session::{Session, Stage};
use crate::failure::Failure;
use crate::front::connection::Phase;
use crate::front::end::{Linger, end};
use crate::front::exchange::{Exchange, HandedOver};
use crate::front::opened::Opened;
use crate::front::wire::Wire;
use crate::telemetry::WebSocketEnd;
use crate::worker::Worker;
use std::future::poll_fn;
use std::rc::Rc;

/// Serves a WebSocket whose client was told that it is one, and ends its connection.
pub(in crate::front) async fn serve(
    worker: &Rc<Worker>,
    wire: &Wire,
    exchange: Exchange,
    mut opened: Opened,
) {
    let counted = Counted::begin(worker);
    let HandedOver { exchange: open, guards, id, route, mut behind } = exchange.hand_over();
    wire.take_ahead(&mut behind);
    wire.connection.enter(Phase::WebSocket);
    let traced = opened.traced.take();
    let told = |failure: &Failure| {
        failure.log(id.as_str(), &route);
        guards.cut(failure);
        traced.iter().for_each(|traced| traced.cut(failure));
    };
    let mut session = Session::new(worker, wire, opened, behind, &told);
    let ended = poll_fn(|cx| session.poll(cx)).await;
    let is_closed = session.stage == Stage::Closed;
    counted.ended(ended);
    wire.connection.open.buffers.give_back(session.finish());
    // A client that leaves its end of the connection open has no place among those under way for that.
    drop((open, traced, guards));
    if is_closed {
        end(wire, Linger::Head).await;
    }
}

/// Counts a WebSocket while it is open, and how it ends.
struct Counted(Rc<Worker>);

impl Counted {
    fn begin(worker: &Rc<Worker>) -> Counted {
        worker.shared.front.workers.of(worker.id).websockets.open.increment();
        Counted(worker.clone())
    }

    fn ended(self, end: WebSocketEnd) {
        self.0.shared.front.workers.of(self.0.id).websockets.ended(end);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.shared.front.workers.of(self.0.id).websockets.open.decrement();
    }
}
