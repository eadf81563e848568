//! What the macros' output calls: everything that can be a function instead of generated code is one, here.
//!
//! `streams` has those of methods that stream.
//!
//! It is public because generated code lives in other crates, and hidden because nobody writes it by hand.

mod streams;

use crate::codec::{self, CodecError, spare};
use crate::service::{Answer, Method};
use crate::{BadSchema, Client, Code, Context, Error, SchemaBuilder, Status, Wire};
use callgate_protocol::check;
use callgate_protocol::schema::{MethodSchema, Type};
use callgate_transcode::Violation;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::pin::Pin;

pub use crate::message::constraints::*;
pub use crate::service::Dispatch;
pub use crate::service::{Directions, Items};
pub use crate::status::poisoned;
pub use callgate_protocol::CallId;
pub use callgate_protocol::schema::{Field, Shape, Variant};
#[doc(hidden)]
pub use serde;
pub use serde_json::Error as JsonError;
pub use std::sync::{Arc, OnceLock};
pub use streams::*;
pub use tokio::sync::AcquireError;
pub use tokio::sync::oneshot::error::RecvError;
pub use tokio::task::JoinError;
pub use tokio::time::error::Elapsed;

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

/// The parts of a method's schema.
pub struct Described {
    /// The arguments, without the stream.
    pub arguments: Vec<Field>,
    /// The items of the caller, where it streams.
    pub request_items: Option<Type>,
    /// The result, or the items of the service.
    pub response: Type,
    /// The error that the method declares.
    pub error: Option<Type>,
}

/// A method's schema. `told_alone` is the only argument, if its attributes say something of it.
pub fn method_schema(
    doc: &str,
    request_name: &str,
    told_alone: Option<&'static str>,
    describe: impl FnOnce(&mut SchemaBuilder) -> Described,
) -> Result<MethodSchema, BadSchema> {
    let mut schema = SchemaBuilder::new();
    let Described { arguments, request_items, response, error } = describe(&mut schema);
    let of_first = arguments.first().map(|argument| argument.ty.clone());
    let request = schema.request(request_name, arguments);
    if let Some(argument) = told_alone
        && of_first == Some(request.clone())
    {
        return Err(BadSchema::LoneStruct { argument });
    }
    let method = MethodSchema::new(request, response, Vec::new());
    schema.complete(MethodSchema { doc: doc.to_owned(), request_items, error, ..method })
}

/// What a method returns. So an alias of `Result` tells its error.
pub trait Outcome {
    /// The error.
    type Error: Error;
}

impl<R, E: Error> Outcome for Result<R, E> {
    type Error = E;
}

/// The future of a trait object's method.
pub type Boxed<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;

/// Gives the variants of a described enum the codes of the errors that they are.
pub fn with_codes(schema: &mut SchemaBuilder, ty: Type, codes: &[Code]) -> Type {
    for (variant, code) in schema.variants_mut(&ty).zip(codes) {
        variant.attributes = std::mem::take(&mut variant.attributes).with_code(*code);
    }
    ty
}

/// A typed error as it is sent.
pub fn declared(code: Code, message: String, error: &impl Serialize) -> Status {
    let mut encoded = Vec::new();
    match codec::write(error, &mut encoded) {
        Ok(()) => Status::new(code, message).with_error(encoded),
        Err(error) => Status::from_error(format!("the error cannot be written: {error}")),
    }
}

/// A failure that a typed error holds and does not declare. An encoded value in it is of another method's error.
pub fn undeclared(mut status: Status) -> Status {
    status.error = None;
    status
}

/// A typed error as it came, of bytes that were checked against its schema.
pub fn decoded<T: DeserializeOwned>(encoded: &[u8]) -> Result<T, String> {
    codec::read(encoded).map_err(|error| unreadable(&error).to_owned())
}

/// A Call ID that the macro has seen not to be zero.
pub const fn pinned(number: u32) -> CallId {
    match CallId::pinned(number) {
        Some(id) => id,
        None => panic!("a Call ID cannot be zero"),
    }
}

