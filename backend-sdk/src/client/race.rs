//! Attempts of one call side by side. Another one is sent beside those that have not answered when their endpoints have fallen
//! silent, or when the call takes longer than was told (a hedge). The first answer counts, and the other attempts are cancelled.
//!
//! An endpoint that is silent may be gone, but is given up only after a while. Its calls do not wait for that: the connection
//! says when the doubt begins. The attempt that it has goes on, because it may answer after all.

use super::connection::Sent;
use super::in_flight::Heard;
use super::offers::Way;
use super::outcome::Outcome;
use super::trial::Trial;
use crate::service::Method;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::Sleep;

/// An attempt that is under way.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) sent: Sent,
    pub(super) trial: Trial,
    pub(super) way: Way,
}

/// The attempts that are under way.
#[derive(Debug)]
pub(super) struct Race {
    first: Attempt,
    others: Vec<Attempt>,
}

/// What happens next in a race.
#[derive(Debug)]
pub(super) enum Event {
    /// The attempt at that place has ended.
    Ended(usize, Outcome),
    /// The attempt at that place has its first item.
    Begun(usize),
    /// An endpoint gives no sign of life.
    Silent,
    /// The time for a hedge has come.
    Time,
}

impl Race {
    pub(super) fn new(first: Attempt) -> Race {
        Race { first, others: Vec::new() }
    }

    /// One more attempt is under way.
    pub(super) fn add(&mut self, other: Attempt) {
        self.others.push(other);
    }

    /// Whether one attempt is under way only.
    pub(super) fn is_single(&self) -> bool {
        self.others.is_empty()
    }

    /// Whether no endpoint that has the call gives a sign of life.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.all().all(|one| one.sent.is_silent())
    }

    /// The endpoints that have the call.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = u64> {
        self.all().map(Attempt::endpoint)
    }

    /// Waits until something happens.
    pub(super) async fn next(&mut self, mut time: Option<Pin<&mut Sleep>>) -> Event {
        poll_fn(|cx| match self.poll_heard(cx) {
            Poll::Pending => match &mut time {
                Some(time) => time.as_mut().poll(cx).map(|()| Event::Time),
                None => Poll::Pending,
            },
            heard => heard,
        })
        .await
    }

    /// Takes up how the attempt at that place has ended: its endpoint, and the outcome as this caller reads it.
    pub(super) fn end(&mut self, at: usize, method: &Method, outcome: Outcome) -> (u64, Outcome) {
        let one = if at == 0 { &mut self.first } else { &mut self.others[at - 1] };
        one.trial.end(&outcome);
        (one.endpoint(), one.way.outcome(method, outcome))
    }

    /// The attempt at that place is over, and there are others.
    pub(super) fn goes_on_without(&mut self, at: usize) {
        if at == 0 {
            std::mem::swap(&mut self.first, &mut self.others[0]);
        }
        self.others.remove(at.saturating_sub(1));
    }

    /// The attempt at that place streams: it is the call from now on.
    pub(super) fn goes_on_with(mut self, at: usize) -> Attempt {
        if at > 0 {
            std::mem::swap(&mut self.first, &mut self.others[at - 1]);
        }
        let Race { mut first, others } = self;
        for mut one in others {
            if one.sent.is_silent() {
                one.trial.says_nothing();
            }
        }
        first.trial.begins();
        first
    }

    /// The call is over. Says nothing of endpoints that have fallen silent: that is another matter than to be slow.
    pub(super) fn finish(self) {
        for mut one in std::iter::once(self.first).chain(self.others) {
            if one.sent.is_silent() {
                one.trial.says_nothing();
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = &Attempt> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn poll_heard(&self, cx: &Context<'_>) -> Poll<Event> {
        for (at, one) in self.all().enumerate() {
            match one.sent.poll_heard(cx) {
                Poll::Ready(Heard::Outcome(outcome)) => return Poll::Ready(Event::Ended(at, outcome)),
                Poll::Ready(Heard::Begun) => return Poll::Ready(Event::Begun(at)),
                Poll::Ready(Heard::Silent) => return Poll::Ready(Event::Silent),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }
}

impl Attempt {
    fn endpoint(&self) -> u64 {
        self.trial.member.id
    }
}
