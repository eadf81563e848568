//! What a peer may send, in any pieces, and that damage to it is borne.

use super::*;
use crate::Metadata;
use crate::call::CallHead;
use crate::call::MetadataBuf;
use crate::outbound::Outbound;
use crate::status::Code;
use crate::status::Status;
use crate::{CallId, MethodOffer, ServiceOffer, Streaming};
use proptest::prelude::*;
use std::convert::Infallible;

/// A frame's bytes, well-formed or not.
pub(super) fn frame(kind: u8, flags: u8, call: u32, body: &[u8]) -> Vec<u8> {
    let header = Header { length: body.len() as u32, kind, flags, call };
    [&header.encode()[..], body].concat()
}

pub(super) fn hello() -> Vec<u8> {
    let service = ServiceOffer {
        name: "calc".into(),
        version: "1".into(),
        methods: vec![MethodOffer {
            wire: Fingerprint::of(b"wire"),
            name: "add".into(),
            call_id: CallId::of("calc", "add"),
            schema: Fingerprint([7; 16]),
            idempotent: true,
            streams: Streaming::default(),
        }],
    };
    Outbound::new(&Hello::new("peer", Limits::default(), vec![service])).chunk().to_vec()
}

/// A connection on which the peer has said HELLO.
pub(super) fn open(role: Role, limits: Limits) -> Inbound {
    let mut inbound = Inbound::new(role, limits);
    feed(&mut inbound, &hello()).expect("a sound HELLO");
    inbound
}

/// The HELLO of a side that speaks streams.
pub(super) fn speaking() -> Hello {
    Hello::new("peer", Limits::default(), Vec::new()).speaking_streams(crate::StreamCredit::default())
}

/// A connection whose sides both speak streams, on which the peer has said HELLO.
pub(super) fn streaming(role: Role, limits: Limits) -> Inbound {
    let mut inbound = Inbound::of(role, &Hello { limits, ..speaking() }, None);
    feed(&mut inbound, &Outbound::new(&speaking()).chunk().to_vec()).expect("a sound HELLO");
    inbound
}

/// All that the peer says with these bytes, as text.
pub(super) fn feed(inbound: &mut Inbound, bytes: &[u8]) -> Result<Vec<String>> {
    let (mut at, mut events) = (0, Vec::new());
    loop {
        let (taken, event) = inbound.next(&bytes[at..])?;
        events.extend(event.map(|event| format!("{event:?}")));
        at += taken;
        if taken == 0 {
            assert_eq!(at, bytes.len(), "whole frames only");
            return Ok(events);
        }
    }
}

/// Everything that a connector may say, long messages among it; or an acceptor.
fn conversation(role: Role) -> Vec<u8> {
    let mut out = Outbound::new(&speaking());
    out.set_max_frame(50);
    let mut metadata = MetadataBuf::default();
    metadata.push_named("tenant", b"blue");
    let head = CallHead {
        call_id: CallId::of("calc", "add"),
        timeout_ms: Some(1500),
        metadata: metadata.as_metadata(),
    };
    let payload = |out: &mut Vec<u8>| {
        out.extend(0..120);
        Ok::<_, Infallible>(None)
    };
    match role {
        Role::Acceptor => {
            out.schema_request(Fingerprint([9; 16]));
            out.call(1, &head, payload).unwrap_or_else(|e| match e {});
            out.call(2, &head, |_| Ok::<_, Infallible>(None)).unwrap_or_else(|e| match e {});
            out.cancel(2);
            out.call(9, &head, |_| Ok::<_, Infallible>(None)).unwrap_or_else(|e| match e {});
        }
        Role::Connector => {
            out.schema(Fingerprint::of(b"schema"), b"schema");
            out.schema(Fingerprint([9; 16]), b"");
            out.reply(1, Metadata::default(), payload).unwrap_or_else(|e| match e {});
            out.failure(2, &Status::new(Code::NotFound, "n".repeat(99)).not_executed());
            out.failure(3, &Status::unavailable("soon").with_retry_after_ms(5));
        }
    }
    out.item(9, payload).unwrap_or_else(|e| match e {});
    out.credit(2, crate::StreamCredit::default());
    out.item_holding(2, &mut vec![7; 20], None);
    out.end(2, metadata.as_metadata());
    out.ping([1; 8]);
    out.pong([2; 8]);
    out.go_away(3, "the end");
    let mut bytes = Vec::new();
    while !out.is_empty() {
        let chunk = out.chunk().to_vec();
        bytes.extend_from_slice(&chunk);
        out.advance(chunk.len());
    }
    bytes
}

