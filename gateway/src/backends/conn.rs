//! One connection to an instance: the calls in flight on it.
//!
//! Calls are encoded straight into the connection's send buffer by whoever makes them; the connection's task
//! ([`driver`]) writes them. Replies are transcoded to JSON where they lie in the receive buffer.
//!
//! A call that is dropped before its answer is there removes itself and sends CANCEL. The answer may be on its way at
//! that moment; it finds no call waiting and is ignored.

mod driver;

pub(super) use driver::{End, drive};

use super::catalog::Transcoder;
use super::numbers::NumberMap;
use super::offer::Offer;
use crate::backends::catalog::Catalog;
use crate::config::BackendSpec;
use crate::routes::{Endpoint, Route};
use crate::telemetry::Outcome;
use callgate_protocol::{CallHead, Event, Metadata, Outbound, ProtocolError, Status};
use callgate_transcode::{RequestInput, Violation};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::sync::Notify;
use tokio::time::Instant;

/// Unsent bytes past which a connection is given no more calls, in bytes.
const MAX_BACKLOG: usize = 32 * 1024 * 1024;

/// Call numbers past this one are not given out any more; the connection is replaced.
const LAST_NUMBER: u32 = u32::MAX - 1;

/// A connection, as one worker's calls see it.
pub struct Conn {
    /// Where it leads.
    pub endpoint: Arc<Endpoint>,
    worker: usize,
    offer: Arc<Offer>,
    max_calls: usize,
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
    /// Told when `accepting` ends.
    pub(super) closing: Notify,
    driver: RefCell<Option<Waker>>,
    driver_woken: Cell<bool>,
    programs: RefCell<Vec<Option<(u64, Program)>>>,
}

/// What a route's calls look like for this instance, or why they cannot be made. Counted within the worker, so that
/// workers do not meet in a reference count.
pub(crate) type Program = Result<Rc<LocalTranscoder>, Rc<str>>;

/// A program, counted within the worker.
pub struct LocalTranscoder {
    shared: Arc<Transcoder>,
    /// The instance says that running the method twice does what running it once does.
    pub(crate) idempotent: bool,
}

struct Pending {
    slot: Rc<Slot>,
    transcoder: Rc<LocalTranscoder>,
    /// Where in the stream of bytes the call begins: while no more than that was written, it has not left.
    position: u64,
    deadline: Instant,
}

#[derive(Default)]
struct Slot {
    answer: RefCell<Option<Answer>>,
    waker: RefCell<Option<Waker>>,
}

/// How a call ended.
#[derive(Debug)]
pub enum Answer {
    /// With a result, as JSON; empty when the method returns nothing.
    Json(Vec<u8>),
    /// With a failure.
    Failed(Status),
    /// With a reply that is no value of the schema; why.
    BadReply(String),
    /// Not at all: the instance had not accepted it, or not one byte had left. It has certainly not run.
    NotAccepted,
    /// With `unavailable`, and the instance said that it has not run.
    Refused(Status),
    /// The connection was lost; it may have run.
    Lost,
    /// Not before its deadline.
    Late,
}

/// When a call is made, and when its answer must be there.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Now, or a moment ago.
    pub now: Instant,
    /// Later than that.
    pub deadline: Instant,
}

/// Why a call was not sent.
#[derive(Debug)]
pub enum Unsent {
    /// The request does not fit the method's schema.
    Invalid(Vec<Violation>),
    /// The request is larger than the instance accepts: the bound in bytes.
    TooLarge(u32),
}

impl Conn {
    pub(super) fn new(
        endpoint: Arc<Endpoint>,
        worker: usize,
        spec: &BackendSpec,
        offer: Arc<Offer>,
        outbound: Outbound,
    ) -> Conn {
        Conn {
            endpoint,
            worker,
            max_calls: spec.max_calls.min(offer.limits.max_calls) as usize,
            offer,
            outbound: RefCell::new(outbound),
            pending: RefCell::default(),
            next_number: Cell::new(1),
            written: Cell::new(0),
            unsent: Cell::new(0),
            first_deadline: Cell::new(None),
            accepting: Cell::new(true),
            closing: Notify::new(),
            driver: RefCell::new(None),
            driver_woken: Cell::new(false),
            programs: RefCell::default(),
        }
    }

