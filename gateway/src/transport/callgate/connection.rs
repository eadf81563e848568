//! One connection to an instance: the calls in flight on it.
//!
//! Calls are encoded straight into the connection's send buffer by whoever makes them; the connection's task writes them. Replies
//! are transcoded to JSON where they lie in the receive buffer.
//!
//! ```text
//! liveness     whether the peer is there
//! events       what the peer says, and what comes of it
//! streams      calls that stream: how they begin, the items that come, and whose turn it is to send some
//! sender       the task that sends the items of one call's request
//! driver       the task that reads and writes
//! writer       how that task is woken
//! written      calls whose makers are told when all of them were written
//! ```
//! The rules are those of the protocol's [`Connector`](callgate_protocol::Connector): which calls are in flight, what may be sent,
//! how each call ends. Here is what the gateway makes of them. The connector is borrowed for one step at a time, and never while a caller is told something.

mod driver;
mod events;
mod liveness;
mod sender;
mod streams;
mod writer;
mod written;

pub use driver::{End, drive};

use super::in_flight::{InFlight, Machine};
use super::offer::Offer;
use super::programs::{Program, Programs};
use super::transcoders::{Transcoder, Transcoders};
use crate::buffers::Buffers;
use crate::config::{CallRef, EndpointAddr};
use crate::presence::Presence;
use crate::supervise::Supervisor;
use crate::transport::body::Body;
use crate::transport::call::{Binding, Call, Times, Unsent};
use crate::transport::outcome::Outcome;
use crate::transport::review::ReviewRequest;
use crate::transport::slot::{Ended, Sent, Slot};
use callgate_protocol::connection::{NotSent, Then};
use callgate_protocol::{Aside, CallHead};
use callgate_transcode::RequestInput;
use liveness::Liveness;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use writer::Writer;
use written::Awaited;

/// A body that is sent as it is and has so many bytes is not copied. Of fewer the copy costs less than the care.
const LONG: usize = 16 * 1024;

/// What is said of the connections to an instance.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionSpec {
    /// Connecting and the handshake may take so long together.
    pub connect_timeout: Duration,
    /// A silent peer is asked after so long whether it is there.
    pub ping_interval: Duration,
    /// So long it may take to answer that.
    pub ping_timeout: Duration,
    /// Calls in flight at once; the peer may allow fewer.
    pub max_calls: u32,
}

/// What a connection has of its worker.
#[derive(Clone)]
pub(super) struct WorkerSide {
    /// The worker's programs.
    pub(super) transcoders: Rc<Transcoders>,
    /// Where replies become JSON.
    pub(super) buffers: Rc<Buffers>,
    /// Told when a connection can take calls again after its backlog was too long.
    pub(super) room: Rc<Notify>,
    /// Whether the worker itself was away.
    pub(super) presence: Rc<Presence>,
    /// Told of panics.
    pub(super) supervisor: Arc<Supervisor>,
}

/// A connection, as one worker's calls see it.
pub struct Connection {
    addr: EndpointAddr,
    worker: WorkerSide,
    /// Raised when something about it has changed that a pick goes by.
    review: Rc<ReviewRequest>,
    offer: Arc<Offer>,
    machine: RefCell<Machine>,
    writer: Writer,
    liveness: Liveness,
    programs: Programs,
    /// The peer wants calls.
    ready: Cell<bool>,
    /// A call was made that streams: senders may wait for their turn.
    has_streamed: Cell<bool>,
    /// Whoever waits for a call to be written.
    awaited: Awaited,
    /// Told when it takes no new calls any more.
    closing: Notify,
}

impl Connection {
    /// A connection to that address, whose handshake is done and whose peer offers that.
    pub(super) fn new(
        addr: EndpointAddr,
        spec: &ConnectionSpec,
        worker: &WorkerSide,
        review: Rc<ReviewRequest>,
        offer: Arc<Offer>,
        mut machine: Machine,
    ) -> Connection {
        machine.limit_calls(spec.max_calls);
        Connection {
            addr,
            worker: worker.clone(),
            review,
            offer,
            machine: RefCell::new(machine),
            writer: Writer::default(),
            liveness: Liveness::new(spec.ping_interval, spec.ping_timeout),
            programs: Programs::default(),
            ready: Cell::new(true),
            has_streamed: Cell::new(false),
            awaited: Awaited::default(),
            closing: Notify::new(),
        }
    }

