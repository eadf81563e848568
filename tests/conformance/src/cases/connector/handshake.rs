//! Magic, HELLO, version; what an acceptor's HELLO may say, and what it must not.

use super::{Case, still_calls};
use crate::frame::{Frame, MAGIC, go_away, header, kind, ping};
use crate::hello::{Hello, MAX_CONTROL, tag};
use crate::service::Offer;
use crate::tested::{Connector, arrived, offering};
use crate::verdict::section::{FRAME, HANDSHAKE, LATER, LET_IN};
use crate::verdict::{Step, check, in_case};
use std::time::Duration;

pub(super) const CASES: &[Case] = &[
    Case::new("hello-at-once", FRAME, "Each direction begins without waiting for the other.", |tested| {
        let mut peer = tested.open()?;
        still_calls(tested, &mut peer, 10)
    }),
    Case::new("hello-no-early-calls", FRAME, "No call is sent before the peer's HELLO was read.", |tested| {
        let mut peer = tested.accept()?;
        let call = tested.call(10)?;
        // A connector that calls too soon does it at once.
        peer.listen(Duration::from_millis(300))?;
        check(peer.heard.calls.last() == 0, || "a CALL came before our HELLO".into())?;
        peer.say_hello(&offering(&[Offer::echo("")]))?;
        peer.schemas.push(crate::service::ECHO.schema(""));
        let arrived = arrived(&mut peer)?;
        peer.send(crate::frame::reply(arrived.number, &arrived.arguments))?;
        tested.succeeded(call, 10)
    }),
    Case::new(
        "hello-wrong-magic",
        FRAME,
        "A side that receives another beginning than the magic closes.",
        |tested| {
            let mut peer = tested.accept()?;
            peer.send_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n")?;
            peer.ends()
        },
    ),
    Case::new("hello-first", FRAME, "Nothing but HELLO may be the first frame.", |tested| {
        let mut peer = tested.accept()?;
        peer.send_bytes(&[&MAGIC[..], &ping(b"too soon").bytes()].concat())?;
        peer.refuses_to_go_on()
    }),
    Case::new(
        "let-in-not",
        LET_IN,
        "A connector that reads GO_AWAY in the place of HELLO is not let in, and breaks nothing off.",
        |tested| {
            let mut peer = tested.accept()?;
            let refused = go_away(0, "the case asks for a token");
            peer.send_bytes(&[&MAGIC[..], &refused.bytes()].concat())?;
            peer.ends()?;
            check(peer.heard.away.is_empty(), || "it takes that for a broken protocol".into())?;
            let mut peer = tested.open()?;
            still_calls(tested, &mut peer, 10)
        },
    ),
    Case::new("hello-twice", FRAME, "HELLO is sent once: a second one ends the connection.", |tested| {
        let mut peer = tested.open()?;
        peer.send(Hello::new().frame())?;
        peer.refuses_to_go_on()
    }),
    Case::new("hello-versions", HANDSHAKE, "The highest version in both ranges is spoken.", |tested| {
        let mut peer = tested.open_with(&offer_echo().set(tag::VERSIONS, [0, 0, 9, 0]))?;
        still_calls(tested, &mut peer, 10)
    }),
    Case::new(
        "hello-no-version",
        HANDSHAKE,
        "Without a common version a side says so in GO_AWAY and closes.",
        |tested| refused(tested, &offer_echo().set(tag::VERSIONS, [2, 0, 9, 0])),
    ),
    Case::new("hello-lacks-versions", HANDSHAKE, "A HELLO without versions is refused.", |tested| {
        refused(tested, &offer_echo().without(tag::VERSIONS))
    }),
    Case::new(
        "hello-unknown-fields",
        LATER,
        "Fields with unknown tags are skipped, in HELLO and in methods.",
        |tested| {
            let hello = offering(&[Offer::echo("").and(99, b"later")]);
            let mut peer = tested.open_with(&hello.and(200, *b"what").and(12, []).and(255, [1; 300]))?;
            still_calls(tested, &mut peer, 10)
        },
    ),
    Case::new(
        "hello-kept-fields",
        HANDSHAKE,
        "The fields of streams, codecs and features hurt nobody.",
        |tested| {
            let credit = [16, 0, 0, 0, 0, 0, 1, 0];
            let hello = offer_echo()
                .and(tag::STREAMS, credit)
                .and(tag::CODECS, *b"\x01")
                .and(tag::FEATURES, *b"\x01");
            let mut peer = tested.open_with(&hello)?;
            still_calls(tested, &mut peer, 10)
        },
    ),
    Case::new("hello-any-order", HANDSHAKE, "HELLO's fields come in any order.", |tested| {
        let mut peer = tested.open_with(&offer_echo().max_frame(2000).reversed())?;
        still_calls(tested, &mut peer, 10)
    }),
    Case::new(
        "hello-first-counts",
        HANDSHAKE,
        "Of several fields with one tag the first counts.",
        |tested| {
            // Frames above 1024 bytes break the rules that hold for every frame.
            let hello = offer_echo().max_frame(1024).and(tag::MAX_FRAME, 65_536_u32.to_le_bytes());
            let mut peer = tested.open_with(&hello)?;
            in_case(still_calls(tested, &mut peer, 5000))
        },
    ),
    Case::new("hello-cut", HANDSHAKE, "A field that ends early is an error of the handshake.", |tested| {
        let frame = offer_echo().frame().and(&[tag::IDENTITY, 20, b'x']);
        let mut peer = tested.accept()?;
        peer.send_bytes(&[&MAGIC[..], &frame.bytes()].concat())?;
        peer.refuses_to_go_on()
    }),
    Case::new(
        "hello-not-utf8",
        HANDSHAKE,
        "Text in HELLO that is not UTF-8 is an error of the handshake.",
        |tested| refused(tested, &offer_echo().set(tag::IDENTITY, [0xc3, 0x28])),
    ),
    Case::new("hello-long", HANDSHAKE, "HELLO's body is at most 1 MiB, whatever max_frame is.", |tested| {
        let short = offer_echo().frame().body.len();
        let mut peer = tested.open_with(&offer_echo().and(200, vec![7; MAX_CONTROL - short - 6]))?;
        still_calls(tested, &mut peer, 10)?;
        drop(peer);
        let mut peer = tested.accept()?;
        peer.send_bytes(&[&MAGIC[..], &header(MAX_CONTROL as u32 + 1, kind::HELLO, 0, 0)].concat())?;
        peer.refuses_to_go_on()
    }),
    Case::new("hello-in-pieces", FRAME, "Magic and HELLO may arrive byte by byte.", |tested| {
        let mut peer = tested.accept()?;
        peer.schemas.push(crate::service::ECHO.schema(""));
        for byte in [&MAGIC[..], &offer_echo().frame().bytes()].concat() {
            peer.send_bytes(&[byte])?;
        }
        still_calls(tested, &mut peer, 10)
    }),
    Case::new(
        "hello-nothing-else",
        HANDSHAKE,
        "A HELLO may offer nothing; a call that nobody offers is not sent.",
        |tested| {
            let mut peer = tested.open_with(&Hello::new())?;
            let call = tested.call(10)?;
            peer.still_there()?;
            tested.cancel(call)?;
            tested.failed(call)?;
            peer.still_there()?;
            check(peer.heard.calls.last() == 0, || "a CALL came, but no method is offered".into())
        },
    ),
    Case::new(
        "stream-unannounced",
        crate::verdict::section::STREAMS,
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

fn offer_echo() -> Hello {
    offering(&[Offer::echo("")])
}

/// A handshake with that HELLO is refused: GO_AWAY, close.
fn refused(tested: &mut Connector, hello: &Hello) -> Step {
    let mut peer = tested.accept()?;
    peer.say_hello(hello)?;
    peer.refuses_to_go_on()
}
