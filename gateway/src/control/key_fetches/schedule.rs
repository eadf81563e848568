//! When keys are fetched again: a state machine without a clock.

use std::time::Duration;
use tokio::time::Instant;

/// Sooner they are not fetched for an answer that says that it is good for less, unless the table wants it so.
const SOONEST: Duration = Duration::from_secs(30);
/// From one time that tokens with unknown keys have them fetched to the next.
pub(super) const ASKED_EVERY: Duration = Duration::from_secs(10);
/// Bounds of the pause after failures; it doubles from one to the other.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
pub(super) const LAST_PAUSE: Duration = Duration::from_secs(60);

/// What the times depend on.
#[derive(Default)]
pub(super) struct Schedule {
    /// In a row.
    failures: u32,
    next: Option<Instant>,
    /// When tokens with unknown keys had them fetched last.
    asked: Option<Instant>,
}

impl Schedule {
    /// There are keys. They are fetched again after `refresh`, or sooner where the answer is good for less.
    pub(super) fn succeeded(&mut self, now: Instant, refresh: Duration, max_age: Option<Duration>) {
        self.failures = 0;
        let within = max_age.map_or(refresh, |age| age.max(SOONEST).min(refresh));
        // Many gateways that were started together do not stay together.
        self.next = now.checked_add(within.mul_f64(0.9 + fastrand::f64() / 10.0));
    }

    /// There are none.
    pub(super) fn failed(&mut self, now: Instant) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LAST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.next = now.checked_add(pause.mul_f64(0.5 + fastrand::f64() / 2.0));
    }

    /// Tokens with unknown keys have them fetched now.
    pub(super) fn asked(&mut self, now: Instant) {
        self.asked = Some(now);
    }

    /// When it is time.
    pub(super) fn next(&self) -> Instant {
        // Before the first time it is now.
        self.next.unwrap_or_else(Instant::now)
    }

    /// From when on tokens with unknown keys have them fetched; never while that fails.
    pub(super) fn may_ask(&self) -> Option<Instant> {
        let since = self.asked.map(|asked| asked + ASKED_EVERY);
        (self.failures == 0).then(|| since.unwrap_or_else(Instant::now))
    }
}
