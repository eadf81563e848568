//! Hostile sizes and shapes: depth, zero-sized floods, keys by the thousand, random bytes. Nothing panics, nothing grows
//! without a bound, and what is taken always passes the protocol's own check.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::check;
use callgate_protocol::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};
use callgate_protocol::schema::{MethodSchema, Shape, Type};
use callgate_protocol::wire::{put_bytes, put_varint, put_zigzag};
use callgate_transcode::json::validate;
use callgate_transcode::{DecodeReason, RequestBinding, RequestProgram, UnknownFields};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use support::generate::{runs, schemas, values};
use support::value::bincode_of;
use support::{
    decode, default_field, encode, encode_all, enumeration, field, lines, list, method, method_of, option,
    structure, variant, whole,
};

/// Encodes, checks what comes out, and decodes it again.
fn round(schema: &MethodSchema, body: &str) -> Result<String, String> {
    let bytes = encode(&whole(schema), body.as_bytes()).map_err(|violations| lines(&violations))?;
    assert_eq!(check::value(schema, &schema.request, &bytes), Ok(()));
    Ok(decode(schema, &bytes).unwrap())
}

fn nested(open: &str, inner: &str, close: &str, times: usize) -> String {
    format!("{}{inner}{}", open.repeat(times), close.repeat(times))
}

#[test]
fn structs_may_nest_128_deep_and_no_deeper() {
    let schema = method(vec![structure(vec![field("a", option(Type::Ref(0)))])]);
    let body = |depth| nested("{\"a\":", "{\"a\":null}", "}", depth - 1);
    assert_eq!(round(&schema, &body(MAX_DEPTH)), Ok(body(MAX_DEPTH)));
    let refused = round(&schema, &body(MAX_DEPTH + 1)).unwrap_err();
    assert!(refused.ends_with("nested deeper than 128"), "{refused}");
    // `Some` 128 times and `None`.
    let mut message = vec![1; MAX_DEPTH];
    message.push(0);
    assert!(decode(&schema, &message).is_err());
    assert!(check::value(&schema, &schema.response, &message).is_err());
    assert!(decode(&schema, &vec![1; 1 << 20]).is_err());
}

#[test]
fn containers_beside_each_other_do_not_add_up() {
    let schema = method(vec![
        structure(vec![field("v", list(Type::Ref(1)))]),
        enumeration(vec![
            variant("N", Shape::Newtype(Type::U8)),
            variant("U", Shape::Unit),
            variant("T", Shape::Tuple(vec![Type::U8, Type::U8])),
            variant("S", Shape::Struct(vec![field("v", Type::U8)])),
            variant("L", Shape::Newtype(list(Type::U8))),
            variant("M", Shape::Newtype(Type::Map(Box::new(Type::U8), Box::new(Type::U8)))),
            variant("A", Shape::Newtype(Type::Array(Box::new(Type::U8), 1))),
            variant("J", Shape::Newtype(Type::Json)),
        ]),
    ]);
    for one in [
        "{\"N\":1}",
        "{\"T\":[1,2]}",
        "{\"S\":{\"v\":1}}",
        "{\"L\":[1]}",
        "{\"M\":{\"1\":1}}",
        "{\"A\":[1]}",
        "{\"J\":[{}]}",
        "\"U\"",
    ] {
        let body = format!("{{\"v\":[{}]}}", vec![one; 2 * MAX_DEPTH].join(","));
        assert_eq!(round(&schema, &body).as_deref(), Ok(&*body), "{one}");
    }
}

#[test]
fn any_json_may_nest_128_deep_and_no_deeper_whatever_it_nests_in() {
    for (open, inner, close, levels) in
        [("[", "", "]", 1), ("{\"a\":", "1", "}", 1), ("{\"a\":[", "", "]}", 2)]
    {
        let text = |times| nested(open, inner, close, times);
        assert_eq!(validate(text(MAX_DEPTH / levels).as_bytes()), Ok(()), "{open}");
        assert!(validate(text(MAX_DEPTH / levels + 1).as_bytes()).is_err(), "{open}");
    }
}

