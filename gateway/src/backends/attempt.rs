//! An attempt of a call on one instance: counted there while it is under way, and reported to the instance's health when it has
//! ended, whatever the link and however it ends.

use super::endpoint::Endpoint;
use super::local_endpoint::LocalEndpoint;
use crate::telemetry::OutcomeLabel;
use crate::transport::{
    Begun, Call, Ended, Evidence, Heard, Item, Link, Outcome, PendingReply, Progress, Times, Unsent,
};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// A call that was sent to an instance. Dropped before it has ended, it is cancelled.
pub struct Attempt {
    at: Rc<LocalEndpoint>,
    reply: PendingReply,
    /// For the instance's health.
    epoch: u32,
    /// It is counted against the bound of calls that the instance may have over all workers.
    bounded: bool,
    stage: Stage,
}

/// What is still to be told of an attempt.
enum Stage {
    UnderWay,
    /// Its reply has begun, after so long; none where that is not the instance's time. How long the items take is their reader's
    /// time as well.
    Begun(Option<Duration>),
    /// It was answered with a long reply, after so long; none where that is not the instance's time. Whether the reply is well
    /// formed is known only when it was read to its end.
    Reading(Option<Duration>),
    Reported,
}

impl Attempt {
    /// Sends a call to that instance, on that link to it. `times` is asked once the instance has said whether running the method
    /// twice does what running it once does.
    #[inline]
    pub(super) fn send(
        at: &Rc<LocalEndpoint>,
        link: &Link,
        call: &Call<'_>,
        times: impl FnOnce(bool) -> Times,
    ) -> Result<Attempt, Unsent> {
        let bounded = at.take()?;
        let reply = link.call(call, times).inspect_err(|_| {
            if bounded {
                at.give_back();
            }
        })?;
        let epoch = at.monitor.sent();
        at.counters().in_flight.increment();
        Ok(Attempt { at: at.clone(), reply, epoch, bounded, stage: Stage::UnderWay })
    }

    /// Where it was sent.
    pub fn endpoint(&self) -> &Endpoint {
        &self.at.endpoint
    }

    /// When it was sent.
    #[inline]
    pub fn sent_at(&self) -> Instant {
        self.reply.sent_at()
    }

    /// Whether its instance is silent, so that the reply may never come.
    pub fn is_silent(&self) -> bool {
        self.reply.link().is_silent()
    }

    /// Asks its instance whether it is there, unless it was asked already and has not answered. Returns when it was asked.
    pub fn ask(&self) -> Instant {
        self.reply.link().ask()
    }

    /// Whether nothing was heard of its instance since it was asked, which is that long ago or longer.
    pub fn has_no_sign(&self, asked: Instant, time: Duration) -> bool {
        self.reply.link().heard_at() <= asked && asked.elapsed() >= time
    }

    /// Waits for what is heard of it next.
    #[inline]
    pub fn heard(&mut self) -> impl Future<Output = Heard> {
        poll_fn(|cx| self.poll_heard(cx))
    }

