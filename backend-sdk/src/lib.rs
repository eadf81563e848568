//! The SDK: what a Callgate backend, or an internal caller of one, links.
//!
//! A backend is a trait and its methods: [`macro@service`] makes the server stub and the client stub of it, and
//! [`Message`](derive@Message) describes the types that it takes and gives. A [`Server`] offers services; a [`Client`]
//! calls them, as the gateway does. A [`Context`] is what a method knows of its call, and a [layer](layer) is what a program does around
//! each call. What is between is the wire protocol of `callgate-protocol`, driven by one
//! connection loop that both share.

#![deny(clippy::print_stderr, clippy::print_stdout)]

// What the macros write names this crate so.
#[cfg(test)]
extern crate self as callgate_sdk;

mod client;
mod connection;
mod context;
#[doc(hidden)]
pub mod generated;
pub mod layer;
pub mod message;
mod server;
pub mod service;
pub mod testing;
pub mod wire;

pub use callgate_protocol::{Code, Status};
pub use callgate_sdk_macros::{Message, service};
pub use client::{Client, ClientBuilder, ClientError};
pub use connection::{Address, AddressError};
pub use context::{BadMetadata, Context, Extensions, Peer, ReplyMetadata};
pub use layer::Layer;
pub use message::{BadSchema, Bytes, Json, MapKey, Message, Presence, SchemaBuilder, Timestamp};
pub use message::{Date, Decimal, Email, Time, Url};
pub use server::{Bound, Handle, Server, ServerError};
pub use uuid::Uuid;
pub use wire::Wire;
