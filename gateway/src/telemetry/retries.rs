//! What a backend counts of calls that one instance did not settle: retries, hedges, calls that waited for an
//! instance, and calls that went elsewhere than if all were well.

use super::counter::{Counter, PerWorker};
use super::labels::labels;
use super::overload::OverloadCounters;

labels! {
    /// Why a call is sent again.
    RetryReason {
        /// The instance had not accepted it, or not one byte of it had left.
        NotAccepted = "not_accepted",
        /// The instance refused it, and said that it has not run.
        Refused = "refused",
        /// The connection was lost while it ran.
        Lost = "lost",
        /// It ran and failed with `unavailable`.
        Unavailable = "unavailable",
        /// The try took longer than `per_try_timeout`.
        Timeout = "timeout",
        /// The instance has fallen silent. The try that it has goes on; the first answer counts.
        Silent = "silent",
    }
}

labels! {
    /// What became of a call whose first try was slow.
    HedgeOutcome {
        /// The first try answered after all.
        First = "first",
        /// The second try answered first.
        Second = "second",
        /// There was no other instance, or nothing left in the budget: no second try was sent.
        NotSent = "not_sent",
    }
}

labels! {
    /// How the wait of a call for an instance ended.
    HoldOutcome {
        /// An instance came.
        Served = "served",
        /// None came in time.
        GivenUp = "given_up",
        /// Too many calls waited already.
        Refused = "refused",
    }
}

labels! {
    /// Why a call does not go where it went if all were well.
    Diverted {
        /// It leaves the gateway's zone, though there are instances in it.
        OtherZone = "other_zone",
        /// It goes to an instance that stands by: its source says a higher priority value than of others.
        Standby = "standby",
        /// The instance that its key belongs to is away, full or not at its full share, has been tried, or bears more than
        /// the load factor allows.
        Moved = "moved",
        /// It has no key, and goes anywhere.
        NoKey = "no_key",
    }
}

/// What a backend counts.
#[derive(Debug)]
pub struct BackendStats(pub PerWorker<BackendCounters>);

/// One worker's share of a backend's counters.
#[derive(Debug, Default)]
pub struct BackendCounters {
    retries: [Counter; RetryReason::ALL.len()],
    hedges: [Counter; HedgeOutcome::ALL.len()],
    holds: [Counter; HoldOutcome::ALL.len()],
    diverted: [Counter; Diverted::ALL.len()],
    /// Failures that were not retried because the budget was used up.
    pub budget_exhausted: Counter,
    /// Calls that wait for an instance.
    pub held: Counter,
    /// How many there are at once.
    pub overload: OverloadCounters,
}

impl BackendCounters {
    /// Counts a call that is sent again.
    pub fn retried(&self, reason: RetryReason) {
        self.retries[reason as usize].increment();
    }

    /// Counts a call that was or could have been hedged.
    pub fn hedged(&self, outcome: HedgeOutcome) {
        self.hedges[outcome as usize].increment();
    }

    /// Counts a call that goes elsewhere than if all were well.
    pub fn diverted(&self, why: Diverted) {
        self.diverted[why as usize].increment();
    }

    /// Counts a call that has waited for an instance, or was not let to.
    pub fn waited(&self, outcome: HoldOutcome) {
        self.holds[outcome as usize].increment();
    }
}

impl BackendStats {
    /// All zero.
    pub fn new(workers: usize) -> BackendStats {
        BackendStats(PerWorker::new(workers))
    }

    /// Calls sent again, by reason.
    pub fn retries(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let all = RetryReason::ALL.iter();
        all.map(|reason| (reason.name(), self.0.sum(|one| &one.retries[*reason as usize])))
    }

    /// Calls whose first try was slow, by what became of them.
    pub fn hedges(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let all = HedgeOutcome::ALL.iter();
        all.map(|outcome| (outcome.name(), self.0.sum(|one| &one.hedges[*outcome as usize])))
    }

    /// Calls that went elsewhere than if all were well, by why.
    pub fn diverted(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let all = Diverted::ALL.iter();
        all.map(|why| (why.name(), self.0.sum(|one| &one.diverted[*why as usize])))
    }

    /// Calls that waited for an instance, by how that ended.
    pub fn holds(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let all = HoldOutcome::ALL.iter();
        all.map(|outcome| (outcome.name(), self.0.sum(|one| &one.holds[*outcome as usize])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_has_every_reason_with_the_sum_of_the_workers() {
        let stats = BackendStats::new(2);
        stats.0.of(0).retried(RetryReason::Lost);
        stats.0.of(1).retried(RetryReason::Lost);
        stats.0.of(1).retried(RetryReason::Timeout);
        let expected = [
            ("not_accepted", 0),
            ("refused", 0),
            ("lost", 2),
            ("unavailable", 0),
            ("timeout", 1),
            ("silent", 0),
        ];
        assert_eq!(stats.retries().collect::<Vec<_>>(), expected);
    }
}
