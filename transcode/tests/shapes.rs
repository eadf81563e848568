//! Tagged enums and flattened fields: what is told of wrong ones, and what other languages and old readers meet.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::check;
use callgate_protocol::schema::{Attributes, Definition, EnumDef, Field, MethodSchema, Shape, Type};
use callgate_transcode::{
    Body, DecodeReason, ErrorProgram, Layout, RequestBinding, RequestProgram, Response, ResponseBinding,
    ResponseProgram, UnknownFields,
};
use std::sync::Arc;
use support::{
    binding, decode, decode_in_steps, default_field, encode, encode_all, field, lines, list, method, option,
    presence, ruled, structure, variant, whole,
};

fn flat(name: &str, ty: Type) -> Field {
    ruled(name, ty, Attributes::new().with_flatten())
}

fn tagged(attributes: Attributes, variants: Vec<(&str, Shape)>) -> Definition {
    let variants = variants.into_iter().map(|(name, shape)| variant(name, shape)).collect();
    Definition::Enum(EnumDef { attributes, ..EnumDef::new("E", variants) })
}

fn by(tag: &str) -> Attributes {
    Attributes::new().with_tag(tag)
}

fn map(key: Type, value: Type) -> Type {
    Type::Map(Box::new(key), Box::new(value))
}

/// `id`, an address beside it, perhaps who did it, a payment, a shape.
fn order() -> MethodSchema {
    method(vec![
        structure(vec![
            field("id", Type::U8),
            flat("to", Type::Ref(1)),
            flat("meta", option(Type::Ref(2))),
            field("payment", option(Type::Ref(3))),
            field("shape", option(Type::Ref(4))),
        ]),
        structure(vec![field("street", Type::String), default_field("city", Type::String, b"\x04Bonn")]),
        structure(vec![field("by", Type::String), field("at", option(Type::U8))]),
        tagged(
            by("type"),
            vec![
                ("cash", Shape::Unit),
                ("card", Shape::Newtype(Type::Ref(2))),
                ("voucher", Shape::Struct(vec![field("code", Type::U8)])),
                ("other", Shape::Newtype(map(Type::U8, Type::Bool))),
            ],
        ),
        tagged(
            by("kind").with_content("of"),
            vec![
                ("none", Shape::Unit),
                ("round", Shape::Newtype(Type::U8)),
                ("maybe", Shape::Newtype(option(Type::U8))),
            ],
        ),
    ])
}

/// What is told of a body.
fn told(schema: &MethodSchema, body: &str) -> String {
    match encode(&whole(schema), body.as_bytes()) {
        Ok(bytes) => {
            check::value(schema, &schema.request, &bytes).unwrap();
            let json = decode(schema, &bytes).unwrap();
            let program = ResponseProgram::compile(schema, &ResponseBinding::default()).unwrap();
            assert_eq!(decode_in_steps(&program, &bytes), Ok(json.clone()));
            json
        }
        Err(violations) => lines(&violations),
    }
}

