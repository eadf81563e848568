//! The values: their type, their JSON, and the Rust value that bincode writes.

use super::{Entry, entry};
use callgate_protocol::schema::{Logical, Type};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What the definitions of the schema describe, from 1 on; 0 is an empty request.
#[derive(Serialize)]
struct Point {
    x: i32,
    y: i32,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
enum Way {
    Unit,
    Newtype(u8),
    Tuple(u8, bool),
    Struct { point: Point },
}

#[derive(Serialize)]
enum Presence<T> {
    Absent,
    Null,
    Value(T),
}

#[derive(Serialize)]
struct Change {
    title: Presence<&'static str>,
    pages: Presence<u32>,
}

#[derive(Serialize)]
struct Node {
    value: u8,
    next: Option<Box<Node>>,
}

/// Stands for `uuid::Uuid` and for byte strings: serde's `serialize_bytes`.
struct Bytes(&'static [u8]);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

pub(super) fn integers() -> Vec<Entry> {
    use Type::*;
    vec![
        entry("u8 is a raw byte, also above 250", U8, json!(255), 255u8),
        entry("i8 is a raw byte, two's complement", I8, json!(-1), -1i8),
        entry("u16 up to 250: one byte", U16, json!(250), 250u16),
        entry("u16 from 251: marker 251 and 2 bytes", U16, json!(251), 251u16),
        entry("u16 at its end", U16, json!(65535), u16::MAX),
        entry("u32 of 16 bits: marker 251", U32, json!(300), 300u32),
        entry("u32 from 65536: marker 252 and 4 bytes", U32, json!(65536), 65536u32),
        entry("u64 from 2^32: marker 253 and 8 bytes", U64, json!(4_294_967_296u64), 1u64 << 32),
        entry("u64 at its end", U64, json!(u64::MAX), u64::MAX),
        entry("u128 from 2^64: marker 254 and 16 bytes", U128, json!((1u128 << 64).to_string()), 1u128 << 64),
        entry("u128 at its end", U128, json!(u128::MAX.to_string()), u128::MAX),
        entry("i16: zigzag of -1 is 1", I16, json!(-1), -1i16),
        entry("i16: zigzag of 1 is 2", I16, json!(1), 1i16),
        entry("i16: zigzag of -126 is 251, so a marker", I16, json!(-126), -126i16),
        entry("i32 at its start", I32, json!(i32::MIN), i32::MIN),
        entry("i64 at its start", I64, json!(i64::MIN), i64::MIN),
        entry("i64 at its end", I64, json!(i64::MAX), i64::MAX),
        entry("i128 at its start", I128, json!(i128::MIN.to_string()), i128::MIN),
        entry("i128, small", I128, json!("-3"), -3i128),
    ]
}

pub(super) fn scalars() -> Vec<Entry> {
    use Type::*;
    vec![
        entry("unit: no bytes", Unit, json!(null), ()),
        entry("bool", Bool, json!(true), true),
        entry("f32: 4 bytes, little endian", F32, json!(1.5), 1.5f32),
        entry("f64: 8 bytes, little endian", F64, json!(-0.1), -0.1f64),
        entry("f64, not a number", F64, json!("NaN"), f64::NAN),
        entry("f64, infinite", F64, json!("-Infinity"), f64::NEG_INFINITY),
        entry("char of 1 byte of UTF-8", Char, json!("a"), 'a'),
        entry("char of 2 bytes", Char, json!("é"), 'é'),
        entry("char of 3 bytes", Char, json!("€"), '€'),
        entry("char of 4 bytes", Char, json!("😀"), '😀'),
        entry("string, empty", String, json!(""), ""),
        entry("string: length in bytes, not in characters", String, json!("né"), "né"),
        entry("string of 251 bytes: the length is a varint", String, json!("x".repeat(251)), "x".repeat(251)),
        entry("bytes: length, then bytes", Bytes, json!("/wA="), self::Bytes(&[255, 0])),
        entry(
            "uuid: 16 bytes behind their length, 17 in all",
            Uuid,
            json!("00112233-4455-6677-8899-aabbccddeeff"),
            self::Bytes(b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"),
        ),
        entry(
            "timestamp: zigzag seconds, nanoseconds",
            Timestamp,
            json!("2026-11-21T01:02:03.5Z"),
            (1_795_222_923i64, 500_000_000u32),
        ),
        entry(
            "timestamp before 1970: seconds round down",
            Timestamp,
            json!("1969-12-31T23:59:59.25Z"),
            (-1i64, 250_000_000u32),
        ),
        entry(
            "duration: seconds, nanoseconds",
            Duration,
            json!("1.5s"),
            std::time::Duration::from_millis(1500),
        ),
        entry(
            "IP address, version 4: variant 0",
            IpAddr,
            json!("127.0.0.1"),
            self::IpAddr::from([127, 0, 0, 1]),
        ),
        entry(
            "IP address, version 6: variant 1",
            IpAddr,
            json!("::1"),
            self::IpAddr::from([0u16, 0, 0, 0, 0, 0, 0, 1]),
        ),
        entry(
            "IPv4 address alone: 4 bytes",
            Ipv4Addr,
            json!("10.1.2.3"),
            std::net::Ipv4Addr::new(10, 1, 2, 3),
        ),
        entry(
            "IPv6 address alone: 16 bytes",
            Ipv6Addr,
            json!("2001:db8::1"),
            std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
        ),
        entry("JSON: its text as a string", Json, json!({"a": [1, null]}), "{\"a\":[1,null]}"),
    ]
}

pub(super) fn composed() -> Vec<Entry> {
    use Type::*;
    let list = |item| List(Box::new(item));
    let option = |inner| Option(Box::new(inner));
    let map = BTreeMap::from([("a", 1u16), ("b", 300)]);
    let node = Node { value: 1, next: Some(Box::new(Node { value: 2, next: None })) };
    vec![
        entry("option, none: a byte 0", option(U32), json!(null), None::<u32>),
        entry("option, some: a byte 1 and the value", option(U32), json!(300), Some(300u32)),
        entry("list: length, then items", list(U16), json!([1, 300]), vec![1u16, 300]),
        entry("list, empty", list(U16), json!([]), Vec::<u16>::new()),
        entry("list of units: a length and no more", list(Unit), json!([null, null, null]), vec![(), (), ()]),
        entry("array: items without a length", Array(Box::new(U16), 3), json!([1, 2, 3]), [1u16, 2, 3]),
        entry("tuple: items without a length", Tuple(vec![U8, String]), json!([7, "x"]), (7u8, "x")),
        entry(
            "map: length, then key and value in turn",
            Map(Box::new(String), Box::new(U16)),
            json!({"a": 1, "b": 300}),
            map,
        ),
        entry(
            "map with integers as keys",
            Map(Box::new(I32), Box::new(Bool)),
            json!({"-5": true}),
            BTreeMap::from([(-5, true)]),
        ),
        entry(
            "map with an enum of units as keys",
            Map(Box::new(Ref(3)), Box::new(U8)),
            json!({"Blue": 9}),
            BTreeMap::from([(1u32, 9u8)]),
        ),
        entry(
            "struct: fields in their order, nothing else",
            Ref(1),
            json!({"x": 1, "y": -1}),
            Point { x: 1, y: -1 },
        ),
        entry("struct, empty: no bytes", Ref(0), json!({}), Empty {}),
        entry("enum, unit variant: its number", Ref(2), json!("Unit"), Way::Unit),
        entry("enum, newtype variant", Ref(2), json!({"Newtype": 7}), Way::Newtype(7)),
        entry("enum, tuple variant", Ref(2), json!({"Tuple": [7, true]}), Way::Tuple(7, true)),
        entry(
            "enum, struct variant",
            Ref(2),
            json!({"Struct": {"point": {"x": 0, "y": 2}}}),
            Way::Struct { point: Point { x: 0, y: 2 } },
        ),
        entry(
            "a type that contains itself",
            Ref(4),
            json!({"value": 1, "next": {"value": 2, "next": null}}),
            node,
        ),
    ]
}

pub(super) fn grown() -> Vec<Entry> {
    let text = |logical| Type::Logical(logical, Box::new(Type::String));
    let set = Type::Logical(Logical::SET, Box::new(Type::List(Box::new(Type::U8))));
    let unknown = Type::Logical(Logical(4_000_000_000), Box::new(Type::U16));
    let change = |name, json, title, pages| entry(name, Type::Ref(5), json, Change { title, pages });
    vec![
        entry("decimal: its text", text(Logical::DECIMAL), json!("-1.50"), "-1.50"),
        entry("date: its text", text(Logical::DATE), json!("2026-11-29"), "2026-11-29"),
        entry("time of day: its text", text(Logical::TIME), json!("08:30:15.25"), "08:30:15.25"),
        entry("URL: its text", text(Logical::URL), json!("https://a.example/b?c"), "https://a.example/b?c"),
        entry("e-mail: its text", text(Logical::EMAIL), json!("a@b.example"), "a@b.example"),
        entry("set: a list", set, json!([3, 1]), vec![3u8, 1]),
        entry("a logical type that nobody knows: the physical value", unknown, json!(300), 300u16),
        change("presence, both absent: 0", json!({}), Presence::Absent, Presence::Absent),
        change("presence, null: 1", json!({"title": null}), Presence::Null, Presence::Absent),
        change(
            "presence, values: 2 and the value",
            json!({"title": "é", "pages": 300}),
            Presence::Value("é"),
            Presence::Value(300),
        ),
    ]
}

/// What JSON shows in shapes of its own: definitions 6, 8 and 9.
pub(super) fn shaped() -> Vec<Entry> {
    let rest = |entries: &[(&'static str, u8)]| entries.iter().copied().collect::<BTreeMap<_, _>>();
    let placed = |name, json, meta: Option<&'static str>, of| {
        entry(name, Type::Ref(6), json, (7u8, Point { x: 1, y: -1 }, meta, of, true))
    };
    vec![
        placed(
            "flattened: a struct, an option that is none, an empty map",
            json!({"id": 7, "x": 1, "y": -1, "last": true}),
            None,
            rest(&[]),
        ),
        placed(
            "flattened: an option that is some, a map",
            json!({"id": 7, "x": 1, "y": -1, "by": "me", "a": 1, "b": 2, "last": true}),
            Some("me"),
            rest(&[("a", 1), ("b", 2)]),
        ),
        entry("a tag: a unit", Type::Ref(8), json!({"type": "cash"}), 0u32),
        entry("a tag: a struct", Type::Ref(8), json!({"type": "card", "by": "me"}), (1u32, "me")),
        entry("a tag: fields", Type::Ref(8), json!({"type": "voucher", "code": 9}), (2u32, 9u8)),
        entry("a tag: a map", Type::Ref(8), json!({"type": "other", "a": 1}), (3u32, rest(&[("a", 1)]))),
        entry("a tag and a member for the content: a unit", Type::Ref(9), json!({"kind": "none"}), 0u32),
        entry(
            "a tag and a member for the content: a value",
            Type::Ref(9),
            json!({"kind": "round", "of": 5}),
            (1u32, 5u8),
        ),
        entry(
            "a tag and a member for the content: a tuple",
            Type::Ref(9),
            json!({"kind": "square", "of": [5, 6]}),
            (2u32, 5u8, 6u8),
        ),
    ]
}
