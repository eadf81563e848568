//! Every known type: bincode's bytes are what the schema says of them, and text formats show them as the gateway does.

mod common;

use callgate_protocol::schema::{Logical, MapKeys, Type};
use callgate_sdk::message::InvalidTimestamp;
use callgate_sdk::{Bytes, Json, MapKey, Message, Presence, Timestamp, Uuid};
use common::{bincode_of, fits, schema_of, struct_of, type_of};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn set(item: Type) -> Type {
    Type::Logical(Logical::SET, Box::new(Type::List(Box::new(item))))
}

#[test]
fn each_type_is_described_as_the_protocol_names_it() {
    let described = [
        (type_of::<()>(), Type::Unit),
        (type_of::<bool>(), Type::Bool),
        (type_of::<u8>(), Type::U8),
        (type_of::<usize>(), Type::U64),
        (type_of::<isize>(), Type::I64),
        (type_of::<i128>(), Type::I128),
        (type_of::<f32>(), Type::F32),
        (type_of::<char>(), Type::Char),
        (type_of::<Box<String>>(), Type::String),
        (type_of::<Bytes>(), Type::Bytes),
        (type_of::<Uuid>(), Type::Uuid),
        (type_of::<Timestamp>(), Type::Timestamp),
        (type_of::<Duration>(), Type::Duration),
        (type_of::<IpAddr>(), Type::IpAddr),
        (type_of::<Json>(), Type::Json),
        (type_of::<Option<u8>>(), Type::Option(Box::new(Type::U8))),
        (type_of::<Vec<u8>>(), Type::List(Box::new(Type::U8))),
        (type_of::<HashSet<char>>(), set(Type::Char)),
        (type_of::<BTreeSet<u8>>(), set(Type::U8)),
        (type_of::<[u8; 0]>(), Type::Array(Box::new(Type::U8), 0)),
        (type_of::<[bool; 32]>(), Type::Array(Box::new(Type::Bool), 32)),
        (type_of::<(u8, bool)>(), Type::Tuple(vec![Type::U8, Type::Bool])),
        (type_of::<HashMap<i8, f64>>(), Type::Map(Box::new(Type::I8), Box::new(Type::F64))),
    ];
    for (described, expected) in described {
        assert_eq!(described, expected);
    }
}

#[derive(Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, Message)]
struct Change {
    title: Presence<String>,
    #[serde(default)]
    pages: Presence<u32>,
}

