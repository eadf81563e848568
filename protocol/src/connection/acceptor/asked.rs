//! What a connection asks of its owner.

use crate::call::{CallHead, Metadata};
use crate::hello::Hello;
use crate::schema::Fingerprint;

/// Why a call is to be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// As many calls are open as this side accepts.
    TooManyCalls,
    /// Too many bytes of answers wait to be read by the peer.
    TooManyAnswers,
    /// It is longer than this side accepts.
    TooLarge,
    /// For its message nothing was left of what connections share.
    NoRoom,
}

/// What an event asks of the owner.
#[derive(Debug)]
pub enum Asked<'a, T> {
    /// Nothing.
    Nothing,
    /// To run a method, and [answer](super::Acceptor::reply).
    Call {
        /// The call's number.
        number: u32,
        /// Method, deadline and metadata.
        head: CallHead<'a>,
        /// The arguments.
        payload: &'a [u8],
    },
    /// To take an item of a call that [streams](super::Acceptor::stream). The reader says when it is [used](super::Acceptor::used).
    Item {
        /// The call's number.
        number: u32,
        /// The item.
        payload: &'a [u8],
    },
    /// To note that the caller has no more items for a call.
    End {
        /// The call's number.
        number: u32,
        /// What the caller says beside them.
        metadata: Metadata<'a>,
    },
    /// To [refuse](super::Acceptor::refuse) a call.
    Refuse {
        /// The call's number.
        number: u32,
        /// Why.
        why: Refusal,
    },
    /// To stop what was kept for a running call. It needs no answer.
    Stop(T),
    /// For the [schema](super::Acceptor::schema) of that fingerprint.
    Schema(Fingerprint),
    /// The handshake is done; this is who calls.
    Hello(Hello),
}
