//! What became of every call.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Details are kept of this many failed calls; all are counted.
const DETAILS: usize = 10_000;

/// Which method a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// The idempotent one.
    Lookup,
    /// The one that must not run twice; its id is the call's number.
    Count,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With the right answer.
    Good,
    /// With 200 and something else.
    Wrong(String),
    /// With an error: HTTP's status and the body, or the code and the message.
    Error(String, String),
    /// Without an answer.
    NoAnswer(String),
}

impl Outcome {
    /// What it is counted as.
    pub(crate) fn label(&self) -> String {
        match self {
            Outcome::Good => "good".to_owned(),
            Outcome::Wrong(_) => "wrong answer".to_owned(),
            Outcome::Error(status, _) => status.clone(),
            Outcome::NoAnswer(_) => "no answer".to_owned(),
        }
    }
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// Its number.
    pub(crate) number: u64,
    /// Its method.
    pub(crate) call: Call,
    /// When it was due, from the beginning.
    pub(crate) at: Duration,
    /// How long it took from then.
    pub(crate) took: Duration,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// A call, in as few bytes as a hundred thousand of them ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) number: u64,
    pub(crate) call: Call,
    pub(crate) at: Duration,
    pub(crate) took: Duration,
    pub(crate) good: bool,
    /// Whether there was an answer, of whatever kind.
    pub(crate) answered: bool,
}

/// All calls so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    records: Vec<Record>,
    failed: Vec<Ended>,
    lookups: BTreeMap<String, u64>,
    counts: BTreeMap<String, u64>,
}

impl Tally {
    /// Notes a call's end.
    pub(crate) fn note(&self, ended: Ended) {
        let mut inner = self.inner();
        let good = ended.outcome == Outcome::Good;
        let answered = !matches!(ended.outcome, Outcome::NoAnswer(_));
        let Ended { number, call, at, took, .. } = ended;
        inner.records.push(Record { number, call, at, took, good, answered });
        let by_label = match ended.call {
            Call::Lookup => &mut inner.lookups,
            Call::Count => &mut inner.counts,
        };
        *by_label.entry(ended.outcome.label()).or_default() += 1;
        if !good && inner.failed.len() < DETAILS {
            inner.failed.push(ended);
        }
    }

    /// How many calls of a method there were, by outcome.
    pub(crate) fn by_outcome(&self, call: Call) -> BTreeMap<String, u64> {
        let inner = self.inner();
        match call {
            Call::Lookup => inner.lookups.clone(),
            Call::Count => inner.counts.clone(),
        }
    }

    /// How many calls of a method there were.
    pub(crate) fn calls(&self, call: Call) -> u64 {
        self.by_outcome(call).values().sum()
    }

    /// How many of them were not good.
    pub(crate) fn failures(&self, call: Call) -> u64 {
        self.by_outcome(call).iter().filter(|(label, _)| *label != "good").map(|(_, n)| n).sum()
    }

    /// The first failed calls.
    pub(crate) fn failed(&self) -> Vec<Ended> {
        self.inner().failed.clone()
    }

    /// Every call.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.inner().records.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
