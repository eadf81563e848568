//! What an instance says of itself, on `/backends`: its services, its methods, and their types as a Rust programmer would
//! write them.

use super::attributes;
use crate::transport::callgate::{MethodEntry, Offer};
use callgate_protocol::schema::{Definition, Field, Logical, MethodSchema, Shape, Type};
use serde_json::{Value, json};

/// All of it.
pub(super) fn instance(offer: &Offer) -> Value {
    let services: Vec<Value> =
        offer.services.iter().map(|(name, version)| json!({ "name": name, "version": version })).collect();
    let methods: Vec<Value> = offer.methods.iter().map(method).collect();
    json!({ "identity": offer.identity, "services": services, "methods": methods })
}

fn method(entry: &MethodEntry) -> Value {
    let schema = &entry.schema.method;
    let definitions: Vec<Value> =
        schema.definitions.iter().map(|definition| self::definition(schema, definition)).collect();
    let mut shown = json!({
        "name": entry.name,
        "call_id": entry.call_id.to_string(),
        "schema": entry.fingerprint.to_string(),
        "idempotent": entry.idempotent,
        "streams": entry.streams(),
        "doc": schema.doc,
        "request": type_name(schema, &schema.request),
        "request_items": schema.request_items.as_ref().map(|ty| type_name(schema, ty)),
        "response": type_name(schema, &schema.response),
        "error": schema.error.as_ref().map(|ty| type_name(schema, ty)),
        "definitions": definitions,
    });
    attributes::add(&mut shown, &schema.attributes);
    shown
}

fn definition(schema: &MethodSchema, definition: &Definition) -> Value {
    let mut shown = match definition {
        Definition::Struct(def) => {
            json!({ "struct": def.name, "doc": def.doc, "fields": fields(schema, &def.fields) })
        }
        Definition::Enum(def) => {
            let variants = def.variants.iter().map(|variant| {
                let content = match &variant.shape {
                    Shape::Unit => Value::Null,
                    Shape::Newtype(ty) => type_name(schema, ty).into(),
                    Shape::Tuple(types) => types.iter().map(|ty| type_name(schema, ty)).collect(),
                    Shape::Struct(of) => fields(schema, of),
                };
                let mut shown = json!({ "name": variant.name, "doc": variant.doc, "content": content });
                attributes::add_of_variant(&mut shown, &variant.attributes);
                shown
            });
            json!({ "enum": def.name, "doc": def.doc, "variants": variants.collect::<Vec<_>>() })
        }
    };
    attributes::add(&mut shown, definition.attributes());
    shown
}

fn fields(schema: &MethodSchema, fields: &[Field]) -> Value {
    let field = |field: &Field| {
        let optional = field.default.is_some() || matches!(field.ty, Type::Option(_) | Type::Presence(_));
        let mut shown = json!({
            "name": field.name,
            "type": type_name(schema, &field.ty),
            "required": !optional,
            "doc": field.doc,
        });
        attributes::add_of_field(&mut shown, &field.ty, &field.attributes);
        shown
    };
    fields.iter().map(field).collect()
}

/// A type as a Rust programmer would write it.
fn type_name(schema: &MethodSchema, ty: &Type) -> String {
    let name = |ty: &Type| type_name(schema, ty);
    match ty.understood() {
        Type::Option(inner) => format!("Option<{}>", name(inner)),
        Type::List(inner) => format!("Vec<{}>", name(inner)),
        Type::Array(inner, length) => format!("[{}; {length}]", name(inner)),
        Type::Tuple(items) => format!("({})", items.iter().map(name).collect::<Vec<_>>().join(", ")),
        Type::Map(key, value) => format!("Map<{}, {}>", name(key), name(value)),
        Type::Ref(index) => match schema.definition(*index) {
            Some(Definition::Struct(def)) => def.name.clone(),
            Some(Definition::Enum(def)) => def.name.clone(),
            None => "?".to_owned(),
        },
        Type::Logical(logical, physical) => logical_name(*logical, || name(physical)),
        Type::Presence(inner) => format!("Presence<{}>", name(inner)),
        Type::Unit => "()".to_owned(),
        Type::Bool | Type::Char | Type::F32 | Type::F64 => format!("{ty:?}").to_lowercase(),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::U128 => format!("{ty:?}").to_lowercase(),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::I128 => format!("{ty:?}").to_lowercase(),
        other => format!("{other:?}"),
    }
}

fn logical_name(logical: Logical, physical: impl FnOnce() -> String) -> String {
    let name = match logical {
        Logical::DECIMAL => "Decimal",
        Logical::DATE => "Date",
        Logical::TIME => "Time",
        Logical::URL => "Url",
        Logical::EMAIL => "Email",
        Logical::SET => return physical().replacen("Vec", "Set", 1),
        _ => return physical(),
    };
    name.to_owned()
}
