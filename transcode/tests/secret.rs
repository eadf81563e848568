//! Of a secret field's value nothing is repeated, whatever is wrong with it and wherever it stands.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{Attributes, Logical, MethodSchema, Shape, Span, Type};
use callgate_transcode::{Body, RequestProgram, Violation};
use support::{
    binding, encode, encode_all, enumeration, field, lines, list, method, option, presence, ruled, set,
    structure, text, variant, whole,
};

const HUSHED: &str = "(the field is secret, so nothing of it is shown)";

fn secret() -> Attributes {
    Attributes::new().with_secret()
}

fn schema(ty: Type, attributes: Attributes) -> MethodSchema {
    method(vec![
        structure(vec![ruled("v", ty, attributes), field("w", option(Type::U8))]),
        structure(vec![field("a", Type::U8), field("inner", option(Type::Ref(1)))]),
        enumeration(vec![variant("One", Shape::Unit), variant("Two", Shape::Newtype(Type::U8))]),
    ])
}

fn refused(ty: Type, body: &str) -> Vec<Violation> {
    encode(&whole(&schema(ty, secret())), format!("{{\"v\":{body}}}").as_bytes()).unwrap_err()
}

#[test]
fn a_value_that_is_wrong_is_not_repeated() {
    for (ty, body, told) in [
        (Type::U8, "300300", "out of range"),
        (Type::U8, "1.303030", "not a value of the field's type"),
        (Type::U64, "\"x30303\"", "not a value of the field's type"),
        (Type::Uuid, "\"x30303\"", "not a value of the field's type"),
        (Type::Timestamp, "\"x30303\"", "not a value of the field's type"),
        (Type::Duration, "\"30303x\"", "not a value of the field's type"),
        (Type::Bytes, "\"30303*\"", "not a value of the field's type"),
        (Type::IpAddr, "\"x30303\"", "not a value of the field's type"),
        (text(Logical::DECIMAL), "\"x30303\"", "not a value of the field's type"),
        (text(Logical::EMAIL), "\"x30303\"", "not a value of the field's type"),
        (option(Type::U8), "30303", "out of range"),
        (presence(Type::U8), "30303", "out of range"),
        (Type::Ref(2), "\"x30303\"", "unknown variant"),
        (Type::Ref(2), "{\"x30303\":1}", "unknown variant"),
        (list(Type::U8), "[1,30303]", "out of range"),
        (set(Type::Char), "[\"x30303\"]", "not a value of the field's type"),
        (
            Type::Map(Box::new(Type::U8), Box::new(Type::U8)),
            "{\"x30303\":1}",
            "not a value of the field's type",
        ),
        (Type::Map(Box::new(Type::String), Box::new(Type::U8)), "{\"x30303\":1000}", "out of range"),
        (Type::String, "\"x30303\\q\"", "not JSON"),
        (Type::Json, "[x30303]", "not JSON"),
    ] {
        let violations = refused(ty.clone(), body);
        assert_eq!(lines(&violations), format!("/v 1:6 {told} {HUSHED}"), "{ty:?} from {body}");
    }
}

#[test]
fn what_says_nothing_of_the_value_is_said() {
    for (ty, body, told) in [
        (Type::String, "1", "expected a string, got a number"),
        (list(Type::U8), "[\"x\"]", "expected an integer, got a string"),
        (set(Type::U8), "[3,3]", "the same item twice: first at line 1, column 7"),
        (Type::Ref(1), "{}", "missing field `a`"),
        (Type::Ref(1), "{\"a\":1,\"inner\":{}}", "missing field `a`"),
        (
            Type::Map(Box::new(Type::U8), Box::new(Type::U8)),
            "{\"3\":1,\"3\":2}",
            "the same key twice: first at line 1, column 7",
        ),
    ] {
        assert_eq!(lines(&refused(ty.clone(), body)), format!("/v 1:6 {told}"), "{ty:?} from {body}");
    }
    let lengths = secret().with_length(Span { min: 3, max: Some(4) }).with_pattern("^a");
    let program = whole(&schema(Type::String, lengths));
    let told = |body: &[u8]| lines(&encode(&program, body).unwrap_err());
    assert_eq!(
        told(br#"{"v":"bb"}"#),
        "/v 1:6 must be at least 3 characters long\n/v 1:6 must match the pattern `^a`"
    );
    assert_eq!(told(br#"{"v":"bbbbb"}"#), "/v 1:6 must be at most 4 characters long, has 5");
}

#[test]
fn fields_beside_and_behind_a_secret_one_are_told_as_ever() {
    let violations = encode(&whole(&schema(Type::U8, secret())), br#"{"v":1,"w":300}"#).unwrap_err();
    assert_eq!(lines(&violations), "/w 1:12 300 is out of range for u8 (0 to 255)");
    let inner = method(vec![
        structure(vec![field("v", list(Type::Ref(1)))]),
        structure(vec![ruled("s", Type::String, secret()), field("n", Type::U8)]),
    ]);
    let violations = encode(&whole(&inner), br#"{"v":[{"s":"x","n":1},{"n":256}]}"#).unwrap_err();
    assert_eq!(lines(&violations), "/v/1/n 1:28 256 is out of range for u8 (0 to 255)");
    let unknown =
        encode(&whole(&schema(Type::Ref(1), secret())), br#"{"v":{"a":1,"x30303":1},"y":1}"#).unwrap_err();
    assert_eq!(
        lines(&unknown),
        format!("/v 1:6 unknown field {HUSHED}\n/y 1:25 unknown field `y` (fields: `v`, `w`)")
    );
}

#[test]
fn parameters_are_not_repeated_either() {
    let schema = schema(Type::U8, secret());
    let by_path = RequestProgram::compile(&schema, &binding(&["v"], Body::None)).unwrap();
    let violations = encode_all(&by_path, &["x30303"], &[("w", "y")], b"").unwrap_err();
    assert_eq!(
        lines(&violations),
        format!(
            "/v - path parameter `v`: not a value of the field's type {HUSHED}\n\
             /w - query parameter `w`: expected an integer, got \"y\""
        )
    );
    let by_query = RequestProgram::compile(&schema, &binding(&[], Body::None)).unwrap();
    let violations = encode_all(&by_query, &[], &[("v", "30303")], b"").unwrap_err();
    assert_eq!(lines(&violations), format!("/v - query parameter `v`: out of range {HUSHED}"));
    let body = RequestProgram::compile(&schema, &binding(&[], Body::Field("v".to_owned()))).unwrap();
    let violations = encode(&body, b"30303").unwrap_err();
    assert_eq!(lines(&violations), format!(" 1:1 out of range {HUSHED}"));
}

#[test]
fn a_struct_that_body_and_query_fill_together_is_kept_secret_as_well() {
    let schema = method(vec![
        structure(vec![ruled("v", Type::Ref(1), secret())]),
        structure(vec![field("a", Type::U8), field("b", Type::U8)]),
    ]);
    let program = RequestProgram::compile(&schema, &binding(&[], Body::Whole)).unwrap();
    let violations = encode_all(&program, &[], &[("v.a", "x30303")], br#"{"v":{"b":30303}}"#).unwrap_err();
    assert_eq!(
        lines(&violations),
        format!(
            "/v/a - query parameter `v.a`: not a value of the field's type {HUSHED}\n/v 1:6 out of range {HUSHED}"
        )
    );
    let violations = encode_all(&program, &[], &[("v.a", "x30303"), ("v.b", "1")], b"").unwrap_err();
    assert_eq!(
        lines(&violations),
        format!("/v/a - query parameter `v.a`: not a value of the field's type {HUSHED}")
    );
}