/// Reads a method's arguments, a tuple. The bytes come from the network: they are read within the bounds of the guard, which has
/// the word where they cannot be.
pub fn arguments<T: DeserializeOwned>(method: &'static Method, payload: &[u8]) -> Result<T, Status> {
    let Method { service, name, .. } = method;
    let schema = match method.schema() {
        Ok(schema) => schema,
        Err(error) => return Err(Status::internal(format!("{service}.{name} has no schema: {error}"))),
    };
    let refuse = |error: &dyn std::fmt::Display| {
        Status::invalid_argument(format!("the arguments of {service}.{name} cannot be read: {error}"))
    };
    let read = schema.read(&schema.schema.request, payload).map_err(|error| refuse(&error))?;
    if let Some(constraints) = &schema.constraints {
        kept(constraints.broken(&schema.schema, payload))?;
    }
    match read {
        Some(arguments) => Ok(arguments),
        None => codec::read(payload).map_err(|error| refuse(&unreadable(&error))),
    }
}

/// Tells the caller of all constraints that its arguments break, in the words and with the pointers of the gateway.
fn kept(broken: Vec<Violation>) -> Result<(), Status> {
    let message = match broken.as_slice() {
        [] => return Ok(()),
        [one] => one.to_string(),
        many => format!("the arguments have {} errors", many.len()),
    };
    let errors = broken.iter().map(|Violation { pointer, detail, .. }| Broken { pointer, detail }).collect();
    Err(Status::invalid_argument(message).with_details(&Details { errors }))
}

#[derive(Serialize)]
struct Details<'a> {
    errors: Vec<Broken<'a>>,
}

#[derive(Serialize)]
struct Broken<'a> {
    pointer: &'a str,
    detail: &'a str,
}

/// Why a value cannot be read that its schema allows, in words for the caller: what the type's own `Deserialize` says, where it
/// is that which refuses.
pub(crate) fn unreadable(error: &CodecError) -> &str {
    match error {
        CodecError::Said(said) => said,
        _ => "they are not what their type expects",
    }
}

/// Runs a handler and writes its result.
pub fn answer<R: Serialize, E: Error>(
    handler: impl Future<Output = Result<R, E>> + Send + 'static,
) -> Answer {
    Box::pin(async move {
        let result = handler.await.map_err(E::into_failure)?;
        let mut written = spare::take();
        match codec::write(&result, &mut written) {
            Ok(()) => Ok(written),
            Err(error) => Err(Status::internal(format!("the result cannot be written: {error}"))),
        }
    })
}

/// Calls a method of another process.
pub async fn remote<A: Serialize + Sync, R: DeserializeOwned, E: Error>(
    client: &Client,
    method: &'static Method,
    context: Option<&Context>,
    arguments: &A,
) -> Result<R, E> {
    client.call(method, context, arguments).await.map_err(|status| heard(method, context, status))
}

/// A failure as the method's error. One that the method does not declare, or that cannot be read, has a code and a message all
/// the same.
pub(crate) fn heard<E: Error>(method: &'static Method, context: Option<&Context>, mut status: Status) -> E {
    let Some(encoded) = status.error.take() else {
        return status.into();
    };
    match readable(method, &encoded).and_then(|()| E::from_encoded(&encoded)) {
        Ok(error) => error,
        Err(why) => {
            let Method { service, name, .. } = method;
            let request_id = context.and_then(|context| context.metadata("request-id"));
            tracing::warn!(method = %format_args!("{service}.{name}"), request_id, error = why, "a server sends an error that its schema does not have");
            status.into()
        }
    }
}

/// Whether bytes are an error of the method. They come from the network: this comes before they are read.
fn readable(method: &'static Method, encoded: &[u8]) -> Result<(), String> {
    let schema = &method.schema().map_err(ToString::to_string)?.schema;
    let error = schema.error.as_ref().ok_or("the method declares none")?;
    check::value(schema, error, encoded).map_err(|error| error.to_string())
}

/// The answer to a method number that the service does not have; the server never asks for one.
pub fn no_such_method(service: &str, method: usize) -> Status {
    Status::unimplemented(format!("{service} has no method number {method}")).not_executed()
}
