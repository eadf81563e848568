//! REPLY and FAILURE as a connector has to read them.

use super::{Case, still_calls, text};
use crate::frame::{Frame, failure, flag, refusal, reply};
use crate::service::fields;
use crate::tested::{Connector, arrived};
use crate::verdict::section::{FAILURE, METADATA, NUMBERS, REPLY, WRONG};
use crate::verdict::{Step, check};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "answer-any-order",
        NUMBERS,
        "Answers come in any order; their numbers say whose they are.",
        |tested| {
            let mut peer = tested.open()?;
            let calls = [tested.call(10)?, tested.call(20)?, tested.call(30)?];
            let mut all = Vec::new();
            for _ in calls {
                all.push(arrived(&mut peer)?);
            }
            for arrived in all.iter().rev() {
                peer.send(reply(arrived.number, &arrived.arguments))?;
            }
            calls.iter().zip([10, 20, 30]).try_for_each(|(call, bytes)| tested.succeeded(*call, bytes))
        },
    ),
    Case::new(
        "answer-unknown",
        NUMBERS,
        "An answer with a number for which nobody waits is ignored.",
        |tested| {
            let mut peer = tested.open()?;
            still_calls(tested, &mut peer, 10)?;
            let last = peer.heard.calls.last();
            peer.send_all([reply(last, &text(3)), failure(last, 13)])?;
            still_calls(tested, &mut peer, 20)
        },
    ),
    Case::new(
        "answer-never-called",
        NUMBERS,
        "An answer with a number that was never given to a call ends the connection.",
        |tested| {
            for answer in [reply(999, b"what"), failure(u32::MAX, 13)] {
                let mut peer = tested.open()?;
                still_calls(tested, &mut peer, 10)?;
                peer.send(answer)?;
                peer.refuses_to_go_on()?;
            }
            Ok(())
        },
    ),
    Case::new("reply-metadata", METADATA, "Metadata of a REPLY is skipped by its length.", |tested| {
        let mut peer = tested.open()?;
        let blocks: [&[u8]; 4] = [b"", b"\x00\x06tenant\x04blue", b"\x63\x01x", b"\x01\x50cut"];
        for (bytes, block) in (10..).zip(blocks) {
            let call = tested.call(bytes)?;
            let arrived = arrived(&mut peer)?;
            let head = (block.len() as u16).to_le_bytes();
            peer.send(
                reply(arrived.number, &[&head, block, &arrived.arguments].concat()).with(flag::METADATA),
            )?;
            tested.succeeded(call, bytes)?;
        }
        Ok(())
    }),
    Case::new(
        "reply-metadata-cut",
        WRONG,
        "Metadata that is longer than its REPLY ends the connection.",
        |tested| {
            let mut peer = tested.open()?;
            tested.call(10)?;
            let arrived = arrived(&mut peer)?;
            peer.send_bytes(&reply(arrived.number, b"\x0a\x00short").with(flag::METADATA).bytes())?;
            peer.refuses_to_go_on()
        },
    ),
    Case::new(
        "reply-bad-result",
        REPLY,
        "A result that is not a value of the response fails the call; the connection goes on.",
        |tested| {
            let mut peer = tested.open()?;
            let wrong: [&[u8]; 5] = [b"", b"\x05shor", b"\x01xy", b"\x02\xc3\x28", b"\xff"];
            for result in wrong {
                let call = tested.call(10)?;
                let arrived = arrived(&mut peer)?;
                peer.send(reply(arrived.number, result))?;
                tested.failed(call)?;
            }
            still_calls(tested, &mut peer, 20)
        },
    ),
    Case::new(
        "failure-codes",
        FAILURE,
        "A FAILURE fails its call with its code; a number that is not known is `unknown`.",
        |tested| {
            let mut peer = tested.open()?;
            let codes = [
                (3, "invalid_argument"),
                (5, "not_found"),
                (12, "unimplemented"),
                (13, "internal"),
                (0, "unknown"),
                (200, "unknown"),
            ];
            for (code, name) in codes {
                fails(tested, &mut peer, failure(0, code), name)?;
            }
            still_calls(tested, &mut peer, 20)
        },
    ),
    Case::new(
        "failure-fields",
        FAILURE,
        "Unknown fields of FAILURE are skipped, and a message that is not UTF-8 is no error.",
        |tested| {
            let mut peer = tested.open()?;
            let known = [(1, b"no such order".to_vec()), (2, b"{}".to_vec()), (3, vec![1, 0, 0, 0])];
            let strange = [(99, b"what".to_vec()), (1, vec![0xc3, 0x28]), (255, vec![])];
            fails(tested, &mut peer, failure(0, 5).and(&fields(&known)), "not_found")?;
            fails(tested, &mut peer, failure(0, 5).and(&fields(&strange)), "not_found")?;
            still_calls(tested, &mut peer, 20)
        },
    ),
    Case::new("failure-cut", WRONG, "A FAILURE whose fields end early ends the connection.", |tested| {
        let mut peer = tested.open()?;
        tested.call(10)?;
        let arrived = arrived(&mut peer)?;
        peer.send(failure(arrived.number, 5).and(b"\x01\x0dno such"))?;
        peer.refuses_to_go_on()
    }),
    Case::new(
        "failure-refusal",
        FAILURE,
        "A call that was refused has not run: it fails, or is sent again.",
        |tested| {
            let mut peer = tested.open()?;
            let call = tested.call(10)?;
            let first = arrived(&mut peer)?;
            peer.send(refusal(first.number, 14))?;
            loop {
                if tested.has_ended(call)?.is_some() {
                    break;
                }
                peer.listen(std::time::Duration::from_millis(20))?;
                if let Some(again) = peer.heard.calls.whole.pop_front() {
                    peer.send(reply(again.number, &again.arguments))?;
                    tested.succeeded(call, 10)?;
                    break;
                }
            }
            still_calls(tested, &mut peer, 20)
        },
    ),
];

/// A call that is answered so fails for its caller with that code. A driver that is not told codes says `-`.
fn fails(tested: &mut Connector, peer: &mut crate::peer::Peer, answer: Frame, name: &str) -> Step {
    let call = tested.call(10)?;
    let number = arrived(peer)?.number;
    peer.send(Frame { number, ..answer })?;
    let code = tested.failed(call)?;
    check(code == name || code == "-", || format!("the caller was told `{code}`, where `{name}` is right"))
}
