//! What JSON Schema says of small methods.

use super::*;
use crate::testing::{enumeration, list, method, option, structure};
use callgate_protocol::schema::{Attributes, EnumDef, Field, Logical, Shape, Span, Variant};
use callgate_transcode::{Decimal, Int64, UnknownFields};
use serde_json::json;

/// The schema of a field of that type in both directions.
fn both(ty: &Type, definitions: Vec<Definition>) -> [Value; 2] {
    let schema = method(vec![Field::new("it", ty.clone())], definitions);
    let method = Method::new(&schema);
    let mut components = Components::new("#/");
    [Mode::IN, Mode::OUT].map(|mode| method.ty(&mut components, ty, mode))
}

#[test]
fn each_type_is_told_as_its_json_is() {
    let decimal = Type::Logical(Logical::DECIMAL, Box::new(Type::String));
    let set = Type::Logical(Logical::SET, Box::new(list(Type::Bool)));
    let unknown = Type::Logical(Logical(99), Box::new(Type::Bool));
    let map = |key| Type::Map(Box::new(key), Box::new(Type::Bool));
    let nothing = Type::Tuple(Vec::new());
    for (ty, read, written) in [
        (Type::Bool, json!({ "type": "boolean" }), None),
        (Type::U8, json!({ "type": "integer", "format": "uint8", "minimum": 0, "maximum": 255 }), None),
        (
            Type::U64,
            json!({ "type": ["integer", "string"], "format": "uint64", "minimum": 0, "maximum": u64::MAX,
                    "pattern": "^(0|-?[1-9][0-9]*)$" }),
            Some(json!({ "type": "integer", "format": "uint64", "minimum": 0, "maximum": u64::MAX })),
        ),
        (
            decimal,
            json!({ "type": ["string", "number"], "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$" }),
            Some(json!({ "type": "string", "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$" })),
        ),
        (
            set,
            json!({ "type": "array", "items": { "type": "boolean" }, "uniqueItems": true }),
            Some(json!({ "type": "array", "items": { "type": "boolean" } })),
        ),
        (unknown, json!({ "type": "boolean" }), None),
        (Type::Json, json!({}), None),
        (option(Type::Bool), json!({ "type": ["boolean", "null"] }), None),
        (option(option(Type::Json)), json!({}), None),
        (
            Type::Array(Box::new(Type::Bool), 2),
            json!({ "type": "array", "items": { "type": "boolean" }, "minItems": 2, "maxItems": 2 }),
            None,
        ),
        (nothing, json!({ "type": "array", "minItems": 0, "maxItems": 0 }), None),
        (map(Type::String), json!({ "type": "object", "additionalProperties": { "type": "boolean" } }), None),
        (
            map(Type::U16),
            json!({ "type": "object", "additionalProperties": { "type": "boolean" },
                    "propertyNames": { "pattern": "^(0|[1-9][0-9]*)$" } }),
            None,
        ),
    ] {
        let written = written.unwrap_or_else(|| read.clone());
        assert_eq!(both(&ty, Vec::new()), [read, written], "{ty:?}");
    }
}

#[test]
fn numbers_are_written_as_the_route_says() {
    let schema = method(Vec::new(), Vec::new());
    let method = Method::new(&schema);
    let mut components = Components::new("#/");
    let mode = Mode::Out(Int64::String, Decimal::Number);
    let mut written = |ty| method.ty(&mut components, &ty, mode)["type"].clone();
    assert_eq!(written(Type::I64), "string");
    assert_eq!(written(Type::Logical(Logical::DECIMAL, Box::new(Type::String))), "number");
    assert_eq!(written(Type::U32), "integer");
}

#[test]
fn a_struct_is_strict_when_it_is_read_and_whole_when_it_is_written() {
    let secret = Attributes::new().with_secret().with_length(Span { min: 8, max: None });
    let bounds = Attributes::new().with_minimum([1]).with_maximum([9]).with_unit("pieces");
    let order = structure(
        "Order",
        vec![
            Field { doc: "How many.".to_owned(), attributes: bounds, ..Field::new("count", Type::U8) },
            Field { default: Some(vec![1, b'x']), ..Field::new("kind", Type::String) },
            Field { attributes: secret, ..Field::new("password", option(Type::String)) },
            Field::new("note", Type::Presence(Box::new(Type::String))),
        ],
    );
    let schema = method(vec![Field::new("order", Type::Ref(1))], vec![order]);
    let method = Method::new(&schema);
    let mut components = Components::new("#/");
    let read = method.ty(&mut components, &Type::Ref(1), Mode::IN);
    assert_eq!(read, json!({ "$ref": "#/OrderInput" }));
    assert_eq!(method.ty(&mut components, &Type::Ref(1), Mode::OUT), json!({ "$ref": "#/Order" }));
    let schemas = components.into_schemas();
    assert_eq!(
        schemas["OrderInput"],
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["count"],
            "properties": {
                "count": { "type": "integer", "format": "uint8", "minimum": 1, "maximum": 9,
                           "description": "How many.\n\nUnit: pieces." },
                "kind": { "type": "string", "default": "x" },
                "password": { "type": ["string", "null"], "minLength": 8 },
                "note": { "type": ["string", "null"] },
            },
        })
    );
    let written = &schemas["Order"];
    assert_eq!(written["required"], json!(["count", "kind", "password"]));
    assert_eq!(written.get("additionalProperties"), None);
    assert_eq!(written["properties"]["count"]["minimum"], 0, "results are not checked");
}

