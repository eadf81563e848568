//! What an acceptor promises.

mod away;
mod calls;
mod cancel;
mod credit;
mod frames;
mod handshake;
mod limits;
mod long;
mod offers;
mod pressure;
mod streams;

use crate::peer::Peer;
use crate::tested::Acceptor;
use crate::value::{blob, number};
use crate::verdict::{Step, check};

/// A case for an acceptor.
type Case = super::Case<Acceptor>;

/// All of them, by topic.
pub(super) const CASES: &[&[Case]] = &[
    handshake::CASES,
    frames::CASES,
    offers::CASES,
    calls::CASES,
    cancel::CASES,
    long::CASES,
    limits::CASES,
    pressure::CASES,
    streams::CASES,
    credit::CASES,
    away::CASES,
];

/// The connection goes on: a call is answered as ever.
fn still_serves(peer: &mut Peer, number: u32) -> Step {
    let echo = peer.echo(number, "still")?;
    peer.send(echo)?;
    peer.echoed(number, "still")
}

/// Waits until so many calls of `hold` with that key are running; asks by `held` from that call number on.
fn held(peer: &mut Peer, key: &str, count: u32, from: u32) -> Step {
    for asked in from..from + 200 {
        let held = peer.call(asked, "held", blob(key))?;
        peer.send(held)?;
        if peer.result(asked)? == number(count.into()) {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    check(false, || format!("there are not {count} calls of `hold` running, after two seconds"))
}
