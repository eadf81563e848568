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

    /// The worker's side of that.
    #[inline]
    pub(crate) fn at(&self) -> Rc<LocalEndpoint> {
        self.at.clone()
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
        if let Heard::Progress(progress) = &heard {
            self.notes(progress);
        }
        Poll::Ready(heard)
    }

    /// Whether its method replies in items, which may take as long as they will.
    #[inline]
    pub fn is_in_items(&self) -> bool {
        self.reply.is_in_items()
    }

    /// Whether it streams, in whatever direction.
    #[inline]
    pub fn streams(&self) -> bool {
        self.reply.streams()
    }

    /// Has its reply count as begun, though nothing may have come of it; gives what has come.
    pub fn begin(&mut self) -> Progress {
        let progress = self.reply.begin();
        self.notes(&progress);
        progress
    }

    #[inline]
    fn notes(&mut self, progress: &Progress) {
        match progress {
            Progress::Ended(ended) => self.ends(ended),
            Progress::Begun(Begun { took, disturbed }) => {
                self.stage = Stage::Begun((!disturbed).then_some(*took));
            }
        }
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

    /// Gives it up for a reason of its caller's, which is then how it has ended.
    pub fn fail(&mut self, outcome: Outcome) -> Ended {
        let ended = self.reply.fail(outcome);
        self.ends(&ended);
        ended
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
mod tests;