proptest! {
    #![proptest_config(crate::generate::runs(60))]

    #[test]
    fn however_the_bytes_are_split_the_events_are_the_same(
        acceptor in any::<bool>(),
        sizes in proptest::collection::vec(1usize..40, 1..20),
    ) {
        let role = if acceptor { Role::Acceptor } else { Role::Connector };
        let bytes = conversation(role);
        let whole = feed(&mut Inbound::of(role, &speaking(), None), &bytes).expect("well-formed");
        prop_assert_eq!(whole.len(), 14);
        for sizes in [&sizes[..], &[1]] {
            let mut inbound = Inbound::of(role, &speaking(), None);
            let (mut buffer, mut events, mut at) = (Vec::new(), Vec::new(), 0);
            for size in sizes.iter().cycle() {
                let end = bytes.len().min(at + size);
                buffer.extend_from_slice(&bytes[at..end]);
                at = end;
                loop {
                    let (taken, event) = inbound.next(&buffer).expect("well-formed");
                    events.extend(event.map(|event| format!("{event:?}")));
                    buffer.drain(..taken);
                    if taken == 0 {
                        break;
                    }
                }
                if at == bytes.len() {
                    break;
                }
            }
            prop_assert_eq!(&events, &whole);
        }
    }

    #[test]
    fn damaged_bytes_never_panic_and_hold_no_more_than_came(
        acceptor in any::<bool>(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        noise in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let role = if acceptor { Role::Acceptor } else { Role::Connector };
        let mut bytes = conversation(role);
        for (index, byte) in damage {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.extend(noise);
        let (mut inbound, mut at) = (Inbound::of(role, &speaking(), None), 0);
        while let Ok((taken @ 1.., _)) = inbound.next(&bytes[at..]) {
            at += taken;
            let (messages, held) = inbound.assembly.held();
            prop_assert!(held <= at && messages * HEADER <= at);
        }
    }
}

#[test]
fn a_later_version_may_add_kinds_flags_and_bytes_that_are_skipped() {
    let mut inbound = open(Role::Acceptor, Limits::default());
    let bytes = [
        frame(0x80, 0xff, 0, b"of a later version"),
        frame(0xff, 0, 9, b""),
        frame(kind::PING, 0xf0, 0, b"12345678 and more"),
        frame(kind::CANCEL, 0x10, 4, b"and why"),
    ];
    let events = feed(&mut inbound, &bytes.concat()).expect("skippable");
    assert_eq!(events, ["Ping([49, 50, 51, 52, 53, 54, 55, 56])", "Cancel { number: 4 }"]);
}

#[test]
fn ready_says_so_to_a_connector_and_nothing_in_other_words() {
    let mut outbound = Outbound::new(&Hello::new("", Limits::default(), Vec::new()));
    let hello = outbound.chunk().len();
    outbound.advance(hello);
    outbound.ready(false);
    outbound.ready(true);
    let known = outbound.chunk().to_vec();
    let later = [frame(kind::READY, 0, 0, b""), frame(kind::READY, 0xff, 7, b"\x02")].concat();
    for (role, said) in [(Role::Connector, ["Ready(false)", "Ready(true)"].as_slice()), (Role::Acceptor, &[])]
    {
        let mut inbound = open(role, Limits::default());
        assert_eq!(feed(&mut inbound, &known).expect("skippable"), said);
        assert!(feed(&mut inbound, &later).expect("skippable").is_empty());
    }
}

#[test]
fn limits_out_of_bounds_mean_the_nearest_to_both_sides() {
    let told = Limits { max_frame: 1, max_message: u32::MAX, max_calls: 0, window: 1 };
    let bytes = Outbound::new(&Hello::new("", told, Vec::new())).chunk().to_vec();
    let mut peer = Inbound::new(Role::Acceptor, Limits::default());
    let (magic, _) = peer.next(&bytes).expect("magic");
    let Ok((_, Some(Event::Hello(hello)))) = peer.next(&bytes[magic..]) else {
        panic!("no HELLO");
    };
    assert_eq!(hello.limits, told.clamped());
    let mut inbound = open(Role::Connector, told);
    let largest = frame(kind::REPLY, 0, 1, &vec![0; hello.limits.max_frame as usize]);
    assert_eq!(feed(&mut inbound, &largest).map(|events| events.len()), Ok(1));
}

#[test]
fn a_frames_size_is_known_as_soon_as_its_header_is_there() {
    let bytes = frame(kind::CALL, 0, 1, b"seven b");
    for (seen, size) in
        [(0, None), (HEADER - 1, None), (HEADER, Some(HEADER + 7)), (bytes.len(), Some(HEADER + 7))]
    {
        assert_eq!(Inbound::frame_size(&bytes[..seen]), size, "{seen}");
    }
    assert_eq!(Inbound::frame_size(&frame(kind::PING, 0, 0, b"")), Some(HEADER));
}

#[test]
fn the_last_call_is_the_last_that_began_to_arrive() {
    let mut inbound = open(Role::Acceptor, Limits::default());
    assert_eq!(inbound.last_call(), 0);
    for (flags, number) in [(0, 5), (flag::MORE, 9)] {
        let call = frame(kind::CALL, flags, number, &[1, 0, 0, 0, 0, 0, 0, 0]);
        feed(&mut inbound, &call).expect("sound");
        assert_eq!(inbound.last_call(), number);
    }
    feed(&mut inbound, &frame(kind::CANCEL, 0, 20, b"")).expect("sound");
    assert_eq!(inbound.last_call(), 9);
}

#[test]
fn hello_and_schemas_may_be_longer_than_other_frames_up_to_their_own_bound() {
    let header = |kind, length| Header { length, kind, flags: 0, call: 0 }.encode();
    for (kind, role) in [(kind::HELLO, Role::Acceptor), (kind::SCHEMA, Role::Connector)] {
        let begun = || match kind {
            kind::HELLO => {
                let mut inbound = Inbound::new(role, Limits::default());
                inbound.next(&MAGIC).expect("the magic");
                inbound
            }
            _ => open(role, Limits::default()),
        };
        for (length, fits) in [(65_537, true), (1_048_576, true), (1_048_577, false)] {
            let verdict = begun().next(&header(kind, length)).map(|(taken, _)| taken);
            let refused = ProtocolError::FrameTooLarge { kind, length };
            assert_eq!(verdict, if fits { Ok(0) } else { Err(refused) }, "{kind:#x} of {length}");
        }
    }
}

#[test]
fn only_a_failure_that_says_so_is_of_a_call_that_has_not_run() {
    for (flags, not_executed) in [(0, false), (flag::NOT_EXECUTED, true)] {
        let mut inbound = open(Role::Connector, Limits::default());
        let bytes = frame(kind::FAILURE, flags, 1, &[14]);
        let (_, event) = inbound.next(&bytes).expect("sound");
        assert!(matches!(event, Some(Event::Failure { status, .. }) if status.not_executed == not_executed));
    }
}

#[test]
fn a_caller_that_is_not_let_in_hears_why() {
    let body = [&[0; 4][..], b"a token is required here"].concat();
    let bytes = [&MAGIC[..], &frame(kind::GO_AWAY, 0, 0, &body)].concat();
    let mut inbound = Inbound::new(Role::Connector, Limits::default());
    let (magic, _) = inbound.next(&bytes).expect("the magic");
    let heard = inbound.next(&bytes[magic..]).expect("GO_AWAY").1;
    assert_eq!(heard, Some(Event::GoAway { last_call: 0, reason: "a token is required here" }));
}

#[test]
fn the_frames_of_streams_are_read_where_both_sides_speak_them() {
    let metadata = [&[3, 0][..], b"\x01\x01r", b"and more"].concat();
    let bytes = [
        frame(kind::CALL, 0, 7, &[1, 0, 0, 0, 0, 0, 0, 0]),
        frame(kind::ITEM, 0, 7, b"item"),
        frame(kind::CREDIT, 0, 7, b"\x01\0\0\0\x02\0\0\0and more"),
        frame(kind::ITEM, flag::MORE, 7, b"in "),
        frame(kind::CREDIT, 0, 7, &[0xff; 8]),
        frame(kind::DATA, 0, 7, b"parts"),
        frame(kind::END, flag::METADATA, 7, &metadata),
        frame(kind::END, flag::MORE, 3, b""),
        frame(kind::DATA, 0, 3, b"and more"),
    ]
    .concat();
    let text = |events: Vec<String>| events.join(" ");
    let said = "Item { number: 7, payload: [105, 116, 101, 109] } Credit { number: 7, items: 1, bytes: 2 } \
        ItemBegins { number: 7 } Credit { number: 7, items: 4294967295, bytes: 4294967295 } \
        Item { number: 7, payload: [105, 110, 32, 112, 97, 114, 116, 115] } \
        End { number: 7, metadata: Metadata { block: [1, 1, 114] } } End { number: 3, metadata: Metadata { block: [] } }";
    for role in [Role::Acceptor, Role::Connector] {
        let from = if role == Role::Acceptor { 0 } else { HEADER + 8 };
        let mut inbound = streaming(role, Limits::default());
        let heard = feed(&mut inbound, &bytes[from..]).expect("sound");
        let calls = usize::from(role == Role::Acceptor);
        assert_eq!(text(heard[calls..].to_vec()), said);
    }
}

#[test]
fn a_long_item_is_kept_without_a_copy() {
    let mut inbound = streaming(Role::Connector, Limits::default());
    let begins = inbound.next(&frame(kind::ITEM, flag::MORE, 1, b"in ")).expect("sound").1.is_some();
    assert!(begins && inbound.take_payload().is_none());
    let rest = frame(kind::DATA, 0, 1, b"parts");
    assert!(matches!(inbound.next(&rest), Ok((_, Some(Event::Item { .. })))));
    assert_eq!(inbound.take_payload().map(|(payload, _)| payload), Some(b"in parts".to_vec()));
}
