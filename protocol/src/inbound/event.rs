//! What the frames of a peer say, and the reading of whole messages.

use super::Result;
use crate::call::{CallHead, Metadata};
use crate::frame::{ProtocolError, flag, kind};
use crate::hello::Hello;
use crate::schema::Fingerprint;
use crate::status::Status;
use crate::wire::Reader;

/// What a peer said.
#[derive(Debug, PartialEq)]
pub enum Event<'a> {
    /// Its HELLO, always the first.
    Hello(Hello),
    /// It asks for a schema.
    SchemaRequest(Fingerprint),
    /// A schema that was asked for, of exactly that fingerprint; empty when it has none of it.
    Schema(Fingerprint, &'a [u8]),
    /// It wants a PONG with these bytes.
    Ping([u8; 8]),
    /// It answers a PING.
    Pong([u8; 8]),
    /// Whether it wants calls from now on. Those that it has, it goes on with.
    Ready(bool),
    /// It accepts no more calls; those with a number above `last_call` have not run.
    GoAway {
        /// The last call that it accepted; 0 for none.
        last_call: u32,
        /// Why, for people.
        reason: &'a str,
    },
    /// It calls a method.
    Call {
        /// The call's number, higher than all before.
        number: u32,
        /// Method, deadline and metadata.
        head: CallHead<'a>,
        /// The arguments.
        payload: &'a [u8],
    },
    /// A call succeeded.
    Reply {
        /// The call's number.
        number: u32,
        /// What the method says beside its result.
        metadata: Metadata<'a>,
        /// The result.
        payload: &'a [u8],
    },
    /// A call failed.
    Failure {
        /// The call's number.
        number: u32,
        /// Why.
        status: Status,
    },
    /// It no longer wants the answer.
    Cancel {
        /// The call's number.
        number: u32,
    },
    /// A message came that is longer than this side accepts; its rest will be skipped.
    TooLarge {
        /// The number of the call to which it belonged.
        number: u32,
    },
    /// A message came for which nothing was left of what connections share; its rest will be skipped.
    NoRoom {
        /// The number of the call to which it belonged.
        number: u32,
    },
}

/// The event of a whole message, be it from one frame or from many.
pub(super) fn message(kind: u8, flags: u8, number: u32, body: &[u8]) -> Result<Event<'_>> {
    Ok(match kind {
        kind::CALL => {
            let (head, payload) = CallHead::decode(body, flags & flag::METADATA != 0)?;
            Event::Call { number, head, payload }
        }
        kind::REPLY => {
            let mut reader = Reader::new(body);
            let has_metadata = flags & flag::METADATA != 0;
            let metadata = if has_metadata { Metadata::decode(&mut reader)? } else { Metadata::default() };
            Event::Reply { number, metadata, payload: reader.take(reader.remaining())? }
        }
        kind::FAILURE => {
            Event::Failure { number, status: Status::decode(body, flags & flag::NOT_EXECUTED != 0)? }
        }
        other => return Err(ProtocolError::UnexpectedFrame(other)),
    })
}
