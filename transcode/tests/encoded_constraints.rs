//! Constraints of a message that did not come from JSON: the same words as for JSON, and the pointers that its JSON has.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::check;
use callgate_protocol::schema::{
    Attributes, Definition, EnumDef, Field, Logical, MethodSchema, Shape, Span, Type,
};
use callgate_transcode::Constraints;
use support::{encode, enumeration, field, list, method, option, ruled, structure, text, variant, whole};

fn asks() -> Attributes {
    Attributes::new()
}

fn at_least(least: u8) -> Attributes {
    asks().with_minimum([least])
}

fn map(key: Type, value: Type) -> Type {
    Type::Map(Box::new(key), Box::new(value))
}

/// The message that `json` is by the same types without constraints.
fn message(schema: &MethodSchema, json: &str) -> Vec<u8> {
    let mut plain = schema.clone();
    for definition in &mut plain.definitions {
        if let Definition::Struct(def) = definition {
            def.fields.iter_mut().for_each(|field| field.attributes = asks());
        }
    }
    let bytes = encode(&whole(&plain), json.as_bytes()).unwrap();
    check::value(schema, &schema.request, &bytes).unwrap();
    bytes
}

fn broken(schema: &MethodSchema, json: &str) -> Vec<String> {
    let constraints = Constraints::of(schema).unwrap().unwrap();
    let broken = constraints.broken(schema, &message(schema, json));
    broken.iter().map(|violation| format!("{} {}", violation.pointer, violation.detail)).collect()
}

#[test]
fn each_place_has_the_pointer_that_json_has() {
    let schema = method(vec![
        structure(vec![
            field("items", list(Type::Ref(1))),
            field("by_name", map(Type::String, Type::Ref(1))),
            field("by_number", map(Type::I16, option(Type::Ref(1)))),
            field("by_day", map(text(Logical::DATE), Type::Ref(1))),
            field("by_colour", map(Type::Ref(2), Type::Ref(1))),
            field("pair", Type::Tuple(vec![Type::Bool, Type::Ref(1)])),
            field("way", Type::Ref(3)),
        ]),
        structure(vec![ruled("n", Type::U8, at_least(5))]),
        enumeration(vec![variant("Red", Shape::Unit), variant("Blue", Shape::Unit)]),
        enumeration(vec![
            variant("None", Shape::Unit),
            variant("Of", Shape::Newtype(Type::Ref(1))),
            variant("Two", Shape::Tuple(vec![Type::U8, Type::Ref(1)])),
        ]),
    ]);
    let body = |way: &str| {
        format!(
            r#"{{"items":[{{"n":5}},{{"n":4}}],"by_name":{{"a/b \" ~":{{"n":1}}}},"by_number":{{"-7":{{"n":0}},"8":null}},
                "by_day":{{"2026-01-31":{{"n":2}}}},"by_colour":{{"Blue":{{"n":3}}}},"pair":[true,{{"n":4}}],"way":{way}}}"#
        )
    };
    let all = [
        "/items/1/n must be at least 5",
        "/by_name/a~1b \" ~0/n must be at least 5",
        "/by_number/-7/n must be at least 5",
        "/by_day/2026-01-31/n must be at least 5",
        "/by_colour/Blue/n must be at least 5",
        "/pair/1/n must be at least 5",
    ];
    for (way, more) in [
        ("\"None\"", None),
        (r#"{"Of":{"n":1}}"#, Some("/way/Of/n must be at least 5")),
        (r#"{"Two":[1,{"n":1}]}"#, Some("/way/Two/1/n must be at least 5")),
    ] {
        let expected: Vec<&str> = all.into_iter().chain(more).collect();
        assert_eq!(broken(&schema, &body(way)), expected, "{way}");
    }
}

#[test]
fn a_tag_and_a_flattened_field_leave_their_mark_on_pointers() {
    let shapes = |tag: Attributes| {
        let choice = EnumDef {
            attributes: tag,
            ..EnumDef::new(
                "Choice",
                vec![variant("Some", Shape::Struct(vec![ruled("n", Type::U8, at_least(5))]))],
            )
        };
        let flat = Field { attributes: asks().with(Attributes::FLATTEN, []), ..field("inner", Type::Ref(1)) };
        method(vec![
            structure(vec![flat, field("choice", Type::Ref(2))]),
            structure(vec![ruled("m", Type::U8, at_least(5))]),
            Definition::Enum(choice),
        ])
    };
    for (tag, pointer) in [
        (asks(), "/choice/Some/n"),
        (asks().with(Attributes::TAG, "type"), "/choice/n"),
        (asks().with(Attributes::TAG, "type").with(Attributes::CONTENT, "data"), "/choice/data/n"),
    ] {
        let schema = shapes(tag);
        let constraints = Constraints::of(&schema).unwrap().unwrap();
        let pointers: Vec<String> =
            constraints.broken(&schema, &[1, 0, 2]).into_iter().map(|violation| violation.pointer).collect();
        assert_eq!(pointers, ["/m", pointer]);
    }
}

#[test]
fn who_asks_nothing_of_a_request_has_no_constraints() {
    let answer = || structure(vec![ruled("n", Type::U8, at_least(5))]);
    let secret = || structure(vec![ruled("n", Type::U8, asks().with_secret().with_unit("ms"))]);
    let schema = MethodSchema { response: Type::Ref(1), ..method(vec![secret(), answer()]) };
    assert!(Constraints::of(&schema).unwrap().is_none());
    let schema = MethodSchema { response: Type::Ref(1), ..method(vec![answer(), secret()]) };
    assert!(Constraints::of(&schema).unwrap().is_some());
}

#[test]
fn what_cannot_be_checked_is_told_wherever_it_stands() {
    let pattern = structure(vec![ruled("code", Type::String, asks().with_pattern("(?=a)"))]);
    let schema = MethodSchema { response: Type::Ref(1), ..method(vec![structure(vec![]), pattern]) };
    assert_eq!(
        Constraints::of(&schema).unwrap_err().to_string(),
        "the pattern of `code`: look-around, including look-ahead and look-behind, is not supported"
    );
}

#[test]
fn sixty_four_are_told_at_most() {
    let schema = method(vec![
        structure(vec![field("all", list(Type::Ref(1)))]),
        structure(vec![ruled("t", Type::String, asks().with_length(Span { min: 2, max: None }))]),
    ]);
    let body = format!(r#"{{"all":[{}]}}"#, vec![r#"{"t":"x"}"#; 100].join(","));
    let broken = broken(&schema, &body);
    assert_eq!(broken.len(), 64);
    assert_eq!(broken[63], "/all/63/t must be at least 2 characters long");
}
