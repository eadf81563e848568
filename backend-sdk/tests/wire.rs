//! Types that go over the wire as another type, and texts of a form: what is written is what the schema says.

mod common;

use callgate_protocol::schema::{Logical, Type};
use callgate_sdk::wire::WireError;
use callgate_sdk::{Date, Decimal, Email, MapKey, Message, Presence, Time, Timestamp, Url, Wire};
use common::{bincode_of, fits, struct_of, type_of};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn text(logical: Logical) -> Type {
    Type::Logical(logical, Box::new(Type::String))
}

#[test]
fn each_type_is_described_as_the_protocol_names_it() {
    for (described, expected) in [
        (type_of::<Decimal>(), text(Logical::DECIMAL)),
        (type_of::<Date>(), text(Logical::DATE)),
        (type_of::<Time>(), text(Logical::TIME)),
        (type_of::<Url>(), text(Logical::URL)),
        (type_of::<Email>(), text(Logical::EMAIL)),
        (type_of::<Arc<u8>>(), Type::U8),
        (type_of::<Arc<str>>(), Type::String),
        (type_of::<Box<str>>(), Type::String),
        (type_of::<Cow<'static, str>>(), Type::String),
        (type_of::<Box<[u8]>>(), Type::List(Box::new(Type::U8))),
        (type_of::<NonZero<u16>>(), Type::U16),
        (type_of::<NonZero<usize>>(), Type::U64),
        (type_of::<NonZero<i128>>(), Type::I128),
    ] {
        assert_eq!(described, expected);
    }
}

#[test]
fn the_known_texts_are_of_their_form_only() {
    fn check<
        T: Message + std::str::FromStr<Err: std::fmt::Debug> + PartialEq + std::fmt::Debug + AsRef<str>,
    >(
        good: &[&str],
        bad: &[&str],
    ) {
        for text in good {
            let value: T = text.parse().expect(text);
            assert_eq!(fits(&value), bincode_of(text));
            assert_eq!(serde_json::to_value(&value).expect("it is written"), *text);
            assert_eq!(serde_json::from_value::<T>((*text).into()).expect("it is read").as_ref(), *text);
        }
        for text in bad {
            assert!(text.parse::<T>().is_err(), "{text}");
            let read =
                bincode::serde::decode_from_slice::<T, _>(&bincode_of(text), bincode::config::standard());
            assert!(read.is_err(), "{text}");
        }
    }
    check::<Decimal>(&["0", "-12.50", "0.001"], &["", "1e3", "12,5", "01"]);
    check::<Date>(&["2026-01-31", "2024-02-29"], &["", "2026-02-29", "31.1.2026"]);
    check::<Time>(&["08:30", "23:59:59.25"], &["", "24:00", "8:30"]);
    check::<Url>(&["https://example.com/a", "mailto:ada@example.com"], &["", "example.com", "https://"]);
    check::<Email>(&["ada@example.com"], &["", "ada", "ada@"]);
    assert_eq!(
        Decimal::new("1.").expect_err("no digits").to_string(),
        "not a decimal number: expected digits behind the decimal point"
    );
    let [earlier, later] = ["2026-09-30", "2026-10-01"].map(|text| Date::new(text).expect("a date"));
    assert!(earlier < later);
    assert_eq!(format!("{later} {later:?} {later:>12}"), "2026-10-01 Date(2026-10-01)   2026-10-01");
}

#[test]
fn what_is_zero_is_not_read_as_what_cannot_be() {
    assert_eq!(fits(&NonZero::<u32>::MIN), [1]);
    let read =
        bincode::serde::decode_from_slice::<Vec<NonZero<u8>>, _>(&[2, 1, 0], bincode::config::standard());
    assert!(read.is_err());
}

#[test]
fn keys_may_be_shared_or_texts_of_a_form() {
    fn holds<K: MapKey>() {}
    holds::<Arc<u8>>();
    holds::<Arc<str>>();
    holds::<Box<str>>();
    holds::<Cow<'static, str>>();
    holds::<NonZero<i8>>();
    holds::<Date>();
    holds::<Decimal>();
    fits(&BTreeMap::from([(Date::new("2026-01-31").expect("a date"), Arc::<str>::from("a"))]));
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
struct Visit {
    #[serde(with = "callgate_sdk::wire")]
    at: SystemTime,
    #[serde(with = "callgate_sdk::wire")]
    from: Option<SocketAddr>,
    #[serde(with = "callgate_sdk::wire", default)]
    later: Vec<SystemTime>,
    #[serde(with = "callgate_sdk::wire")]
    until: Presence<SystemTime>,
    #[serde(with = "callgate_sdk::wire", default = "noon")]
    noon: SystemTime,
}

fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(43_200)
}

/// The same, as it is written.
#[derive(Serialize, Deserialize, Message)]
struct Written {
    at: Timestamp,
    from: Option<String>,
    #[serde(default)]
    later: Vec<Timestamp>,
    until: Presence<Timestamp>,
    #[serde(default = "noon_stamp")]
    noon: Timestamp,
}

fn noon_stamp() -> Timestamp {
    noon().into()
}

#[test]
fn a_field_that_goes_as_another_type_is_described_as_that_type() {
    let names = |def: callgate_protocol::schema::StructDef| def.fields;
    assert_eq!(names(struct_of::<Visit>()), names(struct_of::<Written>()));
}

#[test]
fn an_address_that_is_none_is_refused_in_its_own_words() {
    let bytes = bincode_of(&(Timestamp::default(), Some("10.0.0.1"), (), (0u8, Timestamp::default())));
    let read = bincode::serde::decode_from_slice::<Visit, _>(&bytes, bincode::config::standard());
    assert!(read.expect_err("it has no port").to_string().contains("invalid socket address syntax"));
}

/// A newtype around one is as what is inside.
#[derive(Debug, PartialEq, Serialize, Deserialize, Message)]
struct Seen(#[serde(with = "callgate_sdk::wire")] SystemTime);

#[test]
fn a_newtype_of_one_is_described_as_what_is_written() {
    assert_eq!(type_of::<Seen>(), Type::Timestamp);
    fits(&Seen(noon()));
}

/// As its documentation has it.
#[derive(Clone, Debug, PartialEq)]
struct Even(u32);

impl Wire for Even {
    type As = u32;

    fn to_wire(&self) -> Result<u32, WireError> {
        Ok(self.0 / 2)
    }

    fn from_wire(half: u32) -> Result<Even, WireError> {
        Ok(Even(half.checked_mul(2).ok_or("too large for an even number")?))
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
struct Evens {
    #[serde(with = "callgate_sdk::wire")]
    #[message(max = 50)]
    all: Even,
}

#[test]
fn a_type_of_ones_own_goes_as_it_says() {
    assert_eq!(fits(&Evens { all: Even(14) }), [7]);
    let field = &struct_of::<Evens>().fields[0];
    assert_eq!((&field.ty, field.attributes.maximum()), (&Type::U32, Some(&[50][..])));
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(20_261_129), ..ProptestConfig::default() })]

    #[test]
    fn times_and_addresses_are_written_as_time_stamps_and_texts(
        secs in -60_000_000_000..200_000_000_000i64, nanos in 0..1_000_000_000u32, ip in any::<std::net::IpAddr>(), port in any::<u16>(), few in 0..3usize,
    ) {
        let stamp = Timestamp::new(secs, nanos).expect("a time stamp");
        let at = SystemTime::try_from(stamp).expect("in range");
        let from = SocketAddr::new(ip, port);
        let visit = Visit { at, from: Some(from), later: vec![at; few], until: Presence::Value(at), noon: noon() };
        let written = Written {
            at: stamp,
            from: Some(from.to_string()),
            later: vec![stamp; few],
            until: Presence::Value(stamp),
            noon: noon_stamp(),
        };
        let bytes = fits(&visit);
        prop_assert_eq!(&bytes, &bincode_of(&written));
        let (read, _) = bincode::serde::decode_from_slice::<Visit, _>(&bytes, bincode::config::standard()).expect("it is read");
        prop_assert_eq!(read, visit);
    }
}
