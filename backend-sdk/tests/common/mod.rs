//! What the tests of messages share: a type's schema alone, and the check that its bytes are one of its values.
#![allow(dead_code, reason = "not every test file needs all of it")]

use callgate_protocol::check;
use callgate_protocol::schema::{Definition, EnumDef, MethodSchema, StructDef, Type};
use callgate_sdk::{Message, SchemaBuilder};
use serde::Serialize;

/// A struct without fields, for the schema needs a request.
#[derive(serde::Serialize, serde::Deserialize, Message)]
struct Nothing {}

/// The schema of a method that returns a `T`, after it went over the wire.
pub(crate) fn schema_of<T: Message>() -> MethodSchema {
    let mut builder = SchemaBuilder::new();
    let response = T::describe(&mut builder);
    let request = Nothing::describe(&mut builder);
    builder.finish("", request, response).expect("the types can be described")
}

/// The type that refers to `T`.
pub(crate) fn type_of<T: Message>() -> Type {
    schema_of::<T>().response
}

pub(crate) fn bincode_of<T: Serialize>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).expect("a message can be written")
}

/// What bincode writes passes the walk against the schema, and is read as what was written.
pub(crate) fn fits<T: Message>(value: &T) -> Vec<u8> {
    let schema = schema_of::<T>();
    let bytes = bincode_of(value);
    if let Err(error) = check::value(&schema, &schema.response, &bytes) {
        panic!("{bytes:?} is no value of {:?}: {error}", schema.response);
    }
    let (read, length) = bincode::serde::decode_from_slice::<T, _>(&bytes, bincode::config::standard())
        .expect("what was written can be read");
    assert_eq!((bincode_of(&read), length), (bytes.clone(), bytes.len()));
    bytes
}

pub(crate) fn struct_of<T: Message>() -> StructDef {
    let schema = schema_of::<T>();
    match &schema.response {
        Type::Ref(index) => match schema.definition(*index) {
            Some(Definition::Struct(def)) => def.clone(),
            other => panic!("not a struct: {other:?}"),
        },
        other => panic!("not a struct: {other:?}"),
    }
}

pub(crate) fn enum_of<T: Message>() -> EnumDef {
    let schema = schema_of::<T>();
    match &schema.response {
        Type::Ref(index) => match schema.definition(*index) {
            Some(Definition::Enum(def)) => def.clone(),
            other => panic!("not an enum: {other:?}"),
        },
        other => panic!("not an enum: {other:?}"),
    }
}
