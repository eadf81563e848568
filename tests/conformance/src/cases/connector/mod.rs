//! What a connector promises.

mod answers;
mod away;
mod calls;
mod credit;
mod frames;
mod handshake;
mod long;
mod offers;
mod streams;

use crate::frame::reply;
use crate::peer::Peer;
use crate::tested::{Connector, arrived};
use crate::value::blob;
use crate::verdict::{Step, check};

/// A case for a connector.
type Case = super::Case<Connector>;

/// All of them, by topic.
pub(super) const CASES: &[&[Case]] = &[
    handshake::CASES,
    frames::CASES,
    offers::CASES,
    calls::CASES,
    answers::CASES,
    long::CASES,
    streams::CASES,
    credit::CASES,
    away::CASES,
];

/// The text that the driver sends, with its length: the arguments of `echo`, and its result.
fn text(bytes: usize) -> Vec<u8> {
    blob("x".repeat(bytes))
}

/// The connection goes on: a call of that many bytes comes, and its caller gets the answer.
fn still_calls(tested: &mut Connector, peer: &mut Peer, bytes: usize) -> Step {
    let call = tested.call(bytes)?;
    let arrived = arrived(peer)?;
    check(arrived.arguments == text(bytes), || format!("the CALL has not the text of {bytes} bytes"))?;
    peer.send(reply(arrived.number, &text(bytes)))?;
    tested.succeeded(call, bytes)
}
