//! A reply that has begun: its items, as its reader takes them, and how it ends.
//!
//! It borrows nothing of whoever made the call, and holds what the call holds until the last item was taken or the reader has gone,
//! which cancels the call. Nothing leads from here back to the call's road: what fails now fails, and is sent to no other instance.

use super::counted::Counted;
use super::{Guards, Request, long, retry, told};
use crate::backends::Attempt;
use crate::failure::Failure;
use crate::overload::Observed;
use crate::transport::{Begun, Ended, Item, Outcome, Stop};
use crate::worker::{RouteRef, Worker};
use bytes::Bytes;
use callgate_transcode::Picked;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// A reply that has begun. Dropped before its end, its call is cancelled.
pub struct ReplyStream {
    under_way: Option<UnderWay>,
    /// What the route picks of the item that was given last.
    picked: Option<Box<Picked>>,
}

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

/// An item with what the route picks of it.
type Picking = (Bytes, Option<Box<Picked>>);

/// An item, or how the reply ends where there is none.
type Making = Pin<Box<dyn Future<Output = Result<Picking, Outcome>>>>;

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
        let under_way = UnderWay { worker, route, observed, attempt, begun, guards, counted, making: None };
        ReplyStream { under_way: Some(under_way), picked: None }
    }

    /// The next item, or why there is none; `None` after the last one, and after a failure. An item is JSON on one line. Its instance may
    /// send another one only when it is taken here.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        let Some(under_way) = &mut self.under_way else { return Poll::Ready(None) };
        let ended = match ready!(under_way.poll_item(cx)) {
            Ok((item, picked)) => {
                self.picked = picked;
                return Poll::Ready(Some(Ok(item)));
            }
            Err(ended) => ended,
        };
        Poll::Ready(self.ends(ended).map(Err))
    }

    /// The fields that the route picks of the item that was given last.
    pub fn picked(&self) -> Option<&Picked> {
        self.picked.as_deref()
    }

    /// Ends it for a reason of the gateway's own, which is given as its reader may tell it; `None` where it has ended before. Its call is
    /// cancelled.
    pub fn stop(&mut self, stop: Stop) -> Option<Failure> {
        self.fail(Outcome::Stopped(stop))
    }

    /// Ends it because of an item that is no value of what the route takes it for: why.
    pub fn refuse(&mut self, why: String) -> Option<Failure> {
        self.fail(Outcome::BadReply(why))
    }

    fn fail(&mut self, outcome: Outcome) -> Option<Failure> {
        let ended = self.under_way.as_mut()?.attempt.fail(outcome);
        self.ends(ended)
    }

    /// It has ended so. Gives the failure, if it is one.
    fn ends(&mut self, ended: Ended) -> Option<Failure> {
        let mut under_way = self.under_way.take()?;
        under_way.observe(&ended);
        under_way.failure(ended.outcome)
    }

    /// Whether its end is known: nothing comes any more.
    pub fn has_ended(&self) -> bool {
        self.under_way.is_none()
    }
}

impl UnderWay {
    /// The next item, or the end.
    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Result<Picking, Ended>> {
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
                Item::Data(item, picked) => return Poll::Ready(Ok(self.counts((item, picked)))),
                Item::Long(reply) => {
                    self.making = Some(Box::pin(long::item(*reply, self.worker.clone())));
                }
                Item::End(ended) => return Poll::Ready(Err(ended)),
            }
        }
    }

    fn counts(&mut self, item: Picking) -> Picking {
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
