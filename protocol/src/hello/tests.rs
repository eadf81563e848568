//! What a HELLO says, what a later version's may say, and what is refused.

use super::offer::*;
use super::*;
use crate::call_id::CallId;
use crate::limits::MAX_CREDIT;
use crate::schema::Fingerprint;

pub(crate) fn example() -> Hello {
    let method = MethodOffer {
        name: "add".into(),
        call_id: CallId::of("calc", "add"),
        schema: Fingerprint::of(b"x"),
        wire: Fingerprint::of(b"w"),
        idempotent: true,
        streams: Streaming::default(),
    };
    let service = ServiceOffer { name: "calc".into(), version: "1.2".into(), methods: vec![method] };
    Hello::new("shop/0.1.0", Limits { max_frame: 4096, ..Limits::default() }, vec![service])
}

fn encoded(hello: &Hello) -> Vec<u8> {
    let mut out = Vec::new();
    hello.encode(&mut out);
    out
}

/// Read by a side that does not speak streams.
fn decode(body: &[u8]) -> Result<Hello, ProtocolError> {
    Hello::decode(body, false)
}

#[test]
fn a_hello_survives_its_encoding_and_unknown_fields_are_skipped() {
    let mut bytes = encoded(&example());
    put_field(&mut bytes, 250, b"of a later version");
    assert_eq!(decode(&bytes), Ok(example()));
}

#[test]
fn a_token_goes_along_and_is_never_shown() {
    let tokens = crate::Tokens::parse("s3cret").expect("a token");
    let hello = Hello { token: tokens.first().cloned(), ..example() };
    let read = decode(&encoded(&hello)).expect("sound");
    assert!(tokens.accept(read.token.as_ref().expect("a token")));
    assert!(!format!("{read:?}").contains("s3cret"));
    // Whatever else is brought along is none that is valid.
    let read = decode(&put(&[VERSION_1, (TOKEN, b"\xff"), (TOKEN, b"s3cret")])).expect("sound");
    assert!(!tokens.accept(read.token.as_ref().expect("the first one counts")));
}

#[test]
fn a_peer_without_a_common_version_is_refused() {
    let hello = Hello { versions: (2, 3), ..example() };
    assert_eq!(decode(&encoded(&hello)), Err(ProtocolError::NoCommonVersion { min: 2, max: 3 }));
}

#[test]
fn a_newer_peer_that_still_speaks_ours_is_accepted() {
    let hello = Hello { versions: (1, 9), ..example() };
    assert!(decode(&encoded(&hello)).is_ok());
}

fn put(fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (tag, value) in fields {
        put_field(&mut out, *tag, value);
    }
    out
}

const VERSION_1: (u8, &[u8]) = (VERSIONS, &[1, 0, 1, 0]);

#[test]
fn what_is_not_said_has_its_default_and_limits_are_moved_into_their_bounds() {
    let bare = Hello::new("", Limits::default(), Vec::new());
    assert_eq!(decode(&put(&[VERSION_1])), Ok(bare));
    for (tag, told, understood) in [
        (MAX_FRAME_FIELD, 0, (1024, 16_777_216, 1024, 67_108_864)),
        (MAX_FRAME_FIELD, 65_537, (65_536, 16_777_216, 1024, 67_108_864)),
        (MAX_MESSAGE_FIELD, 0, (65_536, 1024, 1024, 67_108_864)),
        (MAX_MESSAGE_FIELD, u32::MAX, (65_536, 67_108_864, 1024, 67_108_864)),
        (MAX_CALLS_FIELD, 0, (65_536, 16_777_216, 1, 67_108_864)),
        (MAX_CALLS_FIELD, u32::MAX, (65_536, 16_777_216, u32::MAX, 67_108_864)),
        (WINDOW, 0, (65_536, 16_777_216, 1024, 16_777_216)),
        (WINDOW, 20_000_000, (65_536, 16_777_216, 1024, 20_000_000)),
        (WINDOW, u32::MAX, (65_536, 16_777_216, 1024, 67_108_864)),
    ] {
        let hello = decode(&put(&[VERSION_1, (tag, &told.to_le_bytes())])).expect("sound");
        let limits = hello.limits;
        let found = (limits.max_frame, limits.max_message, limits.max_calls, limits.window);
        assert_eq!(found, understood);
    }
}

#[test]
fn a_method_with_a_flag_that_must_be_understood_and_is_not_is_not_offered() {
    let method = |flags: u8| {
        put(&[
            (METHOD_NAME, b"add"),
            (METHOD_CALL_ID, &[7, 0, 0, 0]),
            (METHOD_SCHEMA, &[0; 16]),
            (METHOD_WIRE, &[1; 16]),
            (METHOD_FLAGS, &[flags]),
        ])
    };
    for (flags, offered) in [(0x00, true), (0xf1, true), (0x02, false), (0x05, false), (0x08, false)] {
        let service = put(&[(SERVICE_NAME, b"calc"), (SERVICE_METHOD, &method(flags))]);
        let hello = decode(&put(&[VERSION_1, (SERVICE, &service)])).expect("sound");
        let methods = &hello.services[0].methods;
        assert_eq!(methods.len(), usize::from(offered), "{flags:#x}");
        assert!(methods.iter().all(|method| method.idempotent == (flags & 1 != 0)));
    }
}