    /// What is heard of it next.
    #[inline]
    pub fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        let heard = ready!(self.reply.poll_heard(cx));
        match &heard {
            Heard::Progress(Progress::Ended(ended)) => self.ends(ended),
            Heard::Progress(Progress::Begun(Begun { took, disturbed })) => {
                self.stage = Stage::Begun((!disturbed).then_some(*took));
            }
            Heard::Silent => {}
        }
        Poll::Ready(heard)
    }

    /// What is heard next of its reply, which has begun.
    pub fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Item> {
        let item = ready!(self.reply.poll_item(cx));
        if let Item::End(ended) = &item {
            self.ends(ended);
        }
        Poll::Ready(item)
    }

    /// Gives it up, unless its end was heard. Says how it has ended.
    #[inline]
    pub fn give_up(&mut self) -> Option<Ended> {
        let ended = self.reply.give_up()?;
        self.ends(&ended);
        Some(ended)
    }

    /// Its long reply was read, or that was given up. What is not the reply's fault says nothing against the instance.
    pub fn was_read(&mut self, outcome: &Outcome) {
        let Stage::Reading(took) = self.stage else { return };
        self.stage = Stage::Reported;
        match outcome {
            Outcome::BadReply(_) => self.report(outcome.label(), outcome.evidence(false), took),
            _ => self.report(OutcomeLabel::Ok, Evidence::Good, took),
        }
    }

    /// It has ended, but for reading a long reply.
    #[inline]
    fn ends(&mut self, ended: &Ended) {
        if self.bounded {
            self.at.give_back();
        }
        self.at.counters().in_flight.decrement();
        let Ended { outcome, took, disturbed } = ended;
        // Its time is not told where it is not the instance's.
        let took = match self.stage {
            Stage::Begun(took) => took,
            _ => (!disturbed).then_some(*took),
        };
        if let Outcome::Long(_) = outcome {
            self.stage = Stage::Reading(took);
        } else {
            self.stage = Stage::Reported;
            self.report(outcome.label(), outcome.evidence(*disturbed), took);
        }
    }

    #[inline]
    fn report(&self, label: OutcomeLabel, evidence: Evidence, took: Option<Duration>) {
        let ended_at = self.sent_at() + took.unwrap_or_default();
        self.at.monitor.ended(self.epoch, evidence, took, ended_at);
        self.at.counters().ended(label);
    }
}

/// Its end, for those who do not want the items of its reply.
impl Future for Attempt {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        loop {
            if let Stage::Begun(_) = self.stage {
                if let Item::End(ended) = ready!(self.poll_item(cx)) {
                    return Poll::Ready(ended);
                }
            } else if let Heard::Progress(Progress::Ended(ended)) = ready!(self.poll_heard(cx)) {
                return Poll::Ready(ended);
            }
        }
    }
}

