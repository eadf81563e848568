//! Small schemas for tests.

use callgate_protocol::schema::{Definition, EnumDef, Field, MethodSchema, StructDef, Type, Variant};

/// A method whose request has those fields, with definitions behind it: the first has the number 1.
pub(crate) fn method(fields: Vec<Field>, definitions: Vec<Definition>) -> MethodSchema {
    let request = Definition::Struct(StructDef::new("Request", fields));
    MethodSchema::new(Type::Ref(0), Type::Unit, std::iter::once(request).chain(definitions).collect())
}

pub(crate) fn structure(name: &str, fields: Vec<Field>) -> Definition {
    Definition::Struct(StructDef::new(name, fields))
}

pub(crate) fn enumeration(name: &str, variants: Vec<Variant>) -> Definition {
    Definition::Enum(EnumDef::new(name, variants))
}

pub(crate) fn option(ty: Type) -> Type {
    Type::Option(Box::new(ty))
}

pub(crate) fn list(ty: Type) -> Type {
    Type::List(Box::new(ty))
}
