//! What fills fields as bytes: a body that is taken as it is, and the fields of forms.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{Attributes, MethodSchema, Span, Type};
use callgate_transcode::{
    Body, BoundField, Content, FieldSource, FormField, RequestBinding, RequestInput, RequestProgram,
    UnknownFields,
};
use std::borrow::Cow;
use support::{default_field, encode, field, lines, list, method, option, ruled, structure, whole};

fn schema() -> MethodSchema {
    method(vec![
        structure(vec![
            field("title", Type::String),
            field("tags", list(Type::String)),
            field("cover", option(Type::Bytes)),
            field("pages", option(Type::U16)),
            field("author", option(Type::Ref(1))),
            default_field("sold", Type::Bool, &[0]),
            field("kind", option(Type::String)),
            default_field("files", list(Type::Bytes), &[0]),
        ]),
        structure(vec![field("name", Type::String)]),
    ])
}

fn compile(binding: &RequestBinding) -> Result<RequestProgram, String> {
    RequestProgram::compile(&schema(), binding).map_err(|error| error.to_string())
}

/// The program of a route that reads forms.
fn forms(bound: Vec<BoundField>) -> RequestProgram {
    compile(&RequestBinding { bound, ..RequestBinding::default() }).unwrap()
}

fn bound(field: &str, source: FieldSource) -> BoundField {
    BoundField { field: field.into(), source, split: None, default: None }
}

fn text<'a>(name: &'a str, text: &'a str) -> FormField<'a> {
    FormField { name: name.into(), content: Content::Text(text.into()) }
}

fn part<'a>(name: &'a str, bytes: &'a [u8]) -> FormField<'a> {
    FormField { name: name.into(), content: Content::Bytes(bytes) }
}

