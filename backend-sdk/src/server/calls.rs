//! The calls of one connection: what its peer asks, and what becomes of each.
//!
//! The connection's task owns its calls: they are aborted when it ends, however it ends. Decoding happens here, because
//! the arguments lie in the read buffer; the methods run in tasks of their own, so that none keeps a PING waiting.
//!
//! Where the runtime has one thread, whoever runs keeps all others waiting anyway. There a method is begun here, and only
//! if it waits for something it gets a task, which costs about a quarter of a small call.

use super::call::{self, Finished, LONG, Reply, Slot};
use super::connection::Shared;
use crate::connection::{Flow, Queue};
use crate::context::CallState;
use crate::{Context, Status};
use callgate_protocol::{CallHead, Event, Outbound};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// The calls of one connection.
pub(super) struct Calls {
    shared: Arc<Shared>,
    queue: Arc<Queue<Finished>>,
    pub(super) running: HashMap<u32, Running>,
    /// The longest message that the peer accepts, in bytes.
    max_message: usize,
    /// What the peer was last told, or believes if it was told nothing.
    ready: bool,
    /// While draining: the last call that is still run.
    pub(super) last_call: Option<u32>,
    /// The earliest deadline that the alarm does not know yet.
    pub(super) next_deadline: Option<Instant>,
    reaped: Finished,
}

pub(super) struct Running {
    task: JoinHandle<()>,
    state: Arc<CallState>,
    deadline: Option<Instant>,
}

impl Running {
    /// Says first that nobody waits any more, for what the method has spawned, and then drops the method's future.
    fn cancel(&self) -> bool {
        let cancelled = self.state.cancel();
        self.task.abort();
        cancelled
    }
}

impl Calls {
    pub(super) fn new(shared: Arc<Shared>, queue: Arc<Queue<Finished>>) -> Calls {
        Calls {
            shared,
            queue,
            running: HashMap::new(),
            max_message: usize::MAX,
            ready: true,
            last_call: None,
            next_deadline: None,
            reaped: Finished::new(),
        }
    }

    pub(super) fn event(&mut self, event: Event<'_>, now: Instant) -> Flow {
        match event {
            Event::Call { number, head, payload } => self.call(number, &head, payload, now),
            Event::Cancel { number } => self.cancel(number),
            Event::Ping(token) => self.push(|outbound| outbound.pong(token)),
            Event::Hello(hello) => {
                self.max_message = hello.limits.max_message as usize;
                self.push(|outbound| outbound.set_limits(&hello.limits))
            }
            Event::SchemaRequest(fingerprint) => {
                let schema = self.shared.registry.schema(fingerprint);
                self.push(|outbound| outbound.schema(fingerprint, schema))
            }
            Event::TooLarge { number } | Event::NoRoom { number } => {
                let most = self.shared.registry.hello().limits.max_message;
                let message = format!("the call is longer than {most} bytes, or too much is under way");
                self.refuse(number, &Status::resource_exhausted(message))
            }
            // The rest is answers: to our PING, or what `Inbound` lets through only to a caller.
            _ => Flow::Continue,
        }
    }

