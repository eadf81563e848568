//! HTTP/1.1 as a server speaks it (RFC 9110, RFC 9112): bytes in, events out, everything checked; and replies written into a buffer.
//! No I/O, no clock, no async, no unsafe code.
//!
//! The owner reads from its socket into a [`Request`]'s buffer and asks it to [`parse`](Request::parse) until the head is whole. The
//! head is kept as ranges into that buffer: nothing is copied, and nothing is allocated for a request that fits. A [`BodyDecoder`]
//! then finds the body's pieces in what follows. Whatever is not HTTP/1.1 to the byte is a [`Refusal`], after which nothing that
//! comes on the connection may be read as a request. A reply's head is written by [`ReplyHead`].
//!
//! [`range`] reads which part of a body a request asks for.
//! A body that is a form of several parts is taken apart by [`multipart`], and the parameters of a field's value by [`Parameters`].
//!
//! What follows the head of a request that asks for a WebSocket, [`websocket`] reads and writes.
//!
//! A request that came otherwise, as those of HTTP/2 do, passes the same parser ([`Request::read_parts`]).

mod authority;
mod body;
mod builder;
mod bytes;
mod chunk_line;
mod date;
mod field_line;
mod fields;
mod framing;
mod head;
mod known;
mod multipart;
mod parameters;
mod parts;
mod range;
mod refusal;
mod reply;
mod request;
mod request_line;
mod target;
pub mod websocket;

#[cfg(test)]
mod property_tests;

pub use body::{BodyDecoder, BodyEvent, Decoded};
pub use builder::RequestBuilder;
pub use date::http_date;
pub use fields::{Fields, Lines};
pub use framing::BodyLength;
pub use known::{Known, KnownNames};
pub use multipart::{
    Boundary, FileSearch, LastPart, MAX_PART_HEAD, MAX_PARTS, MultipartError, Part, Taken, multipart,
};
pub use parameters::{Malformed, Parameters};
pub use parts::Parts;
pub use range::{Ranged, range};
pub use refusal::Refusal;
pub use reply::{CONTINUE, LAST_CHUNK, ReplyBody, ReplyHead, chunk, phrase};
pub use request::{Limits, Request};
pub use request_line::Version;