/// The message, or what is told.
fn run(
    program: &RequestProgram,
    query: &[(&str, &str)],
    outside: &[Option<&str>],
    form: &[FormField<'_>],
    body: &[u8],
) -> Result<Vec<u8>, String> {
    let query: Vec<_> = query.iter().map(|(name, value)| (Cow::from(*name), Cow::from(*value))).collect();
    let outside: Vec<_> = outside.iter().map(|text| text.map(Cow::from)).collect();
    let input = RequestInput { path: &[], query: &query, bound: &outside, body, form };
    let mut out = Vec::new();
    program.encode(&input, &mut out).map(|()| out).map_err(|violations| lines(&violations))
}

#[track_caller]
fn same(found: Result<Vec<u8>, String>, json: &str) {
    assert_eq!(found, Ok(encode(&whole(&schema()), json.as_bytes()).unwrap()), "{json}");
}

#[test]
fn a_forms_fields_fill_those_of_their_names_as_texts_or_as_bytes() {
    let program = forms(Vec::new());
    for (form, expected) in [
        (
            vec![text("title", "a b"), text("tags", "x"), text("tags", "y"), text("author.name", "n")],
            r#"{"title":"a b","tags":["x","y"],"author":{"name":"n"}}"#,
        ),
        // A text says bytes in base64, a part is the bytes.
        (
            vec![text("title", "t"), text("tags", ""), text("cover", "aGk=")],
            r#"{"title":"t","tags":[""],"cover":"aGk="}"#,
        ),
        (
            vec![part("title", "\u{e9}".as_bytes()), part("tags", b"x"), part("cover", b"\xff\0hi")],
            r#"{"title":"é","tags":["x"],"cover":"/wBoaQ=="}"#,
        ),
        (
            vec![part("title", b""), part("tags", b""), part("pages", b"300"), part("sold", b"true")],
            r#"{"title":"","tags":[""],"pages":300,"sold":true}"#,
        ),
        (
            vec![text("title", ""), text("tags", "x"), part("files", b"\x01"), part("files", b"")],
            r#"{"title":"","tags":["x"],"files":["AQ==",""]}"#,
        ),
        // What was left empty is not given, where it is no value.
        (
            vec![text("title", "t"), text("tags", "x"), text("pages", ""), part("sold", b"")],
            r#"{"title":"t","tags":["x"]}"#,
        ),
    ] {
        same(run(&program, &[], &[], &form, b""), expected);
    }
}

#[test]
fn a_form_that_does_not_fit_is_refused_by_field() {
    let program = forms(Vec::new());
    let rest = [text("title", "t"), text("tags", "x")];
    for (query, form, expected) in [
        (
            &[][..],
            vec![text("titel", "x")],
            "/titel - form field `titel`: unknown field `titel`, did you mean `title`?",
        ),
        (
            &[],
            vec![text("title", "again")],
            "/title - given twice: by form field `title` and by form field `title`",
        ),
        (
            &[("title", "q")],
            vec![],
            "/title - given twice: by query parameter `title` and by form field `title`",
        ),
        (
            &[("tags", "q"), ("tags", "r")],
            vec![],
            "/tags - given twice: by query parameter `tags` and by form field `tags`",
        ),
        (&[], vec![text("pages", "many")], "/pages - form field `pages`: expected an integer"),
        (&[], vec![text("author", "x")], "/author - form field `author`: the field is no number"),
        (&[], vec![part("kind", b"a\xff")], "/kind - form field `kind`: not UTF-8 behind byte 1"),
        (&[], vec![part("pages", b"\xff")], "/pages - form field `pages`: not UTF-8 behind byte 0"),
    ] {
        let form: Vec<_> = rest.iter().cloned().chain(form).collect();
        let told = run(&program, query, &[], &form, b"").unwrap_err();
        assert!(told.contains(expected), "{told}\n{expected}");
    }
    let told = run(&program, &[], &[], &rest[..1], b"").unwrap_err();
    assert_eq!(told, "/tags - missing field `tags`");
    let many: Vec<_> = (0..100).map(|_| text("no", "")).collect();
    assert_eq!(run(&program, &[], &[], &many, b"").unwrap_err().lines().count(), 64);
    let binding = RequestBinding { unknown_fields: UnknownFields::Ignore, ..RequestBinding::default() };
    let form = [rest[0].clone(), rest[1].clone(), text("no", "x")];
    same(run(&compile(&binding).unwrap(), &[], &[], &form, b""), r#"{"title":"t","tags":["x"]}"#);
}

#[test]
fn bound_fields_take_fields_of_a_form_and_what_a_part_says_of_itself() {
    let program = forms(vec![
        bound("title", FieldSource::Form("book[title]".into())),
        BoundField { split: Some(','), ..bound("tags", FieldSource::Form("labels".into())) },
        bound("cover", FieldSource::Form("file".into())),
        bound("kind", FieldSource::PartType("file".into())),
        bound("author.name", FieldSource::Filename(Some("file".into()))),
        BoundField { default: Some("7".into()), ..bound("pages", FieldSource::Form("n".into())) },
    ]);
    let outside = [None, None, None, Some("image/png"), Some("a.png"), None];
    let form = [text("book[title]", "t"), text("labels", "x,y"), part("file", b"\xff"), text("n", "")];
    let expected = r#"{"title":"t","tags":["x","y"],"cover":"/w==","kind":"image/png","author":{"name":"a.png"},"pages":7}"#;
    same(run(&program, &[], &outside, &form, b""), expected);
    for (form, expected) in [
        (
            vec![text("title", "t")],
            "/title - form field `title`: the field is filled by form field `book[title]` only",
        ),
        (vec![], "/title - form field `book[title]` is missing: it is this field's value"),
        (vec![part("labels", b"\xff")], "/tags - form field `labels`: not UTF-8 behind byte 0"),
    ] {
        let told = run(&program, &[], &outside, &form, b"").unwrap_err();
        assert!(told.contains(expected), "{told}\n{expected}");
    }
    let told = run(&program, &[], &[None; 6], &[text("kind", "x")], b"{}").unwrap_err();
    assert!(told.contains("the content type of part `file` only"), "{told}");
}

#[test]
fn a_raw_body_is_the_value_of_its_field() {
    let raw =
        |name: &str| compile(&RequestBinding { body: Body::Raw(name.into()), ..RequestBinding::default() });
    let query = [("title", "t"), ("tags", "x")];
    for (field, body, expected) in [
        ("cover", &b"\xff{"[..], r#"{"title":"t","tags":["x"],"cover":"/3s="}"#),
        ("cover", b"", r#"{"title":"t","tags":["x"],"cover":""}"#),
        ("kind", b"\"a\"", r#"{"title":"t","tags":["x"],"kind":"\"a\""}"#),
        ("kind", "\u{feff}".as_bytes(), "{\"title\":\"t\",\"tags\":[\"x\"],\"kind\":\"\u{feff}\"}"),
        ("author.name", b"n", r#"{"title":"t","tags":["x"],"author":{"name":"n"}}"#),
    ] {
        same(run(&raw(field).unwrap(), &query, &[], &[], body), expected);
    }
    let told = run(&raw("kind").unwrap(), &query, &[], &[], b"ab\xff").unwrap_err();
    assert_eq!(told, "/kind - the body: not UTF-8 behind byte 2");
    let told = run(&raw("kind").unwrap(), &[("kind", "k")], &[], &[], b"ab").unwrap_err();
    assert!(told.contains("/kind - given twice: by the body and by query parameter `kind`"), "{told}");
    for (field, expected) in [
        ("pages", "the body's field `pages`: the field is no bytes and no text"),
        ("tags", "the body's field `tags`: the field is no bytes and no text"),
        ("covr", "unknown field `covr`"),
    ] {
        let told = raw(field).map(drop).unwrap_err();
        assert!(told.contains(expected), "{told}");
    }
    let binding = RequestBinding {
        body: Body::Raw("cover".into()),
        bound: vec![bound("cover", FieldSource::Header("x".into()))],
        ..RequestBinding::default()
    };
    assert!(compile(&binding).map(drop).unwrap_err().contains("overlaps with what header `x` fills"));
}

#[test]
fn a_long_raw_body_is_left_out_where_nothing_but_its_type_is_asked() {
    let length = Attributes::new().with_length(Span { min: 0, max: Some(100) });
    let schema = method(vec![
        structure(vec![
            field("title", Type::String),
            field("cover", option(Type::Bytes)),
            ruled("bounded", option(Type::Bytes), length),
            field("kind", option(Type::String)),
            field("author", option(Type::Ref(1))),
        ]),
        structure(vec![field("photo", Type::Bytes), field("name", Type::String)]),
    ]);
    let (title, body) = ([("title".into(), "t".into())], [7; 20]);
    let named = [title[0].clone(), (Cow::from("author.name"), Cow::from("n"))];
    for (field, query, at_least, is_left) in [
        ("cover", &title[..], 20, true),
        ("cover", &title, 21, false),
        ("author.photo", &named, 0, true),
        ("bounded", &title, 0, false),
        ("kind", &title, 0, false),
    ] {
        let binding = RequestBinding { body: Body::Raw(field.into()), ..RequestBinding::default() };
        let program = RequestProgram::compile(&schema, &binding).unwrap();
        let input = RequestInput { path: &[], query, bound: &[], body: &body, form: &[] };
        let (mut whole, mut left) = (b"before".to_vec(), b"before".to_vec());
        program.encode(&input, &mut whole).unwrap();
        let at = program.encode_leaving(&input, &mut left, at_least).unwrap();
        assert_eq!(at.is_some(), is_left, "{field}");
        if let Some(at) = at {
            left.splice(at..at, body);
        }
        assert_eq!(left, whole, "{field}");
    }
    let binding = RequestBinding { body: Body::Raw("cover".into()), ..RequestBinding::default() };
    let program = RequestProgram::compile(&schema, &binding).unwrap();
    let input = RequestInput { path: &[], query: &[], bound: &[], body: &body, form: &[] };
    let told = program.encode_leaving(&input, &mut Vec::new(), 0).unwrap_err();
    assert_eq!(lines(&told), "/title - missing field `title`");
}
