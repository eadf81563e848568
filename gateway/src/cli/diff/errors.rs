//! The errors that a method declares, as they are compared: their codes, and what they say beside.

use callgate_protocol::Code;
use callgate_protocol::schema::{Definition, MethodSchema, Shape, Type, Variant};

/// The errors that a method declares, with their codes.
pub(super) fn codes(schema: &MethodSchema) -> impl Iterator<Item = (&str, Code)> {
    variants(schema).map(|variant| (variant.name.as_str(), variant.error_code()))
}

/// What those errors say beside, where that is one value.
pub(super) fn details(schema: &MethodSchema) -> Vec<(&str, Type)> {
    let content = |variant: &Variant| match &variant.shape {
        Shape::Newtype(ty) => Some(ty.clone()),
        Shape::Tuple(types) => Some(Type::Tuple(types.clone())),
        Shape::Unit | Shape::Struct(_) => None,
    };
    variants(schema).filter_map(|variant| Some((variant.name.as_str(), content(variant)?))).collect()
}

fn variants(schema: &MethodSchema) -> impl Iterator<Item = &Variant> {
    let def = schema.error.as_ref().and_then(|error| match error {
        Type::Ref(index) => schema.definition(*index),
        _ => None,
    });
    let variants = match def {
        Some(Definition::Enum(def)) => def.variants.as_slice(),
        _ => &[],
    };
    variants.iter()
}
