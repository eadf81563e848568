//! What was done to whom, and when it really began and ended: the context of every failed call.

use crate::plan::{Fault, Kind};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A fault is named beside failures up to this long after its end: connections are found dead, or made anew.
const AFTERMATH: Duration = Duration::from_millis(1500);

/// One fault as it happened.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    kind: Kind,
    target: Option<usize>,
    from: Duration,
    to: Option<Duration>,
}

impl Entry {
    /// Which kind of fault it is.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(target) = self.target {
            write!(f, "#{target}")?;
        }
        match self.to {
            Some(to) => write!(f, " {:.1}–{:.1} s", self.from.as_secs_f64(), to.as_secs_f64()),
            None => write!(f, " from {:.1} s", self.from.as_secs_f64()),
        }
    }
}

/// All faults since the beginning.
#[derive(Debug)]
pub(crate) struct Journal {
    began: Instant,
    entries: Mutex<Vec<Entry>>,
}

impl Journal {
    /// An empty one; times count from `began`.
    pub(crate) fn new(began: Instant) -> Journal {
        Journal { began, entries: Mutex::default() }
    }

    /// Notes that a fault begins; the number under which its end is noted.
    pub(crate) fn begins(&self, fault: &Fault) -> usize {
        let from = self.began.elapsed();
        let mut entries = self.entries();
        entries.push(Entry { kind: fault.kind, target: fault.target, from, to: None });
        entries.len() - 1
    }

    /// Notes that a fault is over.
    pub(crate) fn ends(&self, number: usize) {
        let to = Some(self.began.elapsed());
        if let Some(entry) = self.entries().get_mut(number) {
            entry.to = to;
        }
    }

    /// Those that went on, or had their aftermath, between two times.
    pub(crate) fn during(&self, from: Duration, to: Duration) -> Vec<Entry> {
        let entries = self.entries();
        let touches = |entry: &&Entry| entry.from <= to && entry.to.is_none_or(|end| from <= end + AFTERMATH);
        entries.iter().filter(touches).cloned().collect()
    }

    /// Those that go on now, in short.
    pub(crate) fn now(&self) -> String {
        let entries = self.entries();
        let going_on = entries.iter().filter(|entry| entry.to.is_none());
        let short = |entry: &Entry| match entry.target {
            Some(target) => format!("{}#{target}", entry.kind),
            None => entry.kind.to_string(),
        };
        going_on.map(short).collect::<Vec<_>>().join(" ")
    }

    /// How many are over, by kind.
    pub(crate) fn counts(&self) -> BTreeMap<Kind, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.entries().iter().filter(|entry| entry.to.is_some()) {
            *counts.entry(entry.kind).or_default() += 1;
        }
        counts
    }

    /// The most faults that went on at the same time.
    pub(crate) fn most_at_once(&self) -> usize {
        let entries = self.entries();
        let beside = |at: Duration| {
            entries.iter().filter(|other| other.from <= at && other.to.is_none_or(|to| at < to)).count()
        };
        entries.iter().map(|entry| beside(entry.from)).max().unwrap_or_default()
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
