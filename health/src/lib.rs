//! How an instance is judged by what becomes of its calls: passive health and circuit breaker in one state machine, without
//! a clock. The gateway's workers and the SDK's clients use it; each judges by its own calls.
//!
//! ```text
//!            fails, others do not            its time is up            one of its probes fails
//!   Well ──────────────────────▶ Ejected ──────────────────▶ Probing ───────────────────────▶ Ejected, for twice as long
//!    ▲ ▲                                                        │
//!    │ └────────────────────────────────────────────────────────┘ three good replies in a row
//!    │ three good replies in a row, or no other does well any more (Ejected likewise)
//!    └── Throttled ◀── fails, but too many are ejected already; or refuses calls
//! ```
//!
//! Well, an instance gets its share; at first a part of it, which grows (slow start). Throttled, it gets a trickle, which
//! shows when it is well again. Ejected, it gets none; probing, one at a time. What is judged are the last
//! 32 calls (`record`).
//!
//! An instance is left only if it does worse than another one. When all of them fail, by a fault behind them or by what
//! clients ask for, leaving some would help nobody and burden the rest; and when one of them recovers, it shows.
//!
//! Times are passed in. Its user tells what is sent and what has ended, and has all instances [reviewed](review) side by side when
//! that is due and ten times a second.

#![deny(clippy::print_stderr, clippy::print_stdout)]

mod evidence;
mod record;
mod review;
mod spec;
mod standing;

pub use evidence::Evidence;
pub use review::{Finding, review};
pub use spec::HealthSpec;
pub use standing::{EjectionReason, Standing};

use core::time::Duration;
use record::{Record, Trouble};
use std::time::Instant;

/// So many good replies in a row end being throttled, and so many probes being ejected.
const GOOD_AGAIN: u32 = 3;

/// How much of the share that it had an instance begins with, and how much one that is throttled gets; of [`FULL`].
const LEAST_WEIGHT: u8 = 26;
const THROTTLED_WEIGHT: u8 = 13;

/// An instance's whole share.
pub const FULL: u8 = u8::MAX;

/// Behaving well for so long, or for as long as it was last ejected, takes one off the number of ejections that counts.
const FORGIVEN_AFTER: Duration = Duration::from_secs(10);

/// A call is slow only if it takes so much longer than the median: small differences are nothing.
const SLOW_FLOOR: f32 = 0.025;

/// An instance that replies within this time, in seconds, is quick.
const QUICK: f32 = 0.001;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Well,
    Throttled,
    Ejected {
        until: Instant,
    },
    Probing {
        /// A probe is under way.
        busy: bool,
        /// One has failed.
        failed: bool,
    },
}

/// What is thought of one instance by whoever calls it.
#[derive(Clone, Debug)]
pub struct Health {
    state: State,
    /// When the state began.
    since: Instant,
    /// When its share began to grow; none when it has all of it.
    eased_in_from: Option<Instant>,
    /// Rises with every state: what was sent in an earlier one says nothing about this one.
    epoch: u32,
    /// Its last calls.
    record: Record,
    /// Good replies in a row in this state.
    good: u32,
    /// A moving average, in seconds; 0 before the first reply.
    latency: f32,
    /// What takes longer is slow.
    slow_above: f32,
    /// How often it was ejected lately, and when that last changed.
    ejections: u32,
    counted_at: Instant,
    /// Why it was ejected last.
    reason: EjectionReason,
    /// Since when it gave no reply, or its slow ones fade, as far as a review has noticed.
    unasked_since: Option<Instant>,
}

impl Health {
    /// A new instance: well, with a part of its share.
    pub fn new(now: Instant) -> Health {
        Health {
            state: State::Well,
            since: now,
            eased_in_from: Some(now),
            epoch: 0,
            record: Record::default(),
            good: 0,
            latency: 0.0,
            slow_above: f32::INFINITY,
            ejections: 0,
            counted_at: now,
            reason: EjectionReason::Failures,
            unasked_since: None,
        }
    }

    /// There is a connection to it after there was none: as a rule another process, of which nothing is known. One that was
    /// ejected has to show that it works.
    pub fn connected(&mut self, now: Instant) {
        match self.state {
            State::Well | State::Throttled => self.ease_in(now),
            State::Ejected { .. } | State::Probing { .. } => self.probe(now),
        }
        self.record = Record::default();
        self.latency = 0.0;
    }

    /// A call is sent; what [`ended`](Self::ended) wants to be told with its end.
    #[inline]
    pub fn sent(&mut self) -> u32 {
        if let State::Probing { busy, .. } = &mut self.state {
            *busy = true;
        }
        self.epoch
    }

