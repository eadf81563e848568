//! Headers and the frames that concern the connection.

use super::{Case, still_calls};
use crate::frame::{
    Frame, call, cancel, data, failure, flag, header, kind, ping, pong, ready, reply, schema_request,
};
use crate::tested::Connector;
use crate::verdict::section::{FRAME, LATER, PING, READY, WRONG};
use crate::verdict::{Step, Stop, broken, check};
use std::time::Duration;

pub(super) const CASES: &[Case] = &[
    Case::new("frame-unknown-kind", FRAME, "An unknown kind below 0x80 ends the connection.", |tested| {
        [0x00, 0x07, 0x15, 0x7f].iter().try_for_each(|&kind| ends(tested, &Frame::new(kind, 1, []).bytes()))
    }),
    Case::new("frame-later-kind", LATER, "A kind from 0x81 is skipped, whatever its flags.", |tested| {
        let mut peer = tested.open()?;
        for (kind, flags, number) in [(0x81, 0x00, 0), (0x9a, 0x0f, 7), (0xff, 0xff, u32::MAX)] {
            peer.send(Frame::new(kind, number, [0xee; 1000]).with(flags))?;
        }
        still_calls(tested, &mut peer, 10)
    }),
    Case::new(
        "frame-wrong-way",
        FRAME,
        "A kind that this side never receives ends the connection.",
        |tested| {
            let wrong = [call(1, 1, 0, &[]), cancel(1), schema_request(&[0; 16])];
            wrong.iter().try_for_each(|frame| ends(tested, &frame.bytes()))
        },
    ),
    Case::new(
        "frame-unknown-flag",
        FRAME,
        "An unknown flag among the lower four ends the connection.",
        |tested| {
            let wrong = [
                reply(1, &[]).with(0x08),
                failure(1, 2).with(0x08),
                data(1, &[]).with(flag::METADATA),
                ping(b"flagged!").with(flag::MORE),
            ];
            wrong.iter().try_for_each(|frame| ends(tested, &frame.bytes()))
        },
    ),
    Case::new(
        "frame-compressed",
        FRAME,
        "COMPRESSED ends the connection of a side that lists no codec.",
        |tested| {
            let peer = tested.open()?;
            if peer.told()?.codecs {
                return Err(Stop::LeftOut("it has codecs".into()));
            }
            drop(peer);
            ends(tested, &reply(1, &[0]).with(flag::COMPRESSED).bytes())
        },
    ),
    Case::new(
        "frame-upper-flags",
        FRAME,
        "The upper four flags are ignored when they are not known.",
        |tested| {
            let mut peer = tested.open()?;
            peer.send(ping(b"flagged!").with(0xf0))?;
            peer.hear_pong(*b"flagged!")?;
            let call = tested.call(10)?;
            let arrived = crate::tested::arrived(&mut peer)?;
            peer.send(reply(arrived.number, &arrived.arguments).with(0xf0))?;
            tested.succeeded(call, 10)
        },
    ),
    Case::new("frame-too-long", WRONG, "A frame longer than agreed is refused by its header.", |tested| {
        let peer = tested.open()?;
        let most = peer.told()?.limits.max_frame as u32;
        drop(peer);
        // No byte of the body follows.
        [kind::REPLY, kind::DATA, 0x81]
            .iter()
            .try_for_each(|&kind| ends(tested, &header(most + 1, kind, 0, 1)))
    }),
    Case::new("frame-too-short", WRONG, "A body that ends early ends the connection.", |tested| {
        for frame in [ping(b"12345678"), Frame::new(kind::GO_AWAY, 0, [0; 4]), failure(1, 2)] {
            let mut bytes = frame.bytes();
            bytes[0] -= 1;
            bytes.pop();
            ends(tested, &bytes)?;
        }
        Ok(())
    }),
    Case::new(
        "frame-number-ignored",
        FRAME,
        "The call number of frames that concern the connection is ignored.",
        |tested| {
            let mut peer = tested.open()?;
            peer.send(Frame::new(kind::PING, 12_345, *b"numbered"))?;
            peer.hear_pong(*b"numbered")
        },
    ),
    Case::new(
        "frame-number-0",
        WRONG,
        "Call number 0 on REPLY, FAILURE and DATA ends the connection.",
        |tested| {
            [reply(0, &[]), failure(0, 2), data(0, &[])]
                .iter()
                .try_for_each(|frame| ends(tested, &frame.bytes()))
        },
    ),
    Case::new(
        "ping-answered",
        PING,
        "PONG has the PING's 8 bytes; what follows them is ignored.",
        |tested| {
            let mut peer = tested.open()?;
            let tokens = [[0; 8], [0xff; 8], *b"CALLGATE"];
            peer.send_all(tokens.iter().map(ping))?;
            tokens.iter().try_for_each(|token| peer.hear_pong(*token))?;
            peer.send(ping(b"and more").and(b"than that"))?;
            peer.hear_pong(*b"and more")
        },
    ),
    Case::new(
        "ping-while-waiting",
        PING,
        "PONG does not come behind calls that wait for their answers.",
        |tested| {
            let mut peer = tested.open()?;
            tested.call(10)?;
            crate::tested::arrived(&mut peer)?;
            peer.still_there()
        },
    ),
    Case::new("ping-unasked-pong", PING, "A PONG that nobody asked for is ignored.", |tested| {
        let mut peer = tested.open()?;
        peer.send_all([pong(b"nobody!!"), pong(b"nobody!!")])?;
        still_calls(tested, &mut peer, 10)
    }),
    Case::new(
        "ready-broken",
        READY,
        "A READY that is empty, or begins with another byte, says nothing.",
        |tested| {
            let mut peer = tested.open()?;
            peer.send_all([ready(&[]), ready(&[7]), ready(&[1, 0, 0]), ready(b"\xff0")])?;
            still_calls(tested, &mut peer, 10)
        },
    ),
    Case::new(
        "ready-followed",
        READY,
        "A connector that follows READY sends no calls while the peer is not ready, and then again.",
        |tested| {
            let mut peer = tested.open()?;
            still_calls(tested, &mut peer, 10)?;
            peer.send(ready(&[0]))?;
            peer.still_there()?;
            // Its end is told by the tested side: a call that its caller gives up might still be sent a moment later.
            let call = tested.call_within(20, Duration::from_millis(500))?;
            peer.listen(Duration::from_millis(300))?;
            if !peer.heard.calls.whole.is_empty() {
                return Err(Stop::LeftOut("it does not follow READY".into()));
            }
            let outcome = tested.outcome(call)?;
            check(matches!(outcome, crate::driver::Outcome::Failed(_)), || {
                format!("the caller was told {outcome}")
            })?;
            peer.send(ready(&[1]))?;
            still_calls(tested, &mut peer, 30)
        },
    ),
];

/// After these bytes the tested side says GO_AWAY and closes.
fn ends(tested: &mut Connector, bytes: &[u8]) -> Step {
    let mut peer = tested.open()?;
    peer.send_bytes(bytes)?;
    match peer.refuses_to_go_on() {
        Err(Stop::Broken(_, what)) => broken(format!("after {bytes:02x?}: {what}")),
        other => other,
    }
}
