//! Headers and the frames that concern the connection.

use super::{Case, still_serves};
use crate::frame::{Frame, call, cancel, data, failure, flag, header, kind, ping, pong, reply, schema};
use crate::tested::Acceptor;
use crate::verdict::section::{FRAME, LATER, PING, WRONG};
use crate::verdict::{Step, Stop, broken};

pub(super) const CASES: &[Case] = &[
    Case::new("frame-unknown-kind", FRAME, "An unknown kind below 0x80 ends the connection.", |tested| {
        for kind in [0x00, 0x07, 0x0f, 0x15, 0x1f, 0x23, 0x7f] {
            ends(tested, &Frame::new(kind, 1, []).bytes())?;
        }
        Ok(())
    }),
    Case::new("frame-later-kind", LATER, "A kind from 0x81 is skipped, whatever its flags.", |tested| {
        let mut peer = tested.open()?;
        for (kind, flags, number) in [(0x81, 0x00, 0), (0x9a, 0x0f, 7), (0xff, 0xff, u32::MAX)] {
            peer.send(Frame::new(kind, number, [0xee; 1000]).with(flags))?;
        }
        still_serves(&mut peer, 1)
    }),
    Case::new(
        "frame-wrong-way",
        FRAME,
        "A kind that this side never receives ends the connection.",
        |tested| {
            let wrong = [reply(1, &[]), failure(1, 2), schema(&[0; 16], &[])];
            wrong.iter().try_for_each(|frame| ends(tested, &frame.bytes()))
        },
    ),
    Case::new(
        "frame-unknown-flag",
        FRAME,
        "An unknown flag among the lower four ends the connection.",
        |tested| {
            let id = tested.open()?.method("echo")?;
            let call = |flags| call(1, id, 0, &[0]).with(flags);
            let wrong = [
                call(0x08),
                ping(b"flagged!").with(flag::MORE),
                cancel(1).with(flag::MORE),
                data(1, &[]).with(flag::METADATA),
                pong(b"flagged!").with(0x08),
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
            ends(tested, &call(1, peer.method("echo")?, 0, &[0]).with(flag::COMPRESSED).bytes())
        },
    ),
    Case::new(
        "frame-upper-flags",
        FRAME,
        "The upper four flags are ignored when they are not known.",
        |tested| {
            let mut peer = tested.open()?;
            let echo = peer.echo(1, "upper")?.with(0xf0);
            peer.send_all([ping(b"flagged!").with(0xa0), echo, cancel(9).with(0x10)])?;
            peer.hear_pong(*b"flagged!")?;
            peer.echoed(1, "upper")
        },
    ),
    Case::new("frame-too-long", WRONG, "A frame longer than agreed is refused by its header.", |tested| {
        let most = tested.open()?.told()?.limits.max_frame as u32;
        for kind in [kind::CALL, kind::DATA, kind::PING, kind::GO_AWAY, 0x81] {
            // No byte of the body follows.
            ends(tested, &header(most + 1, kind, 0, u32::from(kind < 0x80)))?;
        }
        ends(tested, &header(u32::MAX, kind::CALL, 0, 1))
    }),
    Case::new("frame-longest", FRAME, "A body of max_frame bytes is accepted.", |tested| {
        let mut peer = tested.open()?;
        let most = peer.told()?.limits.max_frame;
        // The head of 8 bytes, and a length of 3 bytes.
        let text = "l".repeat(most - 11);
        let echo = peer.echo(1, &text)?;
        peer.send(echo)?;
        peer.echoed(1, &text)?;
        peer.send(ping(b"a long p").and(&vec![0; most - 8]))?;
        peer.hear_pong(*b"a long p")
    }),
    Case::new(
        "frame-more-bytes",
        LATER,
        "Bytes after the known ones of PING, PONG, SCHEMA_REQUEST and CANCEL are ignored.",
        |tested| {
            let mut peer = tested.open()?;
            let fingerprint = peer.told()?.methods[0].document;
            peer.send_all([
                ping(b"and more").and(b"than that"),
                pong(b"and more").and(b"than that"),
                Frame::new(kind::SCHEMA_REQUEST, 0, fingerprint).and(b"more"),
                cancel(5).and(b"more"),
            ])?;
            peer.hear_pong(*b"and more")?;
            peer.wait("a SCHEMA", |heard| {
                heard.schemas.iter().any(|(asked, _)| *asked == fingerprint).then_some(())
            })
        },
    ),
    Case::new("frame-too-short", WRONG, "A body that ends early ends the connection.", |tested| {
        let short = [
            ping(b"12345678").bytes(),
            pong(b"12345678").bytes(),
            Frame::new(kind::GO_AWAY, 0, [0, 0, 0, 0]).bytes(),
            Frame::new(kind::SCHEMA_REQUEST, 0, [0; 16]).bytes(),
        ];
        for mut bytes in short {
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
    Case::new("ping-answered", PING, "PONG has the PING's 8 bytes.", |tested| {
        let mut peer = tested.open()?;
        let tokens = [[0; 8], [0xff; 8], *b"CALLGATE"];
        peer.send_all(tokens.iter().map(ping))?;
        tokens.iter().try_for_each(|token| peer.hear_pong(*token))
    }),
    Case::new("ping-while-running", PING, "PONG does not come behind running methods.", |tested| {
        let mut peer = tested.open()?;
        let hold = peer.call(1, "hold", crate::value::blob("ping"))?;
        peer.send(hold)?;
        peer.still_there()?;
        peer.give_up([1])
    }),
    Case::new("ping-unasked-pong", PING, "A PONG that nobody asked for is ignored.", |tested| {
        let mut peer = tested.open()?;
        peer.send_all([pong(b"nobody!!"), pong(b"nobody!!")])?;
        still_serves(&mut peer, 1)
    }),
];

/// After these bytes the tested side says GO_AWAY and closes.
fn ends(tested: &Acceptor, bytes: &[u8]) -> Step {
    let mut peer = tested.open()?;
    peer.send_bytes(bytes)?;
    match peer.refuses_to_go_on() {
        Err(Stop::Broken(_, what)) => broken(format!("after {bytes:02x?}: {what}")),
        other => other,
    }
}
