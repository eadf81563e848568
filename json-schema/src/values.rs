//! The values that a schema has of its fields, as JSON: defaults, examples, bounds.
//!
//! They are decoded in one go, as the fields of one struct: a layout for each would be much work for schemas with many.

use callgate_protocol::schema::{Definition, Field, MethodSchema, Shape, StructDef, Type};
use callgate_transcode::{ResponseBinding, ResponseProgram};
use serde_json::Value;
use std::collections::HashMap;

/// Which value of a field it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Default,
    Example,
    Minimum,
    Maximum,
}

/// All of a schema; of one with a value that cannot be shown none.
#[derive(Debug, Default)]
pub(crate) struct Values(HashMap<(*const Field, Kind), Value>);

impl Values {
    /// Those of that schema, whose fields stay where they are.
    pub(crate) fn of(schema: &MethodSchema) -> Values {
        let (mut keys, mut fields, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
        for field in schema.definitions.iter().flat_map(self::fields) {
            let content = field.ty.content();
            for (kind, ty, value) in [
                (Kind::Default, &field.ty, field.default.as_deref()),
                (Kind::Example, &field.ty, field.attributes.example()),
                (Kind::Minimum, content, field.attributes.minimum()),
                (Kind::Maximum, content, field.attributes.maximum()),
            ] {
                let Some(value) = value else { continue };
                fields.push(Field::new(fields.len().to_string(), ty.clone()));
                keys.push((std::ptr::from_ref(field), kind));
                bytes.extend_from_slice(value);
            }
        }
        if keys.is_empty() {
            return Values::default();
        }
        let mut decoded = decoded(schema, fields, &bytes).unwrap_or_default();
        let values = keys.into_iter().enumerate();
        Values(values.filter_map(|(at, key)| Some((key, decoded.remove(&at.to_string())?))).collect())
    }

    /// That value of a field of the schema.
    pub(crate) fn get(&self, field: &Field, kind: Kind) -> Option<&Value> {
        self.0.get(&(std::ptr::from_ref(field), kind))
    }
}

fn fields(definition: &Definition) -> Vec<&Field> {
    match definition {
        Definition::Struct(def) => def.fields.iter().collect(),
        Definition::Enum(def) => def
            .variants
            .iter()
            .flat_map(|variant| match &variant.shape {
                Shape::Struct(fields) => fields.as_slice(),
                _ => &[],
            })
            .collect(),
    }
}

/// The bytes of a struct of those fields, as JSON.
fn decoded(
    schema: &MethodSchema,
    fields: Vec<Field>,
    bytes: &[u8],
) -> Option<serde_json::Map<String, Value>> {
    let mut definitions = schema.definitions.clone();
    let index = definitions.len() as u32;
    definitions.push(Definition::Struct(StructDef::new("", fields)));
    let all = MethodSchema::new(schema.request.clone(), Type::Ref(index), definitions);
    let program = ResponseProgram::compile(&all, &ResponseBinding::default()).ok()?;
    let mut json = Vec::new();
    program.decode(bytes, &mut json).ok()?;
    match serde_json::from_slice(&json).ok()? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}
