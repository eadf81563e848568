//! JSON → bincode and bincode → JSON by programs that are compiled from a method's schema and a route's binding.
//!
//! Each direction is one pass: no tree of JSON values is built, and what is written goes straight into the caller's
//! buffer. A schema is compiled once, to a [`Layout`]; the programs of all routes that call the method are made of it, and
//! hold no state of a call.
//!
//! - [`RequestProgram`]: path, query and body → the request message, or [`Violation`]s to tell the client;
//! - [`ResponseProgram`]: the result message → the body of the answer;
//! - [`ErrorProgram`]: an error that the method declares → its name, code and details;
//! - [`Converter`]: a message of one schema → a message of another, for callers that have types of their own;
//! - [`Constraints`]: what fields ask of an encoded message, for whoever did not read it from JSON;
//! - [`Fields`]: single fields of a request, read out of its encoded message;
//! - [`ItemSplitter`]: a body that comes → its items, each a JSON text that [`RequestProgram::encode_item`] reads;
//! - [`example()`]: a type → JSON that it could be;
//! - [`json::validate`]: RFC 8259 alone.
//!
//! Inside: `layout` is the compiled schema; `json` reads and writes JSON and knows no schema; `scalar` is what one token
//! stands for; `request` and `response` are the two walks.

#![deny(clippy::print_stderr, clippy::print_stdout)]

mod binding;
mod constraints;
mod convert;
mod example;
mod fields;
mod items;
pub mod json;
mod layout;
mod path;
mod request;
mod response;
mod scalar;
mod tail;
mod violation;

pub use binding::{
    Body, BoundField, Decimal, FieldSource, Int64, Pick, RequestBinding, Response, ResponseBinding,
    UnknownFields,
};
pub use constraints::Constraints;
pub use convert::{ConvertError, ConvertReason, Converter, Misfit};
pub use example::{example, shown};
pub use fields::{FieldType, FieldValue, Fields, Form, Found, MAX_FIELDS, NoField};
pub use items::{ItemError, ItemForm, ItemSplitter};
pub use layout::{Layout, ResultField};
pub use request::{Content, FormField, RequestInput, RequestProgram};
pub use response::{
    DecodeError, DecodeReason, Decoding, ErrorProgram, MAX_PICKED, MIN_STEP, MethodError, Picked, Picking,
    ResponseProgram,
};
pub use scalar::TextForm;
pub use violation::{BindError, Violation, ViolationKind};
