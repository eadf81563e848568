//! One connection to an instance: the calls in flight on it.
//!
//! Calls are encoded straight into the connection's send buffer by whoever makes them; the connection's task
//! ([`driver`]) writes them. Replies are transcoded to JSON where they lie in the receive buffer.
//!
//! [`settle`] is what the peer says and what comes of it, [`in_flight`] a call, [`long`] a reply that its caller transcodes in steps, [`programs`] how calls are encoded for the instance,
//! [`silence`] how a peer that is gone is noticed.
//!
//! A call that is dropped before its answer is there removes itself and sends CANCEL. The answer may be on its way at
//! that moment; it finds no call waiting and is ignored.

mod answer;
mod driver;
mod in_flight;
mod long;
mod programs;
mod settle;
mod silence;

pub use answer::{Answer, Json, Times, Unsent};
pub(crate) use driver::{End, drive};
pub use in_flight::{Heard, InFlight};
pub use long::LongReply;
use programs::LocalTranscoder;

use super::offer::Offer;
use crate::backends::Endpoint;
use crate::backends::Monitor;
use crate::backends::Surroundings;
use crate::config::BackendSpec;
use crate::number_map::NumberMap;
use crate::presence::Presence;
use callgate_protocol::{CallHead, Metadata, Outbound};
use callgate_transcode::RequestInput;
use in_flight::{Pending, Slot};
use programs::Programs;
use silence::{Patience, Silence, Then};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Unsent bytes past which a connection is given no more calls, in bytes.
const MAX_BACKLOG: usize = 32 * 1024 * 1024;

/// The calls that a connection may be ahead by and still be given the next one, if a write is about to leave on it anyway:
/// one more call in a write costs a tenth of a call that has a write, and a backend that wakes up for it, to itself.
const JOINING: usize = 32;

/// Call numbers past this one are not given out any more; the connection is replaced.
const LAST_NUMBER: u32 = u32::MAX - 1;

/// A connection, as one worker's calls see it.
pub struct Conn {
    /// Where it leads.
    pub endpoint: Arc<Endpoint>,
    worker: usize,
    presence: Rc<Presence>,
    /// Told when it can take calls again after its backlog was too long.
    room: Rc<Notify>,
    /// Hears what becomes of calls.
    pub(crate) monitor: Rc<Monitor>,
    offer: Arc<Offer>,
    max_calls: usize,
    /// Calls that its instance may have over all workers.
    max_in_flight: Option<usize>,
    outbound: RefCell<Outbound>,
    pending: RefCell<NumberMap<u32, Pending>>,
    next_number: Cell<u32>,
    /// Bytes that the kernel has taken since the connection began.
    written: Cell<u64>,
    /// Calls that were encoded since the task last wrote.
    unsent: Cell<usize>,
    /// No call in flight has its deadline before this. The task has one timer, for this time, instead of one a call.
    first_deadline: Cell<Option<Instant>>,
    accepting: Cell<bool>,
    /// The peer wants calls.
    ready: Cell<bool>,
    /// When something was last read.
    heard_at: Cell<Instant>,
    /// When the peer was last asked whether it is there.
    asked_at: Cell<Option<Instant>>,
    /// Something was read since the last look, and how much had been written then.
    heard: Cell<bool>,
    written_before: Cell<u64>,
    silence: RefCell<Silence>,
    patience: Patience,
    /// It does not answer: it gets calls only when there is no other.
    doubtful: Cell<bool>,
    /// It was given up; the task ends.
    left: Cell<bool>,
    /// Told when `accepting` ends.
    pub(crate) closing: Notify,
    driver: RefCell<Option<Waker>>,
    driver_woken: Cell<bool>,
    programs: Programs,
}

impl Conn {
    pub(crate) fn new(
        endpoint: Arc<Endpoint>,
        surroundings: &Surroundings,
        monitor: Rc<Monitor>,
        spec: &BackendSpec,
        offer: Arc<Offer>,
        outbound: Outbound,
    ) -> Conn {
        Conn {
            endpoint,
            worker: surroundings.worker,
            presence: surroundings.presence.clone(),
            room: surroundings.changed.clone(),
            monitor,
            max_calls: spec.max_calls.min(offer.limits.max_calls) as usize,
            max_in_flight: spec.overload.max_per_instance,
            offer,
            outbound: RefCell::new(outbound),
            pending: RefCell::default(),
            next_number: Cell::new(1),
            written: Cell::new(0),
            unsent: Cell::new(0),
            first_deadline: Cell::new(None),
            accepting: Cell::new(true),
            ready: Cell::new(true),
            asked_at: Cell::new(None),
            heard_at: Cell::new(Instant::now()),
            heard: Cell::new(true),
            written_before: Cell::new(0),
            silence: RefCell::default(),
            patience: Patience { idle: spec.ping_interval, asked: spec.ping_timeout },
            doubtful: Cell::new(false),
            left: Cell::new(false),
            closing: Notify::new(),
            driver: RefCell::new(None),
            driver_woken: Cell::new(false),
            programs: Programs::default(),
        }
    }

