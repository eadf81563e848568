//! Frames of WebSocket as clients send them: those that are right are read back, whatever they are cut into, and each wrong one is refused
//! with its reason. The cases are those of autobahn's suite that do not ask for an extension (1 to 7).
#![allow(clippy::unwrap_used)]

mod common;

use callgate_http1::websocket::{self, Event, Fault, Reader};
use common::websocket::{Conversation, MAX_MESSAGE, Told, drive, frame, websocket as promises};
use proptest::prelude::*;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Frames, each by its first byte and what it has in it.
fn frames(all: &[(u8, &[u8])]) -> Vec<u8> {
    all.iter().flat_map(|(first, payload)| frame(*first, MASK, payload)).collect()
}

fn texts(all: &[&str]) -> Vec<Told> {
    all.iter().map(|text| Told::Text(text.as_bytes().to_owned())).collect()
}

/// Reads bytes, of which all is promised that is of any.
fn check(bytes: &[u8], expected: Conversation) {
    assert_eq!(drive([bytes]), expected, "{:02x?}", &bytes[..bytes.len().min(64)]);
    if bytes.len() < 10_000 {
        promises(bytes);
    }
}

#[test]
fn the_examples_of_the_rfc_are_read() {
    // RFC 6455, 5.7: "Hello", masked; and a pong that is.
    check(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", (texts(&["Hello"]), None));
    check(b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", (vec![Told::Pong(b"Hello".to_vec())], None));
}

#[test]
fn messages_of_every_length_are_read() {
    for length in [0, 1, 3, 4, 5, 124, 125, 126, 127, 128, 1000, 65_535, 65_536, MAX_MESSAGE] {
        let text = "*".repeat(length);
        check(&frame(0x81, MASK, text.as_bytes()), (texts(&[&text]), None));
        let data = vec![0xfe; length];
        check(&frame(0x82, MASK, &data), (vec![Told::Binary(data)], None));
    }
}

#[test]
fn fragments_make_a_message_and_control_frames_may_stand_between_them() {
    let ping = || Told::Ping(b"p".to_vec());
    for (all, expected) in [
        (&[(0x01, &b"a"[..]), (0x80, b"b")][..], texts(&["ab"])),
        (&[(0x01, b""), (0x00, b""), (0x80, b"")], texts(&[""])),
        (&[(0x01, b"a"), (0x89, b"p"), (0x80, b"b")], [vec![ping()], texts(&["ab"])].concat()),
        (&[(0x01, b"a"), (0x00, b"b"), (0x89, b"p"), (0x80, b"c"), (0x81, b"d")], {
            [vec![ping()], texts(&["abc", "d"])].concat()
        }),
        (&[(0x02, b"\xff"), (0x8a, b""), (0x80, b"\xfe")], {
            vec![Told::Pong(Vec::new()), Told::Binary(b"\xff\xfe".to_vec())]
        }),
        (&[(0x81, b"a"), (0x01, b"b")], texts(&["a"])),
        (&[(0x89, b"p"), (0x89, &[7; 125])], vec![ping(), Told::Ping(vec![7; 125])]),
    ] {
        check(&frames(all), (expected, None));
    }
}

#[test]
fn what_breaks_a_rule_is_refused_with_its_reason() {
    let long = vec![b'a'; 126];
    for (bytes, expected) in [
        (frames(&[(0xc1, b"a")]), Fault::Reserved),
        (frames(&[(0xa1, b"a")]), Fault::Reserved),
        (frames(&[(0x99, b"")]), Fault::Reserved),
        (frames(&[(0x83, b"")]), Fault::Opcode),
        (frames(&[(0x87, b"a")]), Fault::Opcode),
        (frames(&[(0x8b, b"")]), Fault::Opcode),
        (frames(&[(0x8f, b"a")]), Fault::Opcode),
        (b"\x81\x01a".to_vec(), Fault::Unmasked),
        (b"\x89\x00".to_vec(), Fault::Unmasked),
        (b"\x81\xfe\x00\x7d\0\0\0\0".to_vec(), Fault::Length),
        (b"\x81\xff\0\0\0\0\0\0\xff\xff\0\0\0\0".to_vec(), Fault::Length),
        (b"\x81\xff\x80\0\0\0\0\0\0\0\0\0\0\0".to_vec(), Fault::Length),
        (b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0".to_vec(), Fault::TooLong),
        (frames(&[(0x82, &vec![0; MAX_MESSAGE + 1])]), Fault::TooLong),
        (frames(&[(0x01, &vec![b'a'; MAX_MESSAGE]), (0x80, b"a")]), Fault::TooLong),
        (frames(&[(0x89, &long)]), Fault::ControlTooLong),
        (frames(&[(0x88, &long)]), Fault::ControlTooLong),
        (frames(&[(0x09, b"a")]), Fault::ControlFragment),
        (frames(&[(0x0a, b"a"), (0x80, b"")]), Fault::ControlFragment),
        (frames(&[(0x80, b"a")]), Fault::NothingToContinue),
        (frames(&[(0x00, b"a"), (0x80, b"b")]), Fault::NothingToContinue),
        (frames(&[(0x01, b"a"), (0x81, b"b")]), Fault::Unfinished),
        (frames(&[(0x01, b"a"), (0x02, b"b")]), Fault::Unfinished),
        (frames(&[(0x88, b"\x03")]), Fault::CloseCode),
        (frames(&[(0x88, b"\x03\xe8\xce\xba\xff")]), Fault::NotUtf8),
    ] {
        check(&bytes, (Vec::new(), Some(expected)));
    }
}

#[test]
fn a_fault_behind_messages_does_not_take_them_back() {
    let bytes = frames(&[(0x81, b"a"), (0x89, b"p"), (0x80, b"b"), (0x81, b"c")]);
    let told = [texts(&["a"]), vec![Told::Ping(b"p".to_vec())]].concat();
    check(&bytes, (told, Some(Fault::NothingToContinue)));
}

#[test]
fn a_close_says_what_it_may_and_ends_all() {
    for code in
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
    {
        let payload = [&u16::to_be_bytes(code)[..], "bye \u{fc}".as_bytes()].concat();
        let bytes = frames(&[(0x88, &payload), (0x81, b"behind"), (0xff, b"")]);
        check(&bytes, (vec![Told::Close(Some(code), "bye \u{fc}".to_owned())], None));
    }
    check(&frames(&[(0x88, b"")]), (vec![Told::Close(None, String::new())], None));
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        check(&frames(&[(0x88, &u16::to_be_bytes(code))]), (Vec::new(), Some(Fault::CloseCode)));
    }
}

#[test]
fn a_text_is_utf_8_over_its_fragments_and_ends_where_it_cannot_be_any_more() {
    let good = "\u{3ba}\u{1f79}\u{3c3}\u{3bc}\u{3b5} \u{10ffff} \u{d7ff} \u{e000} \u{fffe} \0";
    for cut in 0..=good.len() {
        let (one, two) = good.as_bytes().split_at(cut);
        check(&frames(&[(0x01, one), (0x80, two)]), (texts(&[good]), None));
    }
    let single: Vec<Vec<u8>> = good.bytes().map(|byte| frame(0x00, MASK, &[byte])).collect();
    let all = [frame(0x01, MASK, b""), single.concat(), frame(0x80, MASK, b"")].concat();
    check(&all, (texts(&[good]), None));
    for bad in [
        &b"\x80"[..],
        b"\xbf",
        b"\xc0\xaf",
        b"\xc1\xbf",
        b"\xe0\x80\xaf",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\xf0\x80\x80\xaf",
        b"\xf8\x88\x80\x80\x80",
        b"\xfe",
        b"\xff",
        b"a\xce",
        b"a\xf0\x90\x80",
    ] {
        check(&frames(&[(0x81, bad)]), (Vec::new(), Some(Fault::NotUtf8)));
        check(&frames(&[(0x01, b"ok"), (0x80, bad)]), (Vec::new(), Some(Fault::NotUtf8)));
    }
    // The rest of the frame has not come, and need not.
    let begun = frame(0x81, MASK, b"a\xed\xa0\x80 and much more");
    check(&begun[..6 + 3], (Vec::new(), Some(Fault::NotUtf8)));
    check(&begun[..6 + 2], (Vec::new(), None));
}

#[test]
fn nothing_is_kept_for_a_length_that_is_only_claimed() {
    let mut reader = Reader::new(1 << 40);
    let mut begun = &b"\x82\xff\0\0\0\x80\0\0\0\0\0\0\0\0abc"[..];
    assert_eq!(reader.read(&mut begun, true), Ok(None));
    assert!(reader.is_within() && reader.held() < 64, "{}", reader.held());
}

#[test]
fn what_is_written_is_read_by_whoever_knows_the_rfc() {
    type Write = fn(&mut Vec<u8>, &[u8]);
    let all: [(u8, Write); 4] = [
        (0x81, websocket::text),
        (0x82, websocket::binary),
        (0x89, websocket::ping),
        (0x8a, websocket::pong),
    ];
    for (first, write) in all {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'a'; length];
            let mut out = b"before".to_vec();
            write(&mut out, &payload);
            let payload = if first > 0x88 { &payload[..length.min(125)] } else { &payload };
            // The same without a mask.
            let mut expected = frame(first, [0; 4], payload);
            let head = expected.len() - payload.len();
            expected.drain(head - 4..head);
            expected[1] &= 0x7f;
            assert_eq!(out, [b"before", &expected[..]].concat(), "{first:02x} {length}");
        }
    }
}