    /// Whether a further call may be made on it.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.machine.borrow().has_room()
    }

    /// Calls that wait for their reply.
    #[inline]
    pub fn in_flight(&self) -> usize {
        self.machine.borrow().in_flight()
    }

    /// Whether a write is about to leave on it anyway.
    #[inline]
    pub fn is_about_to_write(&self) -> bool {
        self.writer.gathered() > 0
    }

    /// Whether it takes new calls at all.
    #[inline]
    pub fn accepts(&self) -> bool {
        self.machine.borrow().accepts()
    }

    /// Whether the peer wants calls.
    #[inline]
    pub fn is_ready(&self) -> bool {
        self.ready.get()
    }

    /// Whether the peer may be gone: it does not answer.
    #[inline]
    pub fn is_silent(&self) -> bool {
        self.liveness.is_silent()
    }

    /// When something was last heard of it.
    pub fn heard_at(&self) -> Instant {
        self.liveness.heard_at()
    }

    /// Whether the instance offers a route's method, and the route was not found not to fit it.
    pub fn offers(&self, binding: &Binding<'_>) -> bool {
        self.programs.offers(binding, &self.offer)
    }

    /// Why a route was found not to fit the instance's method.
    pub fn misfit(&self, binding: &Binding<'_>) -> Option<Rc<str>> {
        self.programs.misfit(binding)
    }

    /// What the instance says of the version of a method's service; `None` when it offers no such method or service.
    pub fn version(&self, call: &CallRef) -> Option<&str> {
        self.offer.version(call)
    }

    /// What the instance offers, in a number.
    pub fn offer_digest(&self) -> u64 {
        self.offer.digest
    }

    /// Encodes a call into the send buffer.
    #[inline]
    pub(in crate::transport) fn call(
        self: &Rc<Self>,
        call: &Call<'_>,
        times: impl FnOnce(bool) -> Times,
    ) -> Result<Sent, Unsent> {
        let program = self.programs.of(&call.binding, &self.offer, &self.worker.transcoders);
        let Some(Ok(program)) = program else { return Err(Unsent::NotOffered) };
        let times = times(program.idempotent);
        if !program.streams.is_plain() {
            return self.stream(call, program, times);
        }
        let slot = Rc::new(Slot::default());
        let number = self.encode(call, program, &slot, times)?;
        if let Some(on_written) = call.on_written {
            self.await_written(number, on_written);
        }
        self.writer.has_one_more();
        Ok(Sent { number, slot, at: times.now, streams: None })
    }

    /// What would keep a call from being sent: it is encoded as it would be, and that is thrown away.
    pub(in crate::transport) fn would_call(&self, call: &Call<'_>) -> Result<(), Unsent> {
        let program = self.programs.of(&call.binding, &self.offer, &self.worker.transcoders);
        let Some(Ok(program)) = program else { return Err(Unsent::NotOffered) };
        let form = match call.body {
            Body::Whole(_) | Body::Shared(_) => &[][..],
            Body::Form(form) => form,
            Body::Stream(body, form) if program.streams.caller || body.is_optional() => form,
            Body::Stream(..) => return Err(self.takes_no_stream(call)),
        };
        let body = if let Body::Stream(..) | Body::Form(_) = call.body { b"" } else { call.body.whole() };
        let input = RequestInput { path: call.path, query: call.query, bound: call.bound, body, form };
        let transcoder = &program.shared;
        let head = CallHead { call_id: transcoder.call_id, timeout_ms: None, metadata: call.metadata };
        let mut message = Vec::new();
        transcoder.encode(&input, call.identity, &mut message).map_err(NotSent::Payload)?;
        let (size, most) = (head.size() + message.len(), self.machine.borrow().max_message());
        if size > most { Err(NotSent::TooLong { size, most }.into()) } else { Ok(()) }
    }

    /// Gives the call's number.
    #[inline]
    fn encode(
        &self,
        call: &Call<'_>,
        program: Rc<Program>,
        slot: &Rc<Slot>,
        times: Times,
    ) -> Result<u32, Unsent> {
        let form = match call.body {
            Body::Whole(_) | Body::Shared(_) => &[][..],
            Body::Form(form) => form,
            Body::Stream(..) => return Err(self.takes_no_stream(call)),
        };
        let body = call.body.whole();
        let input = RequestInput { path: call.path, query: call.query, bound: call.bound, body, form };
        let Times { now: sent_at, deadline, .. } = times;
        let transcoder: Rc<Transcoder> = program.shared.clone();
        let timeout_ms = timeout_ms(deadline.saturating_duration_since(sent_at));
        let head = CallHead { call_id: transcoder.call_id, timeout_ms, metadata: call.metadata };
        let in_flight = InFlight { slot: slot.clone(), program, sent_at, streamed: None };
        let mut machine = self.machine.borrow_mut();
        let number = machine.call(&head, deadline, in_flight, |out| {
            let Body::Shared(shared) = call.body else {
                return transcoder.encode(&input, call.identity, out).map(|()| None);
            };
            let at = transcoder.encode_leaving(&input, call.identity, out, LONG)?;
            Ok(at.map(|at| Aside { at, bytes: shared.to_bytes() }))
        })?;
        if !machine.accepts() {
            // It was the last number.
            drop(machine);
            self.has_closed();
        }
        Ok(number)
    }

    /// Gives a call up, unless it has ended. Says how it has ended then.
    pub fn cancel(&self, number: u32) -> Option<Ended> {
        let call = self.machine.borrow_mut().cancel(number)?.value;
        self.writer.wake();
        Some(self.given_up(&call, Outcome::GivenUp { silent: self.is_silent() }))
    }

    /// How a call has ended that is given up now.
    fn given_up(&self, call: &InFlight, outcome: Outcome) -> Ended {
        let (now, sent_at) = (Instant::now(), call.sent_at);
        self.worker.presence.see(now);
        Ended {
            outcome,
            took: now.saturating_duration_since(sent_at),
            disturbed: self.worker.presence.was_away_since(sent_at),
        }
    }

    /// Asks the peer whether it is there, unless it was asked and nothing was heard since. Returns when it was asked.
    pub fn ask(&self) -> Instant {
        self.liveness.unanswered_since().unwrap_or_else(|| self.ping())
    }

    fn ping(&self) -> Instant {
        self.machine.borrow_mut().ping();
        self.writer.wake();
        self.liveness.asked()
    }

    /// Looks whether the peer is there, `pace` after the last time: asks it when it was silent for long, and leaves it when
    /// it does not answer.
    pub(super) fn look(&self, pace: Duration) {
        let then = self.liveness.look(pace, &self.machine.borrow());
        match then {
            Then::Nothing => {}
            Then::Ask => drop(self.ping()),
            Then::Doubt => {
                self.review.raise();
                let waiting: Vec<_> = self.machine.borrow().values().map(|call| call.slot.clone()).collect();
                waiting.iter().for_each(|slot| slot.fall_silent());
            }
            Then::Leave => {
                self.stop_accepting();
                self.writer.wake();
            }
        }
    }

    /// The peer says whether it wants calls.
    pub(crate) fn set_ready(&self, ready: bool) {
        if self.ready.replace(ready) != ready {
            tracing::info!(endpoint = %self.addr, ready, "the instance says whether it is ready");
            self.review.raise();
        }
    }

    /// Ends the connection's service: no new calls; those in flight are answered, then it closes.
    pub fn stop_accepting(&self) {
        if self.accepts() {
            self.machine.borrow_mut().close();
            self.has_closed();
        }
    }

    /// It takes no new calls any more.
    fn has_closed(&self) {
        self.closing.notify_waiters();
        self.writer.wake();
    }

    /// Told when it takes no new calls any more.
    pub(crate) fn closing(&self) -> &Notify {
        &self.closing
    }

    /// Forgets what is known of routes that are in force no more; `ids` are those in force, by slot.
    pub fn forget_gone(&self, ids: &[u64]) {
        self.programs.forget_gone(ids);
    }
}

/// What an instance is told of the time that is left. A call with less than a millisecond is still worth one; zero would mean no
/// deadline.
#[inline]
fn timeout_ms(left: Duration) -> Option<u32> {
    Some(u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1))
}

#[cfg(test)]
mod streamed_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
