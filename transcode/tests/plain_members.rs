//! Members that are plain and in order are read by a loop of their own, and so are such values of an answer. Whatever it is given, it does
//! the same as the walks over any member and any value, which these tests have instead by a space before the colon, and by an option
//! around the value.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{MethodSchema, Type};
use callgate_transcode::Violation;
use proptest::prelude::*;
use support::{decode, encode, field, list, method, option, structure, whole};

/// The types that may be plain.
const TYPES: [Type; 12] = [
    Type::String,
    Type::Bool,
    Type::F64,
    Type::F32,
    Type::U8,
    Type::U16,
    Type::U32,
    Type::U64,
    Type::I8,
    Type::I32,
    Type::I64,
    Type::I128,
];

fn of_two(first: Type, second: Type) -> MethodSchema {
    method(vec![structure(vec![field("a", first), field("b", second)])])
}

/// A message, or what is told of the body but for the column.
fn outcome(schema: &MethodSchema, body: &str) -> Result<Vec<u8>, Vec<Violation>> {
    let without_column = |violation: Violation| Violation { column: None, ..violation };
    encode(&whole(schema), body.as_bytes()).map_err(|all| all.into_iter().map(without_column).collect())
}

/// Asserts that the member is read alike by both.
fn assert_same(ty: &Type, value: &str, behind: &str) {
    let schema = of_two(ty.clone(), Type::U8);
    let plain = outcome(&schema, &format!("{{\"a\":{value}{behind}"));
    let any = outcome(&schema, &format!("{{\"a\" :{value}{behind}"));
    assert_eq!(plain, any, "{ty:?}: {value}{behind}");
}

const VALUES: &[&str] = &[
    "\"\"",
    "\"a\"",
    "\"0123456\"",
    "\"01234567\"",
    "\"012345678\"",
    "\"0123456789abcde\"",
    "\"0123456789abcdef\"",
    "\"0123456789abcdefg\"",
    "\"é日本🦀\"",
    "\"0123456789abcdé\"",
    "\"\\n\"",
    "\"0123456789\\\"abcdef\"",
    "\"\u{1}\"",
    "\"NaN\"",
    "\"-Infinity\"",
    "\"12\"",
    "\"",
    "0",
    "-0",
    "00",
    "01",
    "-",
    "-1",
    "1.",
    ".5",
    "1.5",
    "-1.25",
    "1e2",
    "1e400",
    "127",
    "128",
    "-128",
    "-129",
    "255",
    "256",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "0.1234567890123456789012",
    "9007199254740993",
    "true",
    "false",
    "tru",
    "falsey",
    "null",
    "[1]",
    "{}",
    "",
];

const BEHIND: &[&str] =
    &["}", ",\"b\":1}", " , \"b\" : 1 }", ",\"b\":1", ",}", ",", ";", "", "}}", ",\"a\":1}"];

#[test]
fn a_member_is_read_alike_whatever_it_is_and_whatever_follows() {
    for ty in &TYPES {
        for value in VALUES {
            for behind in BEHIND {
                assert_same(ty, value, behind);
            }
        }
    }
}

#[test]
fn members_are_told_apart_at_each_place_of_a_longer_object() {
    let names = ["a", "b", "c", "d", "e"];
    let fields = names.iter().map(|name| field(name, Type::U32)).collect();
    let schema = method(vec![structure(fields)]);
    for place in 0..names.len() {
        for (value, is_taken) in [("7", true), ("\"7\"", false), ("7.5", false)] {
            let member = |(at, name): (usize, &&str)| match at == place {
                true => format!("\"{name}\":{value}"),
                false => format!("\"{name}\":{at}"),
            };
            let body = format!("{{{}}}", names.iter().enumerate().map(member).collect::<Vec<_>>().join(","));
            let taken = outcome(&schema, &body);
            assert_eq!(taken.is_ok(), is_taken, "{body}");
            assert_eq!(taken, outcome(&schema, &body.replace(':', " :")), "{body}");
        }
    }
}

/// Asserts of bytes that a value of the type is printed alike by both.
fn assert_printed_alike(ty: &Type, bytes: &[u8], behind: &[u8]) {
    let plain = decode(&of_two(ty.clone(), Type::U8), &[bytes, behind].concat());
    let any = decode(&of_two(option(ty.clone()), Type::U8), &[&[1], bytes, behind].concat());
    let shifted = any.map_err(|mut error| {
        error.offset -= 1;
        error
    });
    assert_eq!(plain, shifted, "{ty:?} of {bytes:?}, {behind:?}");
}

#[test]
fn a_value_is_printed_alike_whatever_it_is_and_whatever_follows() {
    let texts = ["", "a", "0123456", "01234567", "012345678", "0123456789abcdef", "0123456789abcdefg"];
    let odd = ["é", "\"", "\\", "\u{7f}", "\u{1}", "🦀", ""];
    for ty in &TYPES {
        for behind in [&[7][..], &[], &[7, 7], &[0x80; 20], &[b'"'; 20]] {
            for (text, odd) in texts.iter().flat_map(|text| odd.iter().map(move |odd| (text, odd))) {
                for text in [format!("{text}{odd}"), format!("{odd}{text}")] {
                    let bytes = [&[text.len() as u8], text.as_bytes()].concat();
                    assert_printed_alike(ty, &bytes, behind);
                }
            }
            for bytes in [
                &[250][..],
                &[251, 1, 2],
                &[252, 1, 2, 3, 4],
                &[253, 1, 2, 3, 4, 5, 6, 7, 8],
                &[255],
                &[3, 0xff, 0xfe, 0xfd],
            ] {
                assert_printed_alike(ty, bytes, behind);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn any_text_is_read_alike(ty in 0..TYPES.len(), value in "(\"[ -~é\\\\]{0,20}\"?|[-+0-9.eE]{0,24}|[a-z]{0,6})", behind in 0..BEHIND.len()) {
        assert_same(&TYPES[ty], &value, BEHIND[behind]);
    }

    #[test]
    fn any_bytes_are_printed_alike(ty in 0..TYPES.len(), bytes in prop::collection::vec(any::<u8>(), 0..24), length in 0..20_u8) {
        assert_printed_alike(&TYPES[ty], &bytes, &[]);
        assert_printed_alike(&TYPES[ty], &[&[length], &bytes[..]].concat(), &[7]);
    }

    #[test]
    fn any_number_is_printed_alike(value in any::<f64>(), hundredths in any::<i32>()) {
        for value in [value, f64::from(hundredths) / 100.0, f64::from(hundredths)] {
            assert_printed_alike(&Type::F64, &value.to_le_bytes(), &[7]);
        }
    }
}

#[test]
fn a_list_counts_its_objects_however_many_there_are() {
    let item = structure(vec![field("n", Type::U16)]);
    let schema = method(vec![structure(vec![field("x", list(Type::Ref(1)))]), item]);
    for count in [0_usize, 1, 250, 251, 300, 70_000] {
        let items: Vec<String> = (0..count).map(|n| format!("{{\"n\":{}}}", n % 200)).collect();
        let body = format!("{{\"x\":[{}]}}", items.join(","));
        let message = encode(&whole(&schema), body.as_bytes()).unwrap();
        assert_eq!(decode(&schema, &message).unwrap(), body, "{count}");
    }
}
