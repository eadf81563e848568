//! A reply that has begun: its items, as its reader takes them, and how it ends.
//!
//! It borrows nothing of whoever made the call, and holds what the call holds until the last item was taken or the reader has gone,
//! which cancels the call. Nothing leads from here back to the call's road: what fails now fails, and is sent to no other instance.

use super::counted::Counted;
use super::{Guards, Request, long, retry, told};
use crate::backends::Attempt;
use crate::failure::Failure;
use crate::overload::Observed;
use crate::transport::{Begun, Ended, Item, Outcome};
use crate::worker::{RouteRef, Worker};
use bytes::Bytes;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// A reply that has begun. Dropped before its end, its call is cancelled.
pub struct ReplyStream(Option<UnderWay>);

/// Until its end is known.
struct UnderWay {
    worker: Rc<Worker>,
    route: RouteRef,
    /// The slot and id of the route, for the backend's limit.
    observed: (u64, u64),
    attempt: Attempt,
    begun: Begun,
    guards: Guards,
    counted: Option<Box<Counted>>,
    /// A long item that is being made.
    making: Option<Making>,
}

/// An item, or how the reply ends where there is none.
type Making = Pin<Box<dyn Future<Output = Result<Bytes, Outcome>>>>;

impl ReplyStream {
    pub(super) fn new(
        worker: Rc<Worker>,
        request: &Request<'_>,
        attempt: Attempt,
        begun: Begun,
        guards: Guards,
        counted: Option<Box<Counted>>,
    ) -> ReplyStream {
        let observed = (request.call.slot as u64, request.call.route);
        let route = request.route.clone();
        ReplyStream(Some(UnderWay { worker, route, observed, attempt, begun, guards, counted, making: None }))
    }

    /// The next item, or why there is none; `None` after the last one, and after a failure. An item is JSON on one line. Its instance may
    /// send another one only when it is taken here.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        let Some(under_way) = &mut self.0 else { return Poll::Ready(None) };
        let ended = match ready!(under_way.poll_item(cx)) {
            Ok(item) => return Poll::Ready(Some(Ok(item))),
            Err(ended) => ended,
        };
        under_way.observe(&ended);
        let failure = under_way.failure(ended.outcome);
        self.0 = None;
        Poll::Ready(failure.map(Err))
    }

    /// Whether its end is known: nothing comes any more.
    pub fn has_ended(&self) -> bool {
        self.0.is_none()
    }
}

impl UnderWay {
    /// The next item, or the end.
    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Ended>> {
        loop {
            if let Some(making) = &mut self.making {
                let made = ready!(making.as_mut().poll(cx));
                self.making = None;
                return Poll::Ready(match made {
                    Ok(item) => Ok(self.counts(item)),
                    Err(outcome) => Err(self.attempt.fail(outcome)),
                });
            }
            match ready!(self.attempt.poll_item(cx)) {
                Item::Data(item) => return Poll::Ready(Ok(self.counts(item))),
                Item::Long(reply) => {
                    self.making = Some(Box::pin(long::item(*reply, self.worker.clone())));
                }
                Item::End(ended) => return Poll::Ready(Err(ended)),
            }
        }
    }

    fn counts(&mut self, item: Bytes) -> Bytes {
        if let Some(counted) = &mut self.counted {
            counted.has_item();
        }
        item
    }

    /// Counts how it has ended, and tells the limit. What it took is the time until its head: the time of the items is their reader's as
    /// well.
    fn observe(&mut self, ended: &Ended) {
        if let Some(counted) = &mut self.counted {
            counted.ends(&ended.outcome);
        }
        if let Some(permit) = &self.guards.permit {
            permit.observe(&Observed {
                route: self.observed,
                sent: self.attempt.sent_at(),
                took: self.begun.took,
                feedback: ended.outcome.feedback(ended.disturbed || self.begun.disturbed),
            });
        }
    }

    fn failure(&self, outcome: Outcome) -> Option<Failure> {
        if let Outcome::Complete = outcome {
            return None;
        }
        let failure = retry::result(outcome).err()?;
        Some(told(failure, &self.worker, &self.route, self.attempt.endpoint()))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(ended) = self.attempt.give_up() {
            self.observe(&ended);
        }
    }
}
