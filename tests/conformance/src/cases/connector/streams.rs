//! Streams, for a connector that speaks them. It calls `chat`: puts its items, says its end, and then reads what comes.

use super::{Case, still_calls, text};
use crate::frame::{Frame, credit, end, failure, flag, go_away, item, kind, refusal, reply};
use crate::hello::Credit;
use crate::peer::Peer;
use crate::service::{CHAT, Offer};
use crate::tested::{Connector, arrived, offering};
use crate::verdict::section::{HANDSHAKE, LONG, STREAM_ENDS, STREAMS};
use crate::verdict::{Step, check};
use std::time::Duration;

/// What a side has that does not care.
pub(super) const PLENTY: Credit = Credit { items: 1000, bytes: 1 << 20 };
pub(super) const NONE: Credit = Credit { items: 0, bytes: 0 };
/// The most that there may be.
pub(super) const MOST: u32 = 0x7fff_ffff;
pub(super) const UNAVAILABLE: u8 = 14;

pub(super) const CASES: &[Case] = &[
    Case::new(
        "stream-items",
        STREAMS,
        "A caller's items come in order and END behind them; it reads all that the service streams.",
        |tested| {
            let mut peer = open(tested, Credit { items: 4, bytes: 100 })?;
            for items in [30, 0, 1] {
                let (call, number) = stream(tested, &mut peer, items, 10)?;
                hears_all(&mut peer, number, items, 10)?;
                (0..items).try_for_each(|_| peer.put(number, &text(10)))?;
                peer.send(end(number))?;
                tested.succeeded(call, items)?;
            }
            still_calls(tested, &mut peer, 10)
        },
    ),
    Case::new(
        "stream-long-items",
        LONG,
        "An item longer than a frame goes in fragments, and its stream goes on behind it.",
        |tested| {
            let mut peer = open(tested, PLENTY)?;
            let (call, number) = stream(tested, &mut peer, 3, 300_000)?;
            hears_all(&mut peer, number, 3, 300_000)?;
            for size in [200_000, 3, 400_000] {
                peer.put(number, &text(size))?;
            }
            peer.send(end(number))?;
            tested.succeeded(call, 3)
        },
    ),
    Case::new(
        "stream-long-not-before-short",
        LONG,
        "A call does not wait for a long item, only for a fragment.",
        |tested| {
            let mut peer = open(tested, PLENTY)?;
            let (_, number) = stream(tested, &mut peer, 1, 8 << 20)?;
            peer.wait("a part of an ITEM", |heard| (heard.calls.parts.arrived(number)? > 0).then_some(()))?;
            tested.call(10)?;
            while peer.heard.calls.last() == number && peer.heard.calls.parts.holds(number) {
                peer.listen(Duration::from_millis(1))?;
                std::thread::sleep(Duration::from_millis(20));
            }
            check(peer.heard.calls.parts.holds(number), || {
                "the short CALL came behind an item of 8 MiB".into()
            })
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
            for sizes in [vec![], vec![0], vec![1, 5]] {
                let (call, number) = stream(tested, &mut peer, 1, 10)?;
                hears_all(&mut peer, number, 1, 10)?;
                peer.send_all(Frame::new(kind::END, number, *block).with(flag::METADATA).cut(sizes))?;
                tested.succeeded(call, 0)?;
            }
            Ok(())
        },
    ),
    Case::new(
        "stream-offer",
        HANDSHAKE,
        "A method that streams is not seen in a HELLO that does not say that streams are spoken.",
        |tested| {
            tested.speaks_streams()?;
            let mut peer = tested.open_with(&offering(&[Offer::chat()]))?;
            let call = tested.stream(1, 10)?;
            peer.listen(Duration::from_millis(200))?;
            tested.cancel(call)?;
            tested.failed(call)?;
            peer.still_there()?;
            check(peer.heard.calls.last() == 0, || "a CALL came for a method that is not offered".into())
        },
    ),
    Case::new(
        "stream-early-end",
        STREAMS,
        "The call is over with END or FAILURE, also before the caller's END; it stops.",
        |tested| {
            let mut peer = open(tested, Credit { items: 1, bytes: 1000 })?;
            let (call, number) = stream(tested, &mut peer, 5, 10)?;
            hears(&mut peer, number, 10)?;
            peer.send(end(number))?;
            // Credit comes too late, and brings nothing.
            peer.send(credit(number, 100, 1000))?;
            tested.succeeded(call, 0)?;
            let (call, number) = stream(tested, &mut peer, 5, 10)?;
            hears(&mut peer, number, 10)?;
            peer.send_all([item(number, b"\x09x").with(flag::MORE), failure(number, 5)])?;
            tested.failed(call)?;
            still_calls(tested, &mut peer, 10)
        },
    ),
    Case::new(
        "stream-answered-long",
        STREAM_ENDS,
        "A connector that is answered while a part of its item is still to be sent says CANCEL.",
        |tested| {
            let mut peer = open(tested, PLENTY)?;
            // More than the two kernels keep of it.
            let (call, number) = stream(tested, &mut peer, 1, 15 << 20)?;
            peer.wait("a part of an ITEM", |heard| (heard.calls.parts.arrived(number)? > 0).then_some(()))?;
            peer.send(failure(number, 8))?;
            peer.wait("CANCEL", |heard| heard.calls.is_cancelled(number).then_some(()))?;
            tested.failed(call)?;
            still_calls(tested, &mut peer, 20)
        },
    )
    .alone(),
    Case::new(
        "stream-cancel",
        STREAM_ENDS,
        "A connector that gives up says CANCEL, and sends nothing of the call any more.",
        |tested| {
            let mut peer = open(tested, Credit { items: 1, bytes: 1000 })?;
            let (call, number) = stream(tested, &mut peer, 5, 10)?;
            hears(&mut peer, number, 10)?;
            tested.cancel(call)?;
            peer.wait("CANCEL", |heard| heard.calls.is_cancelled(number).then_some(()))?;
            tested.failed(call)?;
            peer.send_all([credit(number, 100, 1000), item(number, &text(3)), end(number)])?;
            still_calls(tested, &mut peer, 10)
        },
    ),
    Case::new(
        "stream-wrong-frames",
        STREAMS,
        "Frames of a stream for a call that does not go that way, or was never made, end the connection.",
        |tested| {
            let frames: [fn(u32) -> Frame; 3] = [|call| item(call, b"\x01x"), end, |call| credit(call, 1, 1)];
            for frame in frames {
                let mut peer = open(tested, PLENTY)?;
                tested.call(10)?;
                let plain = arrived(&mut peer)?.number;
                peer.send(frame(plain))?;
                peer.refuses_to_go_on()?;
                let mut peer = open(tested, PLENTY)?;
                peer.send(frame(999))?;
                peer.refuses_to_go_on()?;
            }
            let mut peer = open(tested, PLENTY)?;
            let (_, number) = stream(tested, &mut peer, 1, 10)?;
            peer.send(reply(number, &text(3)))?;
            peer.refuses_to_go_on()
        },
    ),
    Case::new(
        "stream-within",
        STREAMS,
        "An ITEM, END or REPLY within an ITEM ends the connection.",
        |tested| {
            let frames: [fn(u32) -> Frame; 3] =
                [|call| item(call, b"\x01x"), end, |call| reply(call, b"\x01x")];
            for frame in frames {
                let mut peer = open(tested, PLENTY)?;
                let (_, number) = stream(tested, &mut peer, 1, 10)?;
                peer.send_all([item(number, b"\x02x").with(flag::MORE), frame(number)])?;
                peer.refuses_to_go_on()?;
            }
            Ok(())
        },
    ),
    Case::new(
        "stream-bad-item",
        STREAM_ENDS,
        "An item that is no value of its type fails the call; the connection goes on.",
        |tested| {
            let mut peer = open(tested, PLENTY)?;
            for wrong in [&b""[..], b"\x02x", b"\x01xy", b"\x02\xc3\x28"] {
                let (call, number) = stream(tested, &mut peer, 0, 0)?;
                peer.send(item(number, wrong))?;
                tested.failed(call)?;
                peer.wait("CANCEL", |heard| heard.calls.is_cancelled(number).then_some(()))?;
            }
            still_calls(tested, &mut peer, 10)
        },
    ),
    Case::new(
        "stream-not-again",
        STREAM_ENDS,
        "A call of which an ITEM was sent is not sent elsewhere.",
        |tested| {
            let mut old = open(tested, PLENTY)?;
            let (call, number) = stream(tested, &mut old, 1, 10)?;
            hears(&mut old, number, 10)?;
            // Not to be believed: it has been executed.
            old.send(refusal(number, UNAVAILABLE))?;
            tested.failed(call)?;
            let (call, number) = stream(tested, &mut old, 1, 10)?;
            hears(&mut old, number, 10)?;
            old.send(go_away(number - 1, "the case goes away"))?;
            tested.failed(call)?;
            let mut new = open(tested, PLENTY)?;
            new.still_there()?;
            check(new.heard.calls.last() == 0, || "the call came again on another connection".into())
        },
    ),
];

