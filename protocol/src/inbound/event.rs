//! What the frames of a peer say, and the reading of whole messages.

use super::Result;
use super::assembly::Why;
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
    /// An item of a stream.
    Item {
        /// The call's number.
        number: u32,
        /// The item.
        payload: &'a [u8],
    },
    /// The first fragment of an item has come.
    ItemBegins {
        /// The call's number.
        number: u32,
    },
    /// A stream has come to its end: to an acceptor that of what the caller streams, to a connector the whole call.
    End {
        /// The call's number.
        number: u32,
        /// What is said beside it.
        metadata: Metadata<'a>,
    },
    /// So much more may be sent of a stream.
    Credit {
        /// The call's number.
        number: u32,
        /// Items.
        items: u32,
        /// Bytes.
        bytes: u32,
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
    /// The same of an item, or of an end. The stream cannot go on without it.
    ItemTooLarge {
        /// The call's number.
        number: u32,
    },
    /// The same of an item, or of an end.
    ItemNoRoom {
        /// The call's number.
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
        kind::ITEM => Event::Item { number, payload: body },
        kind::END => {
            let metadata = beside(&mut Reader::new(body), flags)?;
            Event::End { number, metadata }
        }
        kind::REPLY => {
            let mut reader = Reader::new(body);
            let metadata = beside(&mut reader, flags)?;
            Event::Reply { number, metadata, payload: reader.take(reader.remaining())? }
        }
        kind::FAILURE => {
            Event::Failure { number, status: Status::decode(body, flags & flag::NOT_EXECUTED != 0)? }
        }
        other => return Err(ProtocolError::UnexpectedFrame(other)),
    })
}

/// The metadata at the beginning of a body.
fn beside<'a>(reader: &mut Reader<'a>, flags: u8) -> Result<Metadata<'a>> {
    if flags & flag::METADATA == 0 { Ok(Metadata::default()) } else { Metadata::decode(reader) }
}

/// What is said of a message that was dropped: of a stream's something else than of a call and its answer.
pub(super) fn dropped(kind: u8, number: u32, why: Why) -> Event<'static> {
    match (kind, why) {
        (kind::ITEM | kind::END, Why::TooLarge) => Event::ItemTooLarge { number },
        (kind::ITEM | kind::END, Why::NoRoom) => Event::ItemNoRoom { number },
        (_, Why::TooLarge) => Event::TooLarge { number },
        (_, Why::NoRoom) => Event::NoRoom { number },
    }
}

/// What READY says. It may be skipped, so what is not known of it is.
pub(super) fn ready(body: &[u8]) -> Option<Event<'static>> {
    match body.first() {
        Some(0) => Some(Event::Ready(false)),
        Some(1) => Some(Event::Ready(true)),
        _ => None,
    }
}
