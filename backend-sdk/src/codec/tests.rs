//! The codec beside bincode: the same bytes, and the same values of any bytes.

use super::*;
use bincode::config::standard;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Numbers {
    unsigned: (u8, u16, u32, u64, u128),
    signed: (i8, i16, i32, i64, i128),
    floats: (f32, f64),
    truth: bool,
    letter: char,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Nothing;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(String);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pair(u64, Wrapped);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
    Unit,
    Newtype(Wrapped),
    Tuple(i32, Option<bool>),
    Struct { numbers: Numbers, inner: Option<Box<Choice>> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct All {
    text: String,
    numbers: Numbers,
    nothing: Nothing,
    unit: (),
    pair: Pair,
    choices: Vec<Choice>,
    map: BTreeMap<String, Vec<u16>>,
    id: uuid::Uuid,
    maybe: Option<Option<i64>>,
}

fn numbers() -> impl Strategy<Value = Numbers> {
    let unsigned = any::<(u8, u16, u32, u64, u128)>();
    let signed = any::<(i8, i16, i32, i64, i128)>();
    (unsigned, signed, (-1e30f32..1e30, -1e300f64..1e300), any::<bool>(), any::<char>()).prop_map(
        |(unsigned, signed, floats, truth, letter)| Numbers { unsigned, signed, floats, truth, letter },
    )
}

fn choice() -> impl Strategy<Value = Choice> {
    let leaf = prop_oneof![
        Just(Choice::Unit),
        ".{0,8}".prop_map(|text| Choice::Newtype(Wrapped(text))),
        any::<(i32, Option<bool>)>().prop_map(|(number, truth)| Choice::Tuple(number, truth)),
    ];
    leaf.prop_recursive(3, 6, 1, |inner| {
        (numbers(), proptest::option::of(inner.prop_map(Box::new)))
            .prop_map(|(numbers, inner)| Choice::Struct { numbers, inner })
    })
}

fn all() -> impl Strategy<Value = All> {
    let map = btree_map(".{0,4}", vec(any::<u16>(), 0..4), 0..4);
    let rest = (any::<u64>(), any::<u128>(), any::<Option<Option<i64>>>());
    (".{0,20}", numbers(), vec(choice(), 0..4), map, rest).prop_map(|(text, numbers, choices, map, rest)| {
        let (first, id, maybe) = rest;
        let (pair, id) = (Pair(first, Wrapped(text.clone())), uuid::Uuid::from_u128(id));
        All { text, numbers, nothing: Nothing, unit: (), pair, choices, map, id, maybe }
    })
}

proptest! {
    #[test]
    fn writes_what_bincode_writes_and_reads_it_back(value in all()) {
        let mut written = Vec::new();
        write(&value, &mut written).unwrap();
        prop_assert_eq!(&written, &bincode::serde::encode_to_vec(&value, standard()).unwrap());
        prop_assert_eq!(read::<All>(&written).unwrap(), value);
    }

    #[test]
    fn reads_of_any_bytes_what_bincode_reads(value in all(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0..9usize) {
        let mut bytes = bincode::serde::encode_to_vec(&value, standard()).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut.saturating_sub(4).min(bytes.len()));
        // Without a limit it believes lengths.
        let theirs = bincode::serde::decode_from_slice::<All, _>(&bytes, standard().with_limit::<65_536>());
        let theirs = theirs.ok().filter(|(_, read)| *read == bytes.len()).map(|(value, _)| value);
        // NaN is no value's equal.
        prop_assert_eq!(format!("{:?}", read::<All>(&bytes).ok()), format!("{theirs:?}"));
    }
}

#[test]
fn what_a_type_says_of_its_own_is_told() {
    #[derive(Debug)]
    struct Never;
    impl<'de> Deserialize<'de> for Never {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Never, D::Error> {
            Err(serde::de::Error::custom("it is never right"))
        }
    }
    assert_eq!(read::<Never>(b"").unwrap_err().to_string(), "it is never right");
    assert_eq!(read::<u8>(b"\x01\x02").unwrap_err().to_string(), "bytes after the end of the value");
    let any = read::<serde_json::Value>(b"\x01").unwrap_err();
    assert_eq!(any.to_string(), "the protocol has no value that says its own type");
}

#[test]
fn a_claimed_length_allocates_no_more_than_a_megabyte() {
    // 2⁶⁴ − 1 strings, of which none is there.
    let claimed = [&[253][..], &[0xff; 8]].concat();
    assert!(matches!(read::<Vec<String>>(&claimed), Err(CodecError::Bytes(_))));
}

#[test]
fn a_short_text_is_read_alike_wherever_it_stands() {
    for (length, behind) in (0..20_usize).flat_map(|length| [0, 1, 15, 16, 20].map(|behind| (length, behind)))
    {
        let message = |text: &[u8]| {
            let count = [length as u8];
            [&count[..], text, &[behind as u8], &vec![0x80; behind]].concat()
        };
        let mut text = vec![b'a'; length];
        for place in 0..length {
            for odd in [
                &b"\0"[..],
                b"\x7f",
                b"\x80",
                b"\xff",
                b"\xc3",
                "é".as_bytes(),
                "日".as_bytes(),
                "🦀".as_bytes(),
            ] {
                text.fill(b'a');
                let end = length.min(place + odd.len());
                text[place..end].copy_from_slice(&odd[..end - place]);
                let bytes = message(&text);
                let theirs = bincode::serde::decode_from_slice::<(String, Vec<u8>), _>(&bytes, standard());
                let theirs = theirs.ok().map(|(value, _)| value);
                assert_eq!(read::<(String, Vec<u8>)>(&bytes).ok(), theirs, "{bytes:?}");
            }
        }
        let plain = read::<(String, Vec<u8>)>(&message(&vec![b'a'; length])).unwrap();
        assert_eq!((plain.0.len(), plain.1.len()), (length, behind));
        assert!(
            read::<String>(&[&[length as u8 + 1][..], &vec![b'a'; length]].concat()).is_err(),
            "{length}"
        );
    }
}
