//! Callgate's wire protocol, as data and rules: frames, handshake, Call IDs, the schema of messages, and limits.
//!
//! This crate knows no socket, no clock and no runtime. The gateway and the SDK both drive their connections with
//! [`Inbound`] and the state machines of [`connection`], so that there is one implementation of the rules.
//! `docs/protocol.md` describes the same bytes for readers who write an SDK in another language; the golden vectors
//! in `tests/vectors/` bind the two.

#![deny(clippy::print_stderr, clippy::print_stdout)]

mod budget;
pub mod call;
mod call_id;
pub mod check;
pub mod connection;
mod first;
pub mod frame;
#[cfg(test)]
mod generate;
pub mod hello;
mod hex;
mod inbound;
pub mod limits;
pub mod metadata;
pub mod name;
mod outbound;
pub mod schema;
mod status;
mod token;
mod trace;
pub mod wire;

pub use budget::{Budget, Room};
pub use call::CallHead;
pub use call_id::CallId;
pub use connection::{Acceptor, Connector};
pub use frame::{Header, ProtocolError};
pub use hello::{Hello, MethodOffer, ServiceOffer, Streaming};
pub use hex::hex;
pub use inbound::{Event, Inbound, Role};
pub use limits::{Limits, StreamCredit};
pub use metadata::{Metadata, MetadataBuf, MetadataName, identity};
pub use outbound::{Aside, Chunk, Outbound, PIECES};
pub use status::{Code, Status};
pub use token::{Token, Tokens};
pub use trace::{Traceparent, TraceparentText};

/// What both sides name the protocol in a TLS handshake (ALPN).
pub const ALPN: &[u8] = b"callgate/1";