    /// Whether a further call may be made on it.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.accepting.get()
            && self.in_flight() < self.max_calls
            && self.outbound.borrow().backlog() < MAX_BACKLOG
    }

    /// Calls that wait for their answer.
    #[inline]
    pub fn in_flight(&self) -> usize {
        self.pending.borrow().len()
    }

    /// The program of a route for this instance: `None` when the instance does not offer the method, an error when the
    /// route's fields do not fit it.
    pub fn transcoder(&self, route: &Route, catalog: &Catalog) -> Option<Program> {
        if let Some(Some((id, program))) = self.programs.borrow().get(route.slot)
            && *id == route.id
        {
            return Some(program.clone());
        }
        let method = self.offer.find(&route.spec.call)?;
        let program = catalog.transcoder(&route.spec, method).map(|shared| Rc::new(LocalTranscoder { shared, idempotent: method.idempotent })).map_err(|error| {
            let place = &route.spec.place;
            tracing::error!(%place, call = %route.spec.call, endpoint = %self.endpoint.addr, %error, "a route does not fit the method");
            Rc::from(error.to_string())
        });
        let mut programs = self.programs.borrow_mut();
        if programs.len() <= route.slot {
            programs.resize(route.slot + 1, None);
        }
        programs[route.slot] = Some((route.id, program.clone()));
        Some(program)
    }

    /// Encodes a call into the send buffer. What comes of it is the returned future's to tell.
    pub fn call(
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
        let deadline = times.deadline;
        let pending = Pending { slot: slot.clone(), transcoder: transcoder.clone(), position, deadline };
        self.pending.borrow_mut().insert(number, pending);
        self.unsent.set(self.unsent.get() + 1);
        if self.first_deadline.get().is_none_or(|first| deadline < first) {
            self.first_deadline.set(Some(deadline));
        }
        self.endpoint.stats.0.of(self.worker).in_flight.increment();
        self.wake_driver();
        Ok(InFlight { conn: self.clone(), number, slot })
    }

    /// Ends the connection's service: no new calls; those in flight are answered, then it closes.
    pub(super) fn stop_accepting(&self) {
        if self.accepting.replace(false) {
            self.closing.notify_waiters();
            self.wake_driver();
        }
    }

    pub(super) fn accepts(&self) -> bool {
        self.accepting.get()
    }

    #[inline]
    fn wake_driver(&self) {
        if !self.driver_woken.replace(true)
            && let Some(waker) = self.driver.borrow().as_ref()
        {
            waker.wake_by_ref();
        }
    }

    fn take_pending(&self, number: u32) -> Option<Pending> {
        let pending = self.pending.borrow_mut().remove(&number);
        if pending.is_some() {
            self.endpoint.stats.0.of(self.worker).in_flight.decrement();
        }
        pending
    }

    fn finish(&self, pending: Pending, answer: Answer) {
        let outcome = match &answer {
            Answer::Json(_) => Outcome::Ok,
            Answer::Failed(status) => Outcome::Failed(status.code),
            Answer::BadReply(_) => Outcome::Failed(callgate_protocol::Code::Internal),
            Answer::NotAccepted | Answer::Refused(_) => Outcome::Refused,
            Answer::Lost => Outcome::Lost,
            Answer::Late => Outcome::Failed(callgate_protocol::Code::DeadlineExceeded),
        };
        self.endpoint.stats.0.of(self.worker).ended(outcome);
        *pending.slot.answer.borrow_mut() = Some(answer);
        if let Some(waker) = pending.slot.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    fn on_event(&self, event: Event<'_>) -> Result<(), ProtocolError> {
        match event {
            Event::Reply { number, payload } => self.on_reply(number, payload)?,
            Event::Failure { number, status } => {
                if let Some(pending) = self.answered(number)? {
                    let answer = if status.not_executed && status.code == callgate_protocol::Code::Unavailable
                    {
                        Answer::Refused(status)
                    } else {
                        Answer::Failed(status)
                    };
                    self.finish(pending, answer);
                }
            }
            Event::TooLarge { number } => {
                self.outbound.borrow_mut().cancel(number);
                if let Some(pending) = self.answered(number)? {
                    let error = "the reply is larger than the gateway accepts";
                    self.finish(pending, Answer::BadReply(error.to_owned()));
                }
            }
            Event::Ping(token) => {
                let mut outbound = self.outbound.borrow_mut();
                // A peer that asks on and on and reads no answer must not fill our memory with them.
                if outbound.backlog() < MAX_BACKLOG {
                    outbound.pong(token);
                }
            }
            Event::GoAway { last_call, reason } => self.on_go_away(last_call, reason),
            _ => {}
        }
        Ok(())
    }

    fn on_reply(&self, number: u32, payload: &[u8]) -> Result<(), ProtocolError> {
        let Some(pending) = self.answered(number)? else {
            return Ok(());
        };
        // JSON is about twice as long as what it is made of.
        let mut json = Vec::with_capacity(payload.len() * 2 + 64);
        let response = &pending.transcoder.shared.response;
        let answer = match response.decode(payload, &mut json) {
            Ok(()) if response.is_empty() => Answer::Json(Vec::new()),
            Ok(()) => Answer::Json(json),
            Err(error) => Answer::BadReply(error.to_string()),
        };
        self.finish(pending, answer);
        Ok(())
    }

    /// The call that an answer belongs to; `None` for one that nobody waits for any more.
    fn answered(&self, number: u32) -> Result<Option<Pending>, ProtocolError> {
        if number >= self.next_number.get() {
            return Err(ProtocolError::BadCallNumber(number));
        }
        // An answer to a call of which not all was sent yet: the rest is of no use to anybody.
        let mut outbound = self.outbound.borrow_mut();
        if outbound.abandon(number) {
            outbound.cancel(number);
        }
        drop(outbound);
        Ok(self.take_pending(number))
    }

    /// Ends the calls whose time is up, and finds the next deadline.
    fn expire(&self, now: Instant) {
        let late = |pending: &Pending| pending.deadline <= now;
        for number in self.numbers_where(|_, pending| late(pending)) {
            if let Some(pending) = self.take_pending(number) {
                self.outbound.borrow_mut().cancel(number);
                self.finish(pending, Answer::Late);
            }
        }
        self.first_deadline.set(self.pending.borrow().values().map(|pending| pending.deadline).min());
    }

    fn on_go_away(&self, last_call: u32, reason: &str) {
        tracing::info!(endpoint = %self.endpoint.addr, reason, "the instance goes away");
        self.stop_accepting();
        self.finish_where(|number, _| number > last_call, || Answer::NotAccepted);
    }

    fn on_end(&self) {
        self.stop_accepting();
        let written = self.written.get();
        self.finish_where(|_, pending| written <= pending.position, || Answer::NotAccepted);
        self.finish_where(|_, _| true, || Answer::Lost);
    }

    fn finish_where(&self, of: impl Fn(u32, &Pending) -> bool, answer: impl Fn() -> Answer) {
        for number in self.numbers_where(of) {
            if let Some(pending) = self.take_pending(number) {
                self.finish(pending, answer());
            }
        }
    }

    fn numbers_where(&self, of: impl Fn(u32, &Pending) -> bool) -> Vec<u32> {
        let pending = self.pending.borrow();
        pending.iter().filter(|(number, pending)| of(**number, pending)).map(|(number, _)| *number).collect()
    }
}

