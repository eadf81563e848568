//! How an instance is judged by what becomes of its calls: passive health and circuit breaker in one state machine, without
//! a clock. Each worker judges by its own calls.
//!
//! ```text
//!            fails, others do not            its time is up            one of its probes fails
//!   Well ──────────────────────▶ Ejected ──────────────────▶ Probing ───────────────────────▶ Ejected, for twice as long
//!    ▲ ▲                                                        │
//!    │ └────────────────────────────────────────────────────────┘ three good answers in a row
//!    │ three good answers in a row, or no other does well any more (Ejected likewise)
//!    └── Throttled ◀── fails, but too many are ejected already; or refuses calls
//! ```
//!
//! Well, an instance gets its share; at first a part of it, which grows (slow start). Throttled, it gets a trickle, which
//! shows when it is well again. Ejected, it gets none; probing, one at a time. What is judged are the last 32 calls, kept as
//! bits: exact, without a clock read and in three words.
//!
//! An instance is left only if it does worse than another one. When all of them fail, by a fault behind them or by what
//! clients ask for, leaving some would help nobody and burden the rest; and when one of them recovers, it shows.

mod review;

pub(super) use review::{Finding, review};

use crate::config::HealthSpec;
use crate::telemetry::{EjectionReason, Standing};
use crate::transport::Evidence;
use std::time::Duration;
use tokio::time::Instant;

/// A rate of failures says something from so many calls on.
const ENOUGH: u32 = 16;

/// So many good answers in a row end being throttled, and so many probes being ejected.
const GOOD_AGAIN: u32 = 3;

/// So many good answers in a row say more than what was before.
const GOOD_AT_LAST: u32 = 8;

/// How much of the share that it had an instance begins with, and how much one that is throttled gets; of [`FULL`].
const LEAST_WEIGHT: u8 = 26;
const THROTTLED_WEIGHT: u8 = 13;

/// An instance's whole share.
pub(super) const FULL: u8 = u8::MAX;

/// Behaving well for so long, or for as long as it was last ejected, takes one off the number of ejections that counts.
const FORGIVEN_AFTER: Duration = Duration::from_secs(10);

/// A call is slow only if it takes so much longer than the median: small differences are nothing.
const SLOW_FLOOR: f32 = 0.025;

/// An instance that answers within this time, in seconds, is quick.
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

/// What one worker thinks of one instance.
#[derive(Clone, Debug)]
pub(super) struct Health {
    state: State,
    /// When the state began.
    since: Instant,
    /// When its share began to grow; none when it has all of it.
    eased_in_from: Option<Instant>,
    /// Rises with every state: what was sent in an earlier one says nothing about this one.
    epoch: u32,
    /// The last 32 calls, the last one in the lowest bit.
    failed: u32,
    refused: u32,
    slow: u32,
    /// How many of these there are.
    seen: u32,
    /// Good answers in a row in this state.
    good: u32,
    /// A moving average, in seconds; 0 before the first answer.
    latency: f32,
    /// What takes longer is slow.
    slow_above: f32,
    /// How often it was ejected lately, and when that last changed.
    ejections: u32,
    counted_at: Instant,
    /// Why it was ejected last.
    reason: EjectionReason,
    /// Since when it gave no answer, or its slow ones fade, as far as a review has noticed.
    unasked_since: Option<Instant>,
}

