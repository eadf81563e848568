//! A way to an instance, whatever the protocol: the few questions that a pick asks of it, and how a call is made on it.

use super::call::{Binding, Call, Times, Unsent};
use super::callgate::Connection;
#[cfg(test)]
use super::memory::MemoryLink;
use super::outcome::Outcome;
use super::slot::{Begun, Ended, Heard, Item, Next, Progress, Sent};
use crate::config::CallRef;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// A way to an instance, as one worker's calls see it.
#[derive(Clone)]
pub enum Link {
    /// A connection of our own protocol.
    Callgate(Rc<Connection>),
    /// To an instance that a test plays.
    #[cfg(test)]
    Memory(Rc<MemoryLink>),
}

/// What is asked of a link is asked of whatever it is.
macro_rules! ask {
    ($link:expr, $one:ident => $question:expr) => {
        match $link {
            Link::Callgate($one) => $question,
            #[cfg(test)]
            Link::Memory($one) => $question,
        }
    };
}

impl Link {
    /// Whether it takes new calls at all, or is about to close.
    #[inline]
    pub fn accepts(&self) -> bool {
        ask!(self, one => one.accepts())
    }

    /// Whether a further call may be made on it.
    #[inline]
    pub fn has_room(&self) -> bool {
        ask!(self, one => one.has_room())
    }

    /// Calls that wait for their reply.
    #[inline]
    pub fn in_flight(&self) -> usize {
        ask!(self, one => one.in_flight())
    }

    /// Whether something is about to be written anyway, so that one more call costs no write of its own.
    #[inline]
    pub fn is_about_to_write(&self) -> bool {
        ask!(self, one => one.is_about_to_write())
    }

    /// Whether the instance wants calls.
    #[inline]
    pub fn is_ready(&self) -> bool {
        ask!(self, one => one.is_ready())
    }

    /// Whether the instance may be gone: it does not answer.
    #[inline]
    pub fn is_silent(&self) -> bool {
        ask!(self, one => one.is_silent())
    }

    /// When something was last heard of the instance.
    pub fn heard_at(&self) -> Instant {
        ask!(self, one => one.heard_at())
    }

    /// Whether the instance could run a route's calls, as far as that is known: whether it offers the method, and the route was not
    /// found not to fit it.
    pub fn offers(&self, binding: &Binding<'_>) -> bool {
        ask!(self, one => one.offers(binding))
    }

    /// Why a route was found not to fit the instance's method.
    pub fn misfit(&self, binding: &Binding<'_>) -> Option<Rc<str>> {
        ask!(self, one => one.misfit(binding))
    }

    /// What the instance says of the version of a method's service; `None` when it offers no such method or service.
    pub fn version(&self, call: &CallRef) -> Option<&str> {
        ask!(self, one => one.version(call))
    }

    /// What the instance offers, in a number: instances of the same have the same.
    pub fn offer_digest(&self) -> u64 {
        ask!(self, one => one.offer_digest())
    }

    /// Makes a call. `times` is asked once the instance has said whether running the method twice does what running it once does.
    #[inline]
    pub fn call(&self, call: &Call<'_>, times: impl FnOnce(bool) -> Times) -> Result<PendingReply, Unsent> {
        let sent = ask!(self, one => one.call(call, times))?;
        Ok(PendingReply { link: self.clone(), sent, over: false })
    }

    /// What would keep a call from being made: it is encoded, and that is thrown away.
    pub fn would_call(&self, call: &Call<'_>) -> Result<(), Unsent> {
        ask!(self, one => one.would_call(call))
    }

    /// Gives a call up, unless it has ended. Says how it has ended then.
    #[inline]
    pub(super) fn cancel(&self, number: u32) -> Option<Ended> {
        ask!(self, one => one.cancel(number))
    }

    /// Asks the instance whether it is there, unless it was asked and nothing was heard since. Returns when it was asked.
    pub fn ask(&self) -> Instant {
        ask!(self, one => one.ask())
    }

    /// Takes no more calls: those in flight are answered, then it closes.
    pub fn stop_accepting(&self) {
        ask!(self, one => one.stop_accepting());
    }

    /// Forgets what is known of routes that are in force no more; `ids` are those in force, by slot.
    pub fn forget_gone(&self, ids: &[u64]) {
        ask!(self, one => one.forget_gone(ids));
    }
}

/// A call that was made. Dropped before it has ended, it is cancelled.
pub struct PendingReply {
    link: Link,
    sent: Sent,
    /// It has ended, and its caller knows.
    over: bool,
}

impl PendingReply {
    /// When it was sent.
    #[inline]
    pub fn sent_at(&self) -> Instant {
        self.sent.at
    }

    /// The link that it was made on.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Waits for what is heard of it next.
    #[inline]
    pub fn heard(&mut self) -> impl Future<Output = Heard> {
        poll_fn(|cx| self.poll_heard(cx))
    }

    /// What is heard of it next.
    #[inline]
    pub fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        let heard = ready!(self.sent.slot.poll(cx));
        self.over = matches!(heard, Heard::Progress(Progress::Ended(_)));
        Poll::Ready(heard)
    }

    /// Whether its method replies in items, which may take as long as they will.
    #[inline]
    pub fn is_in_items(&self) -> bool {
        self.sent.streams.as_ref().is_some_and(|streams| streams.in_items)
    }

    /// Whether it streams: items of its request are sent, or its reply comes in items.
    #[inline]
    pub fn streams(&self) -> bool {
        self.sent.streams.as_ref().is_some_and(|streams| streams.in_items || streams.sender.is_some())
    }

    /// Has its reply count as begun, though nothing may have come of it; gives what has come. How long that took is nobody's time.
    pub fn begin(&mut self) -> Progress {
        let progress = self.sent.slot.begin_now(Begun { took: Duration::ZERO, disturbed: true });
        self.over = matches!(progress, Progress::Ended(_));
        progress
    }

    /// What is heard next of its reply, which has begun.
    pub fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Item> {
        let raw = match ready!(self.sent.slot.poll_item(cx)) {
            Next::Item(raw) => raw,
            Next::End(ended) => {
                self.over = true;
                return Poll::Ready(Item::End(ended));
            }
        };
        let taken = match &self.sent.streams {
            Some(streams) => (streams.take)(raw),
            None => Err("it came in items, which was not asked for".to_owned()),
        };
        Poll::Ready(taken.unwrap_or_else(|why| Item::End(self.fail(Outcome::BadReply(why)))))
    }

    /// Gives the call up for a reason of its own, which is then how it has ended.
    pub fn fail(&mut self, outcome: Outcome) -> Ended {
        let (took, disturbed) = match self.give_up() {
            Some(ended) => (ended.took, ended.disturbed),
            None => (Duration::ZERO, true),
        };
        Ended { outcome, took, disturbed }
    }

    /// Gives the call up, and says how it has ended, unless that was heard already.
    #[inline]
    pub fn give_up(&mut self) -> Option<Ended> {
        if std::mem::replace(&mut self.over, true) {
            return None;
        }
        let has_begun = self.sent.slot.has_begun();
        // What has come, and was not heard, has come.
        let come = self.sent.slot.take_end();
        come.or_else(|| {
            let ended = self.link.cancel(self.sent.number)?;
            Some(if has_begun { Ended { outcome: Outcome::Left, ..ended } } else { ended })
        })
    }
}

impl Drop for PendingReply {
    #[inline]
    fn drop(&mut self) {
        self.give_up();
    }
}