#[test]
fn a_request_of_16_mebibytes_is_the_longest_that_defaults_make() {
    // Each of 256 empty objects is 65,531 bytes by default, and their length before them.
    let mut default = Vec::new();
    put_bytes(&mut default, &vec![7; 65_531]);
    let schema = method(vec![
        structure(vec![field("list", list(Type::Ref(1))), field("pad", Type::String)]),
        structure(vec![default_field("bytes", Type::Bytes, &default)]),
    ]);
    let program = whole(&schema);
    let list = vec!["{}"; 256].join(",");
    let body = |pad: usize| format!("{{\"list\":[{list}],\"pad\":\"{}\"}}", "p".repeat(pad));
    let longest = encode(&program, body(506).as_bytes()).map(|bytes| bytes.len());
    assert_eq!(longest, Ok(16 * 1024 * 1024));
    let refused = encode(&program, body(507).as_bytes()).unwrap_err();
    assert!(lines(&refused).ends_with("the request is longer than 16777216 bytes"), "{}", lines(&refused));
}

#[test]
fn each_kind_of_container_counts_as_the_check_counts_it() {
    let schema = method(vec![
        structure(vec![field("v", Type::Ref(1))]),
        enumeration(vec![
            variant("End", Shape::Unit),
            variant("N", Shape::Newtype(Type::Ref(1))),
            variant("T", Shape::Tuple(vec![Type::Ref(1)])),
            variant("S", Shape::Struct(vec![field("v", Type::Ref(1))])),
            variant("L", Shape::Newtype(list(Type::Ref(1)))),
            variant("M", Shape::Newtype(Type::Map(Box::new(Type::Bool), Box::new(Type::Ref(1))))),
        ]),
    ]);
    for (open, close, containers) in [
        ("{\"N\":", "}", 1),
        ("{\"T\":[", "]}", 2),
        ("{\"S\":{\"v\":", "}}", 2),
        ("{\"L\":[", "]}", 2),
        ("{\"M\":{\"true\":", "}}", 2),
    ] {
        let times = (MAX_DEPTH - 1) / containers;
        let body = |times| format!("{{\"v\":{}}}", nested(open, "\"End\"", close, times));
        assert_eq!(round(&schema, &body(times)), Ok(body(times)), "{open}");
        assert!(round(&schema, &body(times + 1)).is_err(), "{open}");
    }
}

#[test]
fn json_inside_of_a_message_counts_on_from_where_it_stands() {
    let text = |depth| nested("[", "", "]", depth);
    assert_eq!(validate(text(MAX_DEPTH).as_bytes()), Ok(()));
    assert!(validate(text(MAX_DEPTH + 1).as_bytes()).is_err());
    assert!(validate("[".repeat(1 << 20).as_bytes()).is_err());

    let schema = method_of(Type::Json);
    let body = |depth| format!("{{\"v\":{}}}", text(depth));
    assert_eq!(round(&schema, &body(MAX_DEPTH - 1)), Ok(body(MAX_DEPTH - 1)));
    assert!(round(&schema, &body(MAX_DEPTH)).is_err());
    let deep = bincode::serde::encode_to_vec(text(MAX_DEPTH), bincode::config::standard()).unwrap();
    assert!(decode(&schema, &deep).is_err());
}

#[test]
fn a_default_counts_where_it_is_filled_in() {
    // A default of 3 lists inside each other, at the bottom of the nesting.
    let lists = list(list(list(Type::U8)));
    let schema = method(vec![structure(vec![
        default_field("d", lists, &[1, 1, 1, 7]),
        field("a", option(Type::Ref(0))),
    ])]);
    let body = |depth| nested("{\"a\":", "{}", "}", depth - 1);
    assert!(round(&schema, &body(MAX_DEPTH - 3)).is_ok());
    let refused = round(&schema, &body(MAX_DEPTH - 2)).unwrap_err();
    assert!(refused.contains("its default makes the request nest deeper than 128"), "{refused}");
}

