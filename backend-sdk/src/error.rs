//! The errors of methods: a [`Status`], or an enum of the service's own.

use crate::message::Type;
use crate::{SchemaBuilder, Status};

/// What a method can fail with: [`Status`], or an enum that derives this.
///
/// Each variant of such an enum is one error that the method's callers can tell from others. It has a message and one of the
/// canonical codes. Its fields are its details. One variant holds all failures that the service does not declare: those
/// of `?`, and those of the way between caller and server.
///
/// ```
/// use callgate_sdk::{Status, service};
///
/// /// Why an order is not taken.
/// #[derive(Debug, callgate_sdk::Error)]
/// pub enum OrderError {
///     /// Fewer are left than were ordered.
///     #[error("only {left} of {sku} are left", code = "failed_precondition")]
///     OutOfStock { sku: String, left: u32 },
///
///     #[error("there is no item {0}", code = "not_found")]
///     NoSuchItem(String),
///
///     #[error(status)]
///     Other(Status),
/// }
///
/// #[service]
/// pub trait Orders {
///     async fn place(&self, sku: String, count: u32) -> Result<u64, OrderError>;
/// }
///
/// struct Shop;
///
/// impl Orders for Shop {
///     async fn place(&self, sku: String, count: u32) -> Result<u64, OrderError> {
///         if sku != "tea" {
///             return Err(OrderError::NoSuchItem(sku));
///         }
///         let left: u32 = std::fs::read_to_string("/var/lib/shop/tea")?.trim().parse()?;
///         if count > left {
///             return Err(OrderError::OutOfStock { sku, left });
///         }
///         Ok(1)
///     }
/// }
/// ```
///
/// A caller by `OrdersClient` gets the same type. A client of the gateway gets a problem with `code`, `type` and `details`.
/// The schema has the enum, so documentation and other languages know it too.
///
/// **Variants.** `#[error("…", code = "…")]` has the message, with fields in braces as in `format!` (`{left}`, `{0}`, `{sku:?}`),
/// and the code by its name. `Display` and `std::error::Error` come with it. The content of a variant are
/// [messages](crate::Message). serde's `rename`, `rename_all`, `alias` and `default` count as for messages; but the enum itself
/// derives neither serde's traits nor `Message`.
///
/// **`?`** makes the `#[error(status)]` variant of a [`Status`] and of what `?` makes one of: I/O, parsing, and so on.
/// `#[error(from(DbError, StockError))]` on the enum names others in place of these. Each of them must be `Into<Status>`, as each
/// typed error is. `From` of one that is not named is free for an implementation of your own.
///
/// **Versions.** Variants and their fields may be added, as in messages. A caller that does not know a variant gets its code and
/// message in the `#[error(status)]` variant.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a method",
    label = "neither `Status` nor a typed error",
    note = "return `Result<_, Status>`: `?` makes a status of most errors, and `map_err(Status::from_error)` of all others",
    note = "or an enum of your own: `#[derive(Debug, callgate_sdk::Error)]`"
)]
pub trait Error: std::error::Error + From<Status> + Send + 'static {
    /// Describes the enum; `None` for what no schema has.
    #[doc(hidden)]
    fn describe(schema: &mut SchemaBuilder) -> Option<Type>;

    /// As it is sent: with its encoded value, if it has one.
    #[doc(hidden)]
    fn into_failure(self) -> Status;

    /// Reads an encoded value, which was checked against the schema. Else why it cannot be read.
    #[doc(hidden)]
    fn from_encoded(encoded: &[u8]) -> Result<Self, String>;
}

impl Error for Status {
    fn describe(_schema: &mut SchemaBuilder) -> Option<Type> {
        None
    }

    fn into_failure(self) -> Status {
        self
    }

    fn from_encoded(_encoded: &[u8]) -> Result<Status, String> {
        Err("the caller knows none".to_owned())
    }
}