    /// A call that was sent in `epoch` has ended after `took`. Says whether a [`review`] is due.
    #[inline]
    pub fn ended(
        &mut self,
        epoch: u32,
        evidence: Evidence,
        took: Option<Duration>,
        spec: &HealthSpec,
    ) -> bool {
        if epoch != self.epoch {
            return false;
        }
        self.unasked_since = None;
        if let State::Probing { busy, .. } = &mut self.state {
            *busy = false;
        }
        let took = took.map(|took| took.as_secs_f32());
        let slow = took.is_some_and(|took| took > self.slow_above);
        if evidence == Evidence::Good
            && let Some(took) = took
        {
            let first = self.latency == 0.0;
            self.latency = if first { took } else { self.latency + (took - self.latency) / 8.0 };
        }
        match evidence {
            Evidence::Nothing => return false,
            Evidence::GivenUp if !slow => return false,
            _ => self.record.push(evidence, slow),
        }
        let good = evidence == Evidence::Good && !slow;
        self.good = if good { self.good + 1 } else { 0 };
        match &mut self.state {
            State::Well => !good && self.trouble(spec).is_some(),
            State::Throttled | State::Ejected { .. } => self.good >= GOOD_AGAIN,
            // That it is full does not say that it is well, nor the contrary.
            State::Probing { .. } if evidence == Evidence::Refused => false,
            State::Probing { failed, .. } => {
                *failed |= !good;
                *failed || self.good >= GOOD_AGAIN
            }
        }
    }

    /// Whether the next call may be its probe.
    #[inline]
    pub fn wants_probe(&self) -> bool {
        self.state == State::Probing { busy: false, failed: false }
    }

    /// How much of its share it is to get, of [`FULL`].
    #[inline]
    pub fn weight(&self, spec: &HealthSpec, now: Instant) -> u8 {
        match self.state {
            State::Well => self.eased_in_from.map_or(FULL, |from| {
                let since = now.saturating_duration_since(from);
                let share = since.as_secs_f32() / spec.slow_start.as_secs_f32();
                // Stays within the type: a share is 1 at most.
                ((share.min(1.0) * f32::from(FULL)) as u8).max(LEAST_WEIGHT)
            }),
            State::Throttled => THROTTLED_WEIGHT,
            State::Ejected { .. } | State::Probing { .. } => 0,
        }
    }

    /// Whether no reply has come since it was connected to, and nothing is left of what was before.
    pub fn is_unknown(&self) -> bool {
        let nothing_is_left = self.record.is_empty() && self.ejections == 0;
        self.state == State::Well && nothing_is_left && self.latency == 0.0
    }

    /// Whether time alone changes nothing about it, once it has its whole share.
    pub fn rests(&self) -> bool {
        self.state == State::Well && self.ejections == 0 && self.record.slow == 0
    }

    /// Whether it is neither left nor to be spared for failing.
    #[inline]
    pub fn is_well(&self) -> bool {
        self.state == State::Well
    }

    /// Whether its replies are known to come within a millisecond.
    #[inline]
    pub fn is_quick(&self) -> bool {
        self.latency > 0.0 && self.latency < QUICK
    }

    /// The moving average of its replies' times.
    #[inline]
    pub fn latency(&self) -> Duration {
        Duration::from_secs_f32(self.latency)
    }

    /// Failures among its last calls, and how many these are.
    pub fn failures(&self) -> (u32, u32) {
        self.record.failures()
    }

    /// How it stands when it gets that weight.
    pub fn standing(&self, weight: u8) -> Standing {
        match self.state {
            State::Well if weight == FULL => Standing::Well,
            State::Well => Standing::SlowStart,
            State::Throttled => Standing::Throttled,
            State::Ejected { .. } => Standing::Ejected,
            State::Probing { .. } => Standing::Probing,
        }
    }

    /// Until when it is ejected, if it is.
    pub fn ejected_until(&self) -> Option<Instant> {
        match self.state {
            State::Ejected { until } => Some(until),
            _ => None,
        }
    }

    /// Why it was ejected last.
    pub fn reason(&self) -> EjectionReason {
        self.reason
    }

    /// Whether it is probed, and since when.
    #[inline]
    pub fn probing_since(&self) -> Option<Instant> {
        matches!(self.state, State::Probing { .. }).then_some(self.since)
    }

    /// Why it should get no more calls, if others do better.
    fn trouble(&self, spec: &HealthSpec) -> Option<Trouble> {
        self.record.trouble(self.good, spec)
    }

    fn enter(&mut self, state: State, now: Instant) {
        self.state = state;
        self.since = now;
        self.epoch = self.epoch.wrapping_add(1);
        self.good = 0;
    }

    fn eject(&mut self, reason: EjectionReason, spec: &HealthSpec, now: Instant) {
        self.ejections = (self.ejections + 1).min(20);
        self.counted_at = now;
        self.reason = reason;
        self.enter(State::Ejected { until: now + self.ejected_for(spec) }, now);
    }

    /// How long an ejection lasts after so many.
    fn ejected_for(&self, spec: &HealthSpec) -> Duration {
        let doubled = spec.ejection.saturating_mul(1 << self.ejections.saturating_sub(1));
        doubled.min(spec.max_ejection.max(spec.ejection))
    }

    fn probe(&mut self, now: Instant) {
        self.enter(State::Probing { busy: false, failed: false }, now);
    }

    fn recover(&mut self, now: Instant) {
        self.record = Record::default();
        self.ease_in(now);
    }

    fn ease_in(&mut self, now: Instant) {
        self.enter(State::Well, now);
        self.eased_in_from = Some(now);
    }
}

#[cfg(test)]
mod measure_tests;
#[cfg(test)]
mod tests;
