//! Keeps a server listening while a handler blocks its thread.
//!
//! Of tokio's worker threads one at a time waits for all sockets and timers; then it runs what has become ready. The next
//! to wait is whoever has nothing to do, and the workers that already sleep are not woken for that. So a handler that
//! blocks, run by the worker that had just waited, leaves the process deaf: nothing is accepted or read, no PING is
//! answered, no deadline noticed, although all other threads are idle.
//!
//! What helps is to wake one of them: on its way back to sleep it finds that nobody waits, and does so itself. While calls
//! are running, a thread of the server's own does that every [`PERIOD`], by giving the runtime an empty task. A call costs
//! nothing by it, however many there are, and it does not matter when a handler begins to block.

use super::slots::Slots;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeFlavor};

/// The longest time for which a handler that blocks its thread keeps all others waiting.
const PERIOD: Duration = Duration::from_millis(20);

/// The waking ends when this is dropped.
pub(super) struct Waker {
    _alive: Option<Sender<Infallible>>,
}

impl Waker {
    /// Keeps the current runtime awake while any of `slots` is used. A runtime of one thread cannot be helped.
    pub(super) fn start(slots: Arc<Slots>) -> Waker {
        let runtime = Handle::current();
        let helpless =
            runtime.runtime_flavor() == RuntimeFlavor::CurrentThread || runtime.metrics().num_workers() < 2;
        if helpless {
            return Waker { _alive: None };
        }
        let (alive, ended) = channel();
        let thread = std::thread::Builder::new().name("callgate-waker".into());
        if let Err(error) = thread.spawn(move || wake(&runtime, &slots, &ended)) {
            tracing::warn!(%error, "no thread: a handler that blocks will keep all others waiting");
        }
        Waker { _alive: Some(alive) }
    }
}

fn wake(runtime: &Handle, slots: &Slots, ended: &Receiver<Infallible>) {
    let mut last = runtime.spawn(async {});
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(PERIOD) {
        // One at a time: when all threads are blocked, nobody would take them away.
        if slots.are_used() && last.is_finished() {
            last = runtime.spawn(async {});
        }
    }
}
