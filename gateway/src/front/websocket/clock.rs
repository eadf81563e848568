//! What happens in a WebSocket by time: pings while its client is silent, and ends that do not wait for ever.

use crate::front::connection::OpenConnections;
use crate::worker::Worker;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// So long after its last word a client waits for the rest of what its method says.
const LEAVING: Duration = Duration::from_secs(10);

/// So long after ours a client has for its own last word.
const CLOSING: Duration = Duration::from_secs(5);

/// What it is time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// To look whether the client has said anything.
    Look,
    /// The end of what is being waited for.
    End,
    /// No item has gone to the client for as long as that may take.
    Idle,
    /// The end of the process, or of this generation of it.
    Restart,
}

/// The times of a WebSocket.
pub(super) struct Clock {
    timer: Pin<Box<Sleep>>,
    every: Duration,
    look: Instant,
    end: Option<Instant>,
    /// How long the next item may take, and until when.
    idle: Option<Duration>,
    next_item: Option<Instant>,
    /// Its client is to come again: from then on that is due, once.
    restart: Option<Instant>,
}

impl Clock {
    /// One that begins now. `idle`: how long the method's next item may take.
    pub(super) fn new(worker: &Worker, idle: Option<Duration>) -> Clock {
        let server = &worker.shared.settings.server;
        let every = server.websocket_ping;
        let look = Instant::now() + every;
        let timer = Box::pin(sleep_until(look));
        Clock { timer, every, look, end: None, idle, next_item: None, restart: None }
    }

    /// An item has gone, or the first one is waited for.
    pub(super) fn item(&mut self) {
        self.next_item = self.idle.map(|idle| Instant::now() + idle);
    }

    /// The client has said its last word.
    pub(super) fn leaves(&mut self) {
        self.end = Some(Instant::now() + LEAVING);
    }

    /// We have said ours.
    pub(super) fn closes(&mut self) {
        self.next_item = None;
        self.end = Some(Instant::now() + CLOSING);
    }

    /// What it is time for; waits for that.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, open: &OpenConnections) -> Poll<Due> {
        if self.restart.is_none() && open.streams_over.get() {
            self.restart = Some(Instant::now());
        }
        loop {
            let next = [Some(self.look), self.end, self.next_item, self.restart].into_iter().flatten().min();
            let next = next.unwrap_or(self.look);
            if self.timer.deadline() != next {
                self.timer.as_mut().reset(next);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            if self.end.take_if(|end| *end <= now).is_some() {
                return Poll::Ready(Due::End);
            }
            if self.next_item.take_if(|next| *next <= now).is_some() {
                return Poll::Ready(Due::Idle);
            }
            if self.restart.is_some_and(|restart| restart <= now) {
                // It is not told again within any time that matters.
                self.restart = Some(now + Duration::from_secs(24 * 3600));
                return Poll::Ready(Due::Restart);
            }
            if self.look <= now {
                self.look = now + self.every;
                return Poll::Ready(Due::Look);
            }
        }
    }
}