#[test]
fn members_of_flattened_structs_stand_beside_the_others() {
    for (body, expected) in [
        (r#"{"id":1,"street":"A"}"#, r#"{"id":1,"street":"A","city":"Bonn","payment":null,"shape":null}"#),
        (
            r#"{"at":null,"city":"C","by":"me","street":"A","id":1}"#,
            r#"{"id":1,"street":"A","city":"C","by":"me","at":null,"payment":null,"shape":null}"#,
        ),
        (r#"{"id":1}"#, "/street 1:1 missing field `street`"),
        (r#"{"id":1,"street":"A","at":3}"#, "/by 1:1 missing field `by`"),
        (r#"{"id":1,"street":"A","at":"x"}"#, "/at 1:27 expected an integer, got a string"),
        (
            r#"{"id":1,"stret":"A"}"#,
            "/street 1:1 missing field `street`\n/stret 1:9 unknown field `stret`, did you mean `street`? (fields: `id`, \
             `street`, `city`, `by`, `at`, `payment`, `shape`)",
        ),
        // The field itself has no name in JSON.
        (
            r#"{"id":1,"street":"A","to":{}}"#,
            "/to 1:22 unknown field `to` (fields: `id`, `street`, `city`, `by`, `at`, `payment`, `shape`)",
        ),
        (
            r#"{"street":"A","id":1,"street":"B"}"#,
            "/street 1:22 the same key twice: first at line 1, column 2",
        ),
        (r#"{"id":1,"street":"A""#, "/street 1:21 expected `,` or `}`, got the end of the document"),
    ] {
        assert_eq!(told(&order(), body), expected, "{body}");
    }
}

#[test]
fn a_tag_may_stand_anywhere_in_its_object() {
    let of = |payment: &str| format!("{{\"id\":1,\"street\":\"A\",\"payment\":{payment}}}");
    let out = |payment: &str| {
        format!("{{\"id\":1,\"street\":\"A\",\"city\":\"Bonn\",\"payment\":{payment},\"shape\":null}}")
    };
    for (payment, expected) in [
        (r#"{"type":"cash"}"#, r#"{"type":"cash"}"#),
        (r#"{ "type" : "cash" }"#, r#"{"type":"cash"}"#),
        (r#"{"at":2,"by":"me","type":"card"}"#, r#"{"type":"card","by":"me","at":2}"#),
        (r#"{"by":"me","\u0074ype":"c\u0061rd"}"#, r#"{"type":"card","by":"me","at":null}"#),
        (r#"{"code":7,"type":"voucher"}"#, r#"{"type":"voucher","code":7}"#),
        (r#"{"7":true,"type":"other","8":false}"#, r#"{"type":"other","7":true,"8":false}"#),
    ] {
        assert_eq!(told(&order(), &of(payment)), out(expected), "{payment}");
    }
    for (payment, expected) in [
        ("\"cash\"", "/payment 1:32 expected an object with the member `type`, got a string"),
        (
            "{}",
            "/payment/type 1:32 missing field `type`, the name of the variant (variants: `cash`, `card`, `voucher`, `other`)",
        ),
        (r#"{"type":1}"#, "/payment/type 1:40 expected a string, the name of a variant, got a number"),
        (
            r#"{"by":"me","type":"crd"}"#,
            "/payment/type 1:50 unknown variant `crd`, did you mean `card`? (variants: `cash`, `card`, `voucher`, `other`)",
        ),
        (r#"{"type":"card"}"#, "/payment/by 1:32 missing field `by`"),
        (
            r#"{"type":"card","by":"me","code":1}"#,
            "/payment/code 1:57 unknown field `code` (fields: `by`, `at`)",
        ),
        (r#"{"type":"cash","x":[1]}"#, "/payment/x 1:47 unknown field `x`: the variant has no fields"),
        (
            r#"{"type":"cash","type":"card"}"#,
            "/payment/type 1:47 the same key twice: first at line 1, column 33",
        ),
        (
            r#"{"type":"other","7":true,"07":false}"#,
            "/payment/07 1:57 the key: expected an integer, got \"07\"",
        ),
        (
            r#"{"7":true,"type":"other","7":false}"#,
            "/payment/7 1:57 the same key twice: first at line 1, column 33",
        ),
        (r#"{"by":[1,"type":"card"}"#, "/payment/by/1 1:47 expected `,` or `]`, got `:`"),
        (r#"{"by":{"a":1,"a":2}}"#, "/payment/by/a 1:45 the same key twice: first at line 1, column 39"),
    ] {
        assert_eq!(told(&order(), &of(payment)), expected, "{payment}");
    }
}

#[test]
fn a_missing_tag_is_told_beside_what_else_is_missing() {
    let body = r#"{"payment":{"by":"me"},"shape":{"of":1}}"#;
    let expected = "/id 1:1 missing field `id`\n/street 1:1 missing field `street`\n/payment/type 1:12 missing field `type`, the name \
                    of the variant (variants: `cash`, `card`, `voucher`, `other`)\n/shape/kind 1:32 missing field `kind`, the name \
                    of the variant (variants: `none`, `round`, `maybe`)";
    assert_eq!(told(&order(), body), expected);
}

#[test]
fn content_may_have_a_member_of_its_own() {
    let of = |shape: &str| format!("{{\"id\":1,\"street\":\"A\",\"shape\":{shape}}}");
    let out = |shape: &str| {
        format!("{{\"id\":1,\"street\":\"A\",\"city\":\"Bonn\",\"payment\":null,\"shape\":{shape}}}")
    };
    for (shape, expected) in [
        (r#"{"kind":"none"}"#, r#"{"kind":"none"}"#),
        (r#"{"of":null,"kind":"none"}"#, r#"{"kind":"none"}"#),
        (r#"{"of":7,"kind":"round"}"#, r#"{"kind":"round","of":7}"#),
        (r#"{"kind":"maybe"}"#, r#"{"kind":"maybe","of":null}"#),
    ] {
        assert_eq!(told(&order(), &of(shape)), out(expected), "{shape}");
    }
    for (shape, expected) in [
        (r#"{"kind":"round"}"#, "/shape/of 1:30 missing field `of`, the content of the variant"),
        (
            r#"{"kind":"none","of":1}"#,
            "/shape/of 1:50 expected `null`: the variant has no content, got a number",
        ),
        (
            r#"{"kind":"round","of":1,"of":2}"#,
            "/shape/of 1:53 the same key twice: first at line 1, column 46",
        ),
        (
            r#"{"kind":"round","off":1,"of":2}"#,
            "/shape/off 1:46 unknown field `off`, did you mean `of`? (fields: `kind`, `of`)",
        ),
    ] {
        assert_eq!(told(&order(), &of(shape)), expected, "{shape}");
    }
}

#[test]
fn unknown_members_are_ignored_where_the_route_says_so_and_still_must_be_json() {
    let ignoring = RequestBinding { unknown_fields: UnknownFields::Ignore, ..RequestBinding::default() };
    let program = RequestProgram::compile(&order(), &ignoring).unwrap();
    let plain = encode(
        &whole(&order()),
        br#"{"id":1,"street":"A","payment":{"type":"cash"},"shape":{"kind":"none"}}"#,
    );
    let body = r#"{"x":{"a":[1]},"id":1,"street":"A","payment":{"y":1,"type":"cash"},"shape":{"z":{},"kind":"none"}}"#;
    assert_eq!(encode(&program, body.as_bytes()), plain);
    for (body, expected) in [
        (r#"{"x":1,"id":1,"x":2,"street":""}"#, "/x 1:15 the same key twice: first at line 1, column 2"),
        (
            r#"{"id":1,"street":"","payment":{"y":1,"type":"cash","y":1}}"#,
            "/payment/y 1:52 the same key twice: first at line 1, column 32",
        ),
        (
            r#"{"id":1,"street":"","shape":{"y":1,"kind":"none","y":1}}"#,
            "/shape/y 1:50 the same key twice: first at line 1, column 30",
        ),
    ] {
        assert_eq!(lines(&encode(&program, body.as_bytes()).unwrap_err()), expected, "{body}");
    }
}

#[test]
fn a_map_takes_the_members_that_are_left() {
    let schema = method(vec![
        structure(vec![
            field("id", Type::U8),
            flat("rest", map(Type::String, Type::Json)),
            flat("b", Type::Ref(1)),
        ]),
        structure(vec![Field { aliases: vec!["size".to_owned()], ..field("length", Type::U8) }]),
    ]);
    let body = r#"{"x": [1, 2],"size":3,"id":1,"\u00e9":{"a":null}}"#;
    let out = r#"{"id":1,"x":[1, 2],"é":{"a":null},"length":3}"#;
    assert_eq!(told(&schema, body), out);
    let twice = r#"{"x":1,"size":3,"id":1,"x":2}"#;
    assert_eq!(told(&schema, twice), "/x 1:24 the same key twice: first at line 1, column 2");
    let both = r#"{"size":1,"length":3,"id":1}"#;
    assert_eq!(told(&schema, both), "/length 1:11 the same key twice: first at line 1, column 2");
    // An instance that puts a member's name into the map makes an object that nobody could read back.
    let program = ResponseProgram::compile(&schema, &ResponseBinding::default()).unwrap();
    for name in ["id", "length", "size"] {
        let message = [&[1, 1, name.len() as u8], name.as_bytes(), b"\x011\x03"].concat();
        check::value(&schema, &schema.response, &message).unwrap();
        assert_eq!(decode(&schema, &message).unwrap_err().reason, DecodeReason::DuplicateKey, "{name}");
        assert_eq!(
            decode_in_steps(&program, &message).unwrap_err().reason,
            DecodeReason::DuplicateKey,
            "{name}"
        );
    }
}

#[test]
fn a_tag_is_no_key_of_the_map_beside_it() {
    let of_map = tagged(by("type"), vec![("other", Shape::Newtype(map(Type::String, Type::U8)))]);
    let schema = method(vec![structure(vec![field("e", Type::Ref(1))]), of_map]);
    let program = ResponseProgram::compile(&schema, &ResponseBinding::default()).unwrap();
    let message = [&[0, 1, 4], &b"type"[..], &[7]].concat();
    assert_eq!(decode(&schema, &message).unwrap_err().reason, DecodeReason::DuplicateKey);
    assert_eq!(decode_in_steps(&program, &message).unwrap_err().reason, DecodeReason::DuplicateKey);
    assert_eq!(told(&schema, r#"{"e":{"typ":7,"type":"other"}}"#), r#"{"e":{"type":"other","typ":7}}"#);
}

#[test]
fn a_flattened_field_with_a_default_takes_it_when_none_of_its_members_is_there() {
    let with_default = |field: Field, default: &[u8]| Field { default: Some(default.to_vec()), ..field };
    let schema = method(vec![
        structure(vec![
            with_default(flat("a", Type::Ref(1)), &[7, 8]),
            with_default(flat("b", option(Type::Ref(2))), &[1, 9]),
            with_default(flat("rest", map(Type::String, Type::U8)), &[1, 1, b'z', 5]),
        ]),
        structure(vec![field("x", Type::U8), field("y", Type::U8)]),
        structure(vec![field("w", Type::U8)]),
    ]);
    for (body, expected) in [
        ("{}", r#"{"x":7,"y":8,"w":9,"z":5}"#),
        (r#"{"w":1,"q":2}"#, r#"{"x":7,"y":8,"w":1,"q":2}"#),
        (r#"{"y":1,"x":2}"#, r#"{"x":2,"y":1,"w":9,"z":5}"#),
        (r#"{"y":1}"#, "/x 1:1 missing field `x`"),
    ] {
        assert_eq!(told(&schema, body), expected, "{body}");
    }
}

#[test]
fn fields_that_may_be_absent_are_left_out_among_flattened_ones() {
    let schema = method(vec![
        structure(vec![flat("a", Type::Ref(1)), field("b", presence(Type::U8)), flat("c", Type::Ref(2))]),
        structure(vec![field("x", presence(Type::U8))]),
        structure(vec![field("y", presence(Type::U8)), field("z", Type::Unit)]),
    ]);
    for body in [r#"{"z":null}"#, r#"{"b":null,"z":null}"#, r#"{"x":1,"y":2,"z":null}"#] {
        assert_eq!(told(&schema, body), body);
    }
    let nothing = method(vec![
        structure(vec![flat("a", Type::Ref(1)), flat("b", option(Type::Ref(1)))]),
        structure(vec![]),
    ]);
    assert_eq!(told(&nothing, "{}"), "{}");
}

#[test]
fn parameters_and_routes_go_by_the_flattened_names() {
    let schema = order();
    let path = RequestProgram::compile(&schema, &binding(&["street", "by"], Body::Whole)).unwrap();
    let expected = encode(&whole(&schema), br#"{"id":1,"street":"A","by":"me","city":"C","at":5}"#).unwrap();
    assert_eq!(
        encode_all(&path, &["A", "me"], &[("at", "5")], br#"{"id":1,"city":"C"}"#),
        Ok(expected.clone())
    );
    let query = RequestProgram::compile(&schema, &binding(&["street", "by"], Body::None)).unwrap();
    assert_eq!(
        encode_all(&query, &["A", "me"], &[("at", "5"), ("city", "C"), ("id", "1")], b""),
        Ok(expected.clone())
    );
    let body = RequestProgram::compile(
        &schema,
        &binding(&["street", "by", "id", "at"], Body::Field("city".to_owned())),
    )
    .unwrap();
    assert_eq!(encode_all(&body, &["A", "me", "1", "5"], &[], b"\"C\""), Ok(expected));

    let twice = encode_all(&path, &["A", "me"], &[], br#"{"id":1,"by":"you"}"#).unwrap_err();
    assert_eq!(lines(&twice), "/by 1:9 given twice: in the body and by path parameter `by`");
    let wrong = encode_all(&path, &["A", "me"], &[("at", "x")], br#"{"id":1}"#).unwrap_err();
    assert_eq!(lines(&wrong), "/at - query parameter `at`: expected an integer, got \"x\"");
    let missing = encode_all(&query, &["A", "me"], &[], b"").unwrap_err();
    assert_eq!(lines(&missing), "/id - missing field `id`");
    let part = RequestProgram::compile(&schema, &binding(&[], Body::None)).unwrap();
    let missing = encode_all(&part, &[], &[("id", "1"), ("street", "A"), ("at", "1")], b"").unwrap_err();
    assert_eq!(lines(&missing), "/by - missing field `by`");
    let itself = RequestProgram::compile(&schema, &binding(&["to.street"], Body::Whole)).unwrap_err();
    assert!(itself.to_string().contains("unknown field `to`"), "{itself}");

    let shown = |name: &str, message: &[u8]| {
        let shape = Response::Field(name.to_owned());
        let program =
            ResponseProgram::compile(&schema, &ResponseBinding { shape, ..ResponseBinding::default() })
                .unwrap();
        let mut out = Vec::new();
        program.decode(message, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert_eq!(decode_in_steps(&program, message), Ok(out.clone()));
        out
    };
    let some = encode(&whole(&schema), br#"{"id":1,"street":"A","by":"me"}"#).unwrap();
    let none = encode(&whole(&schema), br#"{"id":1,"street":"A"}"#).unwrap();
    assert_eq!(
        (shown("street", &some), shown("by", &some), shown("by", &none)),
        ("\"A\"".into(), "\"me\"".into(), "null".into())
    );
}

#[test]
fn the_message_is_that_of_a_reader_that_knows_no_shapes() {
    let mut plain = order();
    for definition in &mut plain.definitions {
        match definition {
            Definition::Struct(def) => {
                def.fields.iter_mut().for_each(|field| field.attributes = Attributes::new())
            }
            Definition::Enum(def) => def.attributes = Attributes::new(),
        }
    }
    let shaped =
        encode(&whole(&order()), br#"{"id":1,"street":"A","by":"me","payment":{"type":"card","by":"x"}}"#);
    let body = br#"{"id":1,"to":{"street":"A"},"meta":{"by":"me"},"payment":{"card":{"by":"x"}}}"#;
    assert_eq!(shaped, encode(&whole(&plain), body));
    assert_eq!(plain.wire_fingerprint(), order().wire_fingerprint());
}

#[test]
fn a_key_of_a_map_is_a_name_though_its_enum_has_a_tag() {
    let units = tagged(by("type"), vec![("red", Shape::Unit), ("blue", Shape::Unit)]);
    let fields = vec![field("m", map(Type::Ref(1), Type::Ref(1))), field("l", list(Type::Ref(1)))];
    let schema = method(vec![structure(fields), units]);
    let body = r#"{"m":{"red":{"type":"blue"}},"l":[{"type":"red"}]}"#;
    assert_eq!(told(&schema, body), body);
    let program = RequestProgram::compile(&schema, &RequestBinding::default()).unwrap();
    let queried = encode_all(&program, &[], &[("l", "red")], br#"{"m":{}}"#);
    assert_eq!(queried, encode(&program, br#"{"m":{},"l":[{"type":"red"}]}"#));
}

#[test]
fn depth_counts_as_on_the_wire_and_values_without_bytes_too() {
    // Each level is a struct with one flattened in it: two on the wire.
    let schema = method(vec![
        structure(vec![flat("a", Type::Ref(1))]),
        structure(vec![field("n", option(Type::Ref(0)))]),
    ]);
    let nested = |levels: usize| "{\"n\":".repeat(levels - 1) + "{}" + &"}".repeat(levels - 1);
    let written = |levels: usize| encode(&whole(&schema), nested(levels).as_bytes());
    let deepest = written(64).unwrap();
    check::value(&schema, &schema.request, &deepest).unwrap();
    assert!(decode(&schema, &deepest).is_ok());
    assert!(lines(&written(65).unwrap_err()).contains("nested deeper than 128"));
    let deeper = [1].repeat(64);
    let deeper = [&deeper[..], &[0]].concat();
    assert!(check::value(&schema, &schema.request, &deeper).is_err());
    assert!(decode(&schema, &deeper).is_err());

    let empty = method(vec![
        structure(vec![field("v", list(Type::Ref(1)))]),
        structure(vec![flat("a", Type::Ref(2))]),
        structure(vec![]),
    ]);
    let many = |n: usize| format!("{{\"v\":[{}]}}", vec!["{}"; n].join(","));
    let most = encode(&whole(&empty), many(32_768).as_bytes()).unwrap();
    check::value(&empty, &empty.request, &most).unwrap();
    assert!(decode(&empty, &most).is_ok());
    let program = ResponseProgram::compile(&empty, &ResponseBinding::default()).unwrap();
    assert!(decode_in_steps(&program, &most).is_ok());
    assert!(encode(&whole(&empty), many(32_769).as_bytes()).is_err());
}

#[test]
fn a_long_tag_and_a_long_map_are_the_same_in_steps() {
    let long = "t".repeat(256);
    let variants = vec![("card", Shape::Newtype(Type::Ref(2))), ("cash", Shape::Unit)];
    let schema = method(vec![
        structure(vec![field("l", list(Type::Ref(1))), flat("rest", map(Type::String, Type::String))]),
        tagged(by(&long), variants),
        structure(vec![flat("more", option(Type::Ref(3))), flat("rest", map(Type::U32, Type::Bool))]),
        structure(vec![field("n", presence(Type::U8))]),
    ]);
    let items: Vec<String> = (0..200)
        .map(|at| match at % 3 {
            0 => format!("{{\"{long}\":\"cash\"}}"),
            1 => format!("{{\"{at}\":true,\"n\":7,\"{long}\":\"card\"}}"),
            _ => format!("{{\"n\":null,\"{long}\":\"card\"}}"),
        })
        .collect();
    let rest: Vec<String> = (0..50).map(|at| format!("\"k{at}\":\"{}\"", "v".repeat(3000))).collect();
    let body = format!("{{\"l\":[{}],{}}}", items.join(","), rest.join(","));
    let json = told(&schema, &body);
    assert_eq!(told(&schema, &json), json);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&json).unwrap(),
        serde_json::from_str::<serde_json::Value>(&body).unwrap()
    );
}

#[test]
fn an_error_has_its_content_for_details_though_its_enum_has_a_tag() {
    let mut schema = order();
    schema.error = Some(Type::Ref(3));
    let layout = Arc::new(Layout::new(&schema).unwrap());
    let program = ErrorProgram::bind(layout, &ResponseBinding::default()).unwrap();
    let error = program.decode(b"\x01\x02me\x00", usize::MAX).unwrap();
    assert_eq!((error.variant, error.details.as_deref()), ("card", Some(r#"{"by":"me","at":null}"#)));
    assert_eq!(program.decode(b"\x00", usize::MAX).unwrap().details, None);
}