#[test]
fn a_field_tells_absent_null_and_a_value_apart() {
    let change = struct_of::<Change>();
    assert_eq!(change.fields[0].ty, Type::Presence(Box::new(Type::String)));
    assert_eq!((&change.fields[0].default, &change.fields[1].default), (&None, &Some(vec![0])));
    let none = Change::default();
    assert_eq!(none, Change { title: Presence::Absent, pages: Presence::Absent });
    assert_eq!(fits(&none), [0, 0]);
    assert_eq!(fits(&Change { title: Presence::Null, pages: Presence::Value(7) }), [1, 2, 7]);
    assert_eq!(fits(&Change { title: Presence::Value("a".into()), pages: Presence::Null }), [2, 1, b'a', 1]);
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(20_261_103), ..ProptestConfig::default() })]

    #[test]
    fn numbers_and_text_fit(n in any::<u128>(), f in any::<f64>(), c in any::<char>(), s in any::<String>()) {
        fits(&n);
        fits(&(n as i128));
        fits(&(n as u64, n as u32, n as u16, n as u8, n as usize));
        fits(&(n as i64, n as i32, n as i16, n as i8, n as isize));
        fits(&(f, f as f32, n % 2 == 0, c, s, ()));
    }

    #[test]
    fn containers_fit(items in proptest::collection::vec(any::<i64>(), 0..300), text in any::<Option<String>>()) {
        fits(&items);
        fits(&items.iter().copied().collect::<VecDeque<_>>());
        fits(&items.iter().copied().collect::<BTreeSet<_>>());
        fits(&items.iter().copied().take(1).collect::<HashSet<_>>());
        fits(&items.iter().map(|n| (*n, text.clone())).collect::<BTreeMap<_, _>>());
        fits(&items.iter().take(1).map(|n| (n.to_string(), Box::new(*n))).collect::<HashMap<_, _>>());
        fits(&[text.clone(), None, text]);
    }

    #[test]
    fn what_json_writes_as_strings_fits(secs in any::<u64>(), nanos in 0..1_000_000_000u32, ip in any::<u128>()) {
        fits(&Duration::new(secs, nanos));
        fits(&Timestamp::new(secs as i64, nanos).expect("a valid time stamp"));
        fits(&Uuid::from_u128(ip));
        fits(&(Ipv4Addr::from(ip as u32), Ipv6Addr::from(ip)));
        fits(&[IpAddr::from(Ipv4Addr::from(ip as u32)), IpAddr::from(Ipv6Addr::from(ip))]);
    }

    #[test]
    fn bytes_fit(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let written = fits(&Bytes(bytes.clone()));
        prop_assert_eq!(written, bincode_of(&bytes));
        let json = serde_json::to_string(&Bytes(bytes.clone())).expect("bytes are base64 in JSON");
        prop_assert_eq!(serde_json::from_str::<Bytes>(&json).expect("and are read"), Bytes(bytes));
    }

    #[test]
    fn a_time_stamp_survives_its_text_and_the_systems_clock(secs in -62_167_219_200..253_402_300_800i64, nanos in 0..1_000_000_000u32) {
        let timestamp = Timestamp::new(secs, nanos).expect("a valid time stamp");
        prop_assert_eq!(timestamp.to_string().parse(), Ok(timestamp));
        let time = SystemTime::try_from(timestamp).expect("within the clock's range");
        prop_assert_eq!(Timestamp::from(time), timestamp);
    }

    #[test]
    fn random_text_is_no_time_stamp_and_no_panic(text in "[0-9TZ:.+-]{15,30}", any in any::<String>()) {
        let _ = text.parse::<Timestamp>();
        prop_assert_eq!(any.parse::<Timestamp>(), Err(InvalidTimestamp));
    }
}

#[test]
fn the_bytes_are_those_of_the_protocols_page() {
    let half_past = Timestamp::new(-1, 500).expect("a valid time stamp");
    assert_eq!(bincode_of(&half_past), [1, 251, 0xf4, 1]);
    assert_eq!(bincode_of(&Duration::new(1, 500)), [1, 251, 0xf4, 1]);
    assert_eq!(bincode_of(&IpAddr::from([10, 0, 0, 1])), [0, 10, 0, 0, 1]);
    assert_eq!(bincode_of(&Ipv4Addr::from([10, 0, 0, 1])), [10, 0, 0, 1]);
    assert_eq!(bincode_of(&Uuid::from_u128(1))[..2], [16, 0]);
    assert_eq!(bincode_of(&Bytes::from(b"ab")), [2, b'a', b'b']);
    assert_eq!(bincode_of(&Json::default()), *b"\x04null");
    assert_eq!(bincode_of(&'é'), "é".as_bytes());
    assert_eq!(bincode_of(&[1u8, 2]), [1, 2]);
    assert_eq!(bincode_of(&vec![1u8, 2]), [2, 1, 2]);
    assert_eq!(bincode_of(&((), (7u8,))), [7]);
}

#[test]
fn time_stamps_are_rfc_3339() {
    let vectors = [
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", 0, 0),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z", -1, 500_000_000),
        ("2000-02-29T12:00:00.000000001Z", "2000-02-29T12:00:00.000000001Z", 951_825_600, 1),
        ("1985-04-12t23:20:50.52z", "1985-04-12T23:20:50.52Z", 482_196_050, 520_000_000),
        ("1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57Z", 851_042_397, 0),
        ("1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.87Z", -1_041_337_173, 870_000_000),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", -62_167_219_200, 0),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", 253_402_300_799, 0),
    ];
    for (text, canonical, seconds, nanos) in vectors {
        let timestamp: Timestamp = text.parse().expect(text);
        assert_eq!((timestamp.seconds(), timestamp.nanos()), (seconds, nanos), "{text}");
        assert_eq!(timestamp.to_string(), canonical);
    }
    for text in [
        "2023-02-29T00:00:00Z",
        "2023-13-01T00:00:00Z",
        "2023-00-01T00:00:00Z",
        "2023-01-00T00:00:00Z",
        "2023-01-01T24:00:00Z",
        "2016-12-31T23:59:60Z",
        "2023-01-01 00:00:00Z",
        "2023-01-01T00:00:00",
        "2023-01-01T00:00:00.Z",
        "2023-01-01T00:00:00.0000000001Z",
        "2023-01-01T00:00:00+24:00",
        "+023-01-01T00:00:00Z",
    ] {
        assert_eq!(text.parse::<Timestamp>(), Err(InvalidTimestamp), "{text}");
    }
}

