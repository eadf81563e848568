//! Real derived types: what serde_json reads and bincode writes is what we write, and back.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{MethodSchema, Shape, Type};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use support::generate::Random;
use support::{decode, encode, enumeration, field, list, method, option, structure, variant, whole};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    id: u32,
    side: Side,
    urgent: bool,
    note: Option<String>,
    lines: Vec<Line>,
    limit: (i32, char),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    sku: String,
    qty: i16,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Side {
    Buy,
    Sell,
    Peg(i8),
    Swap(u8, String),
    Stop { at: u16 },
}

fn schema() -> MethodSchema {
    method(vec![
        structure(vec![
            field("id", Type::U32),
            field("side", Type::Ref(2)),
            field("urgent", Type::Bool),
            field("note", option(Type::String)),
            field("lines", list(Type::Ref(1))),
            field("limit", Type::Tuple(vec![Type::I32, Type::Char])),
        ]),
        structure(vec![field("sku", Type::String), field("qty", Type::I16)]),
        enumeration(vec![
            variant("Buy", Shape::Unit),
            variant("Sell", Shape::Unit),
            variant("Peg", Shape::Newtype(Type::I8)),
            variant("Swap", Shape::Tuple(vec![Type::U8, Type::String])),
            variant("Stop", Shape::Struct(vec![field("at", Type::U16)])),
        ]),
    ])
}

fn order(side: Side, note: Option<&str>) -> Order {
    let line = |sku: &str, qty| Line { sku: sku.to_owned(), qty };
    Order {
        id: 70_000,
        side,
        urgent: true,
        note: note.map(str::to_owned),
        lines: vec![line("AB-1", -3), line("é\n\"", 300)],
        limit: (-1, '🦀'),
    }
}

fn orders() -> Vec<Order> {
    vec![
        order(Side::Buy, None),
        order(Side::Sell, Some("")),
        order(Side::Peg(-128), Some("a\\b\u{1}")),
        order(Side::Swap(255, "x".to_owned()), None),
        order(Side::Stop { at: 65_535 }, Some("日本")),
    ]
}

fn bincode_of<T: Serialize>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).unwrap()
}

#[test]
fn derived_types_go_both_ways() {
    let schema = schema();
    let program = whole(&schema);
    for order in orders() {
        let bytes = bincode_of(&order);
        for json in [serde_json::to_string(&order), serde_json::to_string_pretty(&order)] {
            assert_eq!(encode(&program, json.unwrap().as_bytes()), Ok(bytes.clone()));
        }
        assert_eq!(decode(&schema, &bytes), Ok(serde_json::to_string(&order).unwrap()));
    }
}

#[test]
fn std_types_have_the_wire_form_that_bincode_gives_them() {
    #[derive(Serialize)]
    struct All {
        map: BTreeMap<u16, f32>,
        duration: std::time::Duration,
        ip: std::net::IpAddr,
        v4: std::net::Ipv4Addr,
        uuid: uuid::Uuid,
        unit: (),
        array: [u64; 3],
        big: i128,
    }
    let schema = method(vec![structure(vec![
        field("map", Type::Map(Box::new(Type::U16), Box::new(Type::F32))),
        field("duration", Type::Duration),
        field("ip", Type::IpAddr),
        field("v4", Type::Ipv4Addr),
        field("uuid", Type::Uuid),
        field("unit", Type::Unit),
        field("array", Type::Array(Box::new(Type::U64), 3)),
        field("big", Type::I128),
    ])]);
    let all = All {
        map: BTreeMap::from([(1, 0.1), (65_535, -2.5e-3)]),
        duration: std::time::Duration::from_millis(1_500),
        ip: "2001:db8::1".parse().unwrap(),
        v4: "10.0.0.1".parse().unwrap(),
        uuid: uuid::Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
        unit: (),
        array: [0, 250, u64::MAX],
        big: i128::MIN,
    };
    let json = r#"{"map":{"1":0.1,"65535":-0.0025},"duration":"1.5s","ip":"2001:db8::1","v4":"10.0.0.1","uuid":"01234567-89ab-cdef-0123-456789abcdef","unit":null,"array":[0,250,18446744073709551615],"big":"-170141183460469231731687303715884105728"}"#;
    let bytes = bincode_of(&all);
    assert_eq!(encode(&whole(&schema), json.as_bytes()), Ok(bytes.clone()));
    assert_eq!(decode(&schema, &bytes).as_deref(), Ok(json));
}

/// A documented difference from serde_json: we take `-0` for an integer.
fn differs_by_design(json: &[u8]) -> bool {
    json.windows(2).any(|pair| pair == b"-0")
}

#[test]
fn broken_json_is_taken_exactly_where_serde_json_takes_it() {
    let schema = schema();
    let program = whole(&schema);
    let mut random = Random::seeded(7);
    let alphabet = b"{}[]\",:0123456789-+.eE \n\\utrfalsn\xc3\xa9x";
    let (mut taken, mut refused) = (0, 0);
    for round in 0..60_000 {
        let order = &orders()[round % 5];
        let mut json = serde_json::to_vec(order).unwrap();
        for _ in 0..1 + random.below(3) {
            let at = random.below(json.len());
            match random.below(4) {
                0 => drop(json.remove(at)),
                1 => json.insert(at, random.pick(alphabet)),
                2 => json[at] = random.pick(alphabet),
                _ => {
                    let to = json.len().min(at + random.below(20));
                    let copy = json[at..to].to_vec();
                    json.splice(at..at, copy);
                }
            }
        }
        let theirs = serde_json::from_slice::<Order>(&json).map(|order| bincode_of(&order));
        let ours = encode(&program, &json);
        let shown = String::from_utf8_lossy(&json);
        match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{shown}"),
            (Err(_), Err(_)) => {}
            _ if differs_by_design(&json) => {}
            _ => panic!("{shown}\nours: {ours:?}\ntheirs: {theirs:?}"),
        }
        match ours {
            Ok(_) => taken += 1,
            Err(_) => refused += 1,
        }
    }
    // The comparison says something only if both happen often.
    assert!(taken > 1_500 && refused > 10_000, "{taken} taken, {refused} refused");
}
