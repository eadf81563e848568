//! One connection to an instance: the calls in flight on it.
//!
//! Calls are encoded straight into the connection's send buffer by whoever makes them; the connection's task writes them. Replies
//! are transcoded to JSON where they lie in the receive buffer.
//!
//! ```text
//! calls        the calls in flight
//! send_buffer  what is to be sent
//! liveness     whether the peer is there; silence, what follows when it is not heard of
//! events       what the peer says, and what comes of it
//! driver       the task that reads and writes
//! ```
//! A call that is given up before its reply is there removes itself and sends CANCEL. The reply may be on its way at that moment;
//! it finds no call waiting and is ignored.

mod calls;
mod driver;
mod events;
mod liveness;
mod send_buffer;
mod silence;

pub use driver::{End, drive};

use super::offer::Offer;
use super::programs::{Program, Programs};
use super::transcoders::{Transcoder, Transcoders};
use crate::config::{CallRef, EndpointAddr};
use crate::presence::Presence;
use crate::reply_buffer::Buffers;
use crate::transport::body::Body;
use crate::transport::call::{Binding, Call, Times, Unsent};
use crate::transport::outcome::Outcome;
use crate::transport::review::ReviewRequest;
use crate::transport::slot::{Ended, Sent, Slot};
use callgate_protocol::{CallHead, Outbound};
use callgate_transcode::RequestInput;
use calls::{Calls, InFlight};
use liveness::Liveness;
use send_buffer::SendBuffer;
use silence::{Limits, Then};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

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
}

/// A connection, as one worker's calls see it.
pub struct Connection {
    addr: EndpointAddr,
    worker: WorkerSide,
    /// Raised when something about it has changed that a pick goes by.
    review: Rc<ReviewRequest>,
    offer: Arc<Offer>,
    max_calls: usize,
    calls: Calls,
    send: SendBuffer,
    liveness: Liveness,
    programs: Programs,
    accepting: Cell<bool>,
    /// The peer wants calls.
    ready: Cell<bool>,
    /// Told when `accepting` ends.
    closing: Notify,
}

impl Connection {
    /// A connection to that address whose peer offers that.
    pub(super) fn new(
        addr: EndpointAddr,
        spec: &ConnectionSpec,
        worker: &WorkerSide,
        review: Rc<ReviewRequest>,
        offer: Arc<Offer>,
        outbound: Outbound,
    ) -> Connection {
        Connection {
            addr,
            worker: worker.clone(),
            review,
            max_calls: spec.max_calls.min(offer.limits.max_calls) as usize,
            offer,
            calls: Calls::default(),
            send: SendBuffer::new(outbound),
            liveness: Liveness::new(Limits { idle: spec.ping_interval, asked: spec.ping_timeout }),
            programs: Programs::default(),
            accepting: Cell::new(true),
            ready: Cell::new(true),
            closing: Notify::new(),
        }
    }

    /// Whether a further call may be made on it.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.accepting.get() && self.calls.len() < self.max_calls && !self.send.is_full()
    }

    /// Calls that wait for their reply.
    #[inline]
    pub fn in_flight(&self) -> usize {
        self.calls.len()
    }

    /// Whether a write is about to leave on it anyway.
    #[inline]
    pub fn is_about_to_write(&self) -> bool {
        self.send.unsent() > 0
    }

    /// Whether it takes new calls at all.
    #[inline]
    pub fn accepts(&self) -> bool {
        self.accepting.get()
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

    /// Whether the instance offers a route's method.
    pub fn offers(&self, binding: &Binding<'_>) -> bool {
        self.programs.offers(binding, &self.offer)
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
        &self,
        call: &Call<'_>,
        times: impl FnOnce(bool) -> Times,
    ) -> Result<Sent, Unsent> {
        let Some(program) = self.programs.of(&call.binding, &self.offer, &self.worker.transcoders) else {
            return Err(Unsent::NotOffered);
        };
        let program = program.map_err(Unsent::Unfit)?;
        let times = times(program.idempotent);
        let number = self.calls.next_number();
        let position = self.encode(number, call, &program, times)?;
        let slot = Rc::new(Slot::default());
        let Times { now: sent_at, deadline } = times;
        self.calls.add(InFlight { slot: slot.clone(), program, position, sent_at, deadline });
        if self.calls.are_at_the_last_number() {
            self.stop_accepting();
        }
        self.send.has_one_more();
        Ok(Sent { number, slot, at: sent_at })
    }

    /// Says where in the stream of bytes the call begins.
    #[inline]
    fn encode(&self, number: u32, call: &Call<'_>, program: &Program, times: Times) -> Result<u64, Unsent> {
        let Body::Whole(body) = call.body else { return Err(Unsent::Streamed) };
        let input = RequestInput { path: call.path, query: call.query, body };
        let Transcoder { call_id, request, .. } = &*program.shared;
        let max_message = self.offer.limits.max_message;
        // A call with less than a millisecond left is still worth one; zero would mean no deadline.
        let left = times.deadline.saturating_duration_since(times.now);
        let timeout_ms = Some(u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1));
        let head = CallHead { call_id: *call_id, timeout_ms, metadata: call.metadata };
        let mut outbound = self.send.outbound();
        let position = self.send.written() + outbound.queued() as u64;
        outbound.call(number, &head, |out| {
            let start = out.len();
            request.encode(&input, out).map_err(Unsent::Invalid)?;
            let fits = out.len() - start <= max_message as usize;
            if fits { Ok(()) } else { Err(Unsent::TooLarge(max_message)) }
        })?;
        Ok(position)
    }

    /// Gives a call up, unless it has ended. Says how it has ended then.
    pub fn cancel(&self, number: u32) -> Option<Ended> {
        let call = self.calls.take(number)?;
        let now = Instant::now();
        self.worker.presence.see(now);
        self.send.cancel(number);
        self.send.wake();
        Some(Ended {
            outcome: Outcome::GivenUp { silent: self.is_silent() },
            took: now.saturating_duration_since(call.sent_at),
            disturbed: self.worker.presence.was_away_since(call.sent_at),
        })
    }

    /// Asks the peer whether it is there, unless it was asked and nothing was heard since. Returns when it was asked.
    pub fn ask(&self) -> Instant {
        self.liveness.unanswered_since().unwrap_or_else(|| {
            self.send.ping();
            self.liveness.asked()
        })
    }

    /// Looks whether the peer is there, `pace` after the last time: asks it when it was silent for long, and leaves it when
    /// it does not answer.
    pub(super) fn look(&self, pace: Duration) {
        let (written, sending) = (self.send.written(), !self.send.is_empty());
        match self.liveness.look(pace, written, sending, self.calls.len() > 0) {
            Then::Nothing => {}
            Then::Ask => {
                self.send.ping();
                self.liveness.asked();
            }
            Then::Doubt => {
                self.review.raise();
                self.calls.fall_silent();
            }
            Then::Leave => {
                self.stop_accepting();
                self.send.wake();
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
        if self.accepting.replace(false) {
            self.closing.notify_waiters();
            self.send.wake();
        }
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

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
