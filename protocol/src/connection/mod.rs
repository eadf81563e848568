//! The rules of a connection, as state machines without a socket and without a clock.
//!
//! ```text
//! Connector    the side that calls: numbers, the peer's limits, outcomes, cancels, deadlines, GO_AWAY, what was never sent
//! Acceptor     the side that is called: open calls, answers that wait, what can be asked for without end, going away
//! streams      the streams of calls on either side: credit, turns, how an owner drives them
//! KeepAlive    whether a silent peer is still there
//! ```
//! The receiving half, [`Inbound`](crate::Inbound), stays with whoever reads, because its events borrow the read buffer. Whoever
//! drives a connection gives each event to the machine, and writes what the machine's [`Outbound`](crate::Outbound) has.
//!
//! Two rules keep two sides from waiting for each other for ever. A side reads on though it cannot write. And what a peer can
//! ask without reading the answers is bounded: past [`MAX_UNREAD`] the connection ends.

mod acceptor;
mod connector;
mod keep_alive;
mod number_map;
pub mod streams;

pub use acceptor::{Acceptor, Asked, Refusal};
pub use connector::{Answer, Connector, Ended, Lost, NotSent, Said};
pub use keep_alive::{KeepAlive, Patience, Then};
pub use number_map::{NumberHasher, NumberMap};

/// Bytes of PONG, SCHEMA and refusals that wait to be read by a peer. A peer that asks for more than that and reads nothing ends
/// the connection.
pub const MAX_UNREAD: usize = 1024 * 1024;

/// Bytes that wait to be sent above which no further call is begun, and no further long answer.
pub const MAX_BACKLOG: usize = 64 * 1024 * 1024;

#[cfg(test)]
mod joined_tests;
#[cfg(test)]
mod streamed_tests;
