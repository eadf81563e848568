//! Long messages, in both directions at once.

use super::{Case, still_calls, text};
use crate::frame::{data, failure, flag, reply};
use crate::peer::Peer;
use crate::tested::arrived;
use crate::verdict::section::{FRAME, LONG, PING};
use crate::verdict::{Step, check};
use std::time::Duration;

pub(super) const CASES: &[Case] = &[
    Case::new("long-reply", LONG, "A message may be cut anywhere, and a fragment may be empty.", |tested| {
        let mut peer = tested.open()?;
        for sizes in [vec![1; 100], vec![0], vec![0, 0, 50, 0], vec![1, 0, 1], vec![101], vec![102]] {
            let call = tested.call(100)?;
            let arrived = arrived(&mut peer)?;
            peer.send_all(reply(arrived.number, &arrived.arguments).cut(sizes))?;
            tested.succeeded(call, 100)?;
        }
        Ok(())
    }),
    Case::new(
        "long-interleaved",
        LONG,
        "Fragments of different calls interleave freely, and other frames pass between.",
        |tested| {
            let mut peer = tested.open()?;
            let calls = [tested.call(200_000)?, tested.call(150_000)?, tested.call(10)?];
            let mut all = Vec::new();
            for _ in calls {
                all.push(arrived(&mut peer)?);
            }
            all.sort_by_key(|call| call.arguments.len());
            let short = all.remove(0);
            let mut parts: Vec<_> = all
                .iter()
                .map(|call| reply(call.number, &call.arguments).cut_evenly(9000).into_iter())
                .collect();
            for turn in 0..30 {
                if turn == 5 {
                    peer.send(reply(short.number, &short.arguments))?;
                    peer.still_there()?;
                }
                let frames: Vec<_> = parts.iter_mut().filter_map(Iterator::next).collect();
                peer.send_all(frames)?;
            }
            calls
                .iter()
                .zip([200_000, 150_000, 10])
                .try_for_each(|(call, bytes)| tested.succeeded(*call, bytes))
        },
    ),
    Case::new(
        "long-failure",
        LONG,
        "A FAILURE may come in fragments, and drops what has come of a REPLY.",
        |tested| {
            let mut peer = tested.open()?;
            let call = tested.call(10)?;
            let number = arrived(&mut peer)?.number;
            let message = failure(number, 5).and(&crate::service::fields(&[(1, vec![b'm'; 200])]));
            peer.send_all([
                reply(number, b"\x0axxx").with(flag::MORE),
                data(number, b"xxx").with(flag::MORE),
            ])?;
            peer.send_all(message.cut_evenly(50))?;
            tested.failed(call)?;
            still_calls(tested, &mut peer, 20)
        },
    ),
    Case::new("long-reply-twice", LONG, "A second REPLY within the first ends the connection.", |tested| {
        let mut peer = tested.open()?;
        tested.call(10)?;
        let number = arrived(&mut peer)?.number;
        peer.send_all([reply(number, b"\x0axxx").with(flag::MORE), reply(number, &text(10))])?;
        peer.refuses_to_go_on()
    }),
    Case::new(
        "long-unknown-data",
        LONG,
        "DATA of a number under which nothing is arriving is skipped.",
        |tested| {
            let mut peer = tested.open()?;
            peer.send_all([data(7, b"never begun").with(flag::MORE), data(7, b"end")])?;
            still_calls(tested, &mut peer, 10)?;
            let last = peer.heard.calls.last();
            peer.send(data(last, b"late"))?;
            still_calls(tested, &mut peer, 20)
        },
    ),
    Case::new("ping-beside-long", PING, "PONG does not come behind long messages.", |tested| {
        let mut peer = tested.open()?;
        tested.call(15 << 20)?;
        let number = begun(&mut peer)?;
        peer.still_there()?;
        check(peer.heard.calls.parts.holds(number), || "PONG came behind a message of 15 MiB".into())
    })
    .alone(),
    Case::new(
        "long-not-before-short",
        LONG,
        "A short call never waits for a long message, only for a fragment.",
        |tested| {
            let mut peer = tested.open()?;
            tested.call(15 << 20)?;
            let number = begun(&mut peer)?;
            tested.call(10)?;
            // Slowly, so that the long message lasts for seconds, whatever the driver takes to begin the short call.
            while peer.heard.calls.last() == number && peer.heard.calls.parts.holds(number) {
                peer.listen(Duration::from_millis(1))?;
                std::thread::sleep(Duration::from_millis(20));
            }
            check(peer.heard.calls.parts.holds(number), || {
                "the short CALL came behind a message of 15 MiB".into()
            })
        },
    )
    .alone(),
    Case::new(
        "long-answered",
        LONG,
        "A connector that gets the answer to a call that it is still sending stops sending, and says CANCEL.",
        |tested| {
            let mut peer = tested.open()?;
            let call = tested.call(15 << 20)?;
            let number = begun(&mut peer)?;
            peer.send(failure(number, 8))?;
            // What was under way comes before the CANCEL; a fragment after it breaks the rules for every frame.
            peer.wait("CANCEL", |heard| heard.calls.is_cancelled(number).then_some(()))?;
            tested.failed(call)?;
            still_calls(tested, &mut peer, 20)
        },
    )
    .alone(),
    Case::new("pressure-reads-on", FRAME, "A side never stops reading because it cannot write.", |tested| {
        let mut peer = tested.open()?;
        let small = [tested.call(10)?, tested.call(10)?, tested.call(10)?];
        let mut numbers = Vec::new();
        for _ in small {
            numbers.push(arrived(&mut peer)?.number);
        }
        let long = [tested.call(15 << 20)?, tested.call(15 << 20)?, tested.call(15 << 20)?];
        begun(&mut peer)?;
        // Nothing is read while three long answers are written to their ends, in turns.
        let size = 15 << 20;
        let max_frame = peer.told()?.limits.max_frame;
        let mut parts: Vec<_> = numbers
            .iter()
            .map(|number| reply(*number, &text(size)).cut_evenly(max_frame).into_iter())
            .collect();
        loop {
            let turn: Vec<_> = parts.iter_mut().filter_map(Iterator::next).collect();
            if turn.is_empty() {
                break;
            }
            peer.send_all(turn)?;
        }
        small.iter().try_for_each(|call| tested.succeeded(*call, size))?;
        for _ in long {
            let arrived = arrived(&mut peer)?;
            peer.send(reply(arrived.number, &text(30)))?;
        }
        long.iter().try_for_each(|call| tested.succeeded(*call, 30))
    })
    .alone(),
];

/// Waits for the beginning of a long CALL; gives its number.
fn begun(peer: &mut Peer) -> Step<u32> {
    peer.wait("a part of a CALL", |heard| {
        let last = heard.calls.last();
        heard.calls.parts.arrived(last).is_some_and(|bytes| bytes > 0).then_some(last)
    })
}
