//! One connection of a client: what its peer offers, and the calls under way on it. `driver` has the task that drives it.

use super::in_flight::{Heard, InFlight, Wait, in_flight};
use super::offers::{Offer, Offers};
use super::outcome::{Failed, Origin, Outcome, late, unavailable};
use super::queue::Queue;
use super::schemas::Schemas;
use super::slot::Slot;
use crate::Status;
use crate::service::{Directions, Method};
use callgate_protocol::connection::streams::NotPut;
use callgate_protocol::connection::{Connector, NotSent};
use callgate_protocol::{CallHead, CallId, Hello, Metadata, MetadataBuf};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;

/// What a connection knows of its peer and of the calls under way: for each, where its caller waits.
pub(crate) type Calls = Connector<InFlight, Instant>;

/// A call as it goes out, on whichever connection.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) call_id: CallId,
    pub(crate) streams: Directions,
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
    pub(super) slots: Semaphore,
    /// Calls under way and calls that wait for a slot.
    pub(super) load: AtomicUsize,
    /// The peer does not answer: it may be gone.
    silent: AtomicBool,
    /// Told when it falls silent, for calls that were not sent yet.
    silence: Notify,
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
            silent: AtomicBool::new(false),
            silence: Notify::new(),
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

    /// Whether the peer does not answer, and so may be gone.
    #[inline]
    pub(crate) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    /// The peer does not answer. Calls that wait for it are told.
    pub(super) fn falls_silent(&self) {
        // First, so that whoever is woken does not choose it again. The lock on the way to them orders the two.
        let was_silent = self.silent.swap(true, Ordering::Relaxed);
        // Each time: another endpoint may have come meanwhile that can take them.
        self.queue.with(|calls| calls.values().for_each(InFlight::falls_silent));
        if !was_silent {
            self.silence.notify_waiters();
            // Who looks after the member looks again.
            self.ready.send_modify(|_| {});
        }
    }

    /// Something has come from the peer.
    pub(super) fn hears(&self) {
        if self.is_silent() {
            self.silent.store(false, Ordering::Relaxed);
            self.ready.send_modify(|_| {});
        }
    }

    /// Sends a call as soon as there is a place for it, without a bound of its own.
    ///
    /// # Errors
    /// Also when the peer falls silent meanwhile: another one may take the call.
    pub(crate) async fn place(self: Arc<Connection>, call: Call<'_>) -> Result<Sent, Failed> {
        self.fits(&call)?;
        // Whoever has chosen a silent peer knows no other.
        let stays = self.is_silent();
        let connection = match Slot::try_take(self) {
            Ok(slot) => match slot.connection.send(call) {
                Err(NotSent::Full) => slot.connection.clone(),
                sent => return Sent::new(sent, slot),
            },
            Err(connection) => connection,
        };
        let mut silence = pin!(connection.silence.notified());
        silence.as_mut().enable();
        let falls_silent = async {
            // It may have happened before word of it could be heard.
            if !connection.is_silent() {
                silence.await;
            }
        };
        tokio::select! {
            sent = connection.wait_and_send(call) => sent,
            () = falls_silent, if !stays => Err(connection.gone(Origin::Unsent, "it does not answer")),
        }
    }

    /// Sends a call if there is a place for it now.
    pub(crate) fn place_now(self: Arc<Connection>, call: Call<'_>) -> Option<Sent> {
        self.fits(&call).ok()?;
        let slot = Slot::try_take(self).ok()?;
        Sent::new(slot.connection.send(call), slot).ok()
    }

    async fn wait_and_send(self: &Arc<Connection>, call: Call<'_>) -> Result<Sent, Failed> {
        let Some(slot) = Slot::take(self.clone()).await else {
            return Err(self.gone(Origin::Unsent, self.why_retired()));
        };
        loop {
            let mut room = pin!(self.queue.room());
            // From here on no change is missed.
            room.as_mut().enable();
            match self.send(call) {
                Err(NotSent::Full) => room.await,
                sent => return Sent::new(sent, slot),
            }
        }
    }

    fn fits(&self, call: &Call<'_>) -> Result<(), Failed> {
        let size = call.payload.len();
        if size > self.max_message { Err(too_long(size, self.max_message)) } else { Ok(()) }
    }

    fn send(&self, call: Call<'_>) -> Result<(u32, Wait), NotSent<Late>> {
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
        let (answer, wait) = in_flight();
        let (sent, open) = self.queue.push(|calls| {
            let payload = |out: &mut Vec<u8>| {
                out.extend_from_slice(call.payload);
                Ok(None)
            };
            let sent = if call.streams.is_plain() {
                calls.call(&head, call.deadline, answer, payload)
            } else {
                calls.stream(call.streams, &head, call.deadline, answer, payload)
            };
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

/// A call that was sent. When it is dropped before its outcome is there, CANCEL is sent.
///
/// The race: the reply may be under way, or in this process's read buffer. Whoever takes the call out of the table
/// first wins. If that is this guard, the reply finds nobody and is dropped; if it is the reply, there is nothing to
/// cancel. The server has the same choice on its side, so a CANCEL for a call that it has answered is normal.
#[derive(Debug)]
pub(crate) struct Sent {
    slot: Slot,
    number: u32,
    wait: Wait,
}

impl Sent {
    fn new(sent: Result<(u32, Wait), NotSent<Late>>, slot: Slot) -> Result<Sent, Failed> {
        let (number, wait) = sent.map_err(not_sent)?;
        Ok(Sent { slot, number, wait })
    }

    /// What is heard of it next. Not to be asked again after an outcome.
    pub(crate) fn poll_heard(&self, cx: &Context<'_>) -> Poll<Heard> {
        self.wait.poll(cx)
    }

    /// The next item of the service, or behind the last the outcome. Not to be asked again after that.
    pub(crate) fn poll_item(&self, cx: &Context<'_>) -> Poll<Result<Vec<u8>, Outcome>> {
        self.wait.poll_item(cx)
    }

    /// Items were read: the peer may send as many again.
    pub(crate) fn used(&self, items: u32, bytes: usize) {
        self.slot.connection.queue.push(|calls| calls.used(self.number, items, bytes));
    }

    /// Puts an item. Who is told to wait is woken when it is its turn, if it has [polled](Self::poll_item) before.
    pub(crate) fn put(&self, item: &[u8]) -> Result<(), NotPut<Infallible>> {
        self.slot.connection.queue.push(|calls| {
            calls.item(self.number, |out| {
                out.extend_from_slice(item);
                Ok(None)
            })
        })
    }

    /// Says that this was the last item.
    pub(crate) fn end(&self) {
        self.slot.connection.queue.push(|calls| calls.end(self.number, Metadata::default()));
    }

    /// The longest message that its peer accepts, in bytes.
    pub(crate) fn max_message(&self) -> usize {
        self.slot.connection.max_message
    }

    /// Whether its peer does not answer.
    pub(crate) fn is_silent(&self) -> bool {
        self.slot.connection.is_silent()
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        drop(self.slot.connection.queue.push(|calls| calls.cancel(self.number)));
    }
}
