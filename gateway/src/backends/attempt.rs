//! An attempt of a call on one instance: counted there while it is under way, and reported to the instance's health when it has
//! ended, whatever the link and however it ends.

use super::endpoint::Endpoint;
use super::local_endpoint::LocalEndpoint;
use crate::telemetry::OutcomeLabel;
use crate::transport::{Call, Ended, Evidence, Heard, Link, Outcome, PendingReply, Times, Unsent};
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
    progress: Progress,
}

/// What is still to be told of an attempt.
enum Progress {
    UnderWay,
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
        Ok(Attempt { at: at.clone(), reply, epoch, bounded, progress: Progress::UnderWay })
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
        if let Heard::Ended(ended) = &heard {
            self.ends(ended);
        }
        Poll::Ready(heard)
    }

    /// Its long reply was read, or that was given up. What is not the reply's fault says nothing against the instance.
    pub fn was_read(&mut self, outcome: &Outcome) {
        let Progress::Reading(took) = self.progress else { return };
        self.progress = Progress::Reported;
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
        let took = (!disturbed).then_some(*took);
        if let Outcome::Long(_) = outcome {
            self.progress = Progress::Reading(took);
        } else {
            self.progress = Progress::Reported;
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

impl Future for Attempt {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        loop {
            if let Heard::Ended(ended) = ready!(self.poll_heard(cx)) {
                return Poll::Ready(ended);
            }
        }
    }
}

impl Drop for Attempt {
    #[inline]
    fn drop(&mut self) {
        match self.progress {
            Progress::Reported => return,
            Progress::UnderWay => {
                if let Some(ended) = self.reply.give_up() {
                    self.ends(&ended);
                }
            }
            Progress::Reading(_) => {}
        }
        if let Progress::Reading(took) = self.progress {
            // Who gives up says nothing against the instance, which has replied.
            self.report(OutcomeLabel::Ok, Evidence::Good, took);
        }
    }
}

#[cfg(test)]
mod tests;
