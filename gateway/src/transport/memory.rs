//! A second transport, for tests: instances that a test plays, without a socket. A call is answered by the instance's script, or by
//! the test itself, which may also send a reply [in items](Sending).

use super::slot::{Begun, Ended, Item, Raw, Sent, Slot, Streams};
use super::{Binding, Body, Call, Json, OnWritten, Outcome, Piece, ReviewRequest, Times, Unsent};
use crate::buffers::ReplyBuffer;
use crate::config::CallRef;
use bytes::Bytes;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until};

/// A way to an instance that a test plays.
pub struct MemoryLink {
    /// What the instance offers; none: everything.
    pub methods: RefCell<Option<Vec<String>>>,
    /// Why no route fits it, if that is so: found when a call is to be sent.
    pub unfit: Cell<Option<&'static str>>,
    /// Of its service.
    pub version: OnceCell<String>,
    /// What it says of all its methods.
    pub idempotent: Cell<bool>,
    /// Calls in flight at once.
    pub max_calls: Cell<usize>,
    /// A write is about to leave anyway.
    pub about_to_write: Cell<bool>,
    /// The worker is away from now on.
    pub disturbed: Cell<bool>,
    /// What the next calls come to, one after the other. Then they wait for the test.
    pub script: RefCell<VecDeque<Answer>>,
    /// What a call comes to for which the script says nothing; none: it waits for the test.
    pub otherwise: Cell<Option<Otherwise>>,
    /// Calls that others have there.
    pub burden: Cell<usize>,
    /// The bodies that came as streams.
    pub streams: RefCell<Vec<Receiver<Piece>>>,
    /// What it is sent stays with the gateway until the test [has it written](MemoryLink::is_written).
    pub holds_back: Cell<bool>,
    /// Told when that is written.
    unwritten: RefCell<Vec<OnWritten>>,
    /// All its methods reply in items.
    pub in_items: Cell<bool>,
    /// How often it was asked whether it is there.
    pub asked: Cell<usize>,
    /// The routes that were in force when it was told to forget others.
    pub in_force: RefCell<Vec<u64>>,
    /// What came, in order.
    came: RefCell<Vec<Came>>,
    found_unfit: Cell<Option<&'static str>>,
    accepting: Cell<bool>,
    ready: Cell<bool>,
    silent: Cell<bool>,
    heard_at: Cell<Instant>,
    asked_at: Cell<Option<Instant>>,
    calls: RefCell<BTreeMap<u32, InFlight>>,
    cancelled: Cell<usize>,
    changed: Notify,
    review: Rc<ReviewRequest>,
}

/// What calls come to, after so long each.
pub type Otherwise = (Duration, fn() -> Outcome);

/// What a call comes to, after so long.
pub type Answer = (Duration, Outcome);

/// A call that came.
#[derive(Clone, Debug, PartialEq)]
pub struct Came {
    /// Its request's body.
    pub body: Vec<u8>,
    /// When it was sent.
    pub at: Instant,
    /// When it must be answered.
    pub deadline: Instant,
}

/// What an item takes of the window beside its bytes.
const EACH: usize = size_of::<Bytes>();

/// A reply that an instance sends in items.
pub struct Sending {
    link: Rc<MemoryLink>,
    number: u32,
    slot: Rc<Slot>,
    window: Rc<Window>,
    /// From here on there is no room, in bytes.
    most: usize,
}

/// What waits of a reply in items for its reader.
#[derive(Default)]
struct Window {
    held: Cell<usize>,
    /// Woken when the reader has taken an item, or has gone.
    sender: RefCell<Option<Waker>>,
}

struct InFlight {
    slot: Rc<Slot>,
    window: Rc<Window>,
    sent_at: Instant,
    deadline: Instant,
    /// What it will come to, and when.
    answer: Option<(Instant, Outcome)>,
}

/// A result.
pub fn reply(text: &str) -> Outcome {
    Outcome::Reply(Json::Short(ReplyBuffer::of(text.as_bytes())).into())
}

