//! Where a call has gone: its attempts, for whoever tells of them when it is over.

use crate::backends::{Attempt, Endpoint, LocalBackend, LocalEndpoint};
use crate::dry_run::DryRun;
use crate::traces::{MOST_ATTEMPTS, Place};
use callgate_protocol::{Metadata, MetadataBuf, Traceparent};
use std::cell::{OnceCell, Ref, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// The attempts of one request, in the order in which they were sent.
#[derive(Default)]
pub struct Trail {
    steps: RefCell<Steps>,
    /// The call is not sent, and this is told where it would go.
    dry_run: Option<Rc<DryRun>>,
    /// The span of the request, if it has one.
    span: Option<Box<Traceparent>>,
    /// That of its call, where the call may go on when its exchange has ended.
    beside: OnceCell<Rc<Trail>>,
}

#[derive(Default)]
struct Steps {
    /// The first one needs no place on the heap.
    first: Option<Try>,
    more: Vec<Try>,
    /// What the call has waited for since the last one.
    waited: Waited,
}

/// An attempt.
pub struct Try {
    at: Rc<LocalEndpoint>,
    /// When it was sent.
    pub sent_at: Instant,
    /// How long it took, and what came of it; nothing while it is under way, and of one that was given up.
    pub ended: Option<(Duration, &'static str)>,
    /// What the call has waited for before.
    pub waited: Waited,
    backend: Option<Rc<LocalBackend>>,
}

/// What a call waits for before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// A permit of its backend.
    Permit,
    /// Room at an instance.
    Room,
    /// An instance at all.
    Instance,
    /// The pause that an instance wants which is asked twice.
    Pause,
}

/// Some of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waited(u8);

impl Waited {
    const NAMES: [(Wait, &'static str); 4] = [
        (Wait::Permit, "permit"),
        (Wait::Room, "room"),
        (Wait::Instance, "instance"),
        (Wait::Pause, "pause"),
    ];

    /// Whether it has waited at all.
    pub fn any(self) -> bool {
        self.0 != 0
    }

    /// The names of all of them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Waited::NAMES.iter().filter(move |(one, _)| self.0 & 1 << *one as u8 != 0).map(|(_, name)| *name)
    }
}

impl fmt::Display for Waited {
    /// `permit, room`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        self.names().try_for_each(|name| write!(f, "{}{name}", std::mem::replace(&mut comma, ", ")))
    }
}

impl Try {
    /// Where it went.
    pub fn endpoint(&self) -> &Endpoint {
        self.at.shared()
    }

    /// The name of its backend.
    pub fn backend(&self) -> Option<&str> {
        self.backend.as_ref().map(|backend| backend.name())
    }
}

impl Trail {
    /// That of a call that is not sent.
    pub fn dry_run(told: Rc<DryRun>) -> Trail {
        Trail { dry_run: Some(told), ..Trail::default() }
    }

    /// What is told where a call would go that is not sent.
    #[inline]
    pub fn told(&self) -> Option<&Rc<DryRun>> {
        self.dry_run.as_ref()
    }

    /// That of a request with this span, if it has one.
    #[inline]
    pub fn of(span: Option<Traceparent>) -> Trail {
        Trail { span: span.map(Box::new), ..Trail::default() }
    }

    /// That of a call which may go on when the exchange of this one has ended. Whoever looks here finds its attempts.
    pub fn beside(&self) -> Rc<Trail> {
        let span = || self.span.as_deref().copied();
        self.beside.get_or_init(|| Rc::new(Trail::of(span()))).clone()
    }

    /// Whether its call may go on when its exchange has ended.
    pub fn goes_on(&self) -> bool {
        self.beside.get().is_some()
    }

    /// Where its attempts are.
    fn steps(&self) -> Ref<'_, Steps> {
        self.beside.get().map_or(self, |beside| beside).steps.borrow()
    }

    /// What the next attempt says in the place of the call's metadata: its span is another one than the request's. Nothing where the request
    /// has none.
    #[inline]
    pub(super) fn along(&self, metadata: Metadata<'_>) -> Option<MetadataBuf> {
        self.span.as_deref().and_then(|span| self.along_with(*span, metadata))
    }

    #[cold]
    fn along_with(&self, span: Traceparent, metadata: Metadata<'_>) -> Option<MetadataBuf> {
        let number = self.count();
        // Of those that are not kept nothing is told.
        let own = (number < MOST_ATTEMPTS).then(|| Place::attempt(span, number))?;
        let mut along = MetadataBuf::from(metadata);
        along.set_named("traceparent", own.text().as_bytes()).then_some(along)
    }

    /// The call waits for that.
    #[cold]
    pub(super) fn waits(&self, wait: Wait) {
        self.steps.borrow_mut().waited.0 |= 1 << wait as u8;
    }

    /// An attempt is sent to an instance of that backend. Gives its number.
    #[inline]
    pub(super) fn sends(&self, attempt: &Attempt, backend: Option<&Rc<LocalBackend>>) -> usize {
        let mut steps = self.steps.borrow_mut();
        let (waited, backend) = (std::mem::take(&mut steps.waited), backend.cloned());
        let one = Try { at: attempt.at(), sent_at: attempt.sent_at(), ended: None, waited, backend };
        match &steps.first {
            None => steps.first = Some(one),
            Some(_) if steps.more.len() < MOST_ATTEMPTS - 1 => steps.more.push(one),
            Some(_) => return MOST_ATTEMPTS,
        }
        steps.more.len()
    }

    /// The attempt of that number has ended, or its reply has begun, after so long: what came of it.
    #[inline]
    pub(super) fn ends(&self, number: usize, took: Duration, end: &'static str) {
        let steps = &mut *self.steps.borrow_mut();
        let one = if number == 0 { steps.first.as_mut() } else { steps.more.get_mut(number - 1) };
        if let Some(one) = one {
            one.ended = Some((took, end));
        }
    }

    /// When the first one was sent.
    pub fn began(&self) -> Option<Instant> {
        self.steps().first.as_ref().map(|first| first.sent_at)
    }

    /// How many there are so far.
    pub fn count(&self) -> usize {
        let steps = self.steps();
        steps.more.len() + usize::from(steps.first.is_some())
    }

    /// What the call has waited for, before all of them and after the last one.
    pub fn waited(&self) -> Waited {
        let steps = self.steps();
        let all = steps.first.iter().chain(&steps.more).map(|one| one.waited.0);
        Waited(all.fold(steps.waited.0, |all, one| all | one))
    }

    /// The backend of the last one.
    pub fn backend(&self) -> Option<Rc<LocalBackend>> {
        self.look_at_last(|last| last.backend.clone())?
    }

    /// Has the last one looked at.
    pub fn look_at_last<R>(&self, look: impl FnOnce(&Try) -> R) -> Option<R> {
        let steps = self.steps();
        steps.more.last().or(steps.first.as_ref()).map(look)
    }

    /// Has all of them looked at.
    pub fn look<R>(&self, look: impl FnOnce(&mut dyn Iterator<Item = &Try>) -> R) -> R {
        let steps = self.steps();
        look(&mut steps.first.iter().chain(&steps.more))
    }
}
