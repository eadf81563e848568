//! One connection of a client: what its peer offers, and the calls under way on it. `driver` has the task that drives it.

use super::offers::{Offer, Offers};
use super::outcome::{Failed, Origin, Outcome, late, unavailable};
use super::queue::Queue;
use super::schemas::Schemas;
use super::slot::{Load, Slot};
use crate::Status;
use crate::service::Method;
use callgate_protocol::connection::{Connector, NotSent};
use callgate_protocol::{CallHead, CallId, Hello, MetadataBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::{Notify, Semaphore, oneshot, watch};
use tokio::time::Instant;

/// What a connection knows of its peer and of the calls under way: for each, where its caller waits.
pub(crate) type Calls = Connector<oneshot::Sender<Outcome>, Instant>;

/// A call as it goes out, on whichever connection.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) call_id: CallId,
    pub(crate) metadata: &'a MetadataBuf,
    pub(crate) payload: &'a [u8],
    pub(crate) deadline: Instant,
}

/// A connection whose handshake is done.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(super) queue: Arc<Queue>,
    /// Who the peer is, for people.
    pub(super) endpoint: String,
    pub(crate) offers: Arc<Offers>,
    /// The longest message that the peer accepts, in bytes.
    pub(crate) max_message: usize,
    /// As many as the peer accepts calls at once; whoever finds none waits. Closed when no more calls are accepted.
    slots: Semaphore,
    /// Calls under way and calls that wait for a slot.
    load: AtomicUsize,
    retired: Notify,
    /// Why it takes no more calls.
    why_retired: OnceLock<String>,
    pub(super) stopped: Notify,
    /// Whether the peer wants calls.
    pub(super) ready: watch::Sender<bool>,
}

impl Connection {
    /// A connection whose peer has said HELLO.
    pub(super) fn new(queue: Arc<Queue>, hello: Hello, endpoint: String) -> Connection {
        let limits = hello.limits;
        Connection {
            queue,
            endpoint,
            offers: Arc::new(Offers::new(hello)),
            max_message: limits.max_message as usize,
            slots: Semaphore::new((limits.max_calls as usize).min(Semaphore::MAX_PERMITS)),
            load: AtomicUsize::new(0),
            retired: Notify::new(),
            why_retired: OnceLock::new(),
            stopped: Notify::new(),
            ready: watch::Sender::new(true),
        }
    }

    /// Whether the peer offers the method with types that fit. Asks it for its schema if that decides.
    pub(crate) fn offer(&self, method: &'static Method, schemas: &Arc<Schemas>) -> Offer {
        self.offers.look(method, schemas, |schema| {
            self.queue.push(|calls| calls.request_schema(schema));
        })
    }

    /// Whether new calls are accepted.
    pub(crate) fn is_open(&self) -> bool {
        !self.slots.is_closed()
    }

    /// Whether the peer wants calls. It serves them all the same.
    pub(crate) fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// Told when the peer says anew whether it wants calls.
    pub(crate) fn readiness(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// Calls under way and calls that wait for a slot.
    pub(crate) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Returns when the connection accepts no more calls. For one waiter.
    pub(crate) async fn retired(&self) {
        self.retired.notified().await;
    }

    /// Why the connection accepts no more calls, for people.
    pub(crate) fn why_retired(&self) -> &str {
        self.why_retired.get().map_or("the connection is going down", String::as_str)
    }

    /// Accepts no more calls, and ends when those under way have their outcome.
    pub(crate) fn stop(&self) {
        self.queue.with(Calls::close);
        self.retire("another connection has taken its place");
        self.stopped.notify_one();
    }

    /// Whether the peer has all the calls that it accepts.
    pub(crate) fn is_full(&self) -> bool {
        self.slots.available_permits() == 0
    }

    /// A place for a call whose arguments have `size` bytes, when there is one, without a bound of its own.
    pub(crate) async fn slot(&self, size: usize) -> Result<Slot<'_>, Failed> {
        if size > self.max_message {
            return Err(too_long(size, self.max_message));
        }
        let load = Load::add(&self.load);
        match self.slots.acquire().await {
            Ok(permit) => Ok(Slot::new(permit, load)),
            Err(_) => Err(self.gone(Origin::Unsent, self.why_retired())),
        }
    }