impl MemoryLink {
    /// To an instance that offers everything, and answers when it is told to.
    pub fn new(review: Rc<ReviewRequest>) -> MemoryLink {
        MemoryLink {
            methods: RefCell::default(),
            unfit: Cell::new(None),
            version: OnceCell::new(),
            idempotent: Cell::new(true),
            max_calls: Cell::new(1024),
            about_to_write: Cell::new(false),
            disturbed: Cell::new(false),
            script: RefCell::default(),
            otherwise: Cell::new(None),
            burden: Cell::new(0),
            streams: RefCell::default(),
            holds_back: Cell::new(false),
            unwritten: RefCell::default(),
            in_items: Cell::new(false),
            asked: Cell::new(0),
            in_force: RefCell::default(),
            came: RefCell::default(),
            found_unfit: Cell::new(None),
            accepting: Cell::new(true),
            ready: Cell::new(true),
            silent: Cell::new(false),
            heard_at: Cell::new(Instant::now()),
            asked_at: Cell::new(None),
            calls: RefCell::default(),
            cancelled: Cell::new(0),
            changed: Notify::new(),
            review,
        }
    }

    /// The instance offers those methods only.
    pub fn offers_only(&self, methods: &[&str]) {
        *self.methods.borrow_mut() = Some(methods.iter().map(|name| (*name).to_owned()).collect());
        self.review.raise();
    }

    /// The instance says that its service is of that version; once.
    pub fn is_version(&self, version: &str) {
        let _ = self.version.set(version.to_owned());
    }

    /// What was held back is written.
    pub fn is_written(&self) {
        self.unwritten.take().iter().for_each(|on_written| on_written());
    }

    /// The next call comes to that, at once.
    pub fn answers(&self, outcome: Outcome) {
        self.answers_after(Duration::ZERO, outcome);
    }

    /// The next call that has no answer yet comes to that, so long after it came.
    pub fn answers_after(&self, time: Duration, outcome: Outcome) {
        self.script.borrow_mut().push_back((time, outcome));
    }

    /// The reply begins to the first call under way whose reply has not. So many bytes of it may wait for their reader.
    pub fn begins(self: &Rc<MemoryLink>, most: usize) -> Sending {
        let calls = self.calls.borrow();
        let (number, call) = calls.iter().find(|(_, call)| !call.slot.has_begun()).expect("it is under way");
        let (took, disturbed) = (call.sent_at.elapsed(), self.disturbed.get());
        call.slot.begin(Begun { took, disturbed });
        self.goes_on(*number, call, most)
    }

    /// The reply to the first call under way comes in items, whose caller does not wait for them to begin any more.
    pub fn begins_late(self: &Rc<MemoryLink>, most: usize) -> Sending {
        let calls = self.calls.borrow();
        let (number, call) =
            calls.iter().find(|(_, call)| call.slot.has_begun()).expect("it counts as begun");
        self.goes_on(*number, call, most)
    }

    fn goes_on(self: &Rc<MemoryLink>, number: u32, call: &InFlight, most: usize) -> Sending {
        let (slot, window) = (call.slot.clone(), call.window.clone());
        Sending { link: self.clone(), number, slot, window, most }
    }

    /// The calls that came.
    pub fn came(&self) -> Vec<Came> {
        self.came.borrow().clone()
    }

    /// How many calls were taken back.
    pub fn cancelled(&self) -> usize {
        self.cancelled.get()
    }

    /// Something is heard of the instance.
    pub fn gives_a_sign(&self) {
        self.heard_at.set(Instant::now());
        if self.silent.replace(false) {
            self.review.raise();
        }
    }

    /// Nothing is heard of the instance any more.
    pub fn falls_silent(&self) {
        self.silent.set(true);
        self.review.raise();
        self.calls.borrow().values().for_each(|call| call.slot.fall_silent());
    }

    /// The instance says whether it wants calls.
    pub fn set_ready(&self, ready: bool) {
        if self.ready.replace(ready) != ready {
            self.review.raise();
        }
    }

    /// All calls in flight end so, and no more are taken.
    pub fn breaks(&self, outcome: impl Fn() -> Outcome) {
        self.stop_accepting();
        let numbers: Vec<u32> = self.calls.borrow().keys().copied().collect();
        numbers.into_iter().for_each(|number| self.end(number, outcome()));
    }

