//! The adaptive limit: how many calls a backend can have at once before they only wait for each other there.
//!
//! What a call typically takes is learned route by route, while all is well. When most calls of a moment take more than half as
//! long again, and 5 ms more, they wait somewhere behind us. The limit is then what keeps the backend just busy, by Little's law: the
//! calls that it answers in a second, times how long they may take (half as long again as is typical). While it binds and calls are quick, it
//! grows; so it stays near the edge, with a queue in the backend half as long as a call.
//!
//! Two things are told apart: a try says how long an instance takes, a call that has ended whether its client was served. What
//! one instance refuses and another does is no failure, so that an instance that is ill brings no limit upon those that are well.
//!
//! Longer answers need not come from too many calls: what a backend itself waits for may have become slow. Then they do not
//! become shorter with fewer calls in flight. That is looked for, and what they take now is what is typical from then on.
//!
//! There is one for all workers. With one each they would lead each other astray: one that is lowered while another grows
//! takes it that fewer calls do not help. Each gathers [`Samples`] by itself, and hands them over every few milliseconds.
//!
//! ```text
//! samples  what one worker has seen since it handed over
//! window   what all have seen since the last decision
//! learned  what follows from it: a state machine without a clock, the times are those of the calls
//! ```

mod learned;
mod samples;
mod window;

use crate::config::AdaptiveSpec;
use learned::Learned;
pub(super) use samples::Samples;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Mutex, TryLockError};
use std::time::Duration;
use tokio::time::Instant;

/// What a limit learns from the end of an attempt, and of the last one as the end of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// With an answer that it took its time for.
    Answered,
    /// Not in time, or nobody wanted to wait any longer.
    Late,
    /// The instance refused it, having too many.
    Refused,
    /// In a way that says nothing.
    Nothing,
}

/// An attempt that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Observed {
    /// The slot and id of its route.
    pub route: (u64, u64),
    /// When it was sent.
    pub sent: Instant,
    /// How long it took.
    pub took: Duration,
    /// What that says.
    pub feedback: Feedback,
}

/// The limit of one backend.
#[derive(Debug)]
pub struct Limit {
    /// What an admission reads; [`NONE`] while calls are not limited.
    most: AtomicUsize,
    /// A call found no room since the last decision.
    bound: AtomicBool,
    /// By worker. Each writes its own; others read it only while calls are limited.
    in_flight: Box<[InFlight]>,
    learned: Mutex<Learned>,
}

/// On cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct InFlight(AtomicUsize);

const NONE: usize = usize::MAX;

impl Limit {
    /// Nothing is known yet.
    pub(super) fn new(workers: usize) -> Limit {
        Limit {
            most: AtomicUsize::new(NONE),
            bound: AtomicBool::new(false),
            in_flight: (0..workers).map(|_| InFlight::default()).collect(),
            learned: Mutex::new(Learned::new(Instant::now())),
        }
    }

    /// How many calls there may be, if that is limited.
    #[inline]
    pub fn most(&self) -> Option<usize> {
        Some(self.most.load(Relaxed)).filter(|most| *most != NONE)
    }

    /// How many there are. Two workers may count one in at the same time: it is not exact.
    #[inline]
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.iter().map(|one| one.0.load(Relaxed)).sum()
    }

    /// A call more, of that worker.
    #[inline]
    pub(super) fn counts_in(&self, worker: usize) {
        let InFlight(count) = &self.in_flight[worker];
        // Nobody else writes it.
        count.store(count.load(Relaxed) + 1, Relaxed);
    }

    /// A call less, of that worker.
    #[inline]
    pub(super) fn counts_out(&self, worker: usize) {
        let InFlight(count) = &self.in_flight[worker];
        // Where calls are limited, others may wait for this: see [`Gauge`](super::Gauge).
        let order = if self.most().is_some() { SeqCst } else { Relaxed };
        count.store(count.load(Relaxed) - 1, order);
    }

    /// A call found no room.
    pub(super) fn binds(&self) {
        if !self.bound.load(Relaxed) {
            self.bound.store(true, Relaxed);
        }
    }

    /// There may be so many calls from now on.
    #[cfg(test)]
    pub(super) fn limited_to(&self, most: usize) {
        self.most.store(most, Relaxed);
    }

    /// Takes over what a worker has gathered, and decides when it is time to. `false`: another worker is doing that.
    fn take(&self, samples: &mut Samples, now: Instant, spec: &AdaptiveSpec) -> bool {
        let mut learned = match self.learned.try_lock() {
            Ok(learned) => learned,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        learned.take(samples, self.in_flight());
        if learned.is_due(now) {
            let most = learned.decide(now, self.bound.swap(false, Relaxed), spec);
            self.most.store(most.unwrap_or(NONE), Relaxed);
        }
        learned.teach(samples);
        true
    }
}

#[cfg(test)]
mod tests;