    /// Whether a further call may be made on it.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.accepting.get()
            && self.in_flight() < self.max_calls
            && self.max_in_flight.is_none_or(|most| self.endpoint.in_flight.get() < most)
            && !self.is_full()
    }

    /// Whether too much waits to be sent.
    #[inline]
    fn is_full(&self) -> bool {
        self.outbound.borrow().backlog() >= MAX_BACKLOG
    }

    /// Calls that wait for their answer.
    #[inline]
    pub fn in_flight(&self) -> usize {
        self.pending.borrow().len()
    }

    /// What weighs against giving it the next call: the calls in flight, and less where that call saves a write. Only an
    /// instance that answers quickly is ahead of others for that: where answers take longer, an even share is worth more.
    #[inline]
    pub fn load(&self) -> usize {
        let joins = self.unsent.get() > 0 && self.monitor.is_quick();
        if joins { self.in_flight().saturating_sub(JOINING) } else { self.in_flight() + 1 }
    }

    /// Encodes a call into the send buffer. What comes of it is the returned future's to tell.
    #[inline]
    pub fn call(
        self: &Rc<Self>,
        transcoder: &Rc<LocalTranscoder>,
        times: Times,
        metadata: Metadata<'_>,
        input: &RequestInput<'_>,
    ) -> Result<InFlight, Unsent> {
        if let Some(most) = self.max_in_flight
            && !self.endpoint.in_flight.take(most)
        {
            return Err(Unsent::Full);
        }
        let sent = self.encode(transcoder, times, metadata, input);
        if sent.is_err() {
            self.gives_back();
        }
        sent
    }

    fn encode(
        self: &Rc<Self>,
        transcoder: &Rc<LocalTranscoder>,
        times: Times,
        metadata: Metadata<'_>,
        input: &RequestInput<'_>,
    ) -> Result<InFlight, Unsent> {
        let number = self.next_number.get();
        let max_message = self.offer.limits.max_message as usize;
        // A call with less than a millisecond left is still worth one; zero would mean no deadline.
        let left = times.deadline.saturating_duration_since(times.now);
        let timeout_ms = Some(u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1));
        let head = CallHead { call_id: transcoder.shared.call_id, timeout_ms, metadata };
        let mut outbound = self.outbound.borrow_mut();
        let position = self.written.get() + outbound.queued() as u64;
        outbound.call(number, &head, |out| {
            let start = out.len();
            transcoder.shared.request.encode(input, out).map_err(Unsent::Invalid)?;
            if out.len() - start > max_message {
                Err(Unsent::TooLarge(self.offer.limits.max_message))
            } else {
                Ok(())
            }
        })?;
        drop(outbound);
        self.next_number.set(number + 1);
        if number >= LAST_NUMBER {
            self.stop_accepting();
        }
        let slot = Rc::new(Slot::default());
        let Times { now: sent_at, deadline } = times;
        let epoch = self.monitor.sent();
        let (kept, transcoder) = (slot.clone(), transcoder.clone());
        let pending = Pending { slot: kept, transcoder, position, sent_at, deadline, epoch };
        self.pending.borrow_mut().insert(number, pending);
        self.unsent.set(self.unsent.get() + 1);
        if self.first_deadline.get().is_none_or(|first| deadline < first) {
            self.first_deadline.set(Some(deadline));
        }
        self.endpoint.stats.0.of(self.worker).in_flight.increment();
        self.wake_driver();
        Ok(InFlight { conn: self.clone(), number, slot, sent_at })
    }

    /// A call that was counted has ended.
    #[inline]
    fn gives_back(&self) {
        if self.max_in_flight.is_some() {
            self.endpoint.in_flight.give_back();
        }
    }

    /// Ends the connection's service: no new calls; those in flight are answered, then it closes.
    pub(crate) fn stop_accepting(&self) {
        if self.accepting.replace(false) {
            self.closing.notify_waiters();
            self.wake_driver();
        }
    }

    pub(crate) fn accepts(&self) -> bool {
        self.accepting.get()
    }

    /// Whether the peer wants calls.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.get()
    }

    /// Whether the peer may be gone: it does not answer.
    #[inline]
    pub fn is_doubtful(&self) -> bool {
        self.doubtful.get()
    }

    /// When something was last heard of it.
    pub fn heard_at(&self) -> Instant {
        self.heard_at.get()
    }

    pub(crate) fn set_ready(&self, ready: bool) {
        if self.ready.replace(ready) != ready {
            tracing::info!(endpoint = %self.endpoint.addr, ready, "the instance says whether it is ready");
            self.monitor.ask_for_review();
        }
    }

    /// Looks whether the peer is there, `pace` after the last time: asks it when it was silent for long, and leaves it when
    /// it does not answer.
    pub(crate) fn look(&self, pace: Duration) {
        let written = self.written.get();
        // What is still being taken from us is no silence: the question would have to wait behind it.
        let sending = self.written_before.replace(written) != written && !self.outbound.borrow().is_empty();
        let alive = self.heard.replace(false) || sending;
        let busy = self.in_flight() > 0;
        match self.silence.borrow_mut().look(alive, busy, pace, self.patience) {
            Then::Nothing => {}
            Then::Ask => self.ask(),
            Then::Doubt => {
                if !self.doubtful.replace(true) {
                    self.monitor.ask_for_review();
                    self.pending.borrow().values().for_each(|pending| pending.slot.doubt());
                }
            }
            Then::Leave => {
                self.left.set(true);
                self.stop_accepting();
                self.wake_driver();
            }
        }
    }

    /// Asks the peer whether it is there.
    fn ask(&self) {
        self.asked_at.set(Some(Instant::now()));
        self.outbound.borrow_mut().ping(*b"callgate");
        self.wake_driver();
    }

    /// The same, unless it was asked and nothing was heard since. Returns when it was asked.
    fn ask_once(&self) -> Instant {
        if self.asked_at.get().is_none_or(|asked| asked < self.heard_at.get()) {
            self.ask();
        }
        self.asked_at.get().unwrap_or_else(Instant::now)
    }

    /// Something was read.
    #[inline]
    fn hears(&self, now: Instant) {
        self.presence.see(now);
        self.heard_at.set(now);
        self.heard.set(true);
        if self.doubtful.replace(false) {
            self.monitor.ask_for_review();
        }
    }

    #[inline]
    fn wake_driver(&self) {
        if !self.driver_woken.replace(true)
            && let Some(waker) = self.driver.borrow().as_ref()
        {
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
