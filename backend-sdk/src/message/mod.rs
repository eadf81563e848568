//! What can be a method's argument or result: the trait [`Message`], the types that have it, and how a schema is built.
//!
//! serde and the codec carry the value; `Message` tells its shape, which they do not. The two must agree byte for byte, so
//! every implementation here stands beside a test that compares the bytes with the shape that is described.

mod base64;
mod builder;
mod bytes;
#[doc(hidden)]
pub mod constraints;
mod foreign;
mod impls;
mod json;
mod keys;
mod presence;
mod text;
mod timestamp;

pub use builder::{BadSchema, SchemaBuilder};
pub use bytes::Bytes;
pub use callgate_protocol::schema::{Attributes, Type};
pub use json::{InvalidJson, Json};
pub use presence::Presence;
pub use text::{Date, Decimal, Email, InvalidText, Time, Url};
pub use timestamp::{InvalidTimestamp, Timestamp};

/// A type that can be an argument or a result of a method, or a part of one.
///
/// It is derived beside serde's traits:
///
/// ```
/// use callgate_sdk::Message;
/// use serde::{Deserialize, Serialize};
///
/// /// One line of an order.
/// #[derive(Serialize, Deserialize, Message)]
/// struct Item {
///     /// What is bought.
///     sku: String,
///     #[serde(default)]
///     quantity: u32,
/// }
/// ```
///
/// Numbers, `bool`, `char`, `String`, `Option`, `Vec`, arrays, tuples, maps, sets, `Box`, `Arc`, `NonZero`, `Duration`, IP
/// addresses, [`Uuid`](crate::Uuid), [`Bytes`], [`Timestamp`], [`Decimal`], [`Date`], [`Time`], [`Url`], [`Email`] and [`Json`] have
/// it already, and with the SDK's features `chrono`, `rust_decimal` and `url` the types of these crates. Others go over the wire as
/// one of these, see [`Wire`](crate::Wire).
///
/// What a field's value must be beside its type is said by `#[message(…)]`:
///
/// ```
/// use callgate_sdk::{Date, Decimal, Message};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Message)]
/// struct Order {
///     #[message(length(min = 1, max = 20), pattern = "^[A-Z0-9-]+$", example = "TEA-1")]
///     sku: String,
///     #[message(min = 1, max = 100)]
///     quantity: u32,
///     #[message(min = "0.01", unit = "EUR")]
///     price: Decimal,
///     #[message(min = "2026-01-01")]
///     ships_on: Option<Date>,
///     #[message(items(max = 3))]
///     tags: Vec<String>,
///     #[message(secret)]
///     coupon: Option<String>,
/// }
/// ```
///
/// Implementing it by hand is for types that write exactly what an existing type writes: describe as that type does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a message",
    label = "its shape is not known",
    note = "for a type of your own: `#[derive(serde::Serialize, serde::Deserialize, callgate_sdk::Message)]`",
    note = "known are numbers, bool, char, String, Option, Vec, arrays up to 32, tuples up to 12, maps with keys that JSON can write, \
            sets, Box, Arc, NonZero, Duration, IP addresses, Uuid, Bytes, Timestamp, Decimal, Date, Time, Url, Email and Json; \
            all of them owned",
    note = "a field of SystemTime or SocketAddr has `#[serde(with = \"callgate_sdk::wire\")]`; so has, with the SDK's features `chrono` and \
            `time`, one of DateTime<Utc>, OffsetDateTime, time::Date or time::Time; NaiveDate, NaiveTime, rust_decimal's Decimal and \
            url's Url are known with the features `chrono`, `rust_decimal` and `url`"
)]
pub trait Message: serde::Serialize + serde::de::DeserializeOwned + Send + 'static {
    /// Describes what serde writes for this type. Definitions go into `schema`; the type that refers to them
    /// is returned.
    fn describe(schema: &mut SchemaBuilder) -> Type;

    /// What the type itself asks of a field's value: that it is not zero, say.
    #[doc(hidden)]
    fn attributes(_schema: &mut SchemaBuilder) -> Attributes {
        Attributes::new()
    }
}

/// A [`Message`] that can be the key of a JSON object: `bool`, integers, `char`, `String`, what JSON writes as a string
/// (UUID, time stamp, duration, IP address, decimal, date), enums whose variants are all units, and newtypes of these.
///
/// `#[derive(Message)]` implements it where it applies.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of a map in a message",
    label = "JSON cannot write it as a key",
    note = "keys are bool, integers, char, String, Uuid, Timestamp, Duration, IP addresses, Decimal, Date, Time, Url, Email, enums \
            without content, and newtypes of these; a list of pairs, `Vec<(K, V)>`, can have any key"
)]
pub trait MapKey: Message {}