#[test]
fn values_without_content_are_counted() {
    let schema = method_of(list(Type::Unit));
    let empty = method(vec![structure(vec![field("v", list(Type::Ref(1)))]), structure(vec![])]);
    for (schema, item) in [(&schema, "null"), (&empty, "{}")] {
        let body = |count| format!("{{\"v\":[{}]}}", vec![item; count].join(","));
        assert!(round(schema, &body(MAX_ZERO_SIZED_ITEMS)).is_ok());
        assert!(encode(&whole(schema), body(MAX_ZERO_SIZED_ITEMS + 1).as_bytes()).is_err());
    }
    let mut message = Vec::new();
    put_varint(&mut message, 1 << 28);
    assert!(decode(&schema, &message).is_err());
    put_varint(&mut message, u64::MAX);
    assert!(decode(&schema, &message[5..]).is_err());

    // A default may have many: here 1 000 of them for each two bytes of the body.
    let mut thousand = Vec::new();
    put_varint(&mut thousand, 1_000);
    let schema = method(vec![
        structure(vec![field("v", list(Type::Ref(1)))]),
        structure(vec![default_field("u", list(Type::Tuple(vec![])), &thousand)]),
    ]);
    let body = |count| format!("{{\"v\":[{}]}}", vec!["{}"; count].join(","));
    assert!(round(&schema, &body(65)).is_ok());
    assert!(round(&schema, &body(66)).is_err());
}

#[test]
fn structs_that_each_hold_two_of_the_next_do_not_take_exponential_time() {
    // Built by hand: the protocol's own reader refuses nothing in it.
    let twice = |next| structure(vec![field("a", Type::Ref(next)), field("b", Type::Ref(next))]);
    let mut definitions: Vec<_> = (1..100).map(twice).collect();
    definitions.push(structure(vec![]));
    let schema = method(definitions);
    assert!(decode(&schema, &[]).is_err());
}

#[test]
fn missing_fields_do_not_make_a_small_body_a_huge_request() {
    let default = bincode::serde::encode_to_vec("x".repeat(60_000), bincode::config::standard()).unwrap();
    let schema = method(vec![
        structure(vec![field("v", list(Type::Ref(1)))]),
        structure(vec![default_field("d", Type::String, &default)]),
    ]);
    let body = format!("{{\"v\":[{}]}}", vec!["{}"; 100_000].join(","));
    let refused = round(&schema, &body).unwrap_err();
    assert!(refused.contains("the request is longer than 16777216 bytes"), "{refused}");
}

#[test]
fn a_megabyte_of_keys_is_compared_without_comparing_each_with_each() {
    let keys = |escape: &str| {
        let members: Vec<String> = (0..70_000).map(|i| format!("\"{escape}key{i}\":1")).collect();
        members.join(",")
    };
    let map = method_of(Type::Map(Box::new(Type::String), Box::new(Type::U8)));
    let any = method_of(Type::Json);
    let ignoring = RequestBinding { unknown_fields: UnknownFields::Ignore, ..RequestBinding::default() };
    let ignoring = RequestProgram::compile(&method(vec![structure(vec![])]), &ignoring).unwrap();
    for escape in ["", "\\u0061"] {
        let keys = keys(escape);
        for last in [",\"akey7\":1", ",\"key7\":1"] {
            let inner = format!("{{{keys}{last}}}");
            let twice = match escape {
                "" => last.contains("\"key7"),
                _ => last.contains("akey7"),
            };
            let body = format!("{{\"v\":{inner}}}");
            for program in [&whole(&map), &whole(&any)] {
                assert_eq!(encode(program, body.as_bytes()).is_err(), twice, "{escape} {last}");
            }
            assert_eq!(encode(&ignoring, inner.as_bytes()).is_err(), twice, "{escape} {last}");
        }
    }
    // The same field again and again.
    let schema = method_of(Type::U8);
    let body = format!("{{{}\"v\":1}}", "\"v\":1,".repeat(150_000));
    assert_eq!(encode(&whole(&schema), body.as_bytes()).unwrap_err().len(), 1);
}