    /// Ends calls when it is time, as long as this is awaited.
    pub async fn serve(&self) {
        loop {
            let changed = self.changed.notified();
            let due = self.calls.borrow().values().map(InFlight::ends_at).min();
            let Some(due) = due else {
                changed.await;
                continue;
            };
            tokio::select! {
                () = changed => {}
                () = sleep_until(due) => self.pass_time(Instant::now()),
            }
        }
    }

    /// Ends the calls whose time has come.
    pub fn pass_time(&self, now: Instant) {
        let due = |call: &InFlight| call.ends_at() <= now;
        let numbers: Vec<u32> =
            self.calls.borrow().iter().filter(|(_, call)| due(call)).map(|(number, _)| *number).collect();
        for number in numbers {
            let answer = self.calls.borrow_mut().get_mut(&number).and_then(|call| call.answer.take());
            let outcome = answer.filter(|(at, _)| *at <= now).map_or(Outcome::Late, |(_, outcome)| outcome);
            self.end(number, outcome);
        }
    }

    fn next_answer(&self) -> Option<Answer> {
        let otherwise = || self.otherwise.get().map(|(after, outcome)| (after, outcome()));
        self.script.borrow_mut().pop_front().or_else(otherwise)
    }

    fn end(&self, number: u32, outcome: Outcome) {
        let Some(call) = self.calls.borrow_mut().remove(&number) else { return };
        let replied = matches!(outcome, Outcome::Reply(_) | Outcome::Failed(_) | Outcome::Refused(_));
        if replied {
            self.gives_a_sign();
        }
        let ended_at = if matches!(outcome, Outcome::Late) { call.deadline } else { Instant::now() };
        let took = ended_at.saturating_duration_since(call.sent_at);
        call.slot.end(Ended { outcome, took, disturbed: self.disturbed.get() });
    }

    pub(super) fn would_call(&self, call: &Call<'_>) -> Result<(), Unsent> {
        if self.offers(&call.binding) { Ok(()) } else { Err(Unsent::NotOffered) }
    }

    pub(super) fn call(&self, call: &Call<'_>, times: impl FnOnce(bool) -> Times) -> Result<Sent, Unsent> {
        if let Some(why) = self.unfit.take() {
            self.found_unfit.set(Some(why));
        }
        if !self.offers(&call.binding) {
            return Err(Unsent::NotOffered);
        }
        let body = match call.body {
            Body::Whole(_) | Body::Shared(_) => call.body.whole().to_vec(),
            Body::Form(form) => format!("{form:?}").into_bytes(),
            Body::Stream(stream, _) => {
                self.streams.borrow_mut().extend(stream.begin().map(|(pieces, _)| pieces));
                Vec::new()
            }
        };
        let Times { now: sent_at, deadline, .. } = times(self.idempotent.get());
        let number = self.came.borrow().len() as u32;
        self.came.borrow_mut().push(Came { body, at: sent_at, deadline });
        match call.on_written {
            Some(on_written) if self.holds_back.get() => self.unwritten.borrow_mut().push(on_written.clone()),
            Some(on_written) => on_written(),
            None => {}
        }
        let answer = self.next_answer().map(|(after, outcome)| (sent_at + after, outcome));
        let at_once = answer.as_ref().is_some_and(|(at, _)| *at == sent_at);
        let (slot, window) = (Rc::new(Slot::default()), Rc::<Window>::default());
        let in_flight = InFlight { slot: slot.clone(), window: window.clone(), sent_at, deadline, answer };
        self.calls.borrow_mut().insert(number, in_flight);
        if at_once {
            let answer = self.calls.borrow_mut().get_mut(&number).and_then(|call| call.answer.take());
            answer.into_iter().for_each(|(_, outcome)| self.end(number, outcome));
        }
        self.changed.notify_one();
        let take = Box::new(move |raw: Raw| {
            window.takes(raw.bytes.len());
            Ok(Item::Data(raw.bytes.into(), None))
        });
        let streams = Streams { in_items: self.in_items.get(), take, sender: None };
        Ok(Sent { number, slot, at: sent_at, streams: Some(Box::new(streams)) })
    }

