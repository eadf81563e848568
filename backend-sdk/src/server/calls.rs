//! The calls of one connection: what its peer asks, and what becomes of each.
//!
//! Which calls are open is known to the connection's [`Acceptor`], under its queue's lock. Decoding happens here, because
//! the arguments lie in the read buffer; the methods run in tasks of their own, so that none keeps a PING waiting. Those are
//! aborted when the connection ends, however it ends.
//!
//! Where the runtime has one thread, whoever runs keeps all others waiting anyway. There a method is begun here, and only
//! if it waits for something it gets a task, which costs about a quarter of a small call.

use super::call::{self, LONG, Reply};
use super::connection::Shared;
use crate::Context;
use crate::connection::{Queue, Took};
use crate::context::CallState;
use callgate_protocol::connection::{Acceptor, Asked, Refusal};
use callgate_protocol::{CallHead, Event, ProtocolError, Status};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Arguments that take no time to decode, in bytes.
const SHORT: usize = 4096;

/// What a server knows of a connection's peer and its calls.
pub(crate) type Peer = Acceptor<Running, Instant>;

/// The calls of one connection.
pub(super) struct Calls {
    shared: Arc<Shared>,
    queue: Arc<Queue<Peer>>,
}

/// A call's task.
#[derive(Debug)]
pub(crate) struct Running {
    task: JoinHandle<()>,
    state: Arc<CallState>,
}

impl Running {
    /// Says first that nobody waits any more, for what the method has spawned, and then drops the method's future.
    fn stop(&self) {
        self.state.cancel();
        self.task.abort();
    }
}

impl Calls {
    pub(super) fn new(shared: Arc<Shared>, queue: Arc<Queue<Peer>>) -> Calls {
        Calls { shared, queue }
    }

    pub(super) fn event(&self, event: Event<'_>, now: Instant) -> Result<Took, ProtocolError> {
        match self.queue.push(|peer| peer.on_event(event))? {
            Asked::Nothing | Asked::Hello(_) => {}
            Asked::Call { number, head, payload } => {
                // A method runs here only where there is one thread; else it takes no longer than its arguments are long.
                let took =
                    if self.shared.one_thread || payload.len() > SHORT { Took::Time } else { Took::Nothing };
                self.call(number, &head, payload, now)?;
                return Ok(took);
            }
            Asked::Refuse { number, why } => self.refuse(number, self.words(why))?,
            Asked::Stop(running) => running.stop(),
            Asked::Schema(fingerprint) => {
                let schema = self.shared.registry.schema(fingerprint);
                self.queue.push(|peer| peer.schema(fingerprint, schema));
            }
        }
        Ok(Took::Nothing)
    }

    fn call(
        &self,
        number: u32,
        head: &CallHead<'_>,
        payload: &[u8],
        now: Instant,
    ) -> Result<(), ProtocolError> {
        let shared = &self.shared;
        let Some(target) = shared.registry.target(head.call_id) else {
            let message = format!("no method has the Call ID {}", head.call_id);
            return self.refuse(number, Status::unimplemented(message));
        };
        let Some(slot) = shared.slots.take() else {
            return self.refuse(number, self.words(Refusal::TooManyCalls));
        };
        let room = match payload.len() {
            0..=LONG => None,
            long => match shared.slots.budget.take(long) {
                None => return self.refuse(number, self.full("the server is at its limit of bytes")),
                room => room,
            },
        };
        let deadline = head.timeout_ms.and_then(|ms| now.checked_add(Duration::from_millis(ms.into())));
        let state = Arc::new(CallState::running());
        let context = Context::of_call(deadline, head.metadata, state.clone());
        let answer = match call::start(target, context, payload) {
            Ok(answer) => answer,
            Err(status) => {
                let status = status.told();
                self.queue.push(|peer| peer.fail(number, &status));
                return Ok(());
            }
        };
        let method = target.method;
        let reply = Reply {
            queue: self.queue.clone(),
            number,
            state: state.clone(),
            method,
            slot,
            began: now,
            _room: room,
        };
        let answer = match shared.one_thread {
            false => answer,
            true => match call::begin(answer, method) {
                Err(waiting) => waiting,
                Ok(result) => {
                    reply.send(result);
                    return Ok(());
                }
            },
        };
        let task = tokio::spawn(call::run(answer, reply));
        // When the task is quicker, nobody waits for the call any more, and what is given back is dropped.
        self.queue.with(|peer| peer.run(number, deadline, Running { task, state }));
        Ok(())
    }

    /// Drops the calls whose time is up.
    pub(super) fn expire(&self, now: Instant) {
        self.queue.push(|peer| peer.expire(now)).iter().for_each(Running::stop);
    }

    /// When the next call's time is up.
    pub(super) fn first_deadline(&self) -> Option<Instant> {
        self.queue.with(|peer| peer.first_deadline())
    }

    /// Calls that have no answer yet.
    pub(super) fn open(&self) -> usize {
        self.queue.with(|peer| peer.open_calls())
    }

    /// Tells the peer whether calls are welcome, if it does not know.
    pub(super) fn set_ready(&self, ready: bool) {
        self.queue.push(|peer| peer.set_ready(ready));
    }

    /// Accepts no calls above `last_call` from now on, and says so.
    pub(super) fn drain(&self, last_call: u32) {
        self.queue.push(|peer| peer.drain(last_call, "the server is going down"));
    }

    /// The last call that is run, and whether all are answered.
    pub(super) fn drained_to(&self) -> Option<u32> {
        self.queue.with(|peer| peer.last_call().filter(|_| peer.open_calls() == 0))
    }

    /// Drops all calls, and says so to their callers.
    pub(super) fn give_up(&self) {
        let status = Status::unavailable("the server went down before the method was ready");
        self.queue.push(|peer| peer.give_up(&status)).iter().for_each(Running::stop);
    }

    fn refuse(&self, number: u32, status: Status) -> Result<(), ProtocolError> {
        self.queue.push(|peer| peer.refuse(number, status))
    }

    /// What a caller is told.
    fn words(&self, why: Refusal) -> Status {
        match why {
            Refusal::TooManyCalls => self.full("the server is at its limit of calls"),
            Refusal::TooManyAnswers => self.full("too many results wait to be read by the caller"),
            Refusal::TooLarge | Refusal::NoRoom => {
                let most = self.shared.registry.hello().limits.max_message;
                let message = format!("the call is longer than {most} bytes, or too much is under way");
                Status::resource_exhausted(message)
            }
        }
    }

    fn full(&self, what: &str) -> Status {
        Status::unavailable(what).with_retry_after_ms(self.shared.slots.retry_after_ms())
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.queue.with(|peer| peer.lose()).iter().for_each(Running::stop);
    }
}
