//! What the tests share: short ways to write schemas, and random schemas with values, the second opinion for both
//! directions.
#![allow(dead_code, clippy::unwrap_used)] // Each test file uses a part.

pub(crate) mod evolve;
pub(crate) mod generate;
pub(crate) mod value;
pub(crate) mod write;

use callgate_protocol::schema::{
    Attributes, Definition, EnumDef, Field, Logical, MethodSchema, Shape, StructDef, Type, Variant,
};
use callgate_transcode::{
    Body, RequestBinding, RequestInput, RequestProgram, ResponseBinding, ResponseProgram, Violation,
};
use std::borrow::Cow;

pub(crate) fn field(name: &str, ty: Type) -> Field {
    Field::new(name, ty)
}

pub(crate) fn default_field(name: &str, ty: Type, default: &[u8]) -> Field {
    Field { default: Some(default.to_vec()), ..field(name, ty) }
}

/// A field of which its attributes ask something.
pub(crate) fn ruled(name: &str, ty: Type, attributes: Attributes) -> Field {
    Field { attributes, ..field(name, ty) }
}

pub(crate) fn structure(fields: Vec<Field>) -> Definition {
    Definition::Struct(StructDef::new("S", fields))
}

pub(crate) fn variant(name: &str, shape: Shape) -> Variant {
    Variant::new(name, shape)
}

pub(crate) fn enumeration(variants: Vec<Variant>) -> Definition {
    Definition::Enum(EnumDef::new("E", variants))
}

/// The request is the first definition, and so is the response.
pub(crate) fn method(definitions: Vec<Definition>) -> MethodSchema {
    let schema = MethodSchema::new(Type::Ref(0), Type::Ref(0), definitions);
    // Only what a backend could tell.
    MethodSchema::decode(&schema.encode()).unwrap()
}

/// A request of one field, `v`.
pub(crate) fn method_of(ty: Type) -> MethodSchema {
    method(vec![structure(vec![field("v", ty)])])
}

pub(crate) fn option(ty: Type) -> Type {
    Type::Option(Box::new(ty))
}

pub(crate) fn presence(ty: Type) -> Type {
    Type::Presence(Box::new(ty))
}

/// A logical type over a string.
pub(crate) fn text(logical: Logical) -> Type {
    Type::Logical(logical, Box::new(Type::String))
}

pub(crate) fn set(ty: Type) -> Type {
    Type::Logical(Logical::SET, Box::new(list(ty)))
}

pub(crate) fn list(ty: Type) -> Type {
    Type::List(Box::new(ty))
}

pub(crate) fn whole(schema: &MethodSchema) -> RequestProgram {
    RequestProgram::compile(schema, &RequestBinding::default()).unwrap()
}

/// Encodes a body alone.
pub(crate) fn encode(program: &RequestProgram, body: &[u8]) -> Result<Vec<u8>, Vec<Violation>> {
    encode_all(program, &[], &[], body)
}

pub(crate) fn encode_all(
    program: &RequestProgram,
    path: &[&str],
    query: &[(&str, &str)],
    body: &[u8],
) -> Result<Vec<u8>, Vec<Violation>> {
    let path: Vec<Cow<'_, str>> = path.iter().map(|value| Cow::from(*value)).collect();
    let query: Vec<_> = query.iter().map(|(name, value)| (Cow::from(*name), Cow::from(*value))).collect();
    // What stands in the buffer before must stay.
    let mut out = b"before".to_vec();
    let input = RequestInput { path: &path, query: &query, bound: &[], body, form: &[] };
    program.encode(&input, &mut out)?;
    assert_eq!(&out[..6], b"before");
    Ok(out.split_off(6))
}

pub(crate) fn decode(
    schema: &MethodSchema,
    message: &[u8],
) -> Result<String, callgate_transcode::DecodeError> {
    let program = ResponseProgram::compile(schema, &ResponseBinding::default()).unwrap();
    let mut out = Vec::new();
    program.decode(message, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

/// What is written in steps of the least size.
pub(crate) fn decode_in_steps(
    program: &ResponseProgram,
    message: &[u8],
) -> Result<String, callgate_transcode::DecodeError> {
    let (mut out, mut decoding) = (Vec::new(), program.begin(message));
    while !decoding.advance(&mut out, callgate_transcode::MIN_STEP)? {}
    Ok(String::from_utf8(out).unwrap())
}

pub(crate) fn binding(path: &[&str], body: Body) -> RequestBinding {
    RequestBinding {
        path: path.iter().map(|name| name.to_string()).collect(),
        body,
        ..RequestBinding::default()
    }
}

/// Each violation as a line: pointer, line and column, detail.
pub(crate) fn lines(violations: &[Violation]) -> String {
    let line = |violation: &Violation| {
        let place = match (violation.line, violation.column) {
            (Some(line), Some(column)) => format!("{line}:{column}"),
            _ => "-".to_owned(),
        };
        format!("{} {place} {}", violation.pointer, violation.detail)
    };
    violations.iter().map(line).collect::<Vec<_>>().join("\n")
}
