//! Items that a caller streams beside its request: each is one JSON text of a type of its own.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::check;
use callgate_protocol::schema::{Attributes, MethodSchema, Type};
use callgate_transcode::{Body, RequestBinding, RequestProgram, UnknownFields};
use support::{default_field, field, lines, list, method, ruled, structure, whole};

/// A method that takes a note, and items of that type.
fn schema(items: Option<Type>) -> MethodSchema {
    let item = vec![
        field("name", Type::String),
        ruled("price", Type::U16, Attributes::default().with_secret()),
        default_field("count", Type::U8, &[1]),
    ];
    let schema = method(vec![structure(vec![field("note", Type::String)]), structure(item)]);
    MethodSchema { request_items: items, ..schema }
}

fn item(schema: &MethodSchema, binding: &RequestBinding, json: &str) -> Result<Vec<u8>, String> {
    let mut out = b"before".to_vec();
    let program = RequestProgram::compile(schema, binding).unwrap();
    let encoded = program.encode_item(json.as_bytes(), &mut out).map(|()| out.split_off(6));
    encoded.map_err(|violations| lines(&violations))
}

#[test]
fn an_item_is_a_value_of_its_own_type() {
    for (ty, json, expected) in [
        (Type::U32, " 300\n", &b"\xfb\x2c\x01"[..]),
        (Type::String, "\"hi\"", b"\x02hi"),
        (Type::Unit, "null", b""),
        (list(Type::U8), "[1, 2]", b"\x02\x01\x02"),
        (Type::Ref(1), r#"{"price": 300, "name": "x"}"#, b"\x01x\xfb\x2c\x01\x01"),
        (Type::Json, "[1,\n2]", b"\x06[1,\n2]"),
    ] {
        let schema = schema(Some(ty.clone()));
        let encoded = item(&schema, &RequestBinding::default(), json);
        assert_eq!(encoded.as_deref(), Ok(expected), "{json}");
        assert!(check::value(&schema, &ty, expected).is_ok(), "{json}");
    }
}

#[test]
fn what_is_wrong_with_an_item_is_told_by_its_place_in_the_item() {
    let schema = schema(Some(Type::Ref(1)));
    for (json, expected) in [
        ("", " 1:1 "),
        (r#"{"name": "x", "price": 1} {}"#, " 1:27 "),
        (r#"{"name": 1, "price": 1}"#, "/name 1:10 "),
        (r#"{"price": 1}"#, "/name 1:1 "),
        (r#"{"name": "x", "price": 1, "x": 2}"#, "/x 1:27 unknown field `x`"),
        (r#"{"name": "x", "price": "hidden"}"#, "/price 1:24 "),
    ] {
        let told = item(&schema, &RequestBinding::default(), json).unwrap_err();
        assert!(told.starts_with(expected), "{json}: {told}");
        assert!(!told.contains("hidden"), "{told}");
    }
    let ignore = RequestBinding { unknown_fields: UnknownFields::Ignore, ..RequestBinding::default() };
    assert!(item(&schema, &ignore, r#"{"name": "x", "price": 1, "x": 2}"#).is_ok());
}

#[test]
fn a_method_whose_caller_streams_nothing_takes_no_items_and_the_request_is_as_it_was() {
    let told = item(&schema(None), &RequestBinding::default(), "1").unwrap_err();
    assert!(told.contains("the method takes no items"), "{told}");
    let with = schema(Some(Type::U8));
    assert_eq!(support::encode(&whole(&with), br#"{"note": "n"}"#).unwrap(), b"\x01n");
}

fn raw() -> RequestBinding {
    RequestBinding { body: Body::RawItems, ..RequestBinding::default() }
}

#[test]
fn bytes_and_texts_can_be_items_as_they_are_and_nothing_else_can() {
    let program = |ty: Type| RequestProgram::compile(&schema(Some(ty)), &raw());
    for (ty, bytes, expected) in [
        (Type::Bytes, &b""[..], &b"\0"[..]),
        (Type::Bytes, b"\xff{", b"\x02\xff{"),
        (Type::String, "\u{fc}".as_bytes(), "\x02\u{fc}".as_bytes()),
    ] {
        let mut out = Vec::new();
        program(ty.clone()).unwrap().encode_item(bytes, &mut out).unwrap();
        assert_eq!(out, expected);
        assert!(check::value(&schema(Some(ty.clone())), &ty, &out).is_ok());
    }
    let told = program(Type::String).unwrap().encode_item(b"ab\xff", &mut Vec::new()).unwrap_err();
    assert_eq!(lines(&told), " 1:1 not UTF-8 behind byte 2");
    for ty in [Type::U32, Type::Json, Type::Option(Box::new(Type::Bytes)), list(Type::U8), Type::Ref(1)] {
        let told = program(ty.clone()).unwrap_err().to_string();
        assert!(told.contains("no bytes and no texts: leave `raw` out"), "{ty:?}: {told}");
    }
    let told = RequestProgram::compile(&schema(None), &raw()).unwrap_err().to_string();
    assert!(told.contains("the method's caller streams nothing"), "{told}");
}

#[test]
fn a_text_is_cut_between_characters_and_bytes_anywhere() {
    let program = |ty: Type| RequestProgram::compile(&schema(Some(ty)), &raw()).unwrap();
    let (texts, bytes) = (program(Type::String), program(Type::Bytes));
    let text = "a\u{fc}\u{20ac}\u{10348}z".as_bytes();
    for end in 0..=text.len() {
        let expected = (0..=end).rev().find(|at| std::str::from_utf8(&text[..*at]).is_ok()).unwrap();
        assert_eq!(texts.whole_characters(&text[..end]), expected, "{end}");
        assert_eq!(bytes.whole_characters(&text[..end]), end);
    }
    // What is no character at all is not waited for.
    for broken in [&b"ab\xff"[..], b"\x80\x80\x80\x80", b"\xe2\x28", b"\xf8\x88\x80\x80"] {
        assert_eq!(texts.whole_characters(broken), broken.len(), "{broken:?}");
    }
}
