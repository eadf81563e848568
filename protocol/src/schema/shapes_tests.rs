//! Tagged enums and flattened fields: which are taken, and what is said of the others.

use super::tests::{field, schema, structure};
use super::*;
use crate::limits::{MAX_SCHEMA_PARTS, MAX_TYPE_NESTING};

fn flat(name: &str, ty: Type) -> Field {
    Field { attributes: Attributes::new().with_flatten(), ..field(name, ty) }
}

fn named(name: &str, fields: Vec<Field>) -> Definition {
    Definition::Struct(StructDef::new(name, fields))
}

fn tagged(attributes: Attributes, variants: Vec<(&str, Shape)>) -> Definition {
    let variants = variants.into_iter().map(|(name, shape)| Variant::new(name, shape)).collect();
    Definition::Enum(EnumDef { attributes, ..EnumDef::new("E", variants) })
}

fn by(tag: &str) -> Attributes {
    Attributes::new().with_tag(tag)
}

fn optional(ty: Type) -> Type {
    Type::Option(Box::new(ty))
}

/// What is said of definitions behind an empty request.
fn said(definitions: Vec<Definition>) -> std::result::Result<(), String> {
    let schema = schema([vec![structure(vec![])], definitions].concat());
    let read = MethodSchema::decode(&schema.encode()).map_err(|error| error.to_string())?;
    assert_eq!(read, schema);
    Ok(())
}

#[test]
fn shapes_that_can_be_read_back_are_taken() {
    let id = || field("id", Type::U8);
    let rest = || Type::Map(Box::new(Type::String), Box::new(Type::Json));
    let several = || Shape::Tuple(vec![Type::U8, Type::U8]);
    for (what, definitions) in [
        (
            "a struct",
            vec![named("A", vec![id(), flat("b", Type::Ref(2))]), named("B", vec![field("c", Type::U8)])],
        ),
        (
            "an option, a map, and a struct in a struct",
            vec![
                named("A", vec![flat("b", optional(Type::Ref(2))), flat("rest", rest())]),
                named("B", vec![id(), flat("c", Type::Ref(3))]),
                named("C", vec![field("b", Type::U8), field("rest", Type::U8)]),
            ],
        ),
        (
            "an empty struct twice",
            vec![named("A", vec![flat("b", Type::Ref(2)), flat("c", Type::Ref(2))]), named("B", vec![])],
        ),
        (
            "a tag",
            vec![
                tagged(
                    by("type"),
                    vec![
                        ("Unit", Shape::Unit),
                        ("Of", Shape::Newtype(Type::Ref(2))),
                        ("Map", Shape::Newtype(rest())),
                        ("Fields", Shape::Struct(vec![id(), field("inner", Type::Ref(1))])),
                    ],
                ),
                named("B", vec![id()]),
            ],
        ),
        (
            "a tag and a member for the content",
            vec![tagged(
                by("t").with_content("c"),
                vec![
                    ("Several", several()),
                    ("One", Shape::Newtype(Type::U8)),
                    ("T", Shape::Struct(vec![field("t", Type::U8)])),
                ],
            )],
        ),
        (
            "a default that is flattened",
            vec![
                named("A", vec![Field { default: Some(vec![7]), ..flat("b", Type::Ref(2)) }]),
                named("B", vec![id()]),
            ],
        ),
    ] {
        assert_eq!(said(definitions), Ok(()), "{what}");
    }
}

