//! A dry run: a request that is decided by the very code that decides requests, and neither sent nor counted. It says what each thing
//! has said that it met.
//!
//! Whoever decides something and has effects asks whether this is a dry run, and then looks instead of taking. What cannot be known
//! without asking somebody else is not asked, and said so.

use crate::failure::Failure;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};

/// The most notes of one request: a backend has as many instances as it will.
const MOST: usize = 1000;

/// What was said of a request, in the order in which it met that.
#[derive(Debug, Default)]
pub struct DryRun {
    notes: RefCell<Vec<Note>>,
    instances: RefCell<Vec<InstanceNote>>,
    /// Where it would be sent.
    sent_to: RefCell<Option<String>>,
    /// What some of the instances would say that may get it, while others take it.
    or_else: RefCell<Option<Failure>>,
    /// Somebody else would have to be asked before anything follows.
    is_open: Cell<bool>,
}

/// What one thing has said.
#[derive(Debug, PartialEq, Eq)]
pub struct Note {
    /// Who says it.
    pub step: &'static str,
    /// What it comes to.
    pub verdict: Verdict,
    /// More of it, for people.
    pub detail: String,
}

/// What something that a request meets says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may go on.
    Passed,
    /// It may not.
    Refused,
    /// Nobody knows without asking somebody, which a dry run does not.
    NotAsked,
}

/// What is to be said of an instance.
#[derive(Debug, PartialEq, Eq)]
pub struct InstanceNote {
    /// The backend.
    pub backend: String,
    /// Where it is.
    pub endpoint: String,
    /// The version of the method's service, if it says one.
    pub version: Option<String>,
    /// Why it would not get the call; nothing if it may.
    pub not: Option<String>,
    /// What is wrong with the request for its schema; nothing if that fits, or if it is not known.
    pub misfit: Option<String>,
}

impl Verdict {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Refused => "refused",
            Verdict::NotAsked => "not_asked",
        }
    }
}

impl DryRun {
    /// Something has said this.
    pub fn note(&self, step: &'static str, verdict: Verdict, detail: impl Into<String>) {
        let mut notes = self.notes.borrow_mut();
        if notes.len() < MOST {
            notes.push(Note { step, verdict, detail: detail.into() });
        }
    }

    /// It may go on, or fails.
    pub fn note_result(&self, step: &'static str, result: Result<(), &Failure>, detail: &str) {
        match result {
            Ok(()) => self.note(step, Verdict::Passed, detail),
            Err(failure) => self.note(step, Verdict::Refused, told(failure)),
        }
    }

    /// What is to be said of an instance.
    pub fn note_instance(&self, instance: InstanceNote) {
        let mut instances = self.instances.borrow_mut();
        if instances.len() < MOST {
            instances.push(instance);
        }
    }

    /// It would be sent there; or, by some of those that may get it, refused so.
    pub fn sends(&self, to: String, or_else: Option<Failure>) {
        *self.sent_to.borrow_mut() = Some(to);
        *self.or_else.borrow_mut() = or_else;
    }

    /// Somebody else would have to be asked.
    pub fn is_open(&self, step: &'static str, detail: impl Into<String>) {
        self.note(step, Verdict::NotAsked, detail);
        self.is_open.set(true);
    }

    /// Whether what would become of it depends on somebody who was not asked.
    pub fn ends_open(&self) -> bool {
        self.is_open.get()
    }

    /// Where it would be sent.
    pub fn sent_to(&self) -> Option<String> {
        self.sent_to.borrow().clone()
    }

    /// Takes what some of the instances would say.
    pub fn take_or_else(&self) -> Option<Failure> {
        self.or_else.borrow_mut().take()
    }

    /// The steps, for programs.
    pub fn steps(&self) -> Value {
        let notes = self.notes.borrow();
        let shown = notes
            .iter()
            .map(|note| json!({ "step": note.step, "verdict": note.verdict.name(), "detail": note.detail }));
        shown.collect()
    }

    /// The instances, for programs.
    pub fn instances(&self) -> Value {
        let instances = self.instances.borrow();
        let shown = instances.iter().map(|one| {
            let InstanceNote { backend, endpoint, version, not, misfit } = one;
            json!({
                "backend": backend, "endpoint": endpoint, "version": version,
                "could_take_it": not.is_none(), "why_not": not, "request_misfits": misfit,
            })
        });
        shown.collect()
    }
}

/// A failure in a line: its reason, and what more is known.
fn told(failure: &Failure) -> String {
    let (reason, detail) = (failure.reason().name(), failure.detail());
    match failure.why() {
        Some(why) => format!("{reason} ({why}): {detail}"),
        None => format!("{reason}: {detail}"),
    }
}
