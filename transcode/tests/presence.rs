//! Fields that tell absent, null and a value apart: on the way in, from parameters, by default, and on the way out.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{Field, Logical, MethodSchema, Type};
use callgate_transcode::{Body, RequestProgram, Response, ResponseBinding, ResponseProgram};
use serde::{Deserialize, Serialize};
use support::{
    binding, decode, decode_in_steps, default_field, encode, encode_all, field, lines, list, method, option,
    presence, structure, text, whole,
};

/// As a backend would declare it.
#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Presence<T> {
    Absent,
    Null,
    Value(T),
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Patch {
    name: Presence<String>,
    id: u32,
    note: Presence<String>,
    tags: Presence<Vec<u8>>,
}

fn patch() -> MethodSchema {
    method(vec![structure(vec![
        field("name", presence(Type::String)),
        field("id", Type::U32),
        field("note", presence(Type::String)),
        field("tags", presence(list(Type::U8))),
    ])])
}

fn bincode_of(value: &impl Serialize) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).unwrap()
}

/// What is written for a message: the same in steps as at once.
fn shown(schema: &MethodSchema, binding: &ResponseBinding, message: &[u8]) -> String {
    let program = ResponseProgram::compile(schema, binding).unwrap();
    let mut out = Vec::new();
    program.decode(message, &mut out).unwrap();
    let at_once = String::from_utf8(out).unwrap();
    assert_eq!(decode_in_steps(&program, message).unwrap(), at_once);
    at_once
}

fn part(schema: &MethodSchema, name: &str, message: &[u8]) -> String {
    let shape = Response::Field(name.to_owned());
    shown(schema, &ResponseBinding { shape, ..ResponseBinding::default() }, message)
}