#[test]
fn what_comes_from_elsewhere_is_no_member_of_the_body() {
    let filter = structure("Filter", vec![Field::new("name", Type::String), Field::new("age", Type::U8)]);
    let flat = Field { attributes: Attributes::new().with_flatten(), ..Field::new("rest", Type::Ref(2)) };
    let address = structure("Address", vec![Field::new("street", Type::String)]);
    let fields = vec![Field::new("id", Type::U32), Field::new("filter", Type::Ref(1)), flat];
    let schema = method(fields, vec![filter, address]);
    let method = Method::new(&schema);
    let mut components = Components::new("#/");
    let without = ["id", "filter.name", "street"];
    let object = method.request(&mut components, &without, Mode::In(UnknownFields::Ignore));
    assert_eq!(object.required, ["filter"]);
    let filter = &object.properties["filter"];
    assert_eq!((object.properties.len(), &filter["required"]), (1, &json!(["age"])));
    assert_eq!(filter.get("additionalProperties"), None, "unknown members are skipped");
    let whole = method.request(&mut components, &[], Mode::IN);
    assert_eq!(whole.required, ["id", "filter", "street"]);
    let required = |name| method.find(name).map(|found| found.required);
    assert_eq!(["filter.age", "street", "rest", "age"].map(required), [Some(true), Some(true), None, None]);
}

#[test]
fn an_enum_is_names_or_objects_with_a_name_or_with_a_tag() {
    let card = structure("Card", vec![Field::new("number", Type::String)]);
    let variants = || {
        vec![
            Variant { doc: "Coins.".to_owned(), ..Variant::new("cash", Shape::Unit) },
            Variant::new("card", Shape::Newtype(Type::Ref(2))),
        ]
    };
    let pay = |attributes: Attributes| {
        let Definition::Enum(def) = enumeration("Pay", variants()) else { panic!("an enum") };
        let definitions = vec![Definition::Enum(EnumDef { attributes, ..def }), card.clone()];
        let schema = method(vec![Field::new("pay", Type::Ref(1))], definitions);
        let mut components = Components::new("#/");
        Method::new(&schema).ty(&mut components, &Type::Ref(1), Mode::OUT);
        components.into_schemas()["Pay"].clone()
    };
    let reference = json!({ "$ref": "#/Card" });
    assert_eq!(
        pay(Attributes::new()),
        json!({
            "description": "- `cash`: Coins.",
            "oneOf": [
                { "type": "string", "enum": ["cash"] },
                { "type": "object", "properties": { "card": reference }, "required": ["card"],
                  "additionalProperties": false },
            ],
        })
    );
    let tagged = pay(Attributes::new().with_tag("type"));
    assert_eq!(tagged["oneOf"][0]["properties"], json!({ "type": { "type": "string", "const": "cash" } }));
    assert_eq!(tagged["oneOf"][1]["required"], json!(["type", "number"]));
    let content = pay(Attributes::new().with_tag("type").with_content("of"));
    assert_eq!(content["oneOf"][1]["properties"]["of"], reference);
}

#[test]
fn what_a_query_can_fill_is_told_by_dotted_names_and_recursion_ends() {
    let filter = structure(
        "Filter",
        vec![Field::new("name", option(Type::String)), Field::new("and", option(Type::Ref(1)))],
    );
    let fields = vec![
        Field::new("limit", Type::U64),
        Field::new("tag", list(Type::String)),
        Field::new("filter", option(Type::Ref(1))),
        Field::new("raw", Type::Json),
        Field::new("items", list(Type::Ref(1))),
    ];
    let schema = method(fields, vec![filter]);
    let method = Method::new(&schema);
    let mut components = Components::new("#/");
    let (leaves, left) = method.leaves(&mut components, &[]);
    let told: Vec<_> = leaves.iter().map(|leaf| (leaf.name.as_str(), leaf.required, leaf.is_json)).collect();
    let expected =
        [("limit", true, false), ("tag", true, false), ("filter.name", false, false), ("raw", true, true)];
    assert_eq!(told, expected);
    assert!(left, "the items are needed, and no text can fill them");
    assert_eq!(leaves[0].schema["type"], "integer");
    assert_eq!(leaves[1].schema, json!({ "type": "array", "items": { "type": "string" } }));
    assert!(!method.leaves(&mut components, &["items"]).1);
}

#[test]
fn the_same_type_of_two_methods_is_one_component_and_another_of_its_name_is_not() {
    let order = |fields| structure("Order", fields);
    let id = || Field::new("id", Type::U32);
    let one = method(vec![Field::new("a", Type::Ref(1))], vec![order(vec![id()])]);
    let other = structure("Other", Vec::new());
    let two = method(vec![Field::new("b", Type::Ref(2))], vec![other, order(vec![id()])]);
    let three = method(Vec::new(), vec![order(vec![id(), Field::new("note", Type::String)])]);
    let mut components = Components::new("#/");
    let mut name = |schema: &MethodSchema, index| {
        Method::new(schema).ty(&mut components, &Type::Ref(index), Mode::OUT)["$ref"].clone()
    };
    assert_eq!(name(&one, 1), "#/Order");
    assert_eq!(name(&two, 2), "#/Order");
    assert_eq!(name(&three, 1), "#/Order_2");
}