    /// Sends a call and waits for its outcome, without a bound of its own. Dropping the future cancels the call.
    pub(crate) async fn call(&self, call: Call<'_>, _slot: Slot<'_>) -> Outcome {
        let (number, wait) = match self.send(call) {
            Err(NotSent::Full) => self.send_when_there_is_room(call).await,
            sent => sent.map_err(not_sent),
        }?;
        let _cancel = CancelOnDrop { connection: self, number };
        wait.await.unwrap_or_else(|_| Err(self.gone(Origin::Lost, "the connection was lost")))
    }

    /// The same when too much waits to be sent already.
    async fn send_when_there_is_room(&self, call: Call<'_>) -> Result<Sent, Failed> {
        loop {
            let mut room = pin!(self.queue.room());
            // From here on no change is missed.
            room.as_mut().enable();
            match self.send(call) {
                Err(NotSent::Full) => room.await,
                sent => return sent.map_err(not_sent),
            }
        }
    }

    fn send(&self, call: Call<'_>) -> Result<Sent, NotSent<Late>> {
        let left = call.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(NotSent::Payload(Late));
        }
        let head = CallHead {
            call_id: call.call_id,
            // Zero would mean that there is no deadline.
            timeout_ms: Some(u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1)),
            metadata: call.metadata.as_metadata(),
        };
        let (answer, wait) = oneshot::channel();
        let (sent, open) = self.queue.push(|calls| {
            let sent = calls.call(&head, call.deadline, answer, |out| {
                out.extend_from_slice(call.payload);
                Ok(())
            });
            (sent, calls.accepts())
        });
        if !open {
            self.retire("all its numbers for calls are used up");
        }
        sent.map(|number| (number, wait))
    }

    /// What becomes of a call when the connection is gone.
    pub(super) fn gone(&self, origin: Origin, why: &str) -> Failed {
        unavailable(origin, &format!("{}: {why}", self.endpoint))
    }

    /// Accepts no more calls. Of several reasons the first counts.
    pub(super) fn retire(&self, why: &str) {
        self.why_retired.get_or_init(|| why.to_owned());
        self.slots.close();
        self.queue.wake_waiting();
        self.retired.notify_one();
    }
}

/// A call that was sent: its number, and where its outcome comes.
type Sent = (u32, oneshot::Receiver<Outcome>);

/// No time is left for a call.
struct Late;

fn not_sent(why: NotSent<Late>) -> Failed {
    match why {
        NotSent::Closed | NotSent::Full => unavailable(Origin::Unsent, "the connection is going down"),
        NotSent::TooLong { size, most } => too_long(size, most),
        NotSent::Payload(Late) => Failed { status: late(), origin: Origin::Late },
    }
}

fn too_long(size: usize, most: usize) -> Failed {
    let message = format!("the call has {size} bytes; the endpoint accepts {most}");
    Failed { status: Status::resource_exhausted(message).not_executed(), origin: Origin::Endpoint }
}

/// Sends CANCEL when a call's future is dropped before its outcome is there.
///
/// The race: the reply may be under way, or in this process's read buffer. Whoever takes the call out of the table
/// first wins. If that is this guard, the reply finds nobody and is dropped; if it is the reply, there is nothing to
/// cancel. The server has the same choice on its side, so a CANCEL for a call that it has answered is normal.
struct CancelOnDrop<'a> {
    connection: &'a Connection,
    number: u32,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        drop(self.connection.queue.push(|calls| calls.cancel(self.number)));
    }
}
