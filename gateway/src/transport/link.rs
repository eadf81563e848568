//! A way to an instance, whatever the protocol: the few questions that a pick asks of it, and how a call is made on it.

use super::binding::Binding;
use super::callgate::Connection;
#[cfg(test)]
use super::memory::MemoryLink;
use super::pending_reply::{Ended, PendingReply};
use crate::config::CallRef;
use callgate_protocol::Metadata;
use callgate_transcode::{RequestInput, Violation};
use std::rc::Rc;
use tokio::time::Instant;

/// When a call is made, and when its reply must be there.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Now, or a moment ago.
    pub now: Instant,
    /// Later than that.
    pub deadline: Instant,
}

/// What a call is made of.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The route that it is of.
    pub binding: Binding<'a>,
    /// What its argument is made of.
    pub input: RequestInput<'a>,
    /// What travels with it.
    pub metadata: Metadata<'a>,
}

/// Why a call was not sent.
#[derive(Debug)]
pub enum Unsent {
    /// The instance does not offer the method.
    NotOffered,
    /// The route's fields do not fit the instance's method; why.
    Unfit(Rc<str>),
    /// The request does not fit the method's schema.
    Invalid(Vec<Violation>),
    /// The request is larger than the instance accepts: the bound in bytes.
    TooLarge(u32),
    /// The instance has all the calls that it may have; another worker was faster.
    Full,
}

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

    /// Whether the instance offers a route's method.
    pub fn offers(&self, binding: &Binding<'_>) -> bool {
        ask!(self, one => one.offers(binding))
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
        ask!(self, one => one.call(call, times))
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
