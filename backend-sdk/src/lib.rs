//! The SDK: what a Callgate backend, or an internal caller of one, links.
//!
//! A backend is a trait and its methods: [`macro@service`] makes the server stub and the client stub of it, and
//! [`Message`](derive@Message) describes the types that it takes and gives, [`Error`](derive@Error) those with which it fails. A
//! [`Server`] offers services; a [`Client`]
//! calls them, as the gateway does. A [`Context`] is what a method knows of its call, and a [layer] is what a program
//! does around each call. What is between is the wire protocol of `callgate-protocol`, driven by one
//! connection loop that both share.

#![deny(clippy::print_stderr, clippy::print_stdout)]

// What the macros write names this crate so.
#[cfg(test)]
extern crate self as callgate_sdk;

mod client;
mod codec;
mod connection;
mod context;
mod error;
mod fresh;
#[doc(hidden)]
pub mod generated;
pub mod layer;
pub mod message;
mod server;
pub mod service;
mod status;
mod streaming;
pub mod testing;
#[cfg(feature = "tls")]
pub mod tls;
mod token;
pub mod wire;

pub use callgate_protocol::Code;
/// A backend, and a call of it from the same process:
///
/// ```
/// use callgate_sdk::{Context, Status, service};
///
/// /// Arithmetic.
/// #[service]
/// pub trait Calc {
///     /// Divides, by 2 unless told.
///     #[idempotent]
///     async fn divide(&self, a: f64, #[default(2.0)] b: f64) -> Result<f64, Status>;
/// }
///
/// struct Calculator;
///
/// impl Calc for Calculator {
///     async fn divide(&self, a: f64, b: f64) -> Result<f64, Status> {
///         if b == 0.0 {
///             return Err(Status::invalid_argument("division by zero"));
///         }
///         Ok(a / b)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let server = callgate_sdk::Server::new().service(CalcServer::new(Calculator));
/// # let server = server.listen("127.0.0.1:0").bind().await.unwrap();
/// # let address = server.addresses()[0].to_string();
/// # tokio::spawn(server.serve());
/// let client = callgate_sdk::Client::builder().endpoint(address).build().unwrap();
/// assert_eq!(CalcClient::new(client).divide(1.0, 4.0).await, Ok(0.25));
/// # }
/// ```
pub use callgate_sdk_macros::service;
pub use callgate_sdk_macros::{Error, Message};
pub use client::{Client, ClientBuilder, ClientError};
pub use connection::{Address, AddressError};
pub use context::{BadMetadata, Context, Extensions, Identity, Peer, ReplyMetadata};
pub use error::Error;
pub use layer::Layer;
pub use message::{BadSchema, Bytes, Json, MapKey, Message, Presence, SchemaBuilder, Timestamp};
pub use message::{Date, Decimal, Email, Time, Url};
pub use server::{Bound, Handle, Server, ServerError};
pub use status::Status;
pub use streaming::{Stream, Streaming};
pub use token::Token;
pub use uuid::Uuid;
pub use wire::Wire;
