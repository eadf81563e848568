//! What the owner of a connection is told: why a call was not sent, how one has ended, what the peer says.

use crate::hello::Hello;
use crate::metadata::Metadata;
use crate::schema::Fingerprint;
use crate::status::Status;

/// Why a call was not sent. Nothing of it is kept.
#[derive(Debug, PartialEq, Eq)]
pub enum NotSent<E> {
    /// The connection takes no calls: the peer's HELLO is not there, or this is the end.
    Closed,
    /// The peer has as many calls as it accepts, or too much waits to be sent: later there may be room.
    Full,
    /// The message is longer than the peer accepts.
    TooLong {
        /// The length of the whole message, in bytes.
        size: usize,
        /// The longest that the peer accepts.
        most: usize,
    },
    /// The payload could not be written.
    Payload(E),
}

/// A call that has ended.
#[derive(Debug)]
pub struct Ended<T, I> {
    /// The call's number.
    pub number: u32,
    /// What its owner has kept for it.
    pub value: T,
    /// When its time is up.
    pub deadline: I,
    /// An item of it was put or has come. So it is not to be sent elsewhere, even if it has not run.
    pub streamed: bool,
}

/// What the peer says of a call.
#[derive(Debug)]
pub enum Answer<'a> {
    /// It has succeeded.
    Reply {
        /// What the method says beside its result.
        metadata: Metadata<'a>,
        /// The result.
        payload: &'a [u8],
    },
    /// It has succeeded, and its last item has come before.
    End {
        /// What the method says beside its items.
        metadata: Metadata<'a>,
    },
    /// It has failed.
    Failure(Status),
    /// The answer, or an item, is longer than this side accepts. The call was cancelled.
    TooLarge,
    /// For the answer, or an item, nothing was left of what connections share. The call was cancelled.
    NoRoom,
}

/// What an event means to the owner.
#[derive(Debug)]
pub enum Said<'a, T, I> {
    /// Nothing that the owner need do.
    Nothing,
    /// The handshake is done: calls can be made.
    Hello(Hello),
    /// An item of a call has come. The reader says when it is [used](super::Connector::used).
    Item {
        /// The call's number.
        number: u32,
        /// The item.
        payload: &'a [u8],
    },
    /// A call has ended.
    Answered(Ended<T, I>, Answer<'a>),
    /// A schema that was asked for; empty when the peer has none of that fingerprint.
    Schema(Fingerprint, &'a [u8]),
    /// Whether the peer wants calls from now on.
    Ready(bool),
    /// The peer takes no more calls.
    GoAway {
        /// Why, for people.
        reason: &'a str,
        /// The calls that have not run and will not run here.
        refused: Vec<Ended<T, I>>,
    },
}

/// The calls that were in flight on a connection that is lost.
#[derive(Debug)]
pub struct Lost<T, I> {
    /// Nothing of them was sent, so that they have not run.
    pub unsent: Vec<Ended<T, I>>,
    /// They may have run.
    pub sent: Vec<Ended<T, I>>,
}