impl Health {
    /// A new instance: well, with a part of its share.
    pub(super) fn new(now: Instant) -> Health {
        Health {
            state: State::Well,
            since: now,
            eased_in_from: Some(now),
            epoch: 0,
            failed: 0,
            refused: 0,
            slow: 0,
            seen: 0,
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
    pub(super) fn connected(&mut self, now: Instant) {
        match self.state {
            State::Well | State::Throttled => self.ease_in(now),
            State::Ejected { .. } | State::Probing { .. } => self.probe(now),
        }
        self.forget();
        self.latency = 0.0;
    }

    /// A call is sent; what [`ended`](Self::ended) wants to be told with its end.
    pub(super) fn sent(&mut self) -> u32 {
        if let State::Probing { busy, .. } = &mut self.state {
            *busy = true;
        }
        self.epoch
    }

    /// A call that was sent in `epoch` has ended after `took`. Says whether a [`review`] is due.
    pub(super) fn ended(
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
            _ => self.push(evidence, slow),
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
    pub(super) fn wants_probe(&self) -> bool {
        self.state == State::Probing { busy: false, failed: false }
    }

    /// How much of its share it is to get, of [`FULL`].
    pub(super) fn weight(&self, spec: &HealthSpec, now: Instant) -> u8 {
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

    /// Whether no answer has come since it was connected to, and nothing is left of what was before.
    pub(super) fn is_unknown(&self) -> bool {
        self.state == State::Well && (self.seen, self.ejections) == (0, 0) && self.latency == 0.0
    }

    /// Whether it is neither left nor to be spared for failing.
    pub(super) fn is_well(&self) -> bool {
        self.state == State::Well
    }

    /// Whether its answers are known to come within [`QUICK`].
    #[inline]
    pub(super) fn is_quick(&self) -> bool {
        self.latency > 0.0 && self.latency < QUICK
    }

    /// The moving average of its answers' times.
    pub(super) fn latency(&self) -> Duration {
        Duration::from_secs_f32(self.latency)
    }

    /// Failures among its last calls, and how many these are.
    pub(super) fn failures(&self) -> (u32, u32) {
        (self.failed.count_ones(), self.seen)
    }

    /// How it stands when it gets that weight.
    pub(super) fn standing(&self, weight: u8) -> Standing {
        match self.state {
            State::Well if weight == FULL => Standing::Well,
            State::Well => Standing::SlowStart,
            State::Throttled => Standing::Throttled,
            State::Ejected { .. } => Standing::Ejected,
            State::Probing { .. } => Standing::Probing,
        }
    }

    /// Until when it is ejected, if it is.
    pub(super) fn ejected_until(&self) -> Option<Instant> {
        match self.state {
            State::Ejected { until } => Some(until),
            _ => None,
        }
    }

    /// Why it was ejected last.
    pub(super) fn reason(&self) -> EjectionReason {
        self.reason
    }

    /// Whether it is probed, and since when.
    pub(super) fn probing_since(&self) -> Option<Instant> {
        matches!(self.state, State::Probing { .. }).then_some(self.since)
    }

    /// Why it should get no more calls, if others do better.
    fn trouble(&self, spec: &HealthSpec) -> Option<Trouble> {
        if self.failed.trailing_ones() >= spec.failures {
            return Some(Trouble::Eject(EjectionReason::Failures));
        }
        if self.seen < ENOUGH || self.good >= GOOD_AT_LAST {
            return None;
        }
        let bound = spec.failure_rate * self.seen;
        if self.failed.count_ones() * 100 >= bound {
            Some(Trouble::Eject(EjectionReason::FailureRate))
        } else if self.slow.count_ones() * 4 >= self.seen * 3 {
            Some(Trouble::Eject(EjectionReason::Slow))
        } else if (self.failed | self.refused).count_ones() * 100 >= bound {
            // It may only be full. To send all of its calls to the others could fill these as well.
            Some(Trouble::Throttle)
        } else {
            None
        }
    }

    /// What in percent of its calls failed: of the last eight, and of all that are remembered.
    fn failing(&self) -> (u32, u32) {
        let percent = |of: u32, n: u32| (of * 100).checked_div(n).unwrap_or(0);
        let all = percent((self.failed | self.refused).count_ones(), self.seen);
        (percent((self.failed & 0xff).count_ones(), self.seen.min(8)), all)
    }

    fn push(&mut self, evidence: Evidence, slow: bool) {
        self.failed = (self.failed << 1) | u32::from(evidence == Evidence::Failed);
        self.refused = (self.refused << 1) | u32::from(evidence == Evidence::Refused);
        self.slow = (self.slow << 1) | u32::from(slow);
        self.seen = (self.seen + 1).min(u32::BITS);
    }

    fn forget(&mut self) {
        (self.failed, self.refused, self.slow, self.seen) = (0, 0, 0, 0);
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
        self.forget();
        self.ease_in(now);
    }

    fn ease_in(&mut self, now: Instant) {
        self.enter(State::Well, now);
        self.eased_in_from = Some(now);
    }
}

/// What is to become of an instance that does worse than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Eject(EjectionReason),
    Throttle,
}

#[cfg(test)]
mod tests;