/// A connection on which both sides speak streams, `echo` and `chat` are offered, and we give that credit for each stream.
pub(super) fn open(tested: &mut Connector, credit: Credit) -> Step<Peer> {
    tested.speaks_streams()?;
    let hello = offering(&[Offer::echo(""), Offer::chat()]).streams(credit);
    let mut peer = tested.open_with(&hello)?;
    peer.schemas.push(CHAT.schema(""));
    Ok(peer)
}

/// Has the connector call `chat`; the driver's name of the call, and its number.
pub(super) fn stream(
    tested: &mut Connector,
    peer: &mut Peer,
    items: usize,
    bytes: usize,
) -> Step<(u32, u32)> {
    let call = tested.stream(items, bytes)?;
    let number = arrived(peer)?.number;
    Ok((call, number))
}

/// The next item is a text of that many bytes.
pub(super) fn hears(peer: &mut Peer, number: u32, bytes: usize) -> Step {
    let came = peer.wait(&format!("an item of call {number}"), |heard| {
        heard.calls.items.get_mut(&number)?.pop_front()
    })?;
    check(came == text(bytes), || {
        format!("an item of {} bytes came, where a text of {bytes} should", came.len())
    })
}

/// All items of a call, for which we give credit one by one, and its END.
pub(super) fn hears_all(peer: &mut Peer, number: u32, items: usize, bytes: usize) -> Step {
    for _ in 0..items {
        hears(peer, number, bytes)?;
        peer.send(credit(number, 1, text(bytes).len() as u32))?;
    }
    peer.wait(&format!("END of call {number}"), |heard| heard.calls.ended.contains(&number).then_some(()))
}
