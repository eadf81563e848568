//! Streams, for an acceptor that speaks them: items, their credit, and how they end.

use super::{Case, held, still_serves};
use crate::frame::{Frame, cancel, credit, data, end, flag, item, kind, reply};
use crate::hello::{Credit, Hello};
use crate::peer::Peer;
use crate::tested::Acceptor;
use crate::value::{blob, number};
use crate::verdict::section::{LONG, STREAM_ENDS, STREAMS, VALUES};
use crate::verdict::{Step, check};

pub(super) const INVALID_ARGUMENT: u8 = 3;
pub(super) const RESOURCE_EXHAUSTED: u8 = 8;
pub(super) const UNIMPLEMENTED: u8 = 12;

/// What a side has that does not care.
pub(super) const PLENTY: Credit = Credit { items: 1000, bytes: 1 << 20 };
pub(super) const NONE: Credit = Credit { items: 0, bytes: 0 };
/// The most that there may be.
pub(super) const MOST: u32 = 0x7fff_ffff;

pub(super) const CASES: &[Case] = &[
    Case::new(
        "stream-items",
        STREAMS,
        "The service's items come in their order, and END behind them.",
        |tested| {
            let mut peer = open(tested, Credit { items: 16, bytes: 64 << 10 })?;
            counts(&mut peer, 1, 300)?;
            counts(&mut peer, 2, 0)
        },
    ),
    Case::new(
        "stream-sum",
        STREAMS,
        "What the caller streams comes to the method, which answers with REPLY.",
        |tested| {
            let mut peer = open(tested, NONE)?;
            call(&mut peer, 1, "sum", b"")?;
            (1..=1000).try_for_each(|n| peer.put(1, &number(n)))?;
            peer.send(end(1))?;
            let sum = peer.result(1)?;
            check(sum == number(500_500), || format!("the sum of 1 to 1000 is {sum:02x?}"))
        },
    ),
    Case::new(
        "stream-both",
        STREAMS,
        "Both sides stream at once; END of the connector closes its direction only.",
        |tested| {
            let mut peer = open(tested, PLENTY)?;
            call(&mut peer, 1, "chat", b"")?;
            for n in 0..50 {
                let text = blob(format!("text {n}"));
                peer.put(1, &text)?;
                hears(&mut peer, 1, &text)?;
            }
            peer.send(end(1))?;
            peer.streamed(1)
        },
    ),
    Case::new(
        "stream-long-items",
        LONG,
        "An item longer than a frame goes in fragments, and its stream goes on behind it.",
        |tested| {
            let mut peer = open(tested, PLENTY)?;
            call(&mut peer, 1, "chat", b"")?;
            for size in [300_000, 3, 200_000] {
                let text = blob("x".repeat(size));
                peer.put(1, &text)?;
                hears(&mut peer, 1, &text)?;
                peer.send(credit(1, 0, size as u32))?;
            }
            // The last one is still on its way when the end is said.
            peer.put(1, &blob("y".repeat(500_000)))?;
            peer.send(end(1))?;
            hears(&mut peer, 1, &blob("y".repeat(500_000)))?;
            peer.streamed(1)
        },
    ),
    Case::new(
        "stream-long-not-before-short",
        LONG,
        "A call does not wait for a long item, only for a fragment.",
        |tested| {
            let mut peer = open(tested, PLENTY)?;
            call(&mut peer, 1, "chat", b"")?;
            let size = peer.told()?.limits.max_message.min(8 << 20) - 100;
            peer.put(1, &blob("x".repeat(size)))?;
            peer.wait("a part of an ITEM", |heard| (heard.answers.parts.arrived(1)? > 0).then_some(()))?;
            still_serves(&mut peer, 2)?;
            check(peer.heard.answers.parts.holds(1), || {
                format!("the REPLY came behind an item of {size} bytes")
            })?;
            peer.give_up([1])
        },
    )
    .alone(),
    Case::new(
        "stream-metadata",
        STREAMS,
        "An END has metadata, which may go in fragments and is skipped by its length.",
        |tested| {
            let mut peer = open(tested, PLENTY)?;
            let block = b"\x09\0\0\x04rows\x02ab";
            for (number, sizes) in [(1, vec![]), (2, vec![0]), (3, vec![1, 5])] {
                call(&mut peer, number, "chat", b"")?;
                peer.send_all(Frame::new(kind::END, number, *block).with(flag::METADATA).cut(sizes))?;
                peer.streamed(number)?;
            }
            Ok(())
        },
    ),
    Case::new(
        "stream-not-announced",
        STREAMS,
        "To a connector that speaks no streams a method that streams is not offered.",
        |tested| {
            open(tested, PLENTY)?;
            let mut peer = tested.open()?;
            for (number, method) in [(1, "count"), (2, "sum"), (3, "chat")] {
                call(&mut peer, number, method, if number == 1 { b"\x05" } else { b"" })?;
                peer.refused(number, &[UNIMPLEMENTED])?;
            }
            still_serves(&mut peer, 4)
        },
    ),
    Case::new(
        "stream-other-way",
        STREAMS,
        "Frames of a stream for a call that does not go that way end the connection.",
        |tested| {
            let frames = |number| [item(number, b"\x01"), end(number)];
            for (method, arguments) in [("count", &b"\x05"[..]), ("hold", b"\x01k")] {
                for frame in frames(1) {
                    let mut peer = open(tested, NONE)?;
                    call(&mut peer, 1, method, arguments)?;
                    peer.send(frame)?;
                    peer.refuses_to_go_on()?;
                }
            }
            for (method, arguments) in [("sum", &b""[..]), ("hold", b"\x01k")] {
                let mut peer = open(tested, NONE)?;
                call(&mut peer, 1, method, arguments)?;
                peer.send(credit(1, 1, 1))?;
                peer.refuses_to_go_on()?;
            }
            Ok(())
        },
    ),
    Case::new(
        "stream-after-end",
        STREAMS,
        "An ITEM or a second END after the END ends the connection.",
        |tested| {
            for frame in [item(1, b"\x01a"), end(1)] {
                let mut peer = open(tested, NONE)?;
                call(&mut peer, 1, "chat", b"")?;
                // The method cannot end: it has no credit for what it says.
                peer.put(1, b"\x01a")?;
                peer.send_all([end(1), frame])?;
                peer.refuses_to_go_on()?;
            }
            Ok(())
        },
    ),
    Case::new(
        "stream-no-call",
        STREAMS,
        "Frames of a stream of a number that was never called, or 0, end the connection.",
        |tested| {
            for number in [0, 5] {
                for frame in [item(number, b""), end(number), credit(number, 1, 1)] {
                    let mut peer = open(tested, PLENTY)?;
                    counts(&mut peer, 1, 3)?;
                    peer.send(frame)?;
                    peer.refuses_to_go_on()?;
                }
            }
            Ok(())
        },
    ),
    Case::new(
        "stream-within",
        STREAMS,
        "An ITEM or END within a message of its call ends the connection.",
        |tested| {
            for frame in [item(1, b"\x01a"), end(1)] {
                let mut peer = open(tested, PLENTY)?;
                call(&mut peer, 1, "chat", b"")?;
                peer.send_all([item(1, b"\x02a").with(flag::MORE), frame])?;
                peer.refuses_to_go_on()?;
            }
            Ok(())
        },
    ),
    Case::new("stream-late", STREAMS, "What comes of a call that is over is skipped.", |tested| {
        let mut peer = open(tested, PLENTY)?;
        call(&mut peer, 1, "chat", b"")?;
        peer.send(end(1))?;
        peer.streamed(1)?;
        peer.send_all([
            item(1, b"\x01a"),
            item(1, b"x").with(flag::MORE),
            data(1, b"y"),
            end(1),
            credit(1, MOST, MOST),
        ])?;
        still_serves(&mut peer, 2)
    }),
    Case::new(
        "stream-bad-item",
        VALUES,
        "An item that is no value of its type fails the call with `invalid_argument`.",
        |tested| {
            let mut peer = open(tested, NONE)?;
            for (number, wrong) in (1..).zip([&b""[..], b"\x02a", b"\x01ab", b"\x02\xc3\x28"]) {
                call(&mut peer, number, "chat", b"")?;
                peer.put(number, wrong)?;
                let failure = peer.failed(number, &[INVALID_ARGUMENT])?;
                check(!failure.not_executed, || "it says that the call has not run, after an item".into())?;
            }
            still_serves(&mut peer, 9)
        },
    ),
    Case::new(
        "stream-cancel",
        STREAM_ENDS,
        "CANCEL ends both directions at once, and needs no answer.",
        |tested| {
            let mut peer = open(tested, Credit { items: 3, bytes: 1000 })?;
            call(&mut peer, 1, "count", &number(1_000_000))?;
            call(&mut peer, 2, "chat", b"")?;
            peer.put(2, b"\x01a")?;
            hears(&mut peer, 2, b"\x01a")?;
            peer.send_all([cancel(1), cancel(2), item(2, b"\x01b"), credit(1, 100, 100)])?;
            peer.still_there()?;
            let before = last_of(&peer, 1);
            still_serves(&mut peer, 3)?;
            check(last_of(&peer, 1) == before && last_of(&peer, 2) == 0, || {
                "items came after the call's CANCEL was heard".into()
            })
        },
    ),
    Case::new(
        "stream-cancel-long",
        STREAM_ENDS,
        "An ITEM that CANCEL cuts short is ended by FAILURE.",
        |tested| {
            let mut peer = open(tested, PLENTY)?;
            call(&mut peer, 1, "chat", b"")?;
            let size = peer.told()?.limits.max_message.min(8 << 20) - 100;
            peer.put(1, &blob("x".repeat(size)))?;
            peer.wait("a part of an ITEM", |heard| (heard.answers.parts.arrived(1)? > 0).then_some(()))?;
            peer.send(cancel(1))?;
            peer.wait("the rest of the ITEM, or FAILURE", |heard| {
                (!heard.answers.parts.holds(1)).then_some(())
            })?;
            still_serves(&mut peer, 2)
        },
    )
    .alone(),
    Case::new(
        "stream-cancel-arriving",
        STREAM_ENDS,
        "A CANCEL while an ITEM is arriving drops it.",
        |tested| {
            let mut peer = open(tested, PLENTY)?;
            call(&mut peer, 1, "chat", b"")?;
            peer.send_all([item(1, b"\x05a").with(flag::MORE), cancel(1), data(1, b"bcde")])?;
            peer.not_answered(1)?;
            still_serves(&mut peer, 2)
        },
    ),
    Case::new(
        "stream-too-large",
        STREAM_ENDS,
        "An item longer than max_message ends the call with FAILURE, which has run.",
        |tested| {
            let mut peer = open(tested, PLENTY)?;
            call(&mut peer, 1, "chat", b"")?;
            let limits = peer.told()?.limits;
            let size = limits.max_message + 1;
            peer.send_all(item(1, &vec![b'x'; size]).cut_evenly(limits.max_frame))?;
            let failure = peer.failed(1, &[RESOURCE_EXHAUSTED])?;
            check(!failure.not_executed, || "it says that the call has not run, after an item".into())?;
            still_serves(&mut peer, 2)
        },
    )
    .alone(),
    Case::new("stream-away", STREAM_ENDS, "Streams of accepted calls go on after GO_AWAY.", |tested| {
        let mut peer = open(tested, PLENTY)?;
        call(&mut peer, 1, "chat", b"")?;
        call(&mut peer, 2, "drain", b"")?;
        peer.goes_away()?;
        peer.result(2)?;
        for text in [&b"\x01a"[..], b"\x01b"] {
            peer.put(1, text)?;
            hears(&mut peer, 1, text)?;
        }
        peer.send(end(1))?;
        peer.streamed(1)?;
        peer.ends()
    })
    .alone(),
    Case::new(
        "stream-running",
        STREAMS,
        "A stream is one call: others run beside it, and its end frees its place.",
        |tested| {
            let mut peer = open(tested, PLENTY)?;
            call(&mut peer, 1, "hold", &blob("streams"))?;
            held(&mut peer, "streams", 1, 2)?;
            for number in 300..400 {
                counts(&mut peer, number, 3)?;
            }
            peer.give_up([1])
        },
    ),
    Case::new(
        "stream-never-reply",
        STREAMS,
        "A frame that an acceptor never receives ends the connection also where streams are spoken.",
        |tested| {
            let mut peer = open(tested, PLENTY)?;
            peer.send_bytes(&reply(1, b"").bytes())?;
            peer.refuses_to_go_on()
        },
    ),
];