#[test]
fn extreme_time_stamps_are_written_and_converted_without_a_panic() {
    for seconds in [i64::MIN, i64::MAX] {
        let timestamp = Timestamp::new(seconds, 999_999_999).expect("a valid time stamp");
        fits(&timestamp);
        assert!(timestamp.to_string().parse::<Timestamp>().is_err());
        if let Ok(time) = SystemTime::try_from(timestamp) {
            assert_eq!(Timestamp::from(time), timestamp);
        }
    }
    assert_eq!(Timestamp::new(0, 1_000_000_000), None);
    assert!(Timestamp::now() > UNIX_EPOCH.into());
}

#[test]
fn a_time_stamp_whose_nanoseconds_are_a_second_is_not_read() {
    let bytes = bincode_of(&(0i64, 1_000_000_000u32));
    assert!(bincode::serde::decode_from_slice::<Timestamp, _>(&bytes, bincode::config::standard()).is_err());
}

#[test]
fn json_keeps_its_text() {
    let json = Json::new(r#" {"a": 1.00, "b": 18446744073709551616} "#).expect("valid JSON");
    assert_eq!(json.as_str(), r#"{"a": 1.00, "b": 18446744073709551616}"#);
    fits(&json);
    let outer = serde_json::to_string(&vec![&json]).expect("JSON can be written");
    assert_eq!(outer, format!("[{json}]"));
    assert_eq!(serde_json::from_str::<Vec<Json>>(&outer).expect("and read"), [json]);
    let list = Json::from_value(&[1, 2]).expect("a list is JSON");
    assert_eq!(list.parse::<(u8, u8)>().expect("two numbers"), (1, 2));
    assert!(list.parse::<bool>().is_err());
}

/// Whatever the gateway lets through, the backend takes: numbers that no float can hold, and any depth.
#[test]
fn json_may_be_what_no_type_could_hold() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let number = "9".repeat(1_000);
    for text in
        ["1e400", "-1e-400", "-0", "-0.0E+1", "340282366920938463463374607431768211456", &number, &deep]
    {
        let json = Json::new(text).expect("valid JSON");
        assert_eq!(json.as_str(), text);
        fits(&json);
    }
}

#[test]
fn what_is_not_json_is_not_read() {
    for text in ["", "{", "{\"a\":1,}", "1 2", "nul"] {
        assert!(Json::new(text).is_err(), "{text:?}");
        let bytes = bincode_of(&text);
        assert!(bincode::serde::decode_from_slice::<Json, _>(&bytes, bincode::config::standard()).is_err());
    }
}

#[test]
fn the_known_keys_are_those_of_the_protocol() {
    fn holds<K: MapKey>() {
        let schema = schema_of::<K>();
        assert!(MapKeys::of(&schema).allow(&schema.response), "{:?}", schema.response);
    }
    holds::<bool>();
    holds::<u8>();
    holds::<u128>();
    holds::<usize>();
    holds::<i128>();
    holds::<char>();
    holds::<Box<String>>();
    holds::<Uuid>();
    holds::<Timestamp>();
    holds::<Duration>();
    holds::<IpAddr>();
    holds::<Ipv4Addr>();
    holds::<Ipv6Addr>();
}

#[test]
fn messages_may_be_hashed_by_any_hasher() {
    type Hasher = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;
    fn holds<T: Message>() {}
    holds::<HashMap<u8, u8, Hasher>>();
    holds::<HashSet<u8, Hasher>>();
}