impl Drop for Attempt {
    #[inline]
    fn drop(&mut self) {
        match self.stage {
            Stage::Reported => return,
            Stage::UnderWay | Stage::Begun(_) => drop(self.give_up()),
            Stage::Reading(_) => {}
        }
        if let Stage::Reading(took) = self.stage {
            // Who gives up says nothing against the instance, which has replied.
            self.report(OutcomeLabel::Ok, Evidence::Good, took);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::testing::{attempt, connected, instance, link};
    use crate::config::{BackendSpec, HealthSpec, OverloadSpec};
    use crate::transport::callgate::testing::long_reply;
    use crate::transport::memory::reply;
    use callgate_protocol::Status;
    use callgate_protocol::schema::Type;

    const SECOND: Duration = Duration::from_secs(1);

    /// Sends a call that may take an hour.
    fn send(at: &Rc<LocalEndpoint>) -> Attempt {
        let now = Instant::now();
        let link = at.link().expect("it is connected");
        attempt(at, &link, Times { now, deadline: now + 3600 * SECOND })
    }

    /// What was counted of an instance: calls by how they ended, calls in flight, failures among its last calls and how many
    /// these are.
    fn counted(at: &LocalEndpoint) -> (Vec<(&'static str, u64)>, u64, (u32, u32)) {
        let failures = at.monitor.health().failures();
        (at.endpoint.stats.outcomes().collect(), at.counters().in_flight.get(), failures)
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_is_in_flight_until_it_has_ended_and_then_counted_once() {
        let at = instance(HealthSpec::default());
        let mut one = send(&at);
        assert_eq!(counted(&at), (vec![], 1, (0, 0)));
        link(&at).breaks(|| Outcome::Failed(Status::unavailable("")));
        let Heard::Progress(Progress::Ended(ended)) = one.heard().await else { panic!("it has ended") };
        assert!(matches!(ended.outcome, Outcome::Failed(_)));
        let expected = (vec![("unavailable", 1)], 0, (1, 1));
        assert_eq!(counted(&at), expected);
        drop(one);
        assert_eq!(counted(&at), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_soon_says_nothing_of_the_instance_and_takes_the_call_back() {
        let at = instance(HealthSpec::default());
        drop(send(&at));
        assert_eq!((counted(&at), link(&at).cancelled()), ((vec![("cancelled", 1)], 0, (0, 0)), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_that_has_come_counts_though_nobody_hears_of_it() {
        let at = instance(HealthSpec::default());
        link(&at).answers(reply("{}"));
        drop(send(&at));
        assert_eq!((counted(&at), link(&at).cancelled()), ((vec![("ok", 1)], 0, (0, 1)), 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_reply_is_judged_when_it_was_read() {
        for (read, counts) in [
            (Some(Outcome::BadReply(String::new())), (vec![("internal", 1)], 0, (1, 1))),
            // What is lacking is not the instance's fault.
            (Some(Outcome::NoRoom), (vec![("ok", 1)], 0, (0, 1))),
            (Some(Outcome::TooLong(1)), (vec![("ok", 1)], 0, (0, 1))),
            (Some(Outcome::Late), (vec![("ok", 1)], 0, (0, 1))),
            (Some(reply("{}")), (vec![("ok", 1)], 0, (0, 1))),
            (None, (vec![("ok", 1)], 0, (0, 1))),
        ] {
            let at = instance(HealthSpec::default());
            link(&at).answers(Outcome::Long(Box::new(long_reply(Type::Unit, Vec::new()))));
            let mut one = send(&at);
            assert!(matches!(one.heard().await, Heard::Progress(_)));
            assert_eq!(counted(&at), (vec![], 0, (0, 0)), "{read:?}");
            read.iter().for_each(|outcome| one.was_read(outcome));
            drop(one);
            assert_eq!(counted(&at), counts, "{read:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_instance_takes_is_learned_but_not_from_calls_in_which_the_worker_was_away() {
        for (away, expected) in [(false, Some(1.0)), (true, None)] {
            let at = instance(HealthSpec::default());
            let link = link(&at);
            link.disturbed.set(away);
            link.answers_after(SECOND, reply("{}"));
            let one = send(&at);
            tokio::time::advance(SECOND).await;
            link.pass_time(Instant::now());
            let ended = one.await;
            assert_eq!((ended.took, ended.disturbed), (SECOND, away));
            assert_eq!(at.monitor.latency(), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_instances_bound_is_kept_and_a_place_is_given_back_however_the_attempt_ends() {
        let overload = OverloadSpec { max_per_instance: Some(1), ..OverloadSpec::default() };
        let spec = BackendSpec { overload, ..BackendSpec::new("b", Vec::new()) };
        let at = connected(&spec, 1, |link| link.offers_only(&["a"]));
        for _ in 0..3 {
            assert!(at.open_link().is_some());
            let one = send(&at);
            assert!(at.open_link().is_none() && matches!(at.take(), Err(Unsent::Full)));
            drop(one);
        }
        link(&at).answers(reply("{}"));
        let one = send(&at);
        one.await;
        assert!(at.open_link().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_not_sent_is_counted_nowhere() {
        let overload = OverloadSpec { max_per_instance: Some(1), ..OverloadSpec::default() };
        let spec = BackendSpec { overload, ..BackendSpec::new("b", Vec::new()) };
        let at = connected(&spec, 1, |link| link.offers_only(&[]));
        let open = at.open_link().expect("it is connected");
        let sent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| send(&at)));
        assert!(sent.is_err(), "it does not offer the method");
        drop(open);
        assert_eq!((counted(&at), at.open_link().is_some()), ((vec![], 0, (0, 0)), true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_instance_is_heard_of_and_asked_once_until_it_gives_a_sign() {
        let at = instance(HealthSpec::default());
        let (mut one, link, sign) = (send(&at), link(&at), Duration::from_millis(50));
        for round in 1..3 {
            tokio::time::advance(sign).await;
            link.falls_silent();
            assert!(matches!(one.heard().await, Heard::Silent) && one.is_silent(), "round {round}");
            let asked = one.ask();
            assert_eq!((one.ask(), link.asked.get()), (asked, round));
            assert!(!one.has_no_sign(asked, sign));
            tokio::time::advance(sign).await;
            assert!(one.has_no_sign(asked, sign));
            link.gives_a_sign();
            assert!(!one.has_no_sign(asked, sign) && !one.is_silent());
        }
    }
}