#[test]
fn a_flood_of_parameters_or_a_long_key_makes_no_flood_of_words() {
    let schema = method(vec![structure(vec![field("v", list(Type::U8)), field("a", option(Type::Ref(0)))])]);
    let program = whole(&schema);
    let unknown = vec![("x", "1"); 50_000];
    assert_eq!(encode_all(&program, &[], &unknown, b"").unwrap_err().len(), 64);
    let items = vec![("v", "1"); 50_000];
    assert_eq!(encode_all(&program, &[], &items, b"").unwrap().len(), 50_004);
    let dots = "a.".repeat(30_000);
    let refused = encode_all(&program, &[], &[(&dots, "1"), ("v", "1")], b"").unwrap_err();
    assert!(lines(&refused).len() < 1_000, "{refused:?}");

    let map = method_of(Type::Map(Box::new(Type::String), Box::new(Type::Ref(0))));
    let body = format!("{{\"v\":{{\"{}\":{{\"{}\":1}}}}}}", "k".repeat(1 << 20), "u".repeat(1 << 20));
    let refused = encode(&whole(&map), body.as_bytes()).unwrap_err();
    assert_eq!(refused.len(), 2);
    assert!(lines(&refused).len() < 1_000);
}

#[test]
fn a_map_with_a_key_twice_is_not_shown_however_large_it_is() {
    let map = |key, value| Type::Map(Box::new(key), Box::new(value));
    let schema = method_of(map(Type::I32, map(Type::Bool, Type::U8)));
    let message = |keys: &[i64]| {
        let mut bytes = Vec::new();
        put_varint(&mut bytes, keys.len() as u64);
        for key in keys {
            put_zigzag(&mut bytes, *key);
            // {"true": 1, "false": 2}, again and again: a key is of its own map only.
            bytes.extend_from_slice(&[2, 1, 1, 0, 2]);
        }
        bytes
    };
    for count in [2, 8, 9, 500] {
        let mut keys: Vec<i64> = (0..count).map(|key| key * 7919 % 1009 - 100).collect();
        assert!(decode(&schema, &message(&keys)).is_ok(), "{count}");
        keys[0] = keys[count as usize - 1];
        let refused = decode(&schema, &message(&keys)).unwrap_err();
        assert_eq!(refused.reason, DecodeReason::DuplicateKey, "{count}");
    }
}

fn is_json(text: &str) -> bool {
    validate(text.as_bytes()).is_ok()
}

proptest! {
    #![proptest_config(runs(4_000))]

    #[test]
    fn random_bytes_are_refused_or_taken_but_nothing_else_happens(
        schema in schemas(),
        all in vec(vec(prop_oneof![any::<u8>(), 0..4_u8], 0..60), 10),
    ) {
        let program = whole(&schema);
        for bytes in all {
            let checked = check::value(&schema, &schema.response, &bytes);
            match (decode(&schema, &bytes), checked) {
                (Ok(text), Ok(())) => prop_assert!(is_json(&text), "{}", text),
                (Ok(text), Err(error)) => prop_assert!(false, "{} in {}", error, text),
                // What is a value may still be none that JSON can show.
                (Err(_), _) => {}
            }
            let _ = encode(&program, &bytes);
        }
    }

    #[test]
    fn mutated_messages_are_taken_only_where_the_check_takes_them(
        (schema, value, _) in values(),
        mutations in vec((any::<Index>(), 0..3, any::<u8>()), 10),
    ) {
        let bytes = bincode_of(&schema, &schema.response, &value);
        for (at, how, byte) in mutations.into_iter().filter(|_| !bytes.is_empty()) {
            let mut bytes = bytes.clone();
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte % 3),
            }
            let checked = check::value(&schema, &schema.response, &bytes);
            match decode(&schema, &bytes) {
                Ok(text) => {
                    prop_assert_eq!(checked, Ok(()), "{}", text);
                    prop_assert!(is_json(&text), "{}", text);
                }
                Err(error) => {
                    let cannot_show = !matches!(error.reason, DecodeReason::Message(_));
                    prop_assert!(checked.is_err() || cannot_show, "{}", error);
                }
            }
        }
    }
}