/// A connection on which both sides speak streams, and we give that credit for each.
pub(super) fn open(tested: &Acceptor, credit: Credit) -> Step<Peer> {
    let mut peer = tested.open_with(&Hello::new().streams(credit))?;
    peer.still_there()?;
    peer.speaks_streams()?;
    Ok(peer)
}

pub(super) fn call(peer: &mut Peer, number: u32, method: &str, arguments: &[u8]) -> Step {
    let call = peer.call(number, method, arguments)?;
    peer.send(call)
}

/// `count` gives its items, for which we give credit one by one.
pub(super) fn counts(peer: &mut Peer, call_number: u32, to: u64) -> Step {
    call(peer, call_number, "count", &number(to))?;
    for n in 1..=to {
        hears(peer, call_number, &number(n))?;
        peer.send(credit(call_number, 1, number(n).len() as u32))?;
    }
    peer.streamed(call_number)
}

/// The next item is this one.
pub(super) fn hears(peer: &mut Peer, number: u32, value: &[u8]) -> Step {
    let item = peer.item(number)?;
    check(item == value, || {
        format!("an item of {} bytes came, where one of {} should", item.len(), value.len())
    })
}

/// How many items of a call have come that nobody has taken.
pub(super) fn last_of(peer: &Peer, number: u32) -> u32 {
    peer.heard.answers.items.get(&number).map_or(0, |items| items.len() as u32)
}
