//! The calls of one connection: what its peer asks, and what becomes of each.
//!
//! Which calls are open is known to the connection's [`Acceptor`], which nobody else touches. A call is decoded here, because
//! its arguments lie in the read buffer, and as a rule it begins here: most methods have their result at once, and then the call
//! has cost no task, no lock and no wake-up. A method that waits goes on in a task of its own, and so does one that was slow of late
//! ([`Place`](super::place::Place)). Those tasks leave their answers in a [`Mailbox`], and are aborted when the connection ends,
//! however it ends.

use super::call::{self, Reply};
use super::connection::{Named, Shared};
use super::items::Items;
use super::layered;
use super::mailbox::{Done, Mailbox, Outcome, Succeeded};
use super::registry::Target;
use super::slots::{LONG, Slot};
use super::streamed::Kept;
use crate::Context;
use crate::codec::spare;
use crate::connection::{Outgoing, Pace};
use crate::context::CallState;
use crate::layer::MethodName;
use callgate_protocol::connection::{Acceptor, Asked, Refusal};
use callgate_protocol::{CallHead, CallId, Event, ProtocolError, Room, Status, Token, Tokens};
use std::sync::Arc;
use std::task;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Arguments that take no time to decode, in bytes.
const SHORT: usize = 4096;

/// What a server knows of a connection's peer and its calls.
pub(crate) type Peer = Acceptor<Running, Instant>;

/// The calls of one connection.
pub(super) struct Calls {
    pub(super) shared: Arc<Shared>,
    pub(super) peer: Peer,
    pub(super) mailbox: Arc<Mailbox>,
    /// What was taken from the mailbox last, answered and empty again.
    done: Vec<Done>,
    /// The same of calls that stream.
    streams: Vec<u32>,
    /// Tasks have answered since the last turn.
    pub(super) tasks_answer: bool,
    /// Who calls.
    pub(super) caller: Arc<crate::Peer>,
    /// Whoever brings none of them along is not let in.
    tokens: Vec<Named<Arc<Tokens>>>,
    /// For the next call: that of one before which nobody else has kept.
    state: Option<Arc<CallState>>,
}

/// A call's task.
#[derive(Debug)]
pub(crate) struct Running {
    pub(super) task: JoinHandle<()>,
    pub(super) method: MethodName,
    pub(super) state: Arc<CallState>,
    /// Of a call that streams.
    pub(super) items: Option<Items>,
}

impl Running {
    /// Says first that nobody waits any more, for what the method has spawned, and then drops the method's future.
    pub(super) fn stop(&self) {
        self.state.cancel();
        self.task.abort();
        if let Some(items) = &self.items {
            items.stop();
        }
    }

    /// The time is up. Who has called need not say so: it may be gone by now.
    fn stop_late(&self) {
        let (method, request_id) = (self.method, self.state.request_id());
        tracing::info!(%method, request_id, "a method was not ready at its call's deadline, and is dropped");
        self.stop();
    }
}

/// A call that may run, with what it takes.
struct Admitted<'a> {
    target: &'a Arc<Target>,
    slot: Slot<'a>,
    room: Option<Room>,
}

impl Calls {
    pub(super) fn new(
        shared: Arc<Shared>,
        caller: Arc<crate::Peer>,
        tokens: Vec<Named<Arc<Tokens>>>,
    ) -> Calls {
        let hello = shared.registry.hello();
        let peer = if tokens.is_empty() { Peer::new(hello) } else { Peer::guarded(hello) };
        Calls {
            shared,
            peer,
            mailbox: Arc::default(),
            done: Vec::new(),
            streams: Vec::new(),
            tasks_answer: false,
            caller,
            tokens,
            state: None,
        }
    }

    pub(super) fn event(&mut self, event: Event<'_>, pace: &mut Pace) -> Result<(), ProtocolError> {
        match self.peer.on_event(event)? {
            Asked::Nothing => Ok(()),
            Asked::Item { number, payload } => {
                self.item_came(number, payload);
                Ok(())
            }
            Asked::End { number, .. } => {
                self.items_ended(number);
                Ok(())
            }
            Asked::Hello(hello) => {
                self.caller.introduce(hello.identity);
                self.look_at_token(hello.token.as_ref())
            }
            Asked::Call { number, head, payload } => self.call(number, &head, payload, pace),
            Asked::Refuse { number, why } => self.peer.refuse(number, words(&self.shared, why)),
            Asked::Stop(running) => {
                running.stop();
                Ok(())
            }
            Asked::Schema(fingerprint) => {
                self.peer.schema(fingerprint, self.shared.registry.schema(fingerprint));
                Ok(())
            }
        }
    }