/// A call that was sent. Dropped before its answer is there, it is cancelled.
pub struct InFlight {
    conn: Rc<Conn>,
    number: u32,
    slot: Rc<Slot>,
}

impl InFlight {
    /// Where it was sent.
    pub fn endpoint(&self) -> &Endpoint {
        &self.conn.endpoint
    }
}

impl Future for InFlight {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        if let Some(answer) = self.slot.answer.borrow_mut().take() {
            return Poll::Ready(answer);
        }
        let mut waker = self.slot.waker.borrow_mut();
        match waker.as_mut() {
            Some(known) => known.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.conn.take_pending(self.number).is_some() {
            let stats = &self.conn.endpoint.stats.0;
            stats.of(self.conn.worker).ended(Outcome::Failed(callgate_protocol::Code::Cancelled));
            self.conn.outbound.borrow_mut().cancel(self.number);
            self.conn.wake_driver();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::stream::Stream;
    use crate::config::EndpointAddr;
    use callgate_protocol::{Hello, Inbound, Limits, Role};

    fn connection() -> (Rc<Conn>, BackendSpec) {
        let spec = BackendSpec::new("b", Vec::new());
        let hello = Hello::new("peer", Limits::default(), Vec::new());
        let outbound = Outbound::new(&hello);
        let offer = Offer::new(hello, |_| None).expect("no methods, no trouble");
        let addr = EndpointAddr::Tcp { host: "peer".to_owned(), port: 1 };
        let conn = Conn::new(Arc::new(Endpoint::new(addr, 1)), 0, &spec, Arc::new(offer), outbound);
        (Rc::new(conn), spec)
    }

    #[tokio::test]
    async fn a_connection_takes_no_calls_when_its_task_is_gone() {
        let (conn, spec) = connection();
        let (ours, _theirs) = tokio::net::UnixStream::pair().expect("a pair of sockets");
        let inbound = Inbound::new(Role::Connector, Limits::default());
        let mut task = Box::pin(drive(conn.clone(), (Stream::Unix(ours), inbound, Vec::new()), spec));
        tokio::select! {
            biased;
            _ = &mut task => panic!("nothing ends it"),
            () = std::future::ready(()) => {}
        }
        assert!(conn.has_room());
        drop(task);
        assert!(!conn.has_room());
    }

    #[test]
    fn pings_without_end_fill_a_bounded_buffer() {
        let (conn, _) = connection();
        for _ in 0..MAX_BACKLOG / 8 {
            conn.on_event(Event::Ping([0; 8])).expect("a ping is no offence");
        }
        assert!(conn.outbound.borrow().backlog() < MAX_BACKLOG + 100);
    }
}
