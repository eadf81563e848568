//! A type as a schema. What has a name is a reference to a component, which is described once.

use crate::method::Describer;
use crate::{Mode, scalars};
use callgate_protocol::schema::{Definition, Logical, Type};
use serde_json::{Value, json};

impl Describer<'_, '_, '_> {
    /// The schema of a type. Its recursion is bounded: references end it, and types between them nest no deeper than the protocol says.
    pub(crate) fn ty(&mut self, ty: &Type, mode: Mode) -> Value {
        let ty = ty.understood();
        if let Some(schema) = scalars::schema(ty, mode) {
            return schema;
        }
        match ty {
            Type::Option(inner) | Type::Presence(inner) => nullable(self.ty(inner, mode)),
            Type::List(item) => json!({ "type": "array", "items": self.ty(item, mode) }),
            Type::Array(item, length) => {
                let item = self.ty(item, mode);
                json!({ "type": "array", "items": item, "minItems": length, "maxItems": length })
            }
            Type::Tuple(types) => self.tuple(types, mode),
            Type::Map(key, value) => {
                let mut schema = json!({ "type": "object", "additionalProperties": self.ty(value, mode) });
                if let Some(key) = self.key(key, mode) {
                    schema["propertyNames"] = key;
                }
                schema
            }
            Type::Logical(Logical::SET, list) => {
                let mut schema = self.ty(list, mode);
                // Results are shown as they are.
                if mode.reads() {
                    schema["uniqueItems"] = true.into();
                }
                schema
            }
            Type::Ref(index) => self.reference(*index, mode),
            // One that is not known is read as what it stands over, and all others are scalars.
            _ => json!({}),
        }
    }

    pub(crate) fn tuple(&mut self, types: &[Type], mode: Mode) -> Value {
        let items: Vec<Value> = types.iter().map(|ty| self.ty(ty, mode)).collect();
        let length = items.len();
        let mut schema = json!({ "type": "array", "minItems": length, "maxItems": length });
        if length > 0 {
            schema["prefixItems"] = items.into();
        }
        schema
    }

    fn key(&self, key: &Type, mode: Mode) -> Option<Value> {
        let Type::Ref(index) = key.understood() else { return scalars::key(key, mode) };
        let Some(Definition::Enum(def)) = self.method.schema.definition(*index) else { return None };
        let names: Vec<&str> = def.variants.iter().map(|variant| variant.name.as_str()).collect();
        Some(json!({ "enum": names }))
    }

    /// A reference to a definition, which is described later if it is new: definitions may be a chain of thousands.
    fn reference(&mut self, index: u32, mode: Mode) -> Value {
        let method = self.method;
        let (Some(definition), Some(identity)) =
            (method.schema.definition(index), method.identities.get(index as usize))
        else {
            return json!({});
        };
        let own = match definition {
            Definition::Struct(def) => &def.name,
            Definition::Enum(def) => &def.name,
        };
        let (name, is_new) = self.components.name(*identity, mode, own);
        let reference = self.components.reference(&name);
        if is_new {
            self.pending.push((index, identity.mode(mode), name));
        }
        reference
    }
}

/// A schema that takes `null` too.
pub(crate) fn nullable(mut schema: Value) -> Value {
    if schema == json!({}) || schema["type"] == "null" {
        return schema;
    }
    // Bounds of one type say nothing of others, so that a type more is enough. Lists of values and references say something of all.
    let of_all = ["anyOf", "oneOf", "enum", "const", "$ref"].iter().any(|word| schema.get(word).is_some());
    match schema.get_mut("type") {
        Some(Value::Array(types)) if !of_all => types.push("null".into()),
        Some(ty) if !of_all => *ty = json!([ty, "null"]),
        _ => return json!({ "anyOf": [schema, { "type": "null" }] }),
    }
    schema
}
