//! One attempt of a call on a member, as the member's health sees it: sent, and ended, however it ends.

use super::members::Member;
use super::outcome::{Failed, Origin, Outcome};
use crate::Code;
use callgate_health::{Evidence, Health, HealthSpec};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What is known of a member by its calls.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) health: Health,
    /// The reviewer has gone to sleep: the next call that ends wakes it.
    pub(crate) unwatched: bool,
    /// A call has ended since the last review.
    pub(crate) called: bool,
}

impl Judged {
    pub(crate) fn new(health: Health) -> Judged {
        Judged { health, unwatched: false, called: false }
    }
}

/// An attempt that is about to be made. When it is dropped without an outcome, its caller has given up or its time was up.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) member: Arc<Member>,
    epoch: u32,
    /// When it was sent, and the call's deadline.
    sent: Option<(Instant, Instant)>,
    ended: bool,
}

impl Trial {
    /// Of a member that was chosen.
    pub(crate) fn new(member: Arc<Member>) -> Trial {
        let epoch = member.judged().health.sent();
        Trial { member, epoch, sent: None, ended: false }
    }

    /// Of a member that waits for a probe, if it does so still: there is one at a time.
    pub(crate) fn probe(member: &Arc<Member>) -> Option<Trial> {
        let mut judged = member.judged();
        let epoch = judged.health.wants_probe().then(|| judged.health.sent())?;
        drop(judged);
        Some(Trial { member: member.clone(), epoch, sent: None, ended: false })
    }

    /// The call is sent now.
    #[inline]
    pub(crate) fn send(&mut self, deadline: Instant) {
        self.sent = Some((Instant::now(), deadline));
    }

    /// The call has ended.
    #[inline]
    pub(crate) fn end(&mut self, outcome: &Outcome) {
        let took = self.sent.map(|(sent, _)| sent.elapsed());
        self.report(evidence(outcome), took);
    }

    /// Its caller streams, and may leave whenever it likes: that the call has no answer then says nothing.
    pub(crate) fn lasts(&mut self) {
        self.sent = None;
    }

    /// The first item is there, which is as good as an answer.
    pub(crate) fn begins(&mut self) {
        if !self.ended {
            self.report(Evidence::Good, None);
        }
    }

    /// The same as [`end`](Self::end) of a call that streams, which takes as long as it takes.
    pub(crate) fn streams(&mut self, outcome: &Outcome) {
        if !self.ended {
            self.report(evidence(outcome), None);
        }
    }

    /// The call is over, and that it was not answered here says nothing. Does nothing if it was.
    pub(crate) fn says_nothing(&mut self) {
        if !self.ended {
            self.report(Evidence::Nothing, None);
        }
    }

    fn report(&mut self, evidence: Evidence, took: Option<Duration>) {
        self.ended = true;
        let mut judged = self.member.judged();
        judged.called = true;
        let due = judged.health.ended(self.epoch, evidence, took, &HealthSpec::default());
        let unwatched = std::mem::take(&mut judged.unwatched);
        drop(judged);
        if due || unwatched {
            self.member.signals.due.notify_one();
        }
    }

    /// What it says of the member that a call which was sent then got no answer.
    fn unanswered(&self, sent: Instant, deadline: Instant, now: Instant) -> Evidence {
        if now < deadline {
            return Evidence::GivenUp;
        }
        let back = *self.member.signals.back.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody knows whether the answer would have come in time had this process been there.
        if back.is_some_and(|back| sent < back) { Evidence::Nothing } else { Evidence::Failed }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        match self.sent {
            None => self.report(Evidence::Nothing, None),
            Some((sent, deadline)) => {
                let now = Instant::now();
                let evidence = self.unanswered(sent, deadline, now);
                self.report(evidence, Some(now.saturating_duration_since(sent)));
            }
        }
    }
}

/// What the end of an attempt says of its member.
fn evidence(outcome: &Outcome) -> Evidence {
    match outcome {
        Ok(_) => Evidence::Good,
        Err(Failed { status, origin: Origin::Endpoint }) => {
            if status.not_executed && status.code == Code::Unavailable {
                Evidence::Refused
            } else {
                Evidence::of_failure(status.code)
            }
        }
        // With its connection the member is left anyway, and the next one is judged anew.
        Err(Failed { origin: Origin::Unsent | Origin::Lost | Origin::Late, .. }) => Evidence::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;
    use crate::client::members::Members;
    use crate::layer::Reply;
    use callgate_protocol::Metadata;

    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_counts_against_its_member_at_its_deadline_unless_this_process_was_away()
    {
        let member = Members::new().make("127.0.0.1:1".parse().expect("an address"), None);
        let (sent, second) = (Instant::now(), Duration::from_secs(1));
        let of = |after: Duration, back: Option<Duration>| {
            *member.signals.back.lock().expect("no panic") = back.map(|back| sent + back);
            let trial = Trial::new(member.clone());
            trial.unanswered(sent + second, sent + second * 2, sent + after)
        };
        assert_eq!(of(second * 2, None), Evidence::Failed);
        assert_eq!(of(second * 2, Some(second / 2)), Evidence::Failed);
        assert_eq!(of(second * 2, Some(second * 3 / 2)), Evidence::Nothing);
        assert_eq!(of(second * 3 / 2, None), Evidence::GivenUp, "its caller has left");
    }

    #[test]
    fn who_streams_may_leave_at_any_time_and_an_item_is_an_answer() {
        let member = Members::new().make("127.0.0.1:1".parse().expect("an address"), None);
        let failures = || member.judged().health.failures();
        // At its deadline.
        let sent = || {
            let mut trial = Trial::new(member.clone());
            trial.send(Instant::now());
            trial
        };
        let mut trial = sent();
        trial.lasts();
        drop(trial);
        assert_eq!(failures(), (0, 0));
        drop(sent());
        assert_eq!(failures(), (1, 1), "another call counts");
        let mut trial = sent();
        trial.begins();
        trial.begins();
        drop(trial);
        assert_eq!(failures(), (1, 2), "it counts once, as a good one");
    }

    #[test]
    fn what_an_outcome_says_of_its_member() {
        let failed = |origin, status| Err(Failed { status, origin });
        for (outcome, expected) in [
            (Ok(Reply::new(Vec::new(), Metadata::default())), Evidence::Good),
            (failed(Origin::Endpoint, Status::invalid_argument("")), Evidence::Good),
            (failed(Origin::Endpoint, Status::internal("")), Evidence::Failed),
            (failed(Origin::Endpoint, Status::unavailable("")), Evidence::Failed),
            (failed(Origin::Endpoint, Status::unavailable("").not_executed()), Evidence::Refused),
            (failed(Origin::Unsent, Status::unavailable("").not_executed()), Evidence::Nothing),
            (failed(Origin::Lost, Status::unavailable("")), Evidence::Nothing),
            (failed(Origin::Late, Status::deadline_exceeded("")), Evidence::Nothing),
        ] {
            assert_eq!(evidence(&outcome), expected, "{outcome:?}");
        }
    }
}