#[test]
fn a_reason_is_cut_between_characters() {
    for (code, reason, expected) in [
        (None, "why", b"\x88\x00".to_vec()),
        (Some(1000), "", b"\x88\x02\x03\xe8".to_vec()),
        (Some(1011), "why", b"\x88\x05\x03\xf3why".to_vec()),
        (Some(1008), &"a".repeat(200), [&b"\x88\x7d\x03\xf0"[..], &[b'a'; 123]].concat()),
        (
            Some(1008),
            &"\u{20ac}".repeat(50),
            [b"\x88\x7d\x03\xf0", "\u{20ac}".repeat(41).as_bytes()].concat(),
        ),
        (Some(1008), &format!("a{}", "\u{20ac}".repeat(50)), {
            [b"\x88\x7b\x03\xf0a", "\u{20ac}".repeat(40).as_bytes()].concat()
        }),
    ] {
        let mut out = Vec::new();
        websocket::close(&mut out, code, reason);
        assert_eq!(out, expected);
    }
}

#[test]
fn each_fault_has_a_code_and_a_reason_that_fit_a_close_frame() {
    for (fault, code) in [
        (Fault::Reserved, 1002),
        (Fault::Opcode, 1002),
        (Fault::Unmasked, 1002),
        (Fault::Length, 1002),
        (Fault::ControlTooLong, 1002),
        (Fault::ControlFragment, 1002),
        (Fault::NothingToContinue, 1002),
        (Fault::Unfinished, 1002),
        (Fault::CloseCode, 1002),
        (Fault::NotUtf8, 1007),
        (Fault::TooLong, 1009),
    ] {
        assert_eq!(fault.code(), code, "{fault:?}");
        assert!((1..=websocket::MAX_REASON).contains(&fault.detail().len()), "{fault}");
    }
}

