//! What is offered to a connector, and the schemas that it asks for.

use super::{Case, still_calls};
use crate::frame::{MAGIC, reply, schema};
use crate::hello::{Hello, tag};
use crate::peer::Peer;
use crate::service::{ECHO, Offer, fingerprint, service};
use crate::tested::{Connector, arrived, offering};
use crate::verdict::section::{HANDSHAKE, SCHEMAS};
use crate::verdict::{Step, Stop, check};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "offer-pinned",
        HANDSHAKE,
        "Methods are found by name; the CALL has the Call ID that is offered.",
        |tested| {
            let mut peer = tested.open_with(&offering(&[Offer::echo("").set(2, &[9, 0, 0, 0])]))?;
            let call = tested.call(10)?;
            let arrived = arrived(&mut peer)?;
            check(arrived.call_id == 9, || {
                format!("the CALL has the Call ID {:#x}, offered is 9", arrived.call_id)
            })?;
            peer.send(reply(arrived.number, &arrived.arguments))?;
            tested.succeeded(call, 10)
        },
    ),
    Case::new(
        "offer-by-name",
        HANDSHAKE,
        "A method of another name is another one, though it has the Call ID.",
        |tested| {
            let hello = Hello::new().and(tag::SERVICE, service("elsewhere", &[Offer::echo("")]));
            not_offered(tested, &hello)
        },
    ),
    Case::new("offer-among-others", HANDSHAKE, "A HELLO may offer several services and methods.", |tested| {
        let other = |name: &str, id| Offer::new(name, id, [7; 16], [8; 16]);
        let hello = Hello::new()
            .and(tag::SERVICE, service("before", &[other("echo", 1), other("more", 2)]))
            .and(tag::SERVICE, service("conformance", &[other("ohce", 3), Offer::echo(""), other("last", 4)]))
            .and(tag::SERVICE, service("after", &[]));
        let mut peer = tested.open_with(&hello)?;
        still_calls(tested, &mut peer, 10)
    }),
    Case::new(
        "offer-twice",
        HANDSHAKE,
        "A service, a method or a Call ID that stands twice in HELLO is an error of the handshake.",
        |tested| {
            let echo = || Offer::echo("");
            let other = Offer::new("other", ECHO.call_id(), [7; 16], [8; 16]);
            let same_name = echo().set(2, &[9, 0, 0, 0]);
            refused(tested, &offering(&[echo()]).and(tag::SERVICE, service("conformance", &[])))?;
            refused(tested, &offering(&[echo(), same_name]))?;
            refused(tested, &offering(&[echo(), other.clone()]))?;
            refused(tested, &offering(&[echo()]).and(tag::SERVICE, service("elsewhere", &[other])))
        },
    ),
    Case::new(
        "offer-incomplete",
        HANDSHAKE,
        "A method has a name, a Call ID that is not 0, and two fingerprints of 16 bytes.",
        |tested| {
            for tag in [1, 2, 3, 5] {
                refused(tested, &offering(&[Offer::echo("").without(tag)]))?;
            }
            refused(tested, &offering(&[Offer::echo("").set(2, &[0; 4])]))?;
            refused(tested, &offering(&[Offer::echo("").set(3, &[0; 15])]))
        },
    ),
    Case::new(
        "offer-names",
        HANDSHAKE,
        "A name that is not of the grammar is an error of the handshake.",
        |tested| {
            for name in ["", ".", "a..b", "7up", "a b", "gr\u{f6}\u{df}e", &"n".repeat(129)] {
                refused(tested, &Hello::new().and(tag::SERVICE, service(name, &[])))?;
                refused(tested, &offering(&[Offer::echo("").set(1, name.as_bytes())]))?;
            }
            refused(tested, &offering(&[Offer::echo("").set(1, b"acme.echo")]))?;
            let hello = offering(&[Offer::echo("")]).and(tag::SERVICE, service("acme.v1._x-9", &[]));
            let mut peer = tested.open_with(&hello)?;
            still_calls(tested, &mut peer, 10)
        },
    ),
    Case::new(
        "offer-unknown-flag",
        HANDSHAKE,
        "A method with an unknown flag among the lower four is treated as not offered.",
        |tested| not_offered(tested, &offering(&[Offer::echo("").and(4, &[0x08])])),
    ),
    Case::new(
        "offer-streaming",
        HANDSHAKE,
        "A method that streams is not seen by a side that speaks no streams.",
        |tested| {
            for flags in [0x02, 0x04, 0x07] {
                not_offered(tested, &offering(&[Offer::echo("").and(4, &[flags])]))?;
            }
            Ok(())
        },
    ),
    Case::new(
        "offer-upper-flags",
        HANDSHAKE,
        "The upper four flags of a method are ignored when they are not known.",
        |tested| {
            let mut peer = tested.open_with(&offering(&[Offer::echo("").and(4, &[0xf0])]))?;
            still_calls(tested, &mut peer, 10)
        },
    ),
    Case::new(
        "schema-used",
        SCHEMAS,
        "A schema that was not seen before is fetched, if the connector needs schemas.",
        |tested| {
            let mut peer = fresh(tested, "schema-used")?;
            still_calls(tested, &mut peer, 10)
        },
    ),
    Case::new(
        "schema-wrong-bytes",
        SCHEMAS,
        "The receiver checks that the bytes of a SCHEMA have the fingerprint.",
        |tested| {
            let mut peer = fresh(tested, "schema-wrong-bytes")?;
            let asked = asked(tested, &mut peer)?;
            peer.send(schema(&asked, &ECHO.schema("another one")))?;
            peer.refuses_to_go_on()
        },
    ),
    Case::new(
        "schema-none",
        SCHEMAS,
        "Without a schema a method is not usable; the connection goes on.",
        |tested| {
            let mut peer = fresh(tested, "schema-none")?;
            let asked = asked(tested, &mut peer)?;
            peer.send(schema(&asked, &[]))?;
            unusable(&mut peer)
        },
    ),
    Case::new(
        "schema-broken",
        SCHEMAS,
        "A schema that breaks its rules makes the method not usable; the connection goes on.",
        |tested| {
            let mut bytes = ECHO.schema("schema-broken");
            bytes.push(0xff);
            let offer = Offer::new(ECHO.name, ECHO.call_id(), fingerprint(&bytes), ECHO.wire());
            let mut peer = tested.open_with(&offering(&[offer]))?;
            peer.obliging = false;
            let asked = asked(tested, &mut peer)?;
            peer.send(schema(&asked, &bytes))?;
            unusable(&mut peer)
        },
    ),
];

