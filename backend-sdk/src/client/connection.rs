//! One connection of a client: what its peer offers, the calls under way on it, and the task that drives it.

use super::offers::{Offer, Offers};
use super::schemas::Schemas;
use super::slot::{Load, Slot};
use super::table::{Failed, Origin, Outcome, late, unavailable};
use crate::Status;
use crate::connection::{Address, Link, Lost, Queue, Stream, Took};
use crate::service::Method;
use callgate_protocol::connection::{Answer, Connector, NotSent, Said};
use callgate_protocol::schema::Fingerprint;
use callgate_protocol::{CallHead, CallId, Event, Hello, Inbound, Limits, MetadataBuf, ProtocolError, Role};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, oneshot, watch};
use tokio::time::{Instant, timeout};

/// For connecting and the handshake together.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

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
    queue: Arc<Queue<Calls>>,
    pub(crate) offers: Arc<Offers>,
    /// The longest message that the peer accepts, in bytes.
    pub(crate) max_message: usize,
    /// As many as the peer accepts calls at once; whoever finds none waits. Closed when no more calls are accepted.
    slots: Semaphore,
    /// Calls under way and calls that wait for a slot.
    load: AtomicUsize,
    retired: Notify,
    stopped: Notify,
    /// Whether the peer wants calls.
    ready: watch::Sender<bool>,
}

impl Connection {
    /// Connects and shakes hands.
    pub(crate) async fn open(
        address: &Address,
        identity: &str,
    ) -> Result<(Arc<Connection>, Link<Calls>), String> {
        match timeout(OPEN_TIMEOUT, open(address, identity)).await {
            Ok(Ok(opened)) => Ok(opened),
            Ok(Err(lost)) => Err(lost.to_string()),
            Err(_) => Err(format!("no connection within {} s", OPEN_TIMEOUT.as_secs())),
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

    /// Accepts no more calls, and ends when those under way have their outcome.
    pub(crate) fn stop(&self) {
        self.queue.with(Calls::close);
        self.retire();
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
            Err(_) => Err(unavailable(Origin::Unsent, "the connection is going down")),
        }
    }

    /// Sends a call and waits for its outcome, without a bound of its own. Dropping the future cancels the call.
    pub(crate) async fn call(&self, call: Call<'_>, _slot: Slot<'_>) -> Outcome {
        let (number, wait) = match self.send(call) {
            Err(NotSent::Full) => self.send_when_there_is_room(call).await,
            sent => sent.map_err(not_sent),
        }?;
        let _cancel = CancelOnDrop { connection: self, number };
        wait.await.unwrap_or_else(|_| Err(unavailable(Origin::Lost, "the connection was lost")))
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
            self.retire();
        }
        sent.map(|number| (number, wait))
    }

    /// Drives the connection until it has ended. All calls on it have an outcome then.
    pub(crate) async fn drive(self: Arc<Connection>, mut link: Link<Calls>) {
        let mut ending = LoseOnDrop { connection: &self, reason: "the client was dropped".into() };
        let lost = self.run(&mut link).await;
        ending.reason = match &lost {
            Ok(()) => "the connection is going down".into(),
            Err(lost) => format!("the connection was lost: {lost}"),
        };
        drop(ending);
        match lost {
            Ok(()) => link.farewell().await,
            Err(lost) => part(&lost, &self.queue, link).await,
        }
    }

    /// Ends without an error when the connection accepts no more calls and those under way have their outcome.
    async fn run(&self, link: &mut Link<Calls>) -> Result<(), Lost> {
        loop {
            // First, because bytes may have come along with the handshake.
            link.events(|event| self.event(event))?;
            if self.queue.with(|calls| calls.is_done()) && link.is_flushed() {
                return Ok(());
            }
            tokio::select! {
                turn = link.turn() => drop(turn?),
                () = self.stopped.notified() => {}
            }
        }
    }

