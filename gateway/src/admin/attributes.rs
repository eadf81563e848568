//! What a schema says beyond names and types, on `/backends`: what is deprecated, what values must be like, how errors end.
//! Members are there only where something is said.

use callgate_protocol::schema::{Attributes, Definition, MethodSchema, Span, StructDef, Type};
use callgate_transcode::{ResponseBinding, ResponseProgram};
use serde_json::{Map, Value, json};

/// Adds what is said of anything: of a method, a definition, a field or a variant.
pub(super) fn add(shown: &mut Value, attributes: &Attributes) {
    if let Some(why) = attributes.deprecated() {
        shown["deprecated"] = why.into();
    }
}

/// Adds what is said of a field of that type.
pub(super) fn add_of_field(shown: &mut Value, ty: &Type, attributes: &Attributes) {
    add(shown, attributes);
    if let Some(unit) = attributes.unit() {
        shown["unit"] = unit.into();
    }
    if attributes.is_secret() {
        shown["secret"] = true.into();
    }
    let constraints = constraints(ty, attributes);
    if !constraints.is_empty() {
        shown["constraints"] = constraints.into();
    }
}

/// Adds what is said of a variant.
pub(super) fn add_of_variant(shown: &mut Value, attributes: &Attributes) {
    add(shown, attributes);
    if let Some(code) = attributes.code() {
        shown["code"] = code.name().into();
    }
}

fn constraints(ty: &Type, attributes: &Attributes) -> Map<String, Value> {
    let value = |encoded: Option<&[u8]>| encoded.map(|encoded| value(ty.content(), encoded));
    let span = |span: Option<Span>| span.map(|Span { min, max }| json!([min, max]));
    let all = [
        ("minimum", value(attributes.minimum())),
        ("maximum", value(attributes.maximum())),
        ("length", span(attributes.length())),
        ("items", span(attributes.items())),
        ("pattern", attributes.pattern().map(Value::from)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// A value as clients write it. Its type is one that has an order, and so refers to no definition.
fn value(ty: &Type, encoded: &[u8]) -> Value {
    let empty = Definition::Struct(StructDef::new("", Vec::new()));
    let schema = MethodSchema::new(Type::Ref(0), ty.clone(), vec![empty]);
    let mut json = Vec::new();
    let program = ResponseProgram::compile(&schema, &ResponseBinding::default()).ok();
    let written = program.and_then(|program| program.decode(encoded, &mut json).ok());
    written.and_then(|()| serde_json::from_slice(&json).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgate_protocol::Code;
    use callgate_protocol::schema::Logical;

    #[test]
    fn what_is_said_of_a_field_is_shown_and_nothing_else() {
        let all = Attributes::default;
        let option = |ty| Type::Option(Box::new(ty));
        let decimal = Type::Logical(Logical::DECIMAL, Box::new(Type::String));
        for (ty, attributes, expected) in [
            (Type::U32, all(), json!({})),
            (
                option(Type::I32),
                all().with_minimum([1]).with_maximum([4]).with_unit("ms"),
                json!({ "unit": "ms", "constraints": { "minimum": -1, "maximum": 2 } }),
            ),
            (decimal, all().with_minimum(*b"\x040.01"), json!({ "constraints": { "minimum": "0.01" } })),
            (
                Type::String,
                all().with_length(Span { min: 1, max: None }).with_pattern("^a").with_secret(),
                json!({ "secret": true, "constraints": { "length": [1, null], "pattern": "^a" } }),
            ),
            (
                Type::List(Box::new(Type::U8)),
                all().with_items(Span { min: 0, max: Some(3) }).with_deprecated("use b"),
                json!({ "deprecated": "use b", "constraints": { "items": [0, 3] } }),
            ),
        ] {
            let mut shown = json!({});
            add_of_field(&mut shown, &ty, &attributes);
            assert_eq!(shown, expected, "{ty:?}");
        }
        let mut shown = json!({});
        add_of_variant(&mut shown, &all().with_code(Code::Aborted));
        assert_eq!(shown, json!({ "code": "aborted" }));
    }
}