#[test]
fn a_missing_member_is_absent_null_is_null_and_both_ways_are_the_same() {
    use Presence::{Absent, Null, Value};
    let schema = patch();
    for (json, name, note, tags) in [
        (r#"{"id":7}"#, Absent, Absent, Absent),
        (r#"{"name":null,"id":7,"note":null,"tags":null}"#, Null, Null, Null),
        (r#"{"name":"a","id":7}"#, Value("a".to_owned()), Absent, Absent),
        (r#"{"id":7,"note":"b"}"#, Absent, Value("b".to_owned()), Absent),
        (r#"{"id":7,"tags":[1,2]}"#, Absent, Absent, Value(vec![1, 2])),
        (r#"{"name":"","id":7,"tags":[]}"#, Value(String::new()), Absent, Value(Vec::new())),
    ] {
        let message = bincode_of(&Patch { name, id: 7, note, tags });
        assert_eq!(encode(&whole(&schema), json.as_bytes()), Ok(message.clone()), "{json}");
        assert_eq!(shown(&schema, &ResponseBinding::default(), &message), json);
    }
    // In any order.
    let message = bincode_of(&Patch { name: Null, id: 7, note: Value("b".to_owned()), tags: Absent });
    assert_eq!(encode(&whole(&schema), br#"{"note":"b","id":7,"name":null}"#), Ok(message));
    let wrong = encode(&whole(&schema), br#"{"id":7,"note":1}"#).unwrap_err();
    assert_eq!(lines(&wrong), "/note 1:16 expected a string, got a number");
}

#[test]
fn an_object_of_which_all_is_absent_is_an_empty_one() {
    let schema = method(vec![
        structure(vec![field("a", presence(Type::U8)), field("b", presence(Type::Ref(1)))]),
        structure(vec![field("c", presence(Type::U8))]),
    ]);
    for (message, json) in [
        (vec![0, 0], "{}"),
        (vec![0, 2, 0], r#"{"b":{}}"#),
        (vec![1, 2, 1], r#"{"a":null,"b":{"c":null}}"#),
        (vec![2, 5, 2, 2, 6], r#"{"a":5,"b":{"c":6}}"#),
        // Absent, in a longer form.
        (vec![251, 0, 0, 251, 0, 0], "{}"),
    ] {
        assert_eq!(shown(&schema, &ResponseBinding::default(), &message), json);
    }
    let refused = decode(&schema, &[3, 0]).unwrap_err();
    assert_eq!(refused.to_string(), "unknown enum variant at byte 1");
    assert!(decode(&schema, &[0]).is_err());
    assert!(decode(&schema, &[0, 2]).is_err());
}

#[test]
fn long_names_are_left_out_as_well() {
    let long = "n".repeat(200);
    let schema =
        method(vec![structure(vec![field(&long, presence(Type::U8)), field("b", presence(Type::U8))])]);
    assert_eq!(shown(&schema, &ResponseBinding::default(), &[0, 2, 1]), r#"{"b":1}"#);
    assert_eq!(shown(&schema, &ResponseBinding::default(), &[1, 0]), format!("{{\"{long}\":null}}"));
}

#[test]
fn a_default_stands_for_a_missing_member() {
    let null_by_default: Field = default_field("a", presence(Type::U8), &[1]);
    let schema =
        method(vec![structure(vec![null_by_default, default_field("b", presence(Type::U8), &[2, 9])])]);
    assert_eq!(encode(&whole(&schema), b"{}"), Ok(vec![1, 2, 9]));
    assert_eq!(encode(&whole(&schema), br#"{"a":3,"b":null}"#), Ok(vec![2, 3, 1]));
}

#[test]
fn presence_over_any_json_and_over_unit_takes_null_for_null() {
    let schema =
        method(vec![structure(vec![field("a", presence(Type::Json)), field("b", presence(Type::Unit))])]);
    assert_eq!(encode(&whole(&schema), br#"{"a":null,"b":null}"#), Ok(vec![1, 1]));
    assert_eq!(encode(&whole(&schema), br#"{"a":[]}"#), Ok(vec![2, 2, b'[', b']', 0]));
}

#[test]
fn parameters_fill_a_field_with_presence() {
    let schema = method(vec![
        structure(vec![
            field("a", presence(text(Logical::DATE))),
            field("b", presence(list(Type::U8))),
            field("c", presence(Type::Ref(1))),
        ]),
        structure(vec![field("d", presence(Type::U8)), field("e", option(Type::U8))]),
    ]);
    let program = RequestProgram::compile(&schema, &binding(&["a"], Body::Whole)).unwrap();
    let given = encode_all(&program, &["2026-01-31"], &[("b", "1"), ("b", "2"), ("c.d", "3")], b"").unwrap();
    assert_eq!(
        shown(&schema, &ResponseBinding::default(), &given),
        r#"{"a":"2026-01-31","b":[1,2],"c":{"d":3,"e":null}}"#
    );
    // Parameter and body join in one struct.
    let joined = encode_all(&program, &["2026-01-31"], &[("c.d", "3")], br#"{"c":{"e":4}}"#).unwrap();
    assert_eq!(
        shown(&schema, &ResponseBinding::default(), &joined),
        r#"{"a":"2026-01-31","c":{"d":3,"e":4}}"#
    );
    let twice = encode_all(&program, &["2026-01-31"], &[("c.d", "3")], br#"{"c":null}"#).unwrap_err();
    assert_eq!(
        lines(&twice),
        "/c 1:6 given twice: `null` in the body, and a part of it by query parameter `c.d`"
    );
    let wrong = encode_all(&program, &["x"], &[("c.d", "y")], b"").unwrap_err();
    assert_eq!(
        lines(&wrong),
        "/a - path parameter `a`: not a date: expected the form `2026-01-31`, got \"x\"\n\
         /c/d - query parameter `c.d`: expected an integer, got \"y\""
    );
}

#[test]
fn the_body_may_be_a_field_with_presence() {
    let schema =
        method(vec![structure(vec![field("a", presence(Type::String)), field("b", option(Type::U8))])]);
    let program = RequestProgram::compile(&schema, &binding(&[], Body::Field("a".to_owned()))).unwrap();
    for (body, expected) in [("\"x\"", vec![2, 1, b'x', 0]), ("null", vec![1, 0]), ("", vec![0, 0])] {
        assert_eq!(encode(&program, body.as_bytes()), Ok(expected), "{body}");
    }
}

#[test]
fn a_result_shown_through_an_absent_field_is_null() {
    let schema = method(vec![
        structure(vec![field("a", presence(Type::Ref(1))), field("z", Type::U8)]),
        structure(vec![field("b", presence(Type::U8)), field("c", option(Type::U8))]),
    ]);
    for (message, expected) in [
        (vec![0, 1], ["null", "null", "null"]),
        (vec![1, 1], ["null", "null", "null"]),
        (vec![2, 0, 0, 1], [r#"{"c":null}"#, "null", "null"]),
        (vec![2, 1, 1, 7, 1], [r#"{"b":null,"c":7}"#, "null", "7"]),
        (vec![2, 2, 5, 0, 1], [r#"{"b":5,"c":null}"#, "5", "null"]),
    ] {
        for (name, expected) in ["a", "a.b", "a.c"].iter().zip(expected) {
            assert_eq!(part(&schema, name, &message), expected, "{name} of {message:?}");
        }
    }
}

#[test]
fn presence_counts_nothing_for_depth() {
    // 128 structs, each the value of a field with presence.
    let schema = method(vec![structure(vec![field("a", presence(Type::Ref(0)))])]);
    let nested = |count: usize| format!("{}{{}}{}", "{\"a\":".repeat(count - 1), "}".repeat(count - 1));
    let message = encode(&whole(&schema), nested(128).as_bytes()).unwrap();
    assert_eq!(message, [vec![2; 127], vec![0]].concat());
    assert_eq!(shown(&schema, &ResponseBinding::default(), &message), nested(128));
    assert!(encode(&whole(&schema), nested(129).as_bytes()).is_err());
}
