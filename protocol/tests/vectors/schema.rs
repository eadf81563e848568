//! `schema.json`: Call IDs, every type, and whole schemas with their fingerprints.

mod grown;
mod refused;

use crate::{check, hex, kept, unhex};
use callgate_protocol::CallId;
use callgate_protocol::schema::{
    Attributes, Definition, EnumDef, Field, Logical, MethodSchema, Shape, StructDef, Type, Variant,
};
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Serialize)]
struct Vectors {
    call_ids: Vec<Value>,
    types: Vec<TypeEntry>,
    schemas: Vec<SchemaEntry>,
    refused: Vec<Refused>,
}

#[derive(Serialize)]
struct Refused {
    name: &'static str,
    hex: String,
    reason: String,
}

#[derive(Serialize)]
struct TypeEntry {
    r#type: String,
    hex: String,
}

#[derive(Serialize)]
struct SchemaEntry {
    name: &'static str,
    description: &'static str,
    hex: String,
    fingerprint: String,
    schema: Value,
    /// The bytes of its canonical form, which are its own where it is canonical.
    canonical: String,
    wire_form: String,
    wire_fingerprint: String,
}

/// A type as the document writes it; `#0` is the definition of index 0.
pub(crate) fn text(ty: &Type) -> String {
    match ty {
        Type::Option(inner) => format!("option<{}>", text(inner)),
        Type::List(item) => format!("list<{}>", text(item)),
        Type::Array(item, length) => format!("array<{}, {length}>", text(item)),
        Type::Tuple(items) => format!("tuple<{}>", items.iter().map(text).collect::<Vec<_>>().join(", ")),
        Type::Map(key, value) => format!("map<{}, {}>", text(key), text(value)),
        Type::Ref(index) => format!("#{index}"),
        Type::Logical(logical, physical) => format!("logical<{}, {}>", logical.0, text(physical)),
        Type::Presence(inner) => format!("presence<{}>", text(inner)),
        simple => format!("{simple:?}").to_lowercase(),
    }
}

fn field(field: &Field) -> Value {
    json!({
        "name": field.name,
        "aliases": field.aliases,
        "doc": field.doc,
        "type": text(&field.ty),
        "default": field.default.as_deref().map(hex),
        "attributes": attributes(&field.attributes),
    })
}

fn variant(variant: &Variant) -> Value {
    let content = match &variant.shape {
        Shape::Unit => json!("unit"),
        Shape::Newtype(ty) => json!({"newtype": text(ty)}),
        Shape::Tuple(types) => json!({"tuple": types.iter().map(text).collect::<Vec<_>>()}),
        Shape::Struct(fields) => json!({"struct": fields.iter().map(field).collect::<Vec<_>>()}),
    };
    json!({
        "name": variant.name,
        "aliases": variant.aliases,
        "doc": variant.doc,
        "shape": content,
        "attributes": attributes(&variant.attributes),
    })
}

fn attributes(attributes: &Attributes) -> Value {
    attributes.iter().map(|(tag, value)| json!([tag, hex(value)])).collect()
}

fn definition(definition: &Definition) -> Value {
    match definition {
        Definition::Struct(def) => json!({
            "struct": def.name,
            "doc": def.doc,
            "fields": def.fields.iter().map(field).collect::<Vec<_>>(),
            "attributes": attributes(&def.attributes),
        }),
        Definition::Enum(def) => json!({
            "enum": def.name,
            "doc": def.doc,
            "variants": def.variants.iter().map(variant).collect::<Vec<_>>(),
            "attributes": attributes(&def.attributes),
        }),
    }
}

fn describe(schema: &MethodSchema) -> Value {
    json!({
        "doc": schema.doc,
        "request": text(&schema.request),
        "request_items": schema.request_items.as_ref().map(text),
        "response": text(&schema.response),
        "error": schema.error.as_ref().map(text),
        "definitions": schema.definitions.iter().map(definition).collect::<Vec<_>>(),
        "attributes": attributes(&schema.attributes),
    })
}

pub(crate) fn plain_field(name: &str, ty: Type) -> Field {
    Field::new(name, ty)
}

pub(crate) fn structure(name: &str, fields: Vec<Field>) -> Definition {
    Definition::Struct(StructDef::new(name, fields))
}

pub(crate) fn enumeration(name: &str, variants: Vec<(&str, Shape)>) -> Definition {
    let variants = variants.into_iter().map(|(name, shape)| Variant::new(name, shape));
    Definition::Enum(EnumDef::new(name, variants.collect()))
}

