//! Magic, HELLO, version; what a HELLO may say, and what it must not.

use super::{Case, still_serves};
use crate::frame::{Frame, MAGIC, flag, header, kind, ping};
use crate::hello::{Hello, MAX_CONTROL, tag};
use crate::tested::Acceptor;
use crate::value::blob;
use crate::verdict::section::{FRAME, HANDSHAKE, LATER, LET_IN, LIMITS, STREAMS};
use crate::verdict::{Step, check, in_case};

pub(super) const CASES: &[Case] = &[
    Case::new("hello-at-once", FRAME, "Each direction begins without waiting for the other.", |tested| {
        let mut peer = tested.connect()?;
        peer.hear_hello()?;
        peer.say_hello(&Hello::new())?;
        still_serves(&mut peer, 1)
    }),
    Case::new("hello-in-pieces", FRAME, "Magic and HELLO may arrive byte by byte.", |tested| {
        let mut peer = tested.connect()?;
        for byte in [&MAGIC[..], &Hello::new().frame().bytes()].concat() {
            peer.send_bytes(&[byte])?;
        }
        peer.hear_hello()?;
        still_serves(&mut peer, 1)
    }),
    Case::new(
        "hello-wrong-magic",
        FRAME,
        "A side that receives another beginning than the magic closes.",
        |tested| {
            for wrong in [b"GET / HT", b"CALLGATF", b"callgate"] {
                let mut peer = tested.connect()?;
                // A side that does not look at the magic finds a HELLO behind it, and goes on.
                peer.send_bytes(&[&wrong[..], &Hello::new().frame().bytes()].concat())?;
                peer.hear_hello()?;
                peer.ends()?;
            }
            Ok(())
        },
    ),
    Case::new("hello-first", FRAME, "Nothing but HELLO may be the first frame.", |tested| {
        for first in [ping(b"too soon"), Frame::new(0x81, 0, [])] {
            let mut peer = tested.connect()?;
            peer.send_bytes(&[&MAGIC[..], &first.bytes()].concat())?;
            peer.hear_hello()?;
            peer.refuses_to_go_on()?;
        }
        Ok(())
    }),
    Case::new("hello-missing", HANDSHAKE, "A side that hears no HELLO in a few seconds closes.", |tested| {
        let mut peer = Acceptor { patience: tested.patience * 3, ..tested.clone() }.connect()?;
        peer.hear_hello()?;
        peer.ends()
    }),
    Case::new("hello-twice", FRAME, "HELLO is sent once: a second one ends the connection.", |tested| {
        let mut peer = tested.open()?;
        peer.send(Hello::new().frame())?;
        peer.refuses_to_go_on()
    }),
    Case::new("hello-versions", HANDSHAKE, "The highest version in both ranges is spoken.", |tested| {
        for range in [[0, 0, 1, 0], [1, 0, 9, 0], [0, 0, 255, 255]] {
            let mut peer = tested.open_with(&Hello::new().set(tag::VERSIONS, range))?;
            still_serves(&mut peer, 1)?;
        }
        Ok(())
    }),
    Case::new(
        "hello-no-version",
        HANDSHAKE,
        "Without a common version a side says so in GO_AWAY and closes.",
        |tested| {
            for range in [[2, 0, 9, 0], [0, 0, 0, 0], [2, 0, 1, 0]] {
                refused(tested, &Hello::new().set(tag::VERSIONS, range))?;
            }
            Ok(())
        },
    ),
    Case::new("hello-lacks-versions", HANDSHAKE, "A HELLO without versions is refused.", |tested| {
        refused(tested, &Hello::new().without(tag::VERSIONS))?;
        refused(tested, &Hello::new().set(tag::VERSIONS, [1, 0, 1]))
    }),
    Case::new("hello-unknown-fields", LATER, "Fields of HELLO with unknown tags are skipped.", |tested| {
        let hello = Hello::new().and(200, *b"what").and(12, []).and(0, [0xff; 300]).and(255, [1]);
        let mut peer = tested.open_with(&hello)?;
        still_serves(&mut peer, 1)
    }),
    Case::new(
        "hello-kept-fields",
        HANDSHAKE,
        "The fields of streams, codecs and features hurt nobody.",
        |tested| {
            let credit = [16, 0, 0, 0, 0, 0, 1, 0];
            let hello = Hello::new()
                .and(tag::STREAMS, credit)
                .and(tag::CODECS, *b"\x01")
                .and(tag::FEATURES, *b"\x01");
            let mut peer = tested.open_with(&hello)?;
            still_serves(&mut peer, 1)
        },
    ),
    Case::new("token-unasked", LET_IN, "A side that asks for no token skips the field.", |tested| {
        for token in [&b"a-token"[..], b"", &[0xff; 2000]] {
            let mut peer = tested.open_with(&Hello::new().and(tag::TOKEN, token))?;
            still_serves(&mut peer, 1)?;
        }
        Ok(())
    }),
    Case::new("hello-any-order", HANDSHAKE, "HELLO's fields come in any order.", |tested| {
        let mut peer = tested.open_with(&Hello::new().max_frame(2000).max_calls(7).reversed())?;
        still_serves(&mut peer, 1)
    }),
    Case::new(
        "hello-first-counts",
        HANDSHAKE,
        "Of several fields with one tag the first counts.",
        |tested| {
            // Frames above 1024 bytes break the rules that hold for every frame.
            let hello = Hello::new().max_frame(1024).and(tag::MAX_FRAME, 65_536_u32.to_le_bytes());
            let mut peer = tested.open_with(&hello)?;
            let text = "f".repeat(5000);
            let echo = peer.echo(1, &text)?;
            peer.send(echo)?;
            in_case(peer.echoed(1, &text))
        },
    ),
    Case::new("hello-cut", HANDSHAKE, "A field that ends early is an error of the handshake.", |tested| {
        let frame = Hello::new().frame().and(&[tag::IDENTITY, 20, b'x']);
        let mut peer = tested.connect()?;
        peer.send_bytes(&[&MAGIC[..], &frame.bytes()].concat())?;
        peer.hear_hello()?;
        peer.refuses_to_go_on()
    }),
    Case::new(
        "hello-not-utf8",
        HANDSHAKE,
        "Text in HELLO that is not UTF-8 is an error of the handshake.",
        |tested| refused(tested, &Hello::new().set(tag::IDENTITY, [0xc3, 0x28])),
    ),
    Case::new(
        "hello-flags",
        FRAME,
        "An unknown flag among the lower four ends the connection; the upper four are ignored.",
        |tested| {
            let bytes = |flags| [&MAGIC[..], &Hello::new().frame().with(flags).bytes()].concat();
            let mut peer = tested.connect()?;
            peer.send_bytes(&bytes(flag::MORE))?;
            peer.hear_hello()?;
            peer.refuses_to_go_on()?;
            let mut peer = tested.connect()?;
            peer.send_bytes(&bytes(0xf0))?;
            peer.hear_hello()?;
            still_serves(&mut peer, 1)
        },
    ),
    Case::new("hello-long", HANDSHAKE, "HELLO's body is at most 1 MiB, whatever max_frame is.", |tested| {
        let short = Hello::new().frame().body.len();
        let head = 1 + blob(vec![0; 70_000]).len() - 70_000;
        let mut peer = tested.open_with(&Hello::new().and(200, vec![7; MAX_CONTROL - short - head]))?;
        still_serves(&mut peer, 1)?;
        let mut peer = tested.connect()?;
        peer.send_bytes(&[&MAGIC[..], &header(MAX_CONTROL as u32 + 1, kind::HELLO, 0, 0)].concat())?;
        peer.hear_hello()?;
        peer.refuses_to_go_on()
    }),
    Case::new(
        "hello-limits-moved",
        HANDSHAKE,
        "Limits out of bounds are moved to the nearest by both sides.",
        |tested| {
            let mut peer =
                tested.open_with(&Hello::new().max_frame(1).max_message(0).max_calls(0).window(0))?;
            let text = "m".repeat(1000);
            let echo = peer.echo(1, &text)?;
            peer.send(echo)?;
            peer.echoed(1, &text)?;
            let mut peer =
                tested.open_with(&Hello::new().max_frame(u32::MAX).max_message(u32::MAX).window(u32::MAX))?;
            let text = "m".repeat(200_000);
            let echo = peer.echo(1, &text)?.cut_evenly(60_000);
            peer.send_all(echo)?;
            peer.echoed(1, &text)
        },
    ),
    Case::new(
        "hello-keeps-max-frame",
        LIMITS,
        "A side sends no frame body above the peer's max_frame.",
        |tested| {
            let mut peer = tested.open_with(&Hello::new().max_frame(1024))?;
            for (number, length) in [(1, 1021), (2, 1022), (3, 50_000)] {
                let text = "k".repeat(length);
                let echo = peer.echo(number, &text)?;
                peer.send(echo)?;
                peer.echoed(number, &text)?;
            }
            Ok(())
        },
    ),
    Case::new(
        "hello-nothing-before",
        FRAME,
        "Nothing but HELLO is sent before the peer's HELLO was read.",
        |tested| {
            let mut waiting = tested.connect()?;
            waiting.hear_hello()?;
            // Another connection's life says how long is long enough: what comes too soon has come by then.
            let mut other = tested.open()?;
            still_serves(&mut other, 1)?;
            let early = waiting.read(std::time::Instant::now())?;
            check(matches!(early, crate::socket::Read1::Nothing), || {
                format!("{early:?} came before our HELLO")
            })?;
            waiting.say_hello(&Hello::new())?;
            still_serves(&mut waiting, 1)
        },
    ),
    Case::new(
        "stream-unannounced",
        STREAMS,
        "ITEM, END and CREDIT end the connection where no streams are spoken.",
        |tested| {
            for kind in [kind::ITEM, kind::END, kind::CREDIT] {
                let mut peer = tested.open()?;
                // Where the tested side speaks them: we have not said that we do.
                peer.send(Frame::new(kind, 1, [0; 8]))?;
                peer.refuses_to_go_on()?;
            }
            Ok(())
        },
    ),
];

/// A handshake with that HELLO is refused: GO_AWAY, close.
fn refused(tested: &Acceptor, hello: &Hello) -> Step {
    let mut peer = tested.connect()?;
    peer.say_hello(hello)?;
    peer.hear_hello()?;
    peer.refuses_to_go_on()
}
