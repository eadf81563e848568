//! Where a call has gone: its attempts, for whoever tells of them when it is over.

use crate::backends::{Attempt, Endpoint, LocalBackend, LocalEndpoint};
use crate::dry_run::DryRun;
use std::cell::{Ref, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// So many attempts are kept; a call has a few.
const MOST: usize = 16;

/// The attempts of one request, in the order in which they were sent.
#[derive(Default)]
pub struct Trail {
    steps: RefCell<Steps>,
    /// The call is not sent, and this is told where it would go.
    dry_run: Option<Rc<DryRun>>,
}

#[derive(Default)]
struct Steps {
    /// The first one needs no place on the heap.
    first: Option<Try>,
    more: Vec<Try>,
    backend: Option<Rc<LocalBackend>>,
}

/// An attempt.
pub struct Try {
    at: Rc<LocalEndpoint>,
    /// When it was sent.
    pub sent_at: Instant,
    /// How long it took, and what came of it; nothing while it is under way, and of one that was given up.
    pub ended: Option<(Duration, &'static str)>,
}

impl Try {
    /// Where it went.
    pub fn endpoint(&self) -> &Endpoint {
        self.at.shared()
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

    /// An attempt is sent to an instance of that backend. Gives its number.
    #[inline]
    pub(super) fn sends(&self, attempt: &Attempt, backend: Option<&Rc<LocalBackend>>) -> usize {
        let mut steps = self.steps.borrow_mut();
        let one = Try { at: attempt.at(), sent_at: attempt.sent_at(), ended: None };
        steps.backend = backend.cloned();
        match &steps.first {
            None => steps.first = Some(one),
            Some(_) if steps.more.len() < MOST - 1 => steps.more.push(one),
            Some(_) => return MOST,
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
        self.steps.borrow().first.as_ref().map(|first| first.sent_at)
    }

    /// The backend of the last one.
    pub fn backend(&self) -> Option<Rc<LocalBackend>> {
        self.steps.borrow().backend.clone()
    }

    /// Has all of them looked at.
    pub fn look<R>(&self, look: impl FnOnce(&mut dyn Iterator<Item = &Try>) -> R) -> R {
        let steps: Ref<'_, Steps> = self.steps.borrow();
        look(&mut steps.first.iter().chain(&steps.more))
    }
}