    pub(super) fn cancel(&self, number: u32) -> Option<Ended> {
        let call = self.calls.borrow_mut().remove(&number)?;
        call.window.wake();
        self.cancelled.set(self.cancelled.get() + 1);
        let outcome = Outcome::GivenUp { silent: self.silent.get() };
        Some(Ended { outcome, took: call.sent_at.elapsed(), disturbed: self.disturbed.get() })
    }

    pub(super) fn ask(&self) -> Instant {
        if self.asked_at.get().is_none_or(|asked| asked < self.heard_at.get()) {
            self.asked_at.set(Some(Instant::now()));
            self.asked.set(self.asked.get() + 1);
        }
        self.asked_at.get().unwrap_or_else(Instant::now)
    }

    pub(super) fn accepts(&self) -> bool {
        self.accepting.get()
    }

    pub(super) fn has_room(&self) -> bool {
        self.accepting.get() && self.in_flight() < self.max_calls.get()
    }

    /// Calls that wait for their end.
    pub fn in_flight(&self) -> usize {
        self.calls.borrow().len() + self.burden.get()
    }

    pub(super) fn is_about_to_write(&self) -> bool {
        self.about_to_write.get()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.get()
    }

    pub(super) fn is_silent(&self) -> bool {
        self.silent.get()
    }

    pub(super) fn heard_at(&self) -> Instant {
        self.heard_at.get()
    }

    pub(super) fn offers(&self, binding: &Binding<'_>) -> bool {
        let name = method(binding.call);
        self.found_unfit.get().is_none()
            && self.methods.borrow().as_ref().is_none_or(|methods| methods.contains(&name))
    }

    pub(super) fn misfit(&self, _: &Binding<'_>) -> Option<Rc<str>> {
        self.found_unfit.get().map(Rc::from)
    }

    pub(super) fn version(&self, call: &CallRef) -> Option<&str> {
        let known =
            self.methods.borrow().as_ref().is_none_or(|methods| {
                matches!(call, CallRef::Name { .. }) || methods.contains(&method(call))
            });
        known.then(|| self.version.get().map_or("", String::as_str))
    }

    pub(super) fn offer_digest(&self) -> u64 {
        let text = format!("{:?} {:?}", self.version.get(), self.methods.borrow());
        text.bytes().fold(7, |digest, byte| digest * 31 % 1_000_003 + u64::from(byte))
    }

    pub(super) fn stop_accepting(&self) {
        self.accepting.set(false);
    }

    pub(super) fn forget_gone(&self, ids: &[u64]) {
        *self.in_force.borrow_mut() = ids.to_vec();
    }
}

impl Sending {
    /// Sends an item when there is room for it. Says whether anybody wants it.
    pub async fn send(&self, item: &str) -> bool {
        poll_fn(|cx| self.poll_room(cx)).await;
        self.window.held.set(self.window.held.get() + item.len() + EACH);
        self.slot.put(Raw { bytes: item.into(), room: None });
        self.is_wanted()
    }

    fn is_wanted(&self) -> bool {
        self.link.calls.borrow().contains_key(&self.number)
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.window.held.get() < self.most || !self.is_wanted() {
            return Poll::Ready(());
        }
        *self.window.sender.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ends it.
    pub fn ends(self, outcome: Outcome) {
        self.link.end(self.number, outcome);
    }
}

impl Window {
    fn takes(&self, bytes: usize) {
        self.held.set(self.held.get() - bytes - EACH);
        self.wake();
    }

    fn wake(&self) {
        if let Some(sender) = self.sender.borrow_mut().take() {
            sender.wake();
        }
    }
}

impl InFlight {
    fn ends_at(&self) -> Instant {
        self.answer.as_ref().map_or(self.deadline, |(at, _)| self.deadline.min(*at))
    }
}

/// The method's name in its service; by its number only those of the service `s` are known.
fn method(call: &CallRef) -> String {
    match call {
        CallRef::Name { method, .. } => method.clone(),
        CallRef::Number(id) => {
            let known =
                ["a", "b", "c"].into_iter().find(|name| callgate_protocol::CallId::of("s", name) == *id);
            known.unwrap_or_default().to_owned()
        }
    }
}