fn types() -> Vec<TypeEntry> {
    use Type::*;
    let simple = [
        Unit, Bool, U8, U16, U32, U64, U128, I8, I16, I32, I64, I128, F32, F64, Char, String, Bytes, Uuid,
        Timestamp, Duration, IpAddr, Ipv4Addr, Ipv6Addr, Json,
    ];
    let composed = [
        Option(Box::new(U8)),
        List(Box::new(Option(Box::new(String)))),
        Array(Box::new(F32), 300),
        Tuple(vec![I64, Bool]),
        Map(Box::new(String), Box::new(List(Box::new(U64)))),
        Ref(0),
        Logical(crate::schema::Logical::DECIMAL, Box::new(String)),
        Presence(Box::new(U64)),
    ];
    let entry = |ty: Type| {
        // The response stands behind format, documentation, request and the type of items: 1, 0, 37 0, 0. Behind it stand
        // the error's type, definitions and attributes: 0, 0, 0.
        let schema = MethodSchema::new(Ref(0), ty, Vec::new());
        let bytes = schema.encode();
        TypeEntry { r#type: text(&schema.response), hex: hex(&bytes[5..bytes.len() - 3]) }
    };
    simple.into_iter().chain(composed).map(entry).collect()
}

fn schemas() -> Vec<SchemaEntry> {
    let entry = |name, description, schema: MethodSchema| SchemaEntry {
        name,
        description,
        fingerprint: schema.fingerprint().to_string(),
        hex: hex(&schema.encode()),
        schema: describe(&schema),
        canonical: hex(&schema.canonical().encode()),
        wire_form: hex(&schema.wire_form()),
        wire_fingerprint: schema.wire_fingerprint().to_string(),
    };
    let method = |doc: &str, response, definitions| MethodSchema {
        doc: doc.into(),
        ..MethodSchema::new(Type::Ref(0), response, definitions)
    };
    let mut amount = plain_field("amount", Type::U32);
    amount.aliases = vec!["qty".into(), "quantity".into()];
    amount.doc = "How many.".into();
    amount.default = Some(vec![1]);
    let item = vec![plain_field("sku", Type::String), amount];
    let shapes = vec![
        ("Pickup", Shape::Unit),
        ("Locker", Shape::Newtype(Type::U64)),
        ("Drone", Shape::Tuple(vec![Type::F64, Type::F64])),
        ("Post", Shape::Struct(vec![plain_field("street", Type::String)])),
    ];
    let node =
        vec![plain_field("name", Type::String), plain_field("children", Type::List(Box::new(Type::Ref(0))))];
    vec![
        entry("nothing", "takes nothing, gives nothing", method("", Type::Unit, vec![structure("", vec![])])),
        entry(
            "add",
            "two arguments, documented",
            method(
                "Adds.",
                Type::U32,
                vec![structure("add", vec![plain_field("a", Type::U32), plain_field("b", Type::U32)])],
            ),
        ),
        entry(
            "order",
            "aliases, a default, an enum with every shape",
            method(
                "",
                Type::Option(Box::new(Type::F64)),
                vec![
                    structure(
                        "Order",
                        vec![
                            plain_field("items", Type::List(Box::new(Type::Ref(1)))),
                            plain_field("by", Type::Ref(2)),
                        ],
                    ),
                    structure("Item", item),
                    enumeration("Delivery", shapes),
                ],
            ),
        ),
        entry("tree", "a type that contains itself", method("", Type::Ref(0), vec![structure("Node", node)])),
        entry("refund", "attributes of every kind, logical types, presence, items, errors", grown::refund()),
        entry("event", "tagged enums, flattened fields", grown::event()),
        entry("untidy", "every way not to be canonical", grown::untidy()),
    ]
}

#[test]
fn schemas_are_written_and_read_as_their_vectors_say() {
    let names = [("calc", "add"), ("orders", "quote"), ("", ""), ("größe", "maß")];
    let call_id = |(service, method)| json!({"service": service, "method": method, "call_id": CallId::of(service, method).get()});
    let call_ids = names.into_iter().map(call_id).collect();
    check("schema.json", &Vectors { call_ids, types: types(), schemas: schemas(), refused: refused::all() });
    for entry in kept("schema.json")["schemas"].as_array().expect("a list") {
        let bytes = unhex(&entry["hex"]);
        let schema = MethodSchema::decode(&bytes).expect("a vector is sound");
        assert_eq!(describe(&schema), entry["schema"]);
        assert_eq!(schema.encode(), bytes);
        assert_eq!(schema.fingerprint().to_string(), entry["fingerprint"]);
    }
    for entry in kept("schema.json")["refused"].as_array().expect("a list") {
        let error = MethodSchema::decode(&unhex(&entry["hex"])).expect_err("it breaks a rule");
        assert_eq!(error.to_string(), entry["reason"]);
    }
}
