//! What ends a connection, and how early.

use super::tests::{frame, hello, open, speaking, streaming};
use super::*;
use crate::frame::VERSION;
use crate::limits::MAX_FRAME;
use crate::outbound::Outbound;
use crate::wire::WireError;

#[test]
fn every_protocol_error_has_bytes_that_bring_it() {
    use ProtocolError::*;
    let version = |min: u16, max: u16| {
        let range = [min.to_le_bytes(), max.to_le_bytes()].concat();
        [&MAGIC[..], &frame(kind::HELLO, 0, 0, &[&[1, 4], &range[..]].concat())].concat()
    };
    let begun = |kind, call| frame(kind, flag::MORE, call, b"");
    let long = Header { length: MAX_FRAME + 1, kind: kind::CALL, flags: 0, call: 1 }.encode().to_vec();
    let call = |number| frame(kind::CALL, 0, number, &[1, 0, 0, 0, 0, 0, 0, 0]);
    let after = |bytes: Vec<u8>| [hello(), bytes].concat();
    let of_streams =
        |frames: [Vec<u8>; 2]| [Outbound::new(&speaking()).chunk().to_vec(), frames.concat()].concat();
    let (a, c) = (Role::Acceptor, Role::Connector);
    let truncated = || Malformed(WireError::Truncated);
    let wrong_schema = frame(kind::SCHEMA, 0, 0, &[7; 17]);
    let table = [
        ("HTTP", a, b"GET / HTTP/1.1".to_vec(), BadMagic(*b"G\0\0\0\0\0\0\0")),
        ("only later versions", a, version(2, 4), NoCommonVersion { min: 2, max: 4 }),
        ("a range the wrong way round", a, version(VERSION + 1, VERSION), NoCommonVersion { min: 2, max: 1 }),
        ("no HELLO", a, [&MAGIC[..], &frame(kind::PING, 0, 0, &[0; 8])].concat(), HelloMissing),
        ("something skippable before HELLO", a, [&MAGIC[..], &frame(0x80, 0, 0, b"")].concat(), HelloMissing),
        (
            "no HELLO but GO_AWAY",
            a,
            [&MAGIC[..], &frame(kind::GO_AWAY, 0, 0, &[0; 4])].concat(),
            HelloMissing,
        ),
        ("a second HELLO", a, after(hello()[8..].to_vec()), HelloRepeated),
        ("a HELLO without versions", a, [&MAGIC[..], &frame(kind::HELLO, 0, 0, b"")].concat(), truncated()),
        ("a body too long", a, after(long), FrameTooLarge { kind: kind::CALL, length: MAX_FRAME + 1 }),
        ("a reply to who is called", a, after(frame(kind::REPLY, 0, 1, b"")), UnexpectedFrame(kind::REPLY)),
        ("a schema to who is called", a, after(wrong_schema.clone()), UnexpectedFrame(kind::SCHEMA)),
        ("a call to the caller", c, after(call(1)), UnexpectedFrame(kind::CALL)),
        ("a cancel to the caller", c, after(frame(kind::CANCEL, 0, 1, b"")), UnexpectedFrame(kind::CANCEL)),
        ("an item", a, after(frame(kind::ITEM, 0, 1, b"")), UnexpectedFrame(kind::ITEM)),
        ("an end", c, after(frame(kind::END, 0, 1, b"")), UnexpectedFrame(kind::END)),
        ("credit", c, after(frame(kind::CREDIT, 0, 1, b"")), UnexpectedFrame(kind::CREDIT)),
        ("an unknown kind", c, after(frame(0x7f, 0, 0, b"")), UnexpectedFrame(0x7f)),
        (
            "an item within an item",
            c,
            of_streams([begun(kind::ITEM, 3), begun(kind::ITEM, 3)]),
            BadCallNumber(3),
        ),
        (
            "an end within an item",
            c,
            of_streams([begun(kind::ITEM, 3), frame(kind::END, 0, 3, b"")]),
            BadCallNumber(3),
        ),
        (
            "a reply within an item",
            c,
            of_streams([begun(kind::ITEM, 3), frame(kind::REPLY, 0, 3, b"")]),
            BadCallNumber(3),
        ),
        (
            "an item within a call",
            a,
            of_streams([begun(kind::CALL, 3), begun(kind::ITEM, 3)]),
            BadCallNumber(3),
        ),
        ("item 0", c, of_streams([frame(kind::ITEM, 0, 0, b""), vec![]]), BadCallNumber(0)),
        ("credit 0", c, of_streams([frame(kind::CREDIT, 0, 0, &[0; 8]), vec![]]), BadCallNumber(0)),
        ("an item of no call", a, of_streams([call(5), frame(kind::ITEM, 0, 6, b"")]), BadCallNumber(6)),
        ("an end of no call", a, of_streams([call(5), frame(kind::END, 0, 6, b"")]), BadCallNumber(6)),
        (
            "credit for no call",
            a,
            of_streams([call(5), frame(kind::CREDIT, 0, 6, &[0; 8])]),
            BadCallNumber(6),
        ),
        ("half of a credit", c, of_streams([frame(kind::CREDIT, 0, 1, &[0; 7]), vec![]]), truncated()),
        ("an end without its metadata", c, of_streams([frame(kind::END, 2, 1, &[1]), vec![]]), truncated()),
        (
            "an item with metadata",
            c,
            of_streams([frame(kind::ITEM, 2, 1, b""), vec![]]),
            UnknownFlag { kind: kind::ITEM, flags: 2 },
        ),
        (
            "credit in parts",
            c,
            of_streams([begun(kind::CREDIT, 1), vec![]]),
            UnknownFlag { kind: kind::CREDIT, flags: 1 },
        ),
        (
            "an unknown flag",
            a,
            after(frame(kind::CALL, 8, 1, b"")),
            UnknownFlag { kind: kind::CALL, flags: 8 },
        ),
        ("call 0", a, after(call(0)), BadCallNumber(0)),
        ("reply 0", c, after(frame(kind::REPLY, 0, 0, b"")), BadCallNumber(0)),
        ("cancel 0", a, after(frame(kind::CANCEL, 0, 0, b"")), BadCallNumber(0)),
        ("data 0", a, after(frame(kind::DATA, 0, 0, b"")), BadCallNumber(0)),
        ("a call's number again", a, after([call(5), call(5)].concat()), BadCallNumber(5)),
        ("a call's number, lower", a, after([call(5), call(4)].concat()), BadCallNumber(4)),
        (
            "the last number again",
            a,
            after([call(u32::MAX), call(u32::MAX)].concat()),
            BadCallNumber(u32::MAX),
        ),
        (
            "a second answer within the first",
            c,
            after([begun(kind::REPLY, 3), begun(kind::REPLY, 3)].concat()),
            BadCallNumber(3),
        ),
        ("a call without a Call ID", a, after(frame(kind::CALL, 0, 1, &[0, 0, 0])), truncated()),
        ("Call ID 0", a, after(frame(kind::CALL, 0, 1, &[0; 8])), Malformed(WireError::IntegerOutOfRange)),
        (
            "metadata of 16 KB and one",
            a,
            after(frame(kind::CALL, 2, 1, &[1, 0, 0, 0, 0, 0, 0, 0, 1, 64])),
            Malformed(WireError::IntegerOutOfRange),
        ),
        ("a failure without a code", c, after(frame(kind::FAILURE, 0, 1, b"")), truncated()),
        ("a short PING", a, after(frame(kind::PING, 0, 0, &[0; 7])), truncated()),
        ("a schema of another fingerprint", c, after(wrong_schema), BadSchema(SchemaError::WrongFingerprint)),
    ];
    for (what, role, bytes, expected) in table {
        // Byte by byte, so that an error is seen as early as it can be; and all at once, which must not show another.
        for cut in [1, 3, bytes.len()] {
            let error = refusal(role, &bytes, cut);
            assert_eq!(error, Some(expected.clone()), "{what}, in cuts of {cut}");
            assert!(!expected.to_string().is_empty());
        }
    }
}