#[test]
fn shapes_that_cannot_be_read_back_are_refused_with_the_reason() {
    let id = || field("id", Type::U8);
    let rest = || Type::Map(Box::new(Type::String), Box::new(Type::Json));
    let alias = Field { aliases: vec!["id".into()], ..field("number", Type::U8) };
    let table = [
        (
            vec![named("A", vec![id(), flat("b", Type::Ref(2))]), named("B", vec![id()])],
            "`A` cannot be written as JSON: `id` would stand in one object twice",
        ),
        (
            vec![named("A", vec![id(), flat("b", optional(Type::Ref(2)))]), named("B", vec![alias])],
            "`A` cannot be written as JSON: `id` would stand in one object twice",
        ),
        (
            vec![named("A", vec![flat("b", Type::U8)])],
            "`A` cannot be written as JSON: `b` is flattened, and it is neither a struct, nor an option of one, nor a map",
        ),
        (vec![named("A", vec![flat("b", optional(rest()))])], "nor a map"),
        (vec![named("A", vec![flat("b", Type::Ref(2))]), tagged(by("t"), vec![])], "nor a map"),
        (
            vec![named("A", vec![flat("b", Type::Presence(Box::new(Type::Ref(2))))]), named("B", vec![])],
            "nor a map",
        ),
        (
            vec![named("A", vec![flat("b", rest()), flat("c", rest())])],
            "`A` cannot be written as JSON: only one map can take the members that are left",
        ),
        (
            vec![
                named("A", vec![flat("b", optional(Type::Ref(2)))]),
                named("B", vec![flat("a", optional(Type::Ref(1)))]),
            ],
            "`A` cannot be written as JSON: `A` is flattened into itself",
        ),
        (
            vec![tagged(by("id"), vec![("V", Shape::Struct(vec![id()]))])],
            "`E.V` cannot be written as JSON: `id` would stand in one object twice",
        ),
        (
            vec![tagged(by("id"), vec![("V", Shape::Newtype(Type::Ref(2)))]), named("B", vec![id()])],
            "`E.V` cannot be written as JSON: `id` would stand in one object twice",
        ),
        (
            vec![tagged(by("t"), vec![("V", Shape::Newtype(Type::U8))])],
            "`E.V` cannot be written as JSON: beside a tag the content must be a struct or a map",
        ),
        (vec![tagged(by("t"), vec![("V", Shape::Newtype(Type::Ref(1)))])], "must be a struct or a map"),
        (
            vec![tagged(by("t"), vec![("V", Shape::Tuple(vec![Type::U8]))])],
            "`E.V` cannot be written as JSON: beside a tag the content must have names, and it is several values",
        ),
        (
            vec![tagged(by("t").with_content("t"), vec![])],
            "attribute 12 of `E` does not belong there or is malformed",
        ),
        (
            vec![tagged(Attributes::new().with_content("c"), vec![])],
            "attribute 12 of `E` does not belong there or is malformed",
        ),
        (
            vec![tagged(by(&"t".repeat(257)), vec![])],
            "attribute 11 of `E` does not belong there or is malformed",
        ),
        (
            vec![tagged(Attributes::new().with_flatten(), vec![])],
            "attribute 13 of `E` does not belong there or is malformed",
        ),
        (
            vec![named("A", vec![Field { attributes: by("t"), ..id() }])],
            "attribute 11 of `id` does not belong there or is malformed",
        ),
        (
            vec![named(
                "A",
                vec![Field { attributes: Attributes::new().with(13, [1]), ..flat("b", rest()) }],
            )],
            "attribute 13 of `b`",
        ),
        (
            vec![named(
                "A",
                vec![Field {
                    attributes: Attributes::new().with_flatten().with_secret(),
                    ..flat("b", rest())
                }],
            )],
            "attribute 13 of `b`",
        ),
    ];
    for (definitions, words) in table {
        let error = said(definitions).expect_err(words);
        assert!(error.contains(words), "{error}\n{words}");
    }
}

#[test]
fn flattening_is_bounded_in_depth_and_in_members() {
    // Each struct flattens the next one, which the last one does not.
    let chain = |length: usize, fields: &dyn Fn(u32) -> Vec<Field>, last: Vec<Field>| {
        let next = |at: usize| named("A", fields(at as u32 + 2));
        said((0..length).map(next).chain([named("L", last)]).collect())
    };
    let once = |next: u32| vec![flat("next", Type::Ref(next))];
    assert_eq!(chain(MAX_TYPE_NESTING, &once, vec![]), Ok(()));
    let deeper = chain(MAX_TYPE_NESTING + 1, &once, vec![]).expect_err("it is too deep");
    assert!(deeper.contains("flattened more than 32 deep"), "{deeper}");
    // Each flattens the next one twice, which has no names: 2³⁰ of them.
    let twice = |next: u32| vec![flat("a", Type::Ref(next)), flat("b", Type::Ref(next))];
    assert_eq!(chain(10, &twice, vec![]), Ok(()));
    let many = chain(30, &twice, vec![]).expect_err("it is too much");
    assert!(many.contains(&format!("more than {MAX_SCHEMA_PARTS} members")), "{many}");
}

#[test]
fn shapes_change_the_document_and_not_the_wire() {
    let of = |attributes, flatten: bool| {
        let b = if flatten { flat("b", Type::Ref(1)) } else { field("b", Type::Ref(1)) };
        schema(vec![
            named("A", vec![b, field("e", Type::Ref(2))]),
            named("B", vec![]),
            tagged(attributes, vec![]),
        ])
    };
    let (plain, shaped) = (of(Attributes::new(), false), of(by("t").with_content("c"), true));
    assert_ne!(plain.fingerprint(), shaped.fingerprint());
    assert_eq!(plain.wire_fingerprint(), shaped.wire_fingerprint());
    assert_eq!(shaped.canonical(), shaped);
}