    /// Lets the caller in, if it may come in.
    fn look_at_token(&mut self, brought: Option<&Token>) -> Result<(), ProtocolError> {
        if !self.tokens.is_empty() {
            let brought = brought.ok_or(ProtocolError::NoToken)?;
            // All of them are looked at, so that the time tells nothing.
            let mut accepted = None;
            for (name, tokens) in &self.tokens {
                if tokens.accept(brought) {
                    accepted = Some(name.clone());
                }
            }
            if let Some(name) = accepted.ok_or(ProtocolError::WrongToken)? {
                self.caller.is_known_by(name);
            }
            self.peer.let_in();
        }
        if let Some(speakers) = &self.shared.speakers {
            self.caller.stands(speakers(&self.caller));
        }
        Ok(())
    }

    fn call(
        &mut self,
        number: u32,
        head: &CallHead<'_>,
        payload: &[u8],
        pace: &mut Pace,
    ) -> Result<(), ProtocolError> {
        let shared = &*self.shared;
        let Admitted { target, slot, room } = match admit(shared, head.call_id, payload.len()) {
            Ok(admitted) => admitted,
            Err(status) => return self.peer.refuse(number, status),
        };
        if !target.method.streams.is_plain() {
            let kept = Kept { target: target.clone(), slot: slot.keep(), room, began: pace.now() };
            return self.stream(number, head, payload, kept);
        }
        let began = pace.now();
        let deadline = head.timeout_ms.and_then(|ms| began.checked_add(Duration::from_millis(ms.into())));
        let state = CallState::arrived(self.state.take(), head.metadata, &self.caller);
        let context = Context::of_call(deadline, state.clone());
        let at_connection = shared.one_thread || target.place.is_at_connection();
        let started = match &shared.layers {
            None => call::start(target, &state, context, payload, None),
            Some(layers) => Ok(layered::serve(layers, target, state.clone(), context, payload, None)),
        };
        if payload.len() > SHORT {
            pace.lap();
        }
        let begun =
            started.map(
                |answer| if at_connection { call::begin(answer, target.method, &state) } else { Err(answer) },
            );
        let took = pace.lap();
        if at_connection && !shared.one_thread {
            target.place.took(took);
        }
        let result = match begun {
            Err(status) => Err(status),
            Ok(Ok(result)) => {
                shared.slots.ended(|| took);
                result
            }
            Ok(Err(answer)) => {
                let (mailbox, slot) = (self.mailbox.clone(), slot.keep());
                let (method, target, kept) = (MethodName::of(target.method), target.clone(), state.clone());
                let reply = Reply { mailbox, number, state: kept, target, slot, began, _room: room };
                let task = tokio::spawn(call::run(answer, reply, at_connection));
                self.peer.run(number, deadline, Running { task, method, state, items: None });
                return Ok(());
            }
        };
        reply_to(&mut self.peer, number, call::outcome(result, &state, &shared.slots));
        drop((slot, room));
        self.keep(state);
        Ok(())
    }

    /// Keeps the state of a call that has ended for the next one, unless somebody has kept the call's context.
    fn keep(&mut self, mut state: Arc<CallState>) {
        if Arc::get_mut(&mut state).is_some() {
            self.state = Some(state);
        } else {
            state.answer();
        }
    }

    /// Drops the calls whose time is up.
    pub(super) fn expire(&mut self, now: Instant) {
        self.collect(None);
        self.peer.expire(now).iter().for_each(Running::stop_late);
    }

    /// When the next call's time is up.
    pub(super) fn first_deadline(&self) -> Option<Instant> {
        self.peer.first_deadline()
    }

    /// Calls that have no answer yet.
    pub(super) fn open(&self) -> usize {
        self.peer.open_calls()
    }

