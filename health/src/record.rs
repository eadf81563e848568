//! An instance's last 32 calls, kept as bits: exact, without a clock read and in three words.

use crate::{EjectionReason, Evidence, HealthSpec};

/// A rate of failures says something from so many calls on.
const ENOUGH: u32 = 16;

/// So many good replies in a row say more than what was before.
const GOOD_AT_LAST: u32 = 8;

/// What is to become of an instance that does worse than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Eject(EjectionReason),
    Throttle,
}

/// How they ended, the last one in the lowest bit.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    failed: u32,
    refused: u32,
    pub(super) slow: u32,
    /// How many of these there are.
    seen: u32,
}

impl Record {
    /// One more has ended.
    pub(super) fn push(&mut self, evidence: Evidence, slow: bool) {
        self.failed = (self.failed << 1) | u32::from(evidence == Evidence::Failed);
        self.refused = (self.refused << 1) | u32::from(evidence == Evidence::Refused);
        self.slow = (self.slow << 1) | u32::from(slow);
        self.seen = (self.seen + 1).min(u32::BITS);
    }

    /// Has one of the slow calls forgotten.
    pub(super) fn fade(&mut self) {
        self.slow <<= 1;
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.seen == 0
    }

    /// How many of them failed, and how many there are.
    pub(super) fn failures(&self) -> (u32, u32) {
        (self.failed.count_ones(), self.seen)
    }

    /// What in percent of them failed: of the last eight, and of all.
    pub(super) fn failing(&self) -> (u32, u32) {
        let percent = |of: u32, n: u32| (of * 100).checked_div(n).unwrap_or(0);
        let all = percent((self.failed | self.refused).count_ones(), self.seen);
        (percent((self.failed & 0xff).count_ones(), self.seen.min(8)), all)
    }

    /// Whether three in four of them are slow.
    pub(super) fn is_slow(&self) -> bool {
        self.slow.count_ones() * 4 >= self.seen * 3
    }

    /// Why the instance should get no more calls, if others do better; it has given so many good replies in a row.
    pub(super) fn trouble(&self, good: u32, spec: &HealthSpec) -> Option<Trouble> {
        if self.failed.trailing_ones() >= spec.failures {
            return Some(Trouble::Eject(EjectionReason::Failures));
        }
        if self.seen < ENOUGH || good >= GOOD_AT_LAST {
            return None;
        }
        let bound = spec.failure_rate * self.seen;
        if self.failed.count_ones() * 100 >= bound {
            Some(Trouble::Eject(EjectionReason::FailureRate))
        } else if self.is_slow() {
            Some(Trouble::Eject(EjectionReason::Slow))
        } else if (self.failed | self.refused).count_ones() * 100 >= bound {
            // It may only be full. To send all of its calls to the others could fill these as well.
            Some(Trouble::Throttle)
        } else {
            None
        }
    }
}
