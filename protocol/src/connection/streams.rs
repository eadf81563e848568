//! Streams: calls in which items travel beside the arguments or in the place of the result.
//!
//! A call is opened as one that streams, by [`Connector::stream`](super::Connector::stream) at the side that calls and by
//! [`Acceptor::stream`](super::Acceptor::stream) when it has come to the other. It has one outcome as every call has. In between each
//! side has up to two jobs, and both machines have the same words for them:
//!
//! ```text
//! writing   turn(number)        may an item be put? Now; Later: next_turn names the call when; Never: nobody takes items of it
//!           item(number, …)     puts an item, whole; a long one leaves in fragments, in turn with other long messages
//!           end(number, …)      that was the last item. At an acceptor it is the call's answer
//!           next_turn()         the next call whose writer was told Later and can go on
//! reading   Said::Item, Asked::Item    an item has come; `value(number)` is where the owner keeps the call's queue
//!           used(number, …)     the reader is done with items: the peer may send as many again
//! ending    Said::Answered      Answer::Reply, Answer::End, Answer::Failure, …: the call is over in both directions
//!           Asked::End          the caller has no more items; the call goes on
//!           Asked::Stop         nobody waits for the call any more
//! ```
//! An owner asks `next_turn` until it is `None` whenever it has given events to the machine or has taken bytes from it, and wakes the
//! writer of each call that is named. A writer that is woken asks for its turn again: another may have come first. The one that
//! has put nothing for the longest time is named first, so all get on alike.
//!
//! **With wakers.** What the owner keeps for a call (`T`) has the reader's queue, its waker and the writer's. An item that has come is
//! pushed into the queue and wakes the reader; a turn wakes the writer; the outcome, and `Asked::Stop`, give `T` back and wake both.
//! Who reads takes an item from the queue and has the owner say `used`: at once, or for several together. An owner that says it when an
//! item comes has no queue that is bounded; one that never says it has a writer that stands still.
//!
//! **What is held.** A reader's queue holds at most the credit that its side gives and one message. A writer is told `Later` while the
//! peer has given no credit, while a long item of its call is under way, and while too much of other streams waits in the
//! connection's buffer, so what waits to be sent has a bound whatever credit a peer gives. Plain calls do not wait for streams.
//!
//! **What went over the wire** is not called again: [`Ended::streamed`](super::Ended::streamed) says so of a call of which an item was put
//! or has come, and `NOT_EXECUTED` is neither said nor believed of it.

mod stream;
mod turns;

use crate::limits::StreamCredit;

pub(super) use stream::Stream;
pub(super) use turns::Turns;

/// Whether an item can be put into a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It can be put now.
    Now,
    /// It has to wait: `next_turn` will name the call.
    Later,
    /// Nobody takes items of this call: it is over, has said its end, or does not stream that way.
    Never,
}

/// Why an item was not put. Nothing of it is kept.
#[derive(Debug, PartialEq, Eq)]
pub enum NotPut<E> {
    /// It has to wait: `next_turn` will name the call.
    Later,
    /// Nobody takes items of this call.
    Never,
    /// It is longer than the peer accepts. The stream can go on without it, or the call be given up.
    TooLong {
        /// Its length, in bytes.
        size: usize,
        /// The longest that the peer accepts.
        most: usize,
    },
    /// The payload could not be written.
    Payload(E),
}

/// What both sides have said in HELLO of the credit for each stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// What this side gives for what it receives.
    pub(super) own: StreamCredit,
    /// What the peer gives.
    pub(super) peer: StreamCredit,
}

impl Terms {
    /// There are terms where both sides speak streams.
    pub(super) fn agreed(own: Option<StreamCredit>, peer: Option<StreamCredit>) -> Option<Terms> {
        Some(Terms { own: own?.clamped(), peer: peer?.clamped() })
    }
}

#[cfg(test)]
mod credit_tests;
#[cfg(test)]
mod life_tests;
#[cfg(test)]
mod testing;
