//! Types of the crates chrono, time, rust_decimal and url, behind the features of their names: what serde or `wire` writes of them
//! is what the schema says, and is of the form that the gateway asks for.
#![cfg(all(feature = "chrono", feature = "time", feature = "rust_decimal", feature = "url"))]

mod common;

use callgate_protocol::schema::{Logical, Type};
use callgate_sdk::{Date, MapKey, Message, Time, Timestamp};
use callgate_transcode::TextForm;
use common::{bincode_of, fits, struct_of, type_of};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

fn text(logical: Logical) -> Type {
    Type::Logical(logical, Box::new(Type::String))
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> T {
    let (value, length) = bincode::serde::decode_from_slice(bytes, bincode::config::standard())
        .expect("what was written is read");
    assert_eq!(length, bytes.len());
    value
}

/// The text as which a value is written.
fn written<T: Message>(value: &T) -> String {
    read(&fits(value))
}

#[test]
fn each_type_is_described_as_the_protocol_names_it() {
    fn key<K: MapKey>() -> Type {
        type_of::<K>()
    }
    assert_eq!(key::<chrono::NaiveDate>(), text(Logical::DATE));
    assert_eq!(key::<chrono::NaiveTime>(), text(Logical::TIME));
    assert_eq!(key::<rust_decimal::Decimal>(), text(Logical::DECIMAL));
    assert_eq!(key::<url::Url>(), text(Logical::URL));
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
struct Times {
    #[serde(with = "callgate_sdk::wire")]
    chrono: chrono::DateTime<chrono::Utc>,
    #[serde(with = "callgate_sdk::wire")]
    time: time::OffsetDateTime,
    #[serde(with = "callgate_sdk::wire")]
    date: time::Date,
    #[serde(with = "callgate_sdk::wire")]
    of_day: Option<time::Time>,
    #[message(min = "2026-01-01", max = chrono::NaiveDate::MAX)]
    naive: Option<chrono::NaiveDate>,
    #[message(min = "0.01", max = rust_decimal::Decimal::ONE_THOUSAND, example = "12.50")]
    price: rust_decimal::Decimal,
    #[message(length(max = 100), example = "https://example.com/")]
    page: url::Url,
}

#[test]
fn fields_of_these_types_are_described_as_what_is_written() {
    let types: Vec<Type> = struct_of::<Times>().fields.into_iter().map(|field| field.ty).collect();
    let option = |ty| Type::Option(Box::new(ty));
    assert_eq!(
        types,
        [
            Type::Timestamp,
            Type::Timestamp,
            text(Logical::DATE),
            option(text(Logical::TIME)),
            option(text(Logical::DATE)),
            text(Logical::DECIMAL),
            text(Logical::URL),
        ]
    );
    let price = &struct_of::<Times>().fields[5].attributes;
    assert_eq!(
        (price.minimum(), price.maximum()),
        (Some(&bincode_of(&"0.01")[..]), Some(&bincode_of(&"1000")[..]))
    );
    assert_eq!(price.example(), Some(&bincode_of(&"12.50")[..]));
}

#[test]
fn a_leap_second_and_a_year_of_five_digits_are_not_written() {
    let second = chrono::NaiveDate::from_ymd_opt(2016, 12, 31)
        .and_then(|day| day.and_hms_nano_opt(23, 59, 59, 1_500_000_000));
    let leap = second.expect("chrono has it").and_utc();
    assert!(Timestamp::try_from(leap).is_err());
    let far = Timestamp::new(i64::MAX, 0).expect("a time stamp");
    assert!(chrono::DateTime::<chrono::Utc>::try_from(far).is_err());
    assert!(time::OffsetDateTime::try_from(far).is_err());
    use callgate_sdk::Wire;
    assert!(time::Date::from_ordinal_date(-1, 1).expect("time has it").to_wire().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(20_261_129), ..ProptestConfig::default() })]

    #[test]
    fn dates_and_times_are_texts_of_their_form(days in 0..3_652_059i32, seconds in 0..86_400u32, nanos in 0..1_000_000_000u32, unit in 0..4u32) {
        let nanos = nanos / 1000u32.pow(unit) * 1000u32.pow(unit);
        let naive = chrono::NaiveDate::from_num_days_from_ce_opt(days + 1).expect("a day");
        let date = written(&naive);
        prop_assert_eq!(TextForm::Date.check(&date), Ok(()));
        let of_day = chrono::NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos).expect("a time");
        let time = written(&of_day);
        prop_assert_eq!(TextForm::Time.check(&time), Ok(()));
        prop_assert_eq!(read::<chrono::NaiveTime>(&bincode_of(&time)), of_day);

        // The crate time's mean the same, and the gateway may leave zeros and seconds out.
        use callgate_sdk::Wire;
        let julian = time::Date::from_julian_day(days + 1_721_426).expect("a day");
        prop_assert_eq!(julian.to_wire().expect("in range").to_string(), date.clone());
        prop_assert_eq!(time::Date::from_wire(Date::new(date).expect("a date")).expect("in range"), julian);
        let hms = time::Time::from_hms_nano((seconds / 3600) as u8, (seconds / 60 % 60) as u8, (seconds % 60) as u8, nanos);
        let hms = hms.expect("a time");
        for text in [hms.to_wire().expect("a time").as_str(), &time] {
            let again = Time::new(text).expect("a time of day");
            prop_assert_eq!(time::Time::from_wire(again).expect("a time"), hms);
        }
        if seconds % 60 == 0 && nanos == 0 {
            let short = Time::new(time.get(..5).unwrap_or_default()).expect("a time of day");
            prop_assert_eq!(time::Time::from_wire(short).expect("a time"), hms);
        }
    }

    #[test]
    fn moments_are_time_stamps(seconds in -62_135_596_800..253_402_300_800i64, nanos in 0..1_000_000_000u32, cents in any::<i64>(), scale in 0..28u32) {
        let stamp = Timestamp::new(seconds, nanos).expect("a time stamp");
        let times = Times {
            chrono: stamp.try_into().expect("chrono has it"),
            time: stamp.try_into().expect("time has it"),
            date: time::Date::MAX,
            of_day: None,
            naive: None,
            price: rust_decimal::Decimal::new(cents, scale),
            page: url::Url::parse("https://example.com/ä?b").expect("a URL"),
        };
        let bytes = fits(&times);
        prop_assert!(bytes.starts_with(&bincode_of(&(stamp, stamp))));
        prop_assert_eq!(read::<Times>(&bytes), times);
    }

    #[test]
    fn decimals_are_texts_of_their_form(number in any::<i128>(), scale in 0..29u32) {
        let decimal = rust_decimal::Decimal::try_from_i128_with_scale(number >> 33, scale).expect("96 bits");
        let text = written(&decimal);
        prop_assert_eq!(TextForm::Decimal.check(&text), Ok(()), "{}", text);
        prop_assert_eq!(text, decimal.to_string());
    }

    #[test]
    fn urls_are_texts_of_their_form(text in "(https?|mailto|urn|data)://?[a-z0-9.]{1,9}(:[0-9]{1,4})?(/\\PC{0,9})?([?#]\\PC{0,9})?") {
        if let Ok(url) = url::Url::parse(&text) {
            let written = written(&url);
            prop_assert_eq!(TextForm::Url.check(&written), Ok(()), "{}", written);
            prop_assert_eq!(read::<url::Url>(&bincode_of(&written)), url);
        }
    }
}
