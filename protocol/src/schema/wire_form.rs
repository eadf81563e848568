//! The part of a schema that the bytes of messages depend on, and the names of fields, arguments and variants: two schemas with
//! one wire form have the same bytes for the same values. The names are in it because two fields of one type that change places
//! would be mistaken for each other otherwise.

use super::{Attributes, Definition, Field, MethodSchema, Shape, Type};
use super::{canonical, encode};

/// The first byte of a wire form, so that no schema has its bytes.
const FORMAT: u8 = 0;

pub(super) fn of(schema: &MethodSchema) -> Vec<u8> {
    let mut bare = schema.clone();
    bare.doc.clear();
    bare.attributes = Attributes::default();
    bare.definitions.iter_mut().for_each(strip);
    let types = [Some(&mut bare.request), bare.request_items.as_mut(), Some(&mut bare.response)];
    types.into_iter().chain([bare.error.as_mut()]).flatten().for_each(strip_type);
    encode::method(&canonical::of(&bare), FORMAT)
}

fn strip(definition: &mut Definition) {
    match definition {
        Definition::Struct(def) => {
            def.name.clear();
            def.doc.clear();
            def.attributes = Attributes::default();
            def.fields.iter_mut().for_each(strip_field);
        }
        Definition::Enum(def) => {
            def.name.clear();
            def.doc.clear();
            def.attributes = Attributes::default();
            for variant in &mut def.variants {
                variant.aliases.clear();
                variant.doc.clear();
                variant.attributes = Attributes::default();
                match &mut variant.shape {
                    Shape::Unit => {}
                    Shape::Newtype(ty) => strip_type(ty),
                    Shape::Tuple(types) => types.iter_mut().for_each(strip_type),
                    Shape::Struct(fields) => fields.iter_mut().for_each(strip_field),
                }
            }
        }
    }
}

fn strip_field(field: &mut Field) {
    *field = Field::new(std::mem::take(&mut field.name), std::mem::replace(&mut field.ty, Type::Unit));
    strip_type(&mut field.ty);
}

/// Puts physical types in place of logical ones.
fn strip_type(ty: &mut Type) {
    while let Type::Logical(_, physical) = ty {
        *ty = std::mem::replace(physical, Type::Unit);
    }
    match ty {
        Type::Option(inner) | Type::List(inner) | Type::Array(inner, _) | Type::Presence(inner) => {
            strip_type(inner);
        }
        Type::Tuple(types) => types.iter_mut().for_each(strip_type),
        Type::Map(key, value) => {
            strip_type(key);
            strip_type(value);
        }
        _ => {}
    }
}