#[test]
fn streams_are_seen_where_both_sides_speak_them() {
    let credit = StreamCredit { items: 5, bytes: 700 };
    let mut hello = example().speaking_streams(credit);
    let method = &hello.services[0].methods[0];
    let named = |name: &str, call_id, caller, service| MethodOffer {
        name: name.to_owned(),
        call_id,
        streams: Streaming { caller, service },
        ..method.clone()
    };
    let streaming = [
        named("put", CallId::of("calc", "put"), true, false),
        named("watch", CallId::of("calc", "watch"), false, true),
        named("chat", CallId::of("calc", "chat"), true, true),
    ];
    hello.services[0].methods.extend(streaming);
    let bytes = encoded(&hello);
    assert_eq!(Hello::decode(&bytes, true).as_ref(), Ok(&hello));
    // A side that does not speak them sees the HELLO of one that does not either, also where the credit is none.
    assert_eq!(decode(&bytes), Ok(example()));
    assert_eq!(decode(&[&bytes[..], &put(&[(STREAMS, b"cut")])].concat()), Ok(example()));
    // What offers streams and does not say that it speaks them cannot be called so.
    hello.streams = None;
    assert_eq!(Hello::decode(&encoded(&hello), true), Ok(example()));
}

#[test]
fn credit_in_hello_is_read_wherever_it_stands_and_moved_into_its_bounds() {
    let told = |value: &[u8]| Hello::decode(&put(&[VERSION_1, (STREAMS, value)]), true);
    let longest = told(&[0xff; 9]).map(|hello| hello.streams);
    assert_eq!(longest, Ok(Some(StreamCredit { items: MAX_CREDIT, bytes: MAX_CREDIT })));
    let none = told(&[0; 8]).map(|hello| hello.streams);
    assert_eq!(none, Ok(Some(StreamCredit { items: 0, bytes: 0 })));
    assert_eq!(told(&[0; 7]), Err(ProtocolError::Malformed(WireError::Truncated)));
    let twice = put(&[VERSION_1, (STREAMS, &[1, 0, 0, 0, 2, 0, 0, 0]), (STREAMS, b"no credit")]);
    let first = Hello::decode(&twice, true).map(|hello| hello.streams);
    assert_eq!(first, Ok(Some(StreamCredit { items: 1, bytes: 2 })));
}

#[test]
fn an_offer_without_its_essentials_is_refused() {
    let name: (u8, &[u8]) = (METHOD_NAME, b"add");
    let id: (u8, &[u8]) = (METHOD_CALL_ID, &[7, 0, 0, 0]);
    let schema: (u8, &[u8]) = (METHOD_SCHEMA, &[0; 16]);
    let wire: (u8, &[u8]) = (METHOD_WIRE, &[0; 16]);
    let in_service = |method: &[u8]| put(&[(SERVICE_NAME, b"calc"), (SERVICE_METHOD, method)]);
    for (what, service) in [
        ("a nameless service", put(&[(SERVICE_VERSION, b"1")])),
        ("a nameless method", in_service(&put(&[id, schema, wire]))),
        ("a method without a Call ID", in_service(&put(&[name, schema, wire]))),
        ("Call ID 0", in_service(&put(&[name, (METHOD_CALL_ID, &[0; 4]), schema, wire]))),
        ("a method without a schema", in_service(&put(&[name, id, wire]))),
        ("a method without a wire fingerprint", in_service(&put(&[name, id, schema]))),
        ("half a fingerprint", in_service(&put(&[name, id, (METHOD_SCHEMA, &[0; 8]), wire]))),
        ("half a field", vec![SERVICE_NAME, 9, b'c']),
    ] {
        let refused = decode(&put(&[VERSION_1, (SERVICE, &service)]));
        assert_eq!(refused, Err(ProtocolError::Malformed(WireError::Truncated)), "{what}");
    }
}

/// A service of that name with methods of these names and Call IDs.
fn service(name: &str, methods: &[(&str, u8)]) -> Vec<u8> {
    let mut out = put(&[(SERVICE_NAME, name.as_bytes())]);
    for (name, call_id) in methods {
        let method = put(&[
            (METHOD_NAME, name.as_bytes()),
            (METHOD_CALL_ID, &[*call_id, 0, 0, 0]),
            (METHOD_SCHEMA, &[0; 16]),
            (METHOD_WIRE, &[1; 16]),
        ]);
        put_field(&mut out, SERVICE_METHOD, &method);
    }
    out
}

#[test]
fn what_is_offered_twice_or_under_a_bad_name_ends_the_handshake() {
    let twice = |what: &str| Some(ProtocolError::OfferedTwice(what.to_owned()));
    let bad = |name: &str| Some(ProtocolError::BadName(name.to_owned()));
    for (services, refused) in [
        (vec![service("a", &[("m", 1), ("n", 2)]), service("b", &[("m", 3)])], None),
        (vec![service("a", &[]), service("a", &[("m", 1)])], twice("service a")),
        (vec![service("a", &[("m", 1), ("m", 2)])], twice("method m")),
        (vec![service("a", &[("m", 1), ("n", 1)])], twice("Call ID 0x00000001")),
        (vec![service("a", &[("m", 1)]), service("b", &[("n", 1)])], twice("Call ID 0x00000001")),
        (vec![service("a.b", &[("m", 1)])], None),
        (vec![service("a.", &[("m", 1)])], bad("a.")),
        (vec![service("a", &[("m.n", 1)])], bad("m.n")),
        (vec![service("größe", &[])], bad("größe")),
    ] {
        let fields: Vec<(u8, &[u8])> =
            [VERSION_1].into_iter().chain(services.iter().map(|service| (SERVICE, &service[..]))).collect();
        assert_eq!(decode(&put(&fields)).err(), refused);
    }
}

#[test]
fn of_several_fields_that_may_stand_once_the_first_counts() {
    let mut bytes = encoded(&example());
    let later = [
        (VERSIONS, &[9, 0, 9, 0][..]),
        (MAX_FRAME_FIELD, &[0, 32, 0, 0]),
        (IDENTITY, b"another"),
        (WINDOW, b"no number"),
    ];
    bytes.extend_from_slice(&put(&later));
    assert_eq!(decode(&bytes), Ok(example()));
}
