//! Schemas that break one rule each.

use super::{Refused, enumeration, plain_field, structure};
use crate::hex;
use callgate_protocol::Code;
use callgate_protocol::schema::{Attributes, Definition, Field, Logical, MethodSchema, Shape, Span, Type};

fn method(definitions: Vec<Definition>) -> MethodSchema {
    MethodSchema::new(Type::Ref(0), Type::Unit, definitions)
}

fn of(ty: Type) -> MethodSchema {
    method(vec![structure("Request", vec![plain_field("f", ty)])])
}

fn with(ty: Type, attributes: Attributes) -> MethodSchema {
    method(vec![structure("Request", vec![Field { attributes, ..plain_field("f", ty) }])])
}

/// A request without fields, and an enum.
fn and_enum() -> MethodSchema {
    method(vec![structure("Request", vec![]), enumeration("E", vec![("V", Shape::Unit)])])
}

fn refused(name: &'static str, bytes: &[u8]) -> Refused {
    let reason = MethodSchema::decode(bytes).expect_err(name).to_string();
    Refused { name, hex: hex(bytes), reason }
}

pub(super) fn all() -> Vec<Refused> {
    let schemas = shapes().into_iter().chain(attributes()).chain(json_shapes());
    let bytes: [(&'static str, &[u8]); 6] = [
        ("a format that is not known", &[2, 0, 37, 0, 0, 0, 0, 1, 48, 0, 0, 0, 0, 0]),
        ("the wire form of a schema", &[0, 0, 37, 0, 0, 0, 0, 1, 48, 0, 0, 0, 0, 0]),
        ("a type that is not known", &[1, 0, 40, 0, 0, 0, 0]),
        ("a byte too many", &[1, 0, 37, 0, 0, 0, 0, 1, 48, 0, 0, 0, 0, 0, 0]),
        ("attributes that do not rise", &[1, 0, 37, 0, 0, 0, 0, 1, 48, 0, 0, 0, 0, 2, 101, 0, 100, 0]),
        ("an attribute twice", &[1, 0, 37, 0, 0, 0, 0, 1, 48, 0, 0, 0, 0, 2, 100, 0, 100, 0]),
    ];
    let bytes = bytes.into_iter().map(|(name, bytes)| refused(name, bytes));
    schemas.map(|(name, schema)| refused(name, &schema.encode())).chain(bytes).collect()
}

fn shapes() -> Vec<(&'static str, MethodSchema)> {
    let boxed = |ty: Type| Box::new(ty);
    let deep = (0..33).fold(Type::U8, |ty, _| Type::Option(Box::new(ty)));
    let twice = vec![plain_field("f", Type::U8), plain_field("f", Type::U8)];
    let alias = Field { aliases: vec!["f".into()], ..plain_field("g", Type::U8) };
    let default = Field { default: Some(vec![2]), ..plain_field("f", Type::Bool) };
    let in_variant = |ty| enumeration("E", vec![("V", Shape::Newtype(ty))]);
    let on = |error| MethodSchema { error: Some(error), ..and_enum() };
    let float_keys = Type::Map(boxed(Type::F64), boxed(Type::U8));
    let logical = |ty: Type| Type::Logical(Logical(99), Box::new(ty));
    vec![
        ("a request that is no definition", MethodSchema { request: Type::Unit, ..and_enum() }),
        ("a request that is an enum", MethodSchema { request: Type::Ref(1), ..and_enum() }),
        ("a reference to nothing", of(Type::Ref(1))),
        ("a type 33 deep", of(deep)),
        ("a name twice", method(vec![structure("Request", twice)])),
        (
            "an alias that is a name",
            method(vec![structure("Request", vec![plain_field("f", Type::U8), alias])]),
        ),
        ("a name of 257 bytes", method(vec![structure("R", vec![plain_field(&"n".repeat(257), Type::U8)])])),
        ("a map with floats as keys", of(float_keys)),
        ("a default that is no value", method(vec![structure("Request", vec![default])])),
        ("an error that is a struct", on(Type::Ref(0))),
        ("an error that is no definition", on(Type::String)),
        ("an error within a logical type", on(logical(Type::Ref(1)))),
        ("presence in a list", of(Type::List(boxed(Type::Presence(boxed(Type::U8)))))),
        ("presence in an option", of(Type::Option(boxed(Type::Presence(boxed(Type::U8)))))),
        ("presence over an option", of(Type::Presence(boxed(Type::Option(boxed(Type::U8)))))),
        ("presence over a logical option", of(Type::Presence(boxed(logical(Type::Option(boxed(Type::U8))))))),
        (
            "presence in a variant",
            method(vec![structure("R", vec![]), in_variant(Type::Presence(boxed(Type::U8)))]),
        ),
        (
            "a response with presence",
            MethodSchema { response: Type::Presence(boxed(Type::U8)), ..and_enum() },
        ),
    ]
}

fn attributes() -> Vec<(&'static str, MethodSchema)> {
    let none = Attributes::new;
    let span = |min, max| Span { min, max: Some(max) };
    let option = Type::Option(Box::new(Type::U8));
    let url = Type::Logical(Logical::URL, Box::new(Type::String));
    let coded = MethodSchema { attributes: none().with_code(Code::NotFound), ..and_enum() };
    vec![
        ("deprecated that is not UTF-8", with(Type::U8, none().with(1, [255]))),
        ("an example that is no value", with(Type::Bool, none().with_example([2]))),
        ("an example of what is in the option", with(option.clone(), none().with_example([9]))),
        ("a minimum with the option around it", with(option, none().with_minimum([1, 9]))),
        ("a minimum of a type without order", with(Type::Bool, none().with_minimum([1]))),
        ("a maximum of a URL", with(url, none().with_maximum([1, b'a']))),
        ("a minimum that is no number", with(Type::F32, none().with_minimum(f32::NAN.to_le_bytes()))),
        ("a length whose most is below its least", with(Type::String, none().with_length(span(2, 1)))),
        ("a length of a number", with(Type::U8, none().with_length(span(1, 2)))),
        ("a length that is too short", with(Type::String, none().with(5, [1]))),
        ("items of a string", with(Type::String, none().with_items(span(1, 2)))),
        ("a pattern of bytes", with(Type::Bytes, none().with_pattern("a"))),
        ("a pattern of 1025 bytes", with(Type::String, none().with_pattern(&"a".repeat(1025)))),
        ("a unit that is not UTF-8", with(Type::U8, none().with(8, [255]))),
        ("secret with a value", with(Type::U8, none().with(9, [0]))),
        ("a code on a field", with(Type::U8, none().with_code(Code::NotFound))),
        ("a code on a method", coded),
    ]
}

/// Tagged enums and flattened fields that could not be read back.
fn json_shapes() -> Vec<(&'static str, MethodSchema)> {
    let flat = |name, ty| Field { attributes: Attributes::new().with_flatten(), ..plain_field(name, ty) };
    let id = || plain_field("id", Type::U8);
    let rest = || Type::Map(Box::new(Type::String), Box::new(Type::Json));
    let request = |fields| method(vec![structure("Request", fields), structure("Other", vec![id()])]);
    let tagged = |attributes: Attributes, shape| {
        let mut definition = enumeration("E", vec![("V", shape)]);
        if let Definition::Enum(def) = &mut definition {
            def.attributes = attributes;
        }
        method(vec![structure("Request", vec![]), definition, structure("Other", vec![id()])])
    };
    let by = |tag| Attributes::new().with_tag(tag);
    let aliased = Field { aliases: vec!["id".into()], ..plain_field("number", Type::U8) };
    let recursive = Type::Option(Box::new(Type::Ref(0)));
    vec![
        (
            "flatten with a value",
            request(vec![Field { attributes: Attributes::new().with(13, [0]), ..id() }]),
        ),
        ("a flattened number", request(vec![flat("f", Type::U8)])),
        ("a flattened list", request(vec![flat("f", Type::List(Box::new(Type::Ref(1))))])),
        ("a name beside the same one, flattened", request(vec![id(), flat("f", Type::Ref(1))])),
        ("an alias beside the same name, flattened", request(vec![aliased, flat("f", Type::Ref(1))])),
        ("two maps of what is left", request(vec![flat("f", rest()), flat("g", rest())])),
        ("a struct that is flattened into itself", request(vec![flat("f", recursive)])),
        (
            "a flattened field that is secret",
            request(vec![Field {
                attributes: Attributes::new().with_flatten().with_secret(),
                ..plain_field("f", Type::Ref(1))
            }]),
        ),
        ("a tag on a struct's field", request(vec![Field { attributes: by("t"), ..id() }])),
        ("a tag that is not UTF-8", tagged(Attributes::new().with(11, [255]), Shape::Unit)),
        ("a tag of 257 bytes", tagged(by(&"t".repeat(257)), Shape::Unit)),
        ("a member for the content, without a tag", tagged(Attributes::new().with_content("c"), Shape::Unit)),
        ("a member for the content that is the tag", tagged(by("t").with_content("t"), Shape::Unit)),
        ("a number beside a tag", tagged(by("t"), Shape::Newtype(Type::U8))),
        ("several values beside a tag", tagged(by("t"), Shape::Tuple(vec![Type::U8, Type::U8]))),
        ("an enum beside a tag", tagged(by("t"), Shape::Newtype(Type::Ref(1)))),
        ("a field that has the tag's name", tagged(by("id"), Shape::Struct(vec![id()]))),
        ("a field of a struct that has the tag's name", tagged(by("id"), Shape::Newtype(Type::Ref(2)))),
    ]
}