    fn event(&self, event: Event<'_>) -> Result<Took, ProtocolError> {
        match self.queue.push(|calls| calls.on_event(event))? {
            // The caller's future may be dropped in this moment; then nobody wants the outcome.
            Said::Answered(call, answer) => drop(call.value.send(outcome(answer))),
            Said::GoAway { reason, refused } => {
                tracing::info!(reason, "an endpoint accepts no more calls");
                for call in refused {
                    let _ = call.value.send(Err(unavailable(Origin::Unsent, reason)));
                }
                self.retire();
            }
            Said::Ready(ready) => drop(self.ready.send_replace(ready)),
            Said::Schema(fingerprint, encoded) => self.learn(fingerprint, encoded),
            Said::Nothing | Said::Hello(_) => {}
        }
        Ok(Took::Nothing)
    }

    /// Reads a schema, if it was asked for, beside the connection: a large one takes some milliseconds.
    fn learn(&self, fingerprint: Fingerprint, encoded: &[u8]) {
        if !self.offers.takes(fingerprint) {
            return;
        }
        let (offers, ready, encoded) = (self.offers.clone(), self.ready.clone(), encoded.to_vec());
        tokio::task::spawn_blocking(move || {
            offers.learn(fingerprint, &encoded);
            // Whoever waits for an endpoint looks again.
            ready.send_modify(|_| {});
        });
    }

    fn retire(&self) {
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

fn outcome(answer: Answer<'_>) -> Outcome {
    let status = match answer {
        Answer::Reply { payload, .. } => return Ok(payload.to_vec()),
        Answer::Failure(status) => status.into(),
        Answer::TooLarge | Answer::NoRoom => {
            Status::resource_exhausted("the result is longer than this side accepts")
        }
    };
    Err(Failed { status, origin: Origin::Endpoint })
}

async fn open(address: &Address, identity: &str) -> Result<(Arc<Connection>, Link<Calls>), Lost> {
    let stream = Stream::connect(address).await?;
    let hello = Hello::new(identity, Limits::default(), Vec::new());
    let queue = Arc::new(Queue::new(Calls::new(&hello)));
    let inbound = Inbound::new(Role::Connector, hello.limits);
    let mut link = Link::new(stream, inbound, queue.clone());
    let hello = match shake_hands(&mut link, &queue).await {
        Ok(hello) => hello,
        Err(lost) => {
            part(&lost, &queue, link).await;
            return Err(lost);
        }
    };
    let limits = hello.limits;
    let connection = Connection {
        queue,
        offers: Arc::new(Offers::new(hello)),
        max_message: limits.max_message as usize,
        slots: Semaphore::new((limits.max_calls as usize).min(Semaphore::MAX_PERMITS)),
        load: AtomicUsize::new(0),
        retired: Notify::new(),
        stopped: Notify::new(),
        ready: watch::Sender::new(true),
    };
    Ok((Arc::new(connection), link))
}

/// Waits for the peer's HELLO.
async fn shake_hands(link: &mut Link<Calls>, queue: &Queue<Calls>) -> Result<Hello, Lost> {
    let mut peer = None;
    loop {
        link.turn().await?;
        link.events(|event| {
            if let Said::Hello(hello) = queue.push(|calls| calls.on_event(event))? {
                peer = Some(hello);
            }
            // What follows is for the connection's task.
            Ok(Took::Turn)
        })?;
        if let Some(hello) = peer {
            return Ok(hello);
        }
    }
}

/// Ends a connection that is lost. A peer that broke the protocol is told what was wrong, unless it speaks another one.
async fn part(lost: &Lost, queue: &Queue<Calls>, link: Link<Calls>) {
    if let Lost::Protocol(error) = lost
        && !matches!(error, ProtocolError::BadMagic(_))
    {
        queue.push(|calls| calls.go_away_with(&error.to_string()));
        link.farewell().await;
    }
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

/// Ends the calls of a connection when its task ends, even if it is aborted.
struct LoseOnDrop<'a> {
    connection: &'a Connection,
    reason: String,
}

impl Drop for LoseOnDrop<'_> {
    fn drop(&mut self) {
        let lost = self.connection.queue.with(Calls::lose);
        let unsent = lost.unsent.into_iter().map(|call| (call, Origin::Unsent));
        for (call, origin) in unsent.chain(lost.sent.into_iter().map(|call| (call, Origin::Lost))) {
            let _ = call.value.send(Err(unavailable(origin, &self.reason)));
        }
        self.connection.retire();
    }
}