    fn call(&mut self, number: u32, head: &CallHead<'_>, payload: &[u8], now: Instant) -> Flow {
        if self.last_call.is_some_and(|last| number > last) {
            // The peer knows from GO_AWAY, or will, that this one does not run.
            return Flow::Continue;
        }
        let shared = self.shared.clone();
        let Some(target) = shared.registry.target(head.call_id) else {
            let message = format!("no method has the Call ID {}", head.call_id);
            return self.refuse(number, &Status::unimplemented(message));
        };
        let full = |what| Status::unavailable(what).with_retry_after_ms(shared.slots.retry_after_ms());
        let Some(slot) = self.slot() else {
            return self.refuse(number, &full("the server is at its limit of calls"));
        };
        let room = match payload.len() {
            0..=LONG => None,
            long => match shared.slots.budget.take(long) {
                None => return self.refuse(number, &full("the server is at its limit of bytes")),
                room => room,
            },
        };
        let deadline = head.timeout_ms.and_then(|ms| now.checked_add(Duration::from_millis(ms.into())));
        let state = Arc::new(CallState::running());
        let context = Context::of_call(deadline, head.metadata, state.clone());
        let mut answer = match call::start(target, context, payload) {
            Ok(answer) => answer,
            Err(status) => return self.push(|outbound| outbound.failure(number, &status)),
        };
        let mut reply = Reply {
            queue: self.queue.clone(),
            number,
            state: state.clone(),
            method: target.method,
            max_message: self.max_message,
            slot,
            began: now,
            _room: room,
            booked: false,
        };
        if shared.one_thread {
            answer = match call::begin(answer, target.method) {
                Err(waiting) => waiting,
                Ok(result) => {
                    reply.send(result);
                    return self.flow();
                }
            };
        }
        reply.booked = true;
        let task = tokio::spawn(call::run(answer, reply));
        if let Some(deadline) = deadline {
            self.next_deadline = Some(self.next_deadline.map_or(deadline, |next| next.min(deadline)));
        }
        let running = Running { task, state, deadline };
        self.running.insert(number, running);
        Flow::Continue
    }

    fn slot(&mut self) -> Option<Slot> {
        let limit = self.shared.registry.hello().limits.max_calls as usize;
        if self.running.len() >= limit {
            self.reap();
        }
        if self.running.len() >= limit {
            return None;
        }
        self.shared.slots.take()
    }

    fn cancel(&mut self, number: u32) -> Flow {
        if let Some(running) = self.running.remove(&number)
            && running.cancel()
        {
            return Flow::Continue;
        }
        // Answered already. If only the beginning of the answer has left, the peer must hear that it ends there.
        self.push(|outbound| {
            if outbound.abandon(number) {
                outbound.failure(number, &Status::cancelled("the caller gave up"));
            }
        })
    }

    /// Drops the calls whose time is up, and finds the next deadline.
    pub(super) fn expire(&mut self, now: Instant) {
        let queue = &self.queue;
        let mut next: Option<Instant> = None;
        self.running.retain(|&number, running| {
            let Some(deadline) = running.deadline else {
                return true;
            };
            if deadline > now {
                next = Some(next.map_or(deadline, |next| next.min(deadline)));
                return true;
            }
            if running.cancel() {
                let status = Status::deadline_exceeded("the method was not ready in time");
                queue.push(|outbound, _| outbound.failure(number, &status));
            }
            false
        });
        self.next_deadline = next;
    }

    /// Forgets the calls that were answered.
    pub(super) fn reap(&mut self) {
        self.queue.with(|finished| std::mem::swap(finished, &mut self.reaped));
        for number in self.reaped.drain(..) {
            self.running.remove(&number);
        }
    }

    /// Tells the peer whether calls are welcome, if it does not know.
    pub(super) fn set_ready(&mut self, ready: bool) {
        if std::mem::replace(&mut self.ready, ready) != ready {
            self.push(|outbound| outbound.ready(ready));
        }
    }

    /// Accepts no calls above `last_call` from now on, and says so.
    pub(super) fn drain(&mut self, last_call: u32) {
        if self.last_call.is_none() {
            self.last_call = Some(last_call);
            self.push(|outbound| outbound.go_away(last_call, "the server is going down"));
        }
    }

    /// Drops all calls, and says so to their callers.
    pub(super) fn give_up(&mut self) {
        for (number, running) in std::mem::take(&mut self.running) {
            if running.cancel() {
                let status = Status::unavailable("the server went down before the method was ready");
                self.push(|outbound| outbound.failure(number, &status));
            }
        }
    }

    fn refuse(&self, number: u32, status: &Status) -> Flow {
        let status = status.clone().not_executed();
        self.push(|outbound| outbound.failure(number, &status))
    }

    fn push(&self, add: impl FnOnce(&mut Outbound)) -> Flow {
        self.queue.push(|outbound, _| add(outbound));
        self.flow()
    }

    /// When the peer does not read, no more is asked of it in this turn.
    fn flow(&self) -> Flow {
        if self.queue.is_full() { Flow::Stop } else { Flow::Continue }
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        for running in self.running.values() {
            running.cancel();
        }
    }
}
