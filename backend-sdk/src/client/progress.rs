//! How far one call has come: how often it was sent, who has failed it, and what its retries have taken from the budget.

use super::budget::Budget;
use super::outcome::{Failed, Origin, Outcome};

/// How often a call is sent at most, other than to endpoints that have never seen it.
const MAX_ATTEMPTS: u32 = 4;

/// How often at most to endpoints that have failed it. The last attempt is for one that has not: when three are in trouble at once
/// and nobody knows yet which ones, the fourth is well.
const MAX_AGAIN: u32 = 3;

/// How often it is sent at most to endpoints that have never seen it, as they were about to go.
const MAX_UNSENT: u32 = 8;

/// Why an attempt is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Why<'f> {
    /// Those that have the call are slow.
    Slow,
    /// They give no sign of life.
    Silent,
    /// One has failed.
    Failed(&'f Failed),
}

/// How far a call has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// How often it was sent, other than to endpoints that have never seen it.
    sent: u32,
    /// And how often to those.
    unsent: u32,
    /// Where it was sent last: the member's id.
    endpoint: u64,
    /// How many attempts are under way.
    open: u32,
    /// One that is over may have run.
    may_have_run: bool,
    /// Who has failed it, each with its last failure.
    failed: Vec<(u64, Failed)>,
    /// Retries that a result gives back.
    returns: u32,
}

impl Progress {
    /// It is sent there, or tried to.
    pub(super) fn sends(&mut self, endpoint: u64) {
        self.sent += 1;
        self.endpoint = endpoint;
    }

    /// One more attempt is under way.
    pub(super) fn begins(&mut self) {
        self.open += 1;
    }

    /// An attempt that was under way has ended.
    pub(super) fn ends(&mut self, outcome: &Outcome) {
        self.open -= 1;
        self.may_have_run |= !matches!(outcome, Err(failed) if failed.status.not_executed);
    }

    /// An attempt has begun to stream: it is the call.
    pub(super) fn streams(&mut self) {
        self.open -= 1;
        self.may_have_run = true;
    }

    /// An attempt has failed.
    pub(super) fn fails(&mut self, failed: &Failed) {
        if failed.origin == Origin::Unsent {
            self.sent -= 1;
            self.unsent += 1;
        }
    }

    /// That endpoint has failed it, and the call goes on.
    pub(super) fn goes_on_after(&mut self, endpoint: u64, failed: Failed) {
        self.failed.retain(|(known, _)| *known != endpoint);
        self.failed.push((endpoint, failed));
    }

    /// Whether there are attempts left.
    pub(super) fn may_send_again(&self) -> bool {
        self.sent < MAX_ATTEMPTS && self.unsent <= MAX_UNSENT
    }

    /// Whether an attempt that is left is for an endpoint that has not failed it.
    pub(super) fn wants_another(&self) -> bool {
        self.sent >= MAX_AGAIN
    }

    /// Takes what an attempt costs from the budget; none if there is not enough left.
    pub(super) fn pays(&mut self, why: Why<'_>, budget: &Budget) -> Option<u32> {
        match why {
            // What no endpoint has seen has cost none anything.
            Why::Failed(Failed { origin: Origin::Unsent, .. }) => return Some(0),
            // An endpoint has worked on it in vain. What has led there is lost, whatever comes of the next attempt.
            Why::Failed(Failed { origin: Origin::Endpoint, status }) if !status.not_executed => {
                self.returns = 0
            }
            Why::Failed(_) | Why::Silent | Why::Slow => {}
        }
        if !budget.spend() {
            return None;
        }
        // Nothing is given back for a hedge, or nothing would bound how much is hedged.
        self.returns += u32::from(!matches!(why, Why::Slow));
        Some(1)
    }

    /// It was not sent after all.
    pub(super) fn gives_back(&mut self, paid: u32, budget: &Budget) {
        self.returns = self.returns.saturating_sub(paid);
        budget.give_back(paid);
    }

    /// The call has its result: what has led to it was not in vain.
    pub(super) fn succeeds(&mut self, budget: &Budget) {
        if self.returns > 0 {
            budget.give_back(std::mem::take(&mut self.returns));
        }
    }

    /// Whether it may run, or may have run.
    pub(super) fn may_run(&self) -> bool {
        self.may_have_run || self.open > 0
    }

    /// Where it was sent last.
    pub(super) fn endpoint(&self) -> u64 {
        self.endpoint
    }

    /// Those that have failed it.
    pub(super) fn failed_by(&self) -> Vec<u64> {
        self.failed().map(|(endpoint, _)| endpoint).collect()
    }

    /// The same, each with its last failure.
    pub(super) fn failed(&self) -> impl Iterator<Item = (u64, &Failed)> {
        self.failed.iter().map(|(endpoint, failed)| (*endpoint, failed))
    }

    /// The refusal or failure that this endpoint has answered with, if it was that.
    pub(super) fn answer_of(&self, endpoint: u64) -> Option<&Failed> {
        let (_, failed) = self.failed.iter().find(|(known, _)| *known == endpoint)?;
        Some(failed).filter(|failed| failed.origin == Origin::Endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;
    use crate::client::outcome::unavailable;

    #[test]
    fn what_no_endpoint_has_seen_uses_up_no_attempt_and_has_a_bound_of_its_own() {
        let mut progress = Progress::default();
        let mut unsent = || {
            progress.sends(1);
            progress.fails(&unavailable(Origin::Unsent, "it is about to go"));
            progress.may_send_again()
        };
        assert!((0..8).all(|_| unsent()) && !unsent());
        let mut progress = Progress::default();
        let mut lost = || {
            progress.sends(1);
            progress.fails(&unavailable(Origin::Lost, "the connection was lost"));
            progress.may_send_again()
        };
        assert!((0..3).all(|_| lost()) && !lost());
    }

    #[test]
    fn a_result_gives_back_what_was_not_in_vain() {
        let ran = Failed { status: Status::unavailable("failed"), origin: Origin::Endpoint };
        let refused = Failed { status: Status::unavailable("full").not_executed(), origin: Origin::Endpoint };
        let (lost, unsent) = (unavailable(Origin::Lost, ""), unavailable(Origin::Unsent, ""));
        for (whys, costs) in [
            (&[Why::Failed(&refused), Why::Failed(&lost), Why::Silent][..], 0),
            (&[Why::Failed(&ran)], 0),
            (&[Why::Failed(&refused), Why::Failed(&ran)], 1),
            (&[Why::Failed(&unsent)], 0),
            (&[Why::Slow], 1),
            (&[Why::Slow, Why::Silent], 1),
        ] {
            let (mut progress, budget) = (Progress::default(), Budget::new());
            whys.iter().for_each(|why| assert!(progress.pays(*why, &budget).is_some()));
            progress.succeeds(&budget);
            assert_eq!((0..1000).filter(|_| budget.spend()).count(), 500 - costs, "{whys:?}");
        }
    }
}