/// Frames that are mostly right, of which some are cut into fragments.
fn mostly_right() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        8 => prop::sample::select(vec![0x81u8, 0x01, 0x80, 0x00, 0x82, 0x02, 0x89, 0x8a]),
        1 => Just(0x88u8),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        4 => "\\PC{0,12}".prop_map(String::into_bytes),
        2 => prop::collection::vec(any::<u8>(), 0..12),
        1 => (0..200usize).prop_map(|length| vec![b'x'; length]),
        1 => prop::sample::select(vec![b"\x03\xe8bye".to_vec(), b"\x0f\xa0".to_vec(), b"\x03\xed".to_vec()]),
    ];
    let one =
        (first, any::<[u8; 4]>(), payload).prop_map(|(first, mask, payload)| frame(first, mask, &payload));
    prop::collection::vec(one, 0..8).prop_map(|all| all.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn frames_are_read_as_the_rfc_says_however_they_are_cut(bytes in mostly_right()) {
        promises(&bytes);
    }

    #[test]
    fn so_is_anything_else(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        promises(&bytes);
    }

    #[test]
    fn a_message_is_read_back_from_fragments_of_any_length(
        text in "\\PC{0,40}",
        lengths in prop::collection::vec(0..9usize, 0..12),
        mask in any::<[u8; 4]>(),
    ) {
        let (mut rest, mut bytes) = (text.as_bytes(), Vec::new());
        for (at, length) in lengths.iter().enumerate() {
            let (part, behind) = rest.split_at((*length).min(rest.len()));
            bytes.extend(frame(u8::from(at == 0), mask, part));
            rest = behind;
        }
        bytes.extend(frame(if lengths.is_empty() { 0x81 } else { 0x80 }, mask, rest));
        prop_assert_eq!(drive([&bytes[..]]), (texts(&[&text]), None));
        let mut reader = Reader::new(MAX_MESSAGE);
        let mut input = &bytes[..];
        prop_assert_eq!(reader.read(&mut input, true), Ok(Some(Event::Text(text.into_bytes()))));
    }
}