/// What ends a connection on which these bytes come in cuts of so many.
fn refusal(role: Role, bytes: &[u8], cut: usize) -> Option<ProtocolError> {
    let (mut inbound, mut unread) = (Inbound::of(role, &speaking(), None), Vec::new());
    for piece in bytes.chunks(cut) {
        unread.extend_from_slice(piece);
        loop {
            match inbound.next(&unread) {
                Ok((0, _)) => break,
                Ok((taken, _)) => drop(unread.drain(..taken)),
                Err(error) => return Some(error),
            }
        }
    }
    None
}

#[test]
fn a_strangers_first_bytes_are_told_up_to_the_first_that_is_wrong() {
    for (bytes, told) in [
        (&b"GET / HTTP/1.1"[..], "G"),
        (b"CALLBACK", "CALLB"),
        (b"\x15\x03\x01", "\\x15"),
        (b"C\0\0\0\0\0\0\0", "C\\x00"),
        (b"CALLGATe", "CALLGATe"),
    ] {
        let error = refusal(Role::Acceptor, bytes, bytes.len()).map(|error| error.to_string());
        let expected = format!("the peer does not speak Callgate's protocol: it began with \"{told}\"");
        assert_eq!(error, Some(expected));
    }
}

#[test]
fn what_must_be_refused_is_refused_by_its_header() {
    let header = |kind, flags, call, length| Header { length, kind, flags, call }.encode();
    for (role, header) in [
        (Role::Acceptor, header(kind::SCHEMA, 0, 0, 1_000_000)),
        (Role::Connector, header(kind::ITEM, 0, 1, 60_000)),
        (Role::Connector, header(kind::REPLY, 4, 1, 60_000)),
        (Role::Acceptor, header(kind::CALL, 0, 0, 60_000)),
        (Role::Acceptor, header(0x80, 0, 0, MAX_FRAME + 1)),
    ] {
        assert!(open(role, Limits::default()).next(&header).is_err(), "{header:?}");
    }
}

#[test]
fn an_item_or_an_end_that_cannot_be_kept_is_told_and_its_rest_is_skipped() {
    let limits = Limits { max_message: 2000, max_calls: 2, window: 3000, ..Limits::default() };
    for (role, kind) in [(Role::Connector, kind::ITEM), (Role::Connector, kind::END)] {
        let mut inbound = streaming(role, limits);
        let parts = [
            frame(kind, flag::MORE, 1, &[0; 1500]),
            frame(kind::DATA, flag::MORE, 1, &[0; 501]),
            frame(kind::DATA, 0, 1, &[0; 100]),
            frame(kind, 0, 2, &[0; 2001]),
        ];
        let heard = super::tests::feed(&mut inbound, &parts.concat()).expect("sound");
        let begins = usize::from(kind == kind::ITEM);
        assert_eq!(heard[begins..], ["ItemTooLarge { number: 1 }", "ItemTooLarge { number: 2 }"]);
        assert!(!inbound.is_assembling(9));
    }
}
