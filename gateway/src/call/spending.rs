//! What a call takes from its backend's retry budget, and what its result gives back.

use super::retry;
use crate::backends::{CallState, Cost};
use crate::telemetry::{BackendCounters, RetryReason};
use tokio::time::Instant;

/// What a call has taken.
#[derive(Debug, Default)]
pub(super) struct Spending {
    /// What a result gives back, in halves of an attempt.
    returns: u64,
}

/// Whose budget it is taken from.
#[derive(Clone, Copy)]
pub(super) struct Purse<'a> {
    /// With the budget.
    pub(super) calls: &'a CallState,
    /// How many percent of the calls may be sent again in vain.
    pub(super) percent: u32,
    pub(super) counters: &'a BackendCounters,
    pub(super) now: Instant,
}

impl Spending {
    /// Takes what sending the call again for that reason costs.
    pub(super) fn pay_for(&mut self, reason: RetryReason, from: Purse<'_>) -> bool {
        let Some(cost) = retry::cost(reason) else {
            return true;
        };
        // An instance has worked on the attempt in vain: what led to it is lost, whatever comes of the next.
        if let Cost::Ran = cost {
            self.returns = 0;
        }
        let paid = from.pay(cost);
        self.returns += if paid { cost.halves() } else { 0 };
        paid
    }

    /// The last attempt has brought a result.
    #[inline]
    pub(super) fn not_in_vain(&mut self, calls: Option<&CallState>) {
        if self.returns > 0
            && let Some(calls) = calls
        {
            calls.retry_budget.refund(self.returns);
            self.returns = 0;
        }
    }
}

impl Purse<'_> {
    /// Takes that much, of which nothing is given back.
    pub(super) fn pay(self, cost: Cost) -> bool {
        let paid = self.calls.retry_budget.spend(self.now, self.percent, cost);
        if !paid {
            self.counters.budget_exhausted.increment();
        }
        paid
    }
}
