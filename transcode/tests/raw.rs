//! Results of which a field is the body as it is: the same bytes at once and in steps, all of the message checked, and nothing copied in steps.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{MethodSchema, Type};
use callgate_protocol::wire::{put_bytes, put_varint};
use callgate_transcode::{DecodeReason, MIN_STEP, Response, ResponseBinding, ResponseProgram};
use proptest::prelude::*;
use support::{field, list, method, structure};

fn option(ty: Type) -> Type {
    Type::Option(Box::new(ty))
}

fn bind(schema: &MethodSchema, name: Option<&str>) -> Result<ResponseProgram, String> {
    let shape = Response::Raw(name.map(str::to_owned));
    let binding = ResponseBinding { shape, ..ResponseBinding::default() };
    ResponseProgram::compile(schema, &binding).map_err(|error| error.to_string())
}

/// A file with a name before its content and a list behind it.
fn file(content: Type) -> MethodSchema {
    method(vec![structure(vec![
        field("name", Type::String),
        field("content", content),
        field("tags", list(Type::U8)),
    ])])
}

fn message(content: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    put_bytes(&mut message, b"a name");
    message.extend_from_slice(content);
    put_varint(&mut message, 3);
    message.extend_from_slice(&[1, 2, 3]);
    message
}

fn bytes(content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_bytes(&mut bytes, content);
    bytes
}

fn at_once(program: &ResponseProgram, message: &[u8]) -> Result<Vec<u8>, DecodeReason> {
    let mut out = Vec::new();
    program.decode(message, &mut out).map(|()| out).map_err(|error| error.reason)
}

fn in_steps(program: &ResponseProgram, message: &[u8]) -> Result<Vec<u8>, DecodeReason> {
    let (mut decoding, mut out) = (program.begin(message), Vec::new());
    while !decoding.advance(&mut out, MIN_STEP).map_err(|error| error.reason)? {}
    assert!(out.is_empty(), "nothing is copied");
    assert_eq!(program.raw_body(message), Ok(decoding.raw_body()));
    Ok(message[decoding.raw_body()].to_vec())
}

#[test]
fn bytes_and_texts_are_the_body_as_they_are_and_what_is_absent_has_none() {
    let present = |content: &[u8]| [&[1][..], &bytes(content)].concat();
    for (ty, content, expected) in [
        (Type::Bytes, bytes(b"\0\xff\"\n"), &b"\0\xff\"\n"[..]),
        (Type::String, bytes("a \"\u{e9}\"\n".as_bytes()), "a \"\u{e9}\"\n".as_bytes()),
        (Type::Bytes, bytes(b""), b""),
        (option(Type::Bytes), present(b"x"), b"x"),
        (option(Type::String), vec![0], b""),
    ] {
        let program = bind(&file(ty), Some("content")).unwrap();
        assert!(program.is_raw() && !program.is_empty());
        let message = message(&content);
        assert_eq!(at_once(&program, &message).unwrap(), expected);
        assert_eq!(in_steps(&program, &message).unwrap(), expected);
    }
    for ty in [Type::Bytes, Type::String] {
        let program = bind(&MethodSchema::new(Type::Ref(0), ty, vec![structure(Vec::new())]), None).unwrap();
        assert_eq!(at_once(&program, &bytes(b"all")).unwrap(), b"all");
        assert_eq!(in_steps(&program, &bytes(b"all")).unwrap(), b"all");
    }
    let nested = method(vec![
        structure(vec![field("file", option(Type::Ref(1))), field("n", Type::U8)]),
        structure(vec![field("content", Type::Bytes)]),
    ]);
    let program = bind(&nested, Some("file.content")).unwrap();
    for (message, expected) in [(&[1, 2, b'h', b'i', 7][..], &b"hi"[..]), (&[0, 7], b"")] {
        assert_eq!(at_once(&program, message).unwrap(), expected);
        assert_eq!(in_steps(&program, message).unwrap(), expected);
    }
}

#[test]
fn what_is_neither_bytes_nor_a_text_is_no_body_as_it_is() {
    let only = "only bytes and strings can be a body as they are";
    for (name, expected) in [
        (Some("tags"), format!("the response's raw field `tags`: {only}")),
        (Some("content"), format!("the response's raw field `content`: {only}")),
        (None, format!("the response is the raw result: {only}")),
    ] {
        assert_eq!(bind(&file(Type::U32), name).unwrap_err(), expected);
    }
    let missing = bind(&file(Type::Bytes), Some("contents")).unwrap_err();
    assert!(missing.starts_with("the response's raw field `contents`: "), "{missing}");
}

#[test]
fn all_of_the_message_is_checked() {
    let program = bind(&file(Type::String), Some("content")).unwrap();
    let whole = message(&bytes(b"text"));
    let longer = [&whole[..], &[0]].concat();
    let no_text = message(&bytes(b"\xff"));
    for wrong in [&longer[..], &whole[..whole.len() - 1], &no_text, &whole[..3]] {
        assert_eq!(at_once(&program, wrong).unwrap_err(), in_steps(&program, wrong).unwrap_err());
    }
    let mut out = Vec::new();
    let long = message(&bytes(&[b'a'; 5000]));
    let error = program.decode_within(&long, &mut out, 4096).unwrap_err();
    assert_eq!((error.reason, out.len()), (DecodeReason::TooLong, 0));
}

proptest! {
    #[test]
    fn any_message_gives_the_same_at_once_and_in_steps(message in proptest::collection::vec(0..6_u8, 0..40)) {
        for ty in [Type::Bytes, Type::String, option(Type::Bytes)] {
            let program = bind(&file(ty), Some("content")).unwrap();
            prop_assert_eq!(at_once(&program, &message), in_steps(&program, &message));
        }
    }
}
