//! GO_AWAY and lost connections, as a connector has to take them.

use super::{Case, still_calls};
use crate::driver::Outcome;
use crate::frame::{Frame, go_away, kind, reply};
use crate::peer::Peer;
use crate::tested::{Connector, arrived};
use crate::verdict::section::{AWAY, WRONG};
use crate::verdict::{Step, check};
use std::time::Duration;

pub(super) const CASES: &[Case] = &[
    Case::new(
        "away-new-calls",
        AWAY,
        "The connector that reads GO_AWAY sends new calls on another connection, and goes on reading answers.",
        |tested| {
            let mut old = tested.open()?;
            let call = tested.call(10)?;
            let running = arrived(&mut old)?;
            old.send(go_away(running.number, "the case goes away"))?;
            old.still_there()?;
            let later = tested.call(20)?;
            let mut new = tested.open()?;
            let moved = arrived(&mut new)?;
            new.send(reply(moved.number, &moved.arguments))?;
            tested.succeeded(later, 20)?;
            old.still_there()?;
            check(old.heard.calls.last() == running.number, || {
                "a new CALL came after GO_AWAY was heard".into()
            })?;
            old.send(reply(running.number, &running.arguments))?;
            tested.succeeded(call, 10)
        },
    ),
    Case::new(
        "away-above",
        AWAY,
        "Calls above the last one count as not executed: they fail, or are sent elsewhere.",
        |tested| {
            let mut old = tested.open()?;
            let (calls, numbers) = two_calls(tested, &mut old)?;
            old.send(go_away(numbers[0], "the case goes away"))?;
            not_here(tested, &mut old, calls, numbers)
        },
    ),
    Case::new(
        "away-lowest",
        AWAY,
        "A second GO_AWAY may only lower the number of calls that run.",
        |tested| {
            let mut old = tested.open()?;
            let (calls, numbers) = two_calls(tested, &mut old)?;
            let away = |last| go_away(last, "the case goes away");
            old.send_all([away(numbers[1]), away(numbers[0]), away(u32::MAX)])?;
            not_here(tested, &mut old, calls, numbers)
        },
    ),
    Case::new("away-reason", WRONG, "A reason that is not UTF-8 is no error.", |tested| {
        let mut peer = tested.open()?;
        let call = tested.call(10)?;
        let running = arrived(&mut peer)?;
        let reason = [&running.number.to_le_bytes()[..], &[0xc3, 0x28]].concat();
        peer.send_all([Frame::new(kind::GO_AWAY, 0, reason), reply(running.number, &running.arguments)])?;
        tested.succeeded(call, 10)
    }),
    Case::new(
        "away-lost",
        AWAY,
        "After a connection that ended without GO_AWAY only idempotent methods may be sent elsewhere.",
        |tested| {
            let mut old = tested.open()?;
            let call = tested.call(10)?;
            arrived(&mut old)?;
            drop(old);
            let mut new = tested.open()?;
            tested.failed(call)?;
            new.still_there()?;
            check(new.heard.calls.last() == 0, || {
                "a call that may have run was sent again; its method is not idempotent".into()
            })?;
            still_calls(tested, &mut new, 20)
        },
    ),
];

fn two_calls(tested: &mut Connector, peer: &mut Peer) -> Step<([u32; 2], [u32; 2])> {
    let first = tested.call(10)?;
    let first_number = arrived(peer)?.number;
    let second = tested.call(20)?;
    let second_number = arrived(peer)?.number;
    Ok(([first, second], [first_number, second_number]))
}

/// The second call does not count here any more: it fails, or is answered elsewhere. The first one is answered here.
fn not_here(tested: &mut Connector, old: &mut Peer, calls: [u32; 2], numbers: [u32; 2]) -> Step {
    old.still_there()?;
    old.send_all([reply(numbers[1], &super::text(99)), reply(numbers[0], &super::text(10))])?;
    tested.succeeded(calls[0], 10)?;
    let mut new = tested.open()?;
    loop {
        if let Some(outcome) = tested.has_ended(calls[1])? {
            return check(matches!(outcome, Outcome::Failed(_)), || format!("the caller was told {outcome}"));
        }
        new.listen(Duration::from_millis(20))?;
        if let Some(moved) = new.heard.calls.whole.pop_front() {
            new.send(reply(moved.number, &moved.arguments))?;
            return tested.succeeded(calls[1], 20);
        }
    }
}