/// A handshake with that HELLO is refused: GO_AWAY, close.
fn refused(tested: &mut Connector, hello: &Hello) -> Step {
    let mut peer = tested.accept()?;
    peer.send_bytes(&[&MAGIC[..], &hello.frame().bytes()].concat())?;
    peer.refuses_to_go_on()
}

/// A call of `conformance.echo` is not sent by that HELLO.
fn not_offered(tested: &mut Connector, hello: &Hello) -> Step {
    let mut peer = tested.open_with(hello)?;
    let call = tested.call(10)?;
    peer.listen(std::time::Duration::from_millis(200))?;
    tested.cancel(call)?;
    tested.failed(call)?;
    peer.still_there()?;
    check(peer.heard.calls.last() == 0, || "a CALL came for a method that is not offered".into())
}

/// A connection on which `echo` has a schema that the connector has not seen.
fn fresh(tested: &mut Connector, doc: &str) -> Step<Peer> {
    let doc = format!("{doc} {}", std::process::id());
    let mut peer = tested.open_with(&offering(&[Offer::echo(&doc)]))?;
    peer.schemas.push(ECHO.schema(&doc));
    Ok(peer)
}

/// Has it call, and waits for its SCHEMA_REQUEST; one that calls without asking needs no schemas.
fn asked(tested: &mut Connector, peer: &mut Peer) -> Step<[u8; 16]> {
    peer.obliging = false;
    tested.call(10)?;
    let asked = peer.wait("a SCHEMA_REQUEST or a CALL", |heard| {
        if heard.calls.last() > 0 { Some(None) } else { heard.schema_requests.pop_front().map(Some) }
    })?;
    asked.ok_or_else(|| Stop::LeftOut("it asks for no schemas".into()))
}

fn unusable(peer: &mut Peer) -> Step {
    peer.obliging = true;
    peer.still_there()?;
    check(peer.heard.calls.last() == 0, || "a CALL came for a method without a schema".into())
}
