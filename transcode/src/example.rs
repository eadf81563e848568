//! An example of what a type can be, as JSON: for people who are to write one, and for documents.
//!
//! A value is made as bytes, by the schema, and shown by whatever shows values. So tags, flattened members and texts of their own form
//! come out as they would of a method. What a field's attributes say is kept: its example is taken as it is, and otherwise its bounds,
//! length and pattern are looked at. Of a pattern that asks for what is around the text the example may not be a match.

mod pattern;
mod value;

use crate::binding::ResponseBinding;
use crate::response::ResponseProgram;
use callgate_protocol::schema::{MethodSchema, Type};

/// An example of a type of that schema, as JSON on one line. `None` where no value of it is finite, or short enough.
pub fn example(schema: &MethodSchema, ty: &Type) -> Option<String> {
    shown(schema, ty, &value::of(schema, ty)?)
}

/// An encoded value of a type of that schema, such as a default, as JSON on one line. `None` where it is no value of it.
pub fn shown(schema: &MethodSchema, ty: &Type, encoded: &[u8]) -> Option<String> {
    let method = MethodSchema {
        response: ty.clone(),
        request: schema.request.clone(),
        definitions: schema.definitions.clone(),
        ..MethodSchema::new(Type::Unit, Type::Unit, Vec::new())
    };
    let program = ResponseProgram::compile(&method, &ResponseBinding::default()).ok()?;
    let mut json = Vec::new();
    program.decode(encoded, &mut json).ok()?;
    String::from_utf8(json).ok()
}
