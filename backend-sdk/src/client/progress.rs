//! How far one call has come: how often it was sent, who has failed it, and what its retries have taken from the budget.

use super::outcome::{Failed, Origin, Outcome};

/// How often a call is sent at most, other than to endpoints that have never seen it.
const MAX_ATTEMPTS: u32 = 3;

/// How far a call has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// How often it was sent.
    sent: u32,
    /// Where it was sent last: the member's id.
    endpoint: u64,
    /// How many attempts are under way.
    open: u32,
    /// One that is over may have run.
    may_have_run: bool,
    /// Who has failed it, each with its last failure.
    failed: Vec<(u64, Failed)>,
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

    /// That endpoint has failed it, and the call goes on.
    pub(super) fn goes_on_after(&mut self, endpoint: u64, failed: Failed) {
        self.failed.retain(|(known, _)| *known != endpoint);
        self.failed.push((endpoint, failed));
    }

    /// Whether there are attempts left.
    pub(super) fn may_send_again(&self) -> bool {
        self.sent < MAX_ATTEMPTS
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
    pub(super) fn failed(&self) -> impl Iterator<Item = (u64, &Failed)> {
        self.failed.iter().map(|(endpoint, failed)| (*endpoint, failed))
    }

    /// The refusal or failure that this endpoint has answered with, if it was that.
    pub(super) fn answer_of(&self, endpoint: u64) -> Option<&Failed> {
        let (_, failed) = self.failed.iter().find(|(known, _)| *known == endpoint)?;
        Some(failed).filter(|failed| failed.origin == Origin::Endpoint)
    }
}