    /// Tells the peer whether calls are welcome, if it does not know.
    pub(super) fn set_ready(&mut self, ready: bool) {
        self.peer.set_ready(ready);
    }

    /// Accepts no calls above `last_call` from now on, and says so.
    pub(super) fn drain(&mut self, last_call: u32) {
        self.peer.drain(last_call, "the server is going down");
    }

    /// The last call that is run, if all are answered.
    pub(super) fn drained_to(&self) -> Option<u32> {
        self.peer.last_call().filter(|_| self.peer.open_calls() == 0)
    }

    /// Drops all calls, and says so to their callers.
    pub(super) fn give_up(&mut self) {
        self.collect(None);
        let status = Status::unavailable("the server went down before the method was ready");
        self.peer.give_up(&status).iter().for_each(Running::stop);
    }

    /// The connection is lost: drops all calls.
    pub(super) fn lose(&mut self) {
        self.peer.lose().iter().for_each(Running::stop);
    }

    /// Says that the connection ends because of an error.
    pub(super) fn go_away_with(&mut self, last_call: u32, reason: &str) {
        self.peer.go_away_with(last_call, reason);
    }

    /// Answers the calls whose tasks have ended.
    fn collect(&mut self, cx: Option<&task::Context<'_>>) {
        self.mailbox.take(&mut self.done, &mut self.streams, cx);
        self.tasks_answer |= !self.done.is_empty();
        let mut streams = std::mem::take(&mut self.streams);
        streams.drain(..).for_each(|number| self.hear(number));
        self.streams = streams;
        while let Some(number) = self.peer.next_turn() {
            self.put_items(number);
        }
        for Done { number, outcome, ends } in self.done.drain(..) {
            match outcome {
                Ok(Succeeded { beside, .. }) if ends => {
                    self.peer.end(number, beside.as_metadata());
                }
                outcome => reply_to(&mut self.peer, number, outcome),
            }
        }
    }
}

impl Outgoing for Calls {
    fn gather(&mut self, cx: &task::Context<'_>) {
        self.collect(Some(cx));
    }

    fn may_grow(&self) -> bool {
        self.tasks_answer
    }

    fn is_empty(&self) -> bool {
        self.peer.is_empty()
    }

    fn take(&mut self, _cx: &task::Context<'_>, buffer: &mut Vec<u8>) {
        self.tasks_answer = false;
        self.peer.take_output(buffer);
    }

    fn ping(&mut self) {
        self.peer.ping();
    }

    /// This side answers and does not wait.
    fn is_busy(&self) -> bool {
        false
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.lose();
    }
}

/// Looks for the method, and for room.
fn admit(shared: &Shared, call_id: CallId, size: usize) -> Result<Admitted<'_>, Status> {
    let Some(target) = shared.registry.target(call_id) else {
        return Err(Status::unimplemented(format!("no method has the Call ID {call_id}")));
    };
    let Some(slot) = shared.slots.take() else {
        return Err(words(shared, Refusal::TooManyCalls));
    };
    let room = match size {
        0..=LONG => None,
        long => match shared.slots.budget.take(long) {
            None => return Err(full(shared, "the server is at its limit of bytes")),
            room => room,
        },
    };
    Ok(Admitted { target, slot, room })
}

/// Answers, if anybody waits for it.
fn reply_to(peer: &mut Peer, number: u32, outcome: Outcome) {
    match outcome {
        Ok(Succeeded { mut payload, beside, room }) => {
            peer.reply(number, beside.as_metadata(), &mut payload, room);
            spare::give_back(payload);
        }
        Err(status) => {
            peer.fail(number, &status);
        }
    }
}

/// What a caller is told.
fn words(shared: &Shared, why: Refusal) -> Status {
    match why {
        Refusal::TooManyCalls => full(shared, "the server is at its limit of calls"),
        Refusal::TooManyAnswers => full(shared, "too many results wait to be read by the caller"),
        Refusal::TooLarge | Refusal::NoRoom => {
            let most = shared.registry.hello().limits.max_message;
            let message = format!("the call is longer than {most} bytes, or too much is under way");
            Status::resource_exhausted(message)
        }
    }
}

fn full(shared: &Shared, what: &str) -> Status {
    Status::unavailable(what).with_retry_after_ms(shared.slots.retry_after_ms())
}
