//! What the macros' output calls: everything that can be a function instead of generated code is one, here.
//!
//! It is public because generated code lives in other crates, and hidden because nobody writes it by hand.

use crate::service::{Answer, Method, Schema};
use crate::{BadSchema, Client, Context, SchemaBuilder, Status, Wire};
use bincode::config::standard;
use bincode::error::DecodeError;
use callgate_protocol::check;
use callgate_protocol::schema::{Attributes, MethodSchema, Type};
use callgate_transcode::Violation;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;

pub use crate::message::constraints::*;
pub use crate::service::Dispatch;
pub use callgate_protocol::CallId;
pub use callgate_protocol::schema::{Field, Shape, Variant};
pub use std::sync::{Arc, OnceLock};

/// The bytes for which an answer has room from the start.
const ANSWER_ROOM: usize = 512;

/// A field, or an argument of a method.
pub fn field(name: &str, aliases: &[&str], doc: &str, ty: Type, default: Option<Vec<u8>>) -> Field {
    Field { aliases: owned(aliases), doc: doc.to_owned(), default, ..Field::new(name, ty) }
}

/// A variant of an enum.
pub fn variant(name: &str, aliases: &[&str], doc: &str, shape: Shape) -> Variant {
    Variant { aliases: owned(aliases), doc: doc.to_owned(), ..Variant::new(name, shape) }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// The encoded default of a field.
pub fn default_of<T: Serialize>(schema: &mut SchemaBuilder, value: &T) -> Option<Vec<u8>> {
    schema.encoded(value)
}

/// The encoded default of a field that goes over the wire as another type.
pub fn wire_default_of<T: Wire>(schema: &mut SchemaBuilder, value: &T) -> Option<Vec<u8>> {
    match value.to_wire() {
        Ok(value) => schema.encoded(&value),
        Err(error) => {
            schema.refuse(BadSchema::Attribute { which: "default", problem: error.to_string() });
            None
        }
    }
}

/// JSON has the members of the field's value in place of it.
pub fn flattened(attributes: Attributes) -> Attributes {
    attributes.with(Attributes::FLATTEN, [])
}

/// JSON has the name of an enum's variant in a member of this name.
pub fn tagged(attributes: Attributes, tag: &str) -> Attributes {
    attributes.with(Attributes::TAG, tag)
}

/// And the content of the variant in this one.
pub fn with_content(attributes: Attributes, content: &str) -> Attributes {
    attributes.with(Attributes::CONTENT, content)
}

/// A method's schema.
pub fn method_schema(
    doc: &str,
    request_name: &str,
    describe: impl FnOnce(&mut SchemaBuilder) -> (Vec<Field>, Type),
) -> Result<MethodSchema, BadSchema> {
    let mut schema = SchemaBuilder::new();
    let (arguments, response) = describe(&mut schema);
    let request = schema.request(request_name, arguments);
    schema.finish(doc, request, response)
}

/// A Call ID that the macro has seen not to be zero.
pub const fn pinned(number: u32) -> CallId {
    match CallId::pinned(number) {
        Some(id) => id,
        None => panic!("a Call ID cannot be zero"),
    }
}

/// Reads a method's arguments, a tuple. The bytes come from the network: the walk against the schema comes first, because
/// bincode has no bounds of its own.
pub fn arguments<T: DeserializeOwned>(method: &'static Method, payload: &[u8]) -> Result<T, Status> {
    let Method { service, name, .. } = method;
    let Schema { schema, constraints, .. } = match method.schema() {
        Ok(schema) => schema,
        Err(error) => return Err(Status::internal(format!("{service}.{name} has no schema: {error}"))),
    };
    let refuse = |error: &dyn std::fmt::Display| {
        Status::invalid_argument(format!("the arguments of {service}.{name} cannot be read: {error}"))
    };
    check::value(schema, &schema.request, payload).map_err(|error| refuse(&error))?;
    if let Some(constraints) = constraints {
        kept(constraints.broken(schema, payload))?;
    }
    match bincode::serde::decode_from_slice(payload, standard()) {
        Ok((arguments, _)) => Ok(arguments),
        Err(error) => Err(refuse(&unreadable(&error))),
    }
}

/// Tells the caller of all constraints that its arguments break, in the words and with the pointers of the gateway.
fn kept(broken: Vec<Violation>) -> Result<(), Status> {
    let message = match broken.as_slice() {
        [] => return Ok(()),
        [one] => one.to_string(),
        many => format!("the arguments have {} errors", many.len()),
    };
    let errors: Vec<_> = (broken.iter())
        .map(|Violation { pointer, detail, .. }| serde_json::json!({ "pointer": pointer, "detail": detail }))
        .collect();
    Err(Status::invalid_argument(message).with_details(serde_json::json!({ "errors": errors }).to_string()))
}

/// Why bincode cannot read what its schema allows, in words for the caller: what the type's own `Deserialize` says, where it
/// is that which refuses. bincode's own words are its Rust types'.
fn unreadable(error: &DecodeError) -> &str {
    match error {
        DecodeError::OtherString(said) => said,
        DecodeError::Other(said) => said,
        _ => "they are not what their type expects",
    }
}

/// Runs a handler and writes its result.
pub fn answer<R: Serialize>(handler: impl Future<Output = Result<R, Status>> + Send + 'static) -> Answer {
    Box::pin(async move {
        let result = handler.await?;
        // Room for most results at once: growing byte by byte cost more than writing them.
        let mut written = Vec::with_capacity(ANSWER_ROOM);
        match bincode::serde::encode_into_std_write(&result, &mut written, standard()) {
            Ok(_) => Ok(written),
            Err(error) => Err(Status::internal(format!("the result cannot be written: {error}"))),
        }
    })
}

/// Calls a method of another process.
pub async fn remote<A: Serialize + Sync, R: DeserializeOwned>(
    client: &Client,
    method: &'static Method,
    context: Option<&Context>,
    arguments: &A,
) -> Result<R, Status> {
    client.call(method, context, arguments).await
}

/// The answer to a method number that the service does not have; the server never asks for one.
pub fn no_such_method(service: &str, method: usize) -> Status {
    Status::unimplemented(format!("{service} has no method number {method}")).not_executed()
}
