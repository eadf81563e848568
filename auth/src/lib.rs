//! Who a caller is: tokens, keys and passwords that are read strictly and verified, and the identity that follows.
//!
//! It knows no socket, no clock of its own, no runtime and no watched file: it is given bytes and the time.
//!
//! - [`Identity`]: who a caller is, once something has verified it.
//! - [`Claims`]: what is known of it beside its name.
//! - [`jwt`]: JSON Web Tokens, and the keys that verify them.
//! - [`ApiKeys`]: keys by their hashes, and how new ones are made.
//! - [`Passwords`]: users with passwords by their hashes.
//! - [`told`]: callers by the word of a service that was asked.
//! - [`Cache`]: who was verified by which credential lately.
//! - [`Mistakes`]: what is wrong with a file, and where.

mod api_keys;
mod cache;
mod claims;
mod date;
mod denied;
mod digest;
mod entries;
mod identity;
mod json;
pub mod jwt;
mod mistake;
mod passwords;
pub mod told;

pub use api_keys::{ApiKeys, NewKey};
pub use cache::Cache;
pub use claims::Claims;
pub use denied::Denied;
pub use digest::Digest;
pub use identity::Identity;
pub use mistake::{Mistake, Mistakes};
pub use passwords::Passwords;

/// A moment, in seconds since 1970 (RFC 7519, 2: `NumericDate`, without its fraction).
pub type UnixSeconds = u64;
